"""Routes that a browser visits during a sign-out at the provider: the way there, and the way back (ADR 39)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import Forbidden, StateInvalid
from jupyter_oidc.sessions.lifetimes import SIGN_OUT_RETURN_SECONDS
from jupyter_oidc.web.access_rule import allow, public_route
from jupyter_oidc.web.cookies import sign_out_bindings, sign_out_cookie
from jupyter_oidc.web.pages import Page, show, show_problem
from jupyter_oidc.web.request import fields_of
from jupyter_oidc.web.sign_out_page import show_form, shown_how

if TYPE_CHECKING:
    from jupyter_oidc.sessions.api import Shown
    from jupyter_oidc.web.front import Call
    from jupyter_oidc.web.reply import Reply


@allow("user", action="write", from_other_sites=True)
async def show_sign_out_page(call: Call, provider: str, ticket: str) -> Reply:
    """Show the form once, to a browser that is logged in to Jupyter and requests it as a document."""
    request, front, sessions = call.request, call.front, call.sessions
    page = await sessions.sign_out_page_of_ticket(provider, ticket)
    if request.caller.bears_token:
        raise Forbidden(N_("Only somebody who is logged in to Jupyter with a browser can open this."))
    try:
        form = await sessions.open_sign_out_page(provider, ticket, sign_out_bindings(request, page), _shown(call))
    except StateInvalid as problem:
        return show_problem(
            front, problem, title=sentence("Sign-out did not work"), onward=await sessions.sign_out_link(provider)
        )
    back = f"{front.base_url}jupyter-oidc/providers/{provider}/signed-out"
    cookie = sign_out_cookie(front, form.page, form.binding, back, SIGN_OUT_RETURN_SECONDS)
    return show_form(form, front.nonce()).with_cookies(cookie)


@public_route(
    protection="changes no session and shows nothing about anybody; a state with its cookie is what it believes"
)
async def show_signed_out(call: Call, provider: str) -> Reply:
    """Show "signed out" to a browser that returns from a sign-out of this server (RP-Initiated Logout 1.0, 3).

    It works for every browser and changes no session (L-7).
    """
    request, front, sessions = call.request, call.front, call.sessions
    await sessions.settings(provider)
    states = [value for name, value in fields_of(request.query) or () if name == "state"]
    links = ((sentence("Back to JupyterLab"), front.home),)
    if len(states) == 1:
        bindings = sign_out_bindings(request, await sessions.sign_out_page_of_state(provider, states[0]))
        if await sessions.came_back(provider, states[0], bindings):
            return show(
                front,
                Page(
                    sentence("You are signed out"),
                    (sentence("You can close this window."),),
                    "\N{CHECK MARK}",
                    links=links,
                ),
            )
    lines = (
        sentence("This page was not reached by a sign-out that began in this browser.")
        if states
        else sentence("The provider has sent you back."),
        sentence("JupyterLab shows whether you are signed in."),
    )
    page = Page(sentence("Back from the provider"), lines, "\N{INFORMATION SOURCE}", links=links)
    if not states:
        return show(front, page)
    return show(front, page, 200, ("X-OIDC-Error", StateInvalid.code)).refusing(StateInvalid(detail="sign-out.state"))


def _shown(call: Call) -> Shown:
    """Return the use that the browser makes of the page; a caller without a login is no known browser."""
    shown = shown_how(call.request.headers)
    return shown if call.front.has_logins or shown == "elsewhere" else "unknown"
