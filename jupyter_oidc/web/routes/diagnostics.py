"""``diagnostics``: the checks of the set-up, and who can fix a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.reply import Reply, content_language, json_reply

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call


@allow("user", action="read")
async def show_diagnostics(call: Call) -> Reply:
    """Return the checks of ``jupyter oidc doctor``, made where the sessions are, in the language of the caller."""
    return json_reply(await call.front.diagnostics(call.request.headers), 200, content_language())
