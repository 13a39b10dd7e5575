"""The route at which a third party asks for a sign-in; it asks the user, and begins no sign-in by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import RequestInvalid
from jupyter_oidc.web.access_rule import allow, public_route
from jupyter_oidc.web.pages import Page, show
from jupyter_oidc.web.redirects import local_path
from jupyter_oidc.web.reply import Reply, redirect
from jupyter_oidc.web.request import fields_of, form_of

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call


@allow("user", action="write", from_other_sites=True)
async def offer_sign_in(call: Call, provider: str) -> Reply:
    """Ask the user whether to sign in; only a click begins an ordinary sign-in (I-5).

    For example, a tile in the provider's portal leads here.
    """
    request, front = call.request, call.front
    asked = await call.sessions.initiation(provider, fields_of(request.query) or ())
    ticket = await call.sessions.offer_sign_in(
        provider,
        # NOTE: counted apart, so that another site's requests cannot displace a sign-in that the user began.
        f"initiated:{request.caller.name}",
        front.browser,
        next_path=local_path(asked.target, urlsplit(front.home).path),
        login_hint=asked.login_hint,
    )
    start = ((sentence("Sign in"), f"{front.base_url}jupyter-oidc/start/{ticket}"),) if ticket else ()
    page = Page(
        sentence("Sign in at {provider}?", provider=provider),
        (
            sentence("Another page asks you to sign in here."),
            sentence("You would be sent to {host}.", host=urlsplit(asked.settings.issuer).netloc),
            sentence("Go on only if you expected this."),
        ),
        "\N{BLACK QUESTION MARK ORNAMENT}",
        links=(*start, (sentence("Back to JupyterLab"), front.home)),
    )
    return show(front, page)


@public_route(protection="has no effect: it turns a form into the address that GET judges, for Jupyter's user only")
async def turn_form_into_address(call: Call, provider: str) -> Reply:
    """Redirect the form's parameters to GET, with which the browser sends Jupyter's cookie (I-1)."""
    await call.sessions.settings(provider)
    fields = form_of(call.request)
    if not fields:
        raise RequestInvalid(N_("The request to sign in is no form, or an empty one."), detail="initiate.form")
    return redirect(f"{call.request.path}?{urlencode(fields)}", 303)
