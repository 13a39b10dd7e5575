"""Routes that show, refresh and end sessions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.language import N_
from jupyter_oidc.problems import RequestInvalid
from jupyter_oidc.sessions.lifetimes import SIGN_OUT_TICKET_SECONDS
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.cookies import sign_out_cookie
from jupyter_oidc.web.reply import Reply, empty_reply, json_reply
from jupyter_oidc.web.request import envelope, parameter, seconds_to_wait
from jupyter_oidc.web.views import provider_view, sign_out_view, summary_view

if TYPE_CHECKING:
    from jupyter_oidc.sessions.api import ProviderSettings
    from jupyter_oidc.web.front import Call

_SEQUENCE: Final = re.compile(r"-?[0-9]{1,17}\Z")


@allow("user", "kernel", action="read")
async def show_providers(call: Call) -> Reply:
    """List the providers in the order of the settings: names and states; and which one is the default."""
    front = call.front
    entries = await call.sessions.providers(front.browser, under_hub=front.under_hub)
    views = [
        provider_view(entry, silent=entry.comes_back_silently and page_comes_back(call, entry.settings))
        for entry in entries
    ]
    default = front.default_provider if front.default_provider in [view["name"] for view in views] else None
    return json_reply({"providers": views, "default_provider": default})


@allow("user", "kernel", action="read")
async def show_session(call: Call, provider: str) -> Reply:
    """Return the summary; with ``wait`` and ``sequence``, once it differs from that sequence.

    Polling it never uses the network (D16).
    """
    request = call.request
    sessions, sequence = call.sessions, _sequence_in(parameter(request, "sequence", "-1"))
    summary = await sessions.summary(provider, since=sequence, wait_seconds=seconds_to_wait(request))
    etag = f'"{summary.instance}-{summary.sequence}"'
    if request.headers.get("If-None-Match") == etag:
        return empty_reply(304, ("ETag", etag))
    return json_reply(summary_view(summary, call.front.sharing_mode), 200, ("ETag", etag))


@allow("user", "kernel", action="write")
async def refresh_session(call: Call, provider: str) -> Reply:
    """Refresh the access token now, and return the summary."""
    envelope(call.request, "refresh.request")
    return json_reply(summary_view(await call.sessions.refresh(provider), call.front.sharing_mode))


@allow("user", "kernel", action="write")
async def sign_out(call: Call, provider: str) -> Reply:
    """Sign out and report the result of each step; a sign-out page is bound to the requesting browser."""
    request, front = call.request, call.front
    envelope(request, "sign-out.request")
    is_browser = not request.caller.is_kernel and "Sec-Fetch-Site" in request.headers
    # NOTE: a front that shows the pages of another one knows by itself whose browser it has.
    result = await call.sessions.sign_out(provider, bound=is_browser and front.page_address is None)
    link, ticket = result.end_session_url, result.ticket
    if ticket is None:
        return json_reply(sign_out_view(result, link, link))
    below = f"jupyter-oidc/providers/{provider}/sign-out/{ticket.value}"
    path, public = front.base_url + below, front.public_url(result.settings)
    reply = json_reply(sign_out_view(result, path, f"{public}{below}" if public else None))
    if ticket.binding is None:
        return reply
    return reply.with_cookies(sign_out_cookie(front, ticket.page, ticket.binding, path, SIGN_OUT_TICKET_SECONDS))


def page_comes_back(call: Call, settings: ProviderSettings) -> bool:
    """Return whether a silent sign-in comes back to the host of the page that calls; a kernel has no page (ADR 40)."""
    headers = call.request.headers
    if call.request.caller.is_kernel:
        return False
    try:
        shown = urlsplit(headers.get("Origin") or headers.get("Referer") or "").netloc
    except ValueError:
        return False
    public = call.front.public_url(settings)
    # NOTE: the page names its own host; ``Host`` is the one after any proxy.
    return public is None or urlsplit(public).netloc.lower() == (shown or call.front.host).lower()


def _sequence_in(text: str) -> int:
    if not _SEQUENCE.match(text):
        raise RequestInvalid(N_("'sequence' is not a whole number."))
    return int(text)
