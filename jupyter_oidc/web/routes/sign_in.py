"""Routes that begin, watch, cancel and complete a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from jupyter_oidc.language import N_
from jupyter_oidc.problems import RequestInvalid
from jupyter_oidc.sessions.api import SignInRequest
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.redirects import local_path
from jupyter_oidc.web.reply import Reply, json_reply
from jupyter_oidc.web.request import envelope, seconds_to_wait
from jupyter_oidc.web.routes.session import page_comes_back
from jupyter_oidc.web.views import progress_view, started_view, summary_view

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call


@allow("user", "kernel", action="write")
async def begin_sign_in(call: Call, provider: str) -> Reply:
    """Open a sign-in; the reply holds the address at which the browser starts it."""
    request, front = call.request, call.front
    asked = envelope(request, "sign-in.request")
    sessions = call.sessions
    if asked.get("silent"):
        await _check_silent(call, provider, asked)
    next_path = local_path(asked.get("next"), front.base_url)
    if asked.get("next") and next_path is None:
        front.note("next_rejected")
    started = await sessions.begin_sign_in(
        provider,
        SignInRequest(
            request.caller.name,
            by_user=not request.caller.is_kernel,
            browser=front.browser,
            # NOTE: another front may show the end of the sign-in, which knows no server.
            next=urljoin(front.home, next_path or front.base_url),
            prompt=asked.get("prompt"),
            silent=bool(asked.get("silent")),
            login_hint=asked.get("login_hint"),
            ui_locales=tuple(asked.get("ui_locales", ())),
            acr_values=tuple(asked.get("acr_values", ())),
            api=asked.get("api"),
            strategy=asked.get("strategy", "auto"),
        ),
        under_hub=front.under_hub,
    )
    sign_in, ticket = started.sign_in, started.ticket
    if ticket is None:
        return json_reply(started_view(sign_in, None, None), 201)
    start, public = f"jupyter-oidc/start/{quote(ticket, safe='')}", front.public_url(sign_in.settings)
    return json_reply(started_view(sign_in, front.base_url + start, f"{public}{start}" if public else None), 201)


@allow("user", "kernel", action="read")
async def watch_sign_in(call: Call, provider: str, flow: str) -> Reply:
    """Return the progress; with ``wait``, as soon as the sign-in has ended."""
    sessions, seconds = call.sessions, seconds_to_wait(call.request)
    return json_reply(progress_view(await sessions.sign_in(provider, flow, wait_seconds=seconds)))


@allow("user", "kernel", action="write")
async def cancel_sign_in(call: Call, provider: str, flow: str) -> Reply:
    """Cancel; a sign-in that has ended stays as it is."""
    return json_reply(progress_view(await call.sessions.cancel_sign_in(provider, flow)))


@allow("user", action="write")
async def cancel_sign_ins(call: Call, provider: str) -> Reply:
    """Cancel every sign-in under way, begun by a page, a cell or a terminal, and return the summary of the session.

    A kernel may cancel the sign-ins that it knows by their flow, and no others.
    """
    return json_reply(summary_view(await call.sessions.cancel_sign_ins(provider), call.front.sharing_mode))


@allow("user", "kernel", action="write")
async def complete_sign_in(call: Call, provider: str, flow: str) -> Reply:
    """End the sign-in with the pasted address at which the provider left the browser, if its own caller sends it."""
    sessions, pasted = call.sessions, envelope(call.request, "complete.request")["redirect_url"]
    return json_reply(progress_view(await sessions.complete_sign_in(provider, flow, call.request.caller.name, pasted)))


async def _check_silent(call: Call, provider: str, asked: dict[str, Any]) -> None:
    """Raise ``RequestInvalid`` unless the page that calls asks for the only form of a silent sign-in, and gets it back.

    The sessions judge the rest.
    """
    if not set(asked) <= {"silent", "next"}:
        raise RequestInvalid(N_("'silent' goes with 'next' and with nothing else."), detail="silent.with")
    if not page_comes_back(call, await call.sessions.settings(provider)):
        raise RequestInvalid(
            N_("No page may try to sign in by itself now."),
            action=N_("Sign in by the button."),
            detail="silent.not_now",
        )
