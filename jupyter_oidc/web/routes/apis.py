"""The route that lists the APIs of the proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.reply import Reply, json_reply
from jupyter_oidc.web.views import api_view

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call


@allow("user", "kernel", action="read")
async def show_apis(call: Call) -> Reply:
    """List every API in the order of the settings, with readiness and entitlements."""
    to_kernel, base_url = call.request.caller.is_kernel, call.front.base_url
    entries = await call.sessions.apis()
    views = [api_view(entry, f"{base_url}jupyter-oidc/api/{entry.name}/", to_kernel=to_kernel) for entry in entries]
    return json_reply({"apis": views})
