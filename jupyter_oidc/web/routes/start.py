"""The route that sends a browser to the provider: it uses the ticket of a sign-in, and binds that to the browser."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from typing_extensions import assert_never

from jupyter_oidc.problems import Problem, StateInvalid, UnknownFlow, UnknownProvider
from jupyter_oidc.settings.redirect_uri import leads_through_hub
from jupyter_oidc.strategies import facts_of
from jupyter_oidc.web.access_rule import public_route
from jupyter_oidc.web.cookies import sign_in_cookie
from jupyter_oidc.web.pages import show_problem
from jupyter_oidc.web.redirects import redirect_uri_for, starts_elsewhere, target_of
from jupyter_oidc.web.reply import Reply, redirect
from jupyter_oidc.web.request import parameter

if TYPE_CHECKING:
    from jupyter_oidc.sessions.api import ProviderSettings, SignIn
    from jupyter_oidc.web.front import Call, Front

SILENT_REDIRECT_TIMEOUT_SECONDS: Final = 5.0
"""Seconds from the start of a silent sign-in to the redirect to the provider; the page itself waits ten."""


@public_route(protection="a one-time ticket of 256 random bits, good for five minutes")
async def start_sign_in(call: Call, ticket: str) -> Reply:
    """Use the ticket once; a browser on another host than the redirect URI's is sent there first."""
    sessions, is_redirected = call.sessions, parameter(call.request, "hop", "") == "1"
    other_origin = None if is_redirected else _other_origin(call.front, await sessions.every_settings())
    if other_origin:
        return redirect(f"{other_origin}{call.request.path}?hop=1")
    sign_in = await sessions.use_ticket(ticket)
    try:
        return await _depart(call, sign_in)
    except Problem as problem:
        with suppress(UnknownFlow, UnknownProvider):  # NOTE: it may have been pushed out meanwhile
            await sessions.fail_sign_in(sign_in.provider, sign_in.flow, problem)
        front = call.front
        reply = redirect(target_of(front, sign_in), 303) if sign_in.silent else show_problem(front, problem)
        return reply.refusing(problem, sign_in.flow, is_audited=True)


async def _depart(call: Call, sign_in: SignIn) -> Reply:
    """Send the browser on, by the place where the provider's answer is to arrive."""
    answer = facts_of(sign_in.strategy).answer
    match answer:
        case "callback":
            return await _by_redirect(call, sign_in)
        case "listener":
            return await _by_listener(call, sign_in)
        case "pasted":
            return await _by_paste(call, sign_in)
        case "polled":  # NOTE: such a sign-in has no ticket, so no browser gets here
            raise StateInvalid(detail="start.ticket")
        case _:
            assert_never(answer)


async def _by_redirect(call: Call, sign_in: SignIn) -> Reply:
    """Send the browser to the provider, from where it comes back to the callback route."""
    front, settings, callback = call.front, sign_in.settings, _callback_path(call.front, sign_in)
    redirect_uri = redirect_uri_for(
        settings.redirect_uri, protocol=front.protocol, host=front.host, callback_path=callback
    )
    by_hub = leads_through_hub(redirect_uri, sign_in.provider)
    going = await call.sessions.depart(
        sign_in.provider,
        sign_in.flow,
        redirect_uri,
        # NOTE: the Hub sends a browser to its user's default server; a named one is found by the end of the state.
        server_name=front.server_name if by_hub else "",
        # NOTE: later the user may have begun to work in the page, and it must not navigate away then.
        timeout_seconds=SILENT_REDIRECT_TIMEOUT_SECONDS if sign_in.silent else None,
    )
    form_post, path = settings.response_mode == "form_post", callback if by_hub else None
    cookie = sign_in_cookie(sign_in.flow, going.binding, redirect_uri, form_post=form_post, path=path)
    return redirect(going.url).with_cookies(cookie)


async def _by_listener(call: Call, sign_in: SignIn) -> Reply:
    """Open a listener on this machine and send the browser there first."""
    return redirect(await call.front.open_listener(sign_in))


async def _by_paste(call: Call, sign_in: SignIn) -> Reply:
    """Send the browser to the provider; the person copies the address at which it ends."""
    redirect_uri = sign_in.settings.redirect_uri or ""
    return redirect((await call.sessions.depart(sign_in.provider, sign_in.flow, redirect_uri)).url)


def _callback_path(front: Front, sign_in: SignIn) -> str:
    return f"{front.base_url}jupyter-oidc/providers/{sign_in.provider}/callback"


def _other_origin(front: Front, every: tuple[ProviderSettings, ...]) -> str | None:
    """Return the origin to start at instead, if every provider's pinned redirect URI is on one other host."""
    addresses = {_address_of(front, one) for one in every if one.pins_server}
    origins = {starts_elsewhere(one, front.host) for one in addresses}
    return origins.pop() if len(origins) == 1 and all(one.pins_server for one in every) else None


def _address_of(front: Front, settings: ProviderSettings) -> str:
    """Return an address at the host to which the browser comes back in the end."""
    uri = settings.redirect_uri or ""
    if leads_through_hub(uri, settings.name) and front.has_own_host:
        return front.public_url(settings) or f"{front.protocol}://{front.host}"
    return uri
