"""Which address has to be registered at the provider, to the letter, and is it?

The second question costs a request that looks like the beginning of a sign-in and asks for no interaction
(``prompt=none``). It is only made where a person asked for it; see ADR 0021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.errors import Problem
from jupyter_oidc.protocol.authorization import ERRORS, AuthorizationRequest, authorization_url
from jupyter_oidc.protocol.device import offers_device_grant
from jupyter_oidc.protocol.message import Call
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.asked import scopes_of
from jupyter_oidc.sessions.strategy import Choice, Impossible, choose
from jupyter_oidc.settings.redirect_uri import leads_through_hub, takes_any_port

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.surroundings import Surroundings
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.settings import Provider

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NOBODY_THERE: Final = frozenset(
    {"login_required", "interaction_required", "consent_required", "account_selection_required", "access_denied"}
)
"""What a sound request without interaction earns."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The redirect URI, and where it comes from."""

    uri: str | None
    configured: bool


def expected(place: Surroundings, provider: Provider) -> Expected:
    """Return the address that a sign-in will use, as far as it can be known beforehand."""
    if provider.redirect_uri:
        return Expected(provider.redirect_uri, configured=True)
    if place.address and urlsplit(place.address).hostname in _LOOPBACK:
        return Expected(f"{place.address}jupyter-oidc/providers/{provider.name}/callback", configured=False)
    return Expected(None, configured=False)


def check_way(place: Surroundings, provider: Provider, metadata: Metadata) -> Check:
    """Say which way a sign-in takes, and why; a browser is taken to be at the address that is known."""
    about, chosen = Subject("way to sign in", provider.name), _chosen(place, provider, metadata)
    if isinstance(chosen, Impossible):
        return about.problem(chosen.reason, chosen.action)
    return about.ok(f"Sign-ins take the way '{chosen.strategy}'. {chosen.reason}")


def takes_code(place: Surroundings, provider: Provider, metadata: Metadata) -> bool:
    """Return whether a sign-in is one by code, without an authorization request."""
    chosen = _chosen(place, provider, metadata)
    return isinstance(chosen, Choice) and chosen.strategy == "device"


def _chosen(place: Surroundings, provider: Provider, metadata: Metadata) -> Choice | Impossible:
    near: Browser = "unknown"
    if place.address:
        near = "here" if urlsplit(place.address).hostname in _LOOPBACK else "elsewhere"
    return choose(provider, offers_device=offers_device_grant(metadata), browser=near)


def check_redirect_uri(place: Surroundings, provider: Provider) -> Check:
    """Say which address has to be registered (A30)."""
    about, wanted = Subject("redirect URI", provider.name), expected(place, provider)
    path = f"/jupyter-oidc/providers/{provider.name}/callback"
    if provider.redirect_strategy == "device":
        return about.ok("Sign-ins by code need no redirect URI.")
    if wanted.uri and (provider.redirect_strategy in ("loopback", "paste") or takes_any_port(provider.redirect_uri)):
        return about.ok(f"Register exactly this, for any port if it names none: {wanted.uri}")
    if wanted.uri is None and place.address is None:
        return about.unknown(
            "No Jupyter server is running, so its address is not known.",
            f"Register the address at which browsers reach the server, followed by {path}.",
        )
    if wanted.uri is None:
        return about.problem(
            "Browsers do not reach this server at a loopback address, and redirect_uri is not set.",
            f"Set redirect_uri to the server's public address followed by {path}, and register the same value.",
        )
    if leads_through_hub(wanted.uri, provider.name):
        return about.ok(
            f"Register exactly this, to the letter: {wanted.uri} (JupyterHub sends each user on to their own server)"
        )
    if (
        wanted.configured
        and place.address
        and not place.address_is_assumed
        and not wanted.uri.endswith(urlsplit(place.address).path + path[1:])
    ):
        return about.warning(
            f"redirect_uri is {wanted.uri}, but this server answers below {urlsplit(place.address).path}.",
            "Correct the path, unless a reverse proxy in front of the server changes it.",
        )
    if place.address_is_assumed and not wanted.configured:
        return about.ok(f"No server is running. At its usual address, register exactly this: {wanted.uri}")
    return about.ok(f"Register exactly this, to the letter: {wanted.uri}")


async def check_registration(place: Surroundings, provider: Provider, metadata: Metadata, port: ProviderPort) -> Check:
    """Ask the provider whether it knows client and redirect URI; nobody is signed in (A30)."""
    about, wanted = Subject("registration", provider.name), expected(place, provider)
    if wanted.uri is None:
        return about.unknown("It needs the redirect URI, which is not known.", "See the line about the redirect URI.")
    try:
        reply = await port.send(_question(place, provider, metadata, wanted.uri))
    except Problem as problem:
        return about.unknown(problem.message, "Look at the provider's authorization page with a browser.")
    return _judged(about, provider, wanted.uri, reply)


def _question(place: Surroundings, provider: Provider, metadata: Metadata, redirect_uri: str) -> Call:
    request = AuthorizationRequest(
        client_id=provider.client_id,
        redirect_uri=redirect_uri,
        scopes=scopes_of(provider, metadata),
        state=place.entropy.token(128),
        nonce=place.entropy.token(256),
        code_challenge=challenge_of(Secret(place.entropy.token(256))),
        response_mode=provider.response_mode,
        prompt="none",
        audience=provider.audience if provider.send_audience_in_authorize else None,
        more=tuple((name, value) for name, value in provider.authorization_parameters if name != "prompt"),
    )
    return Call("GET", authorization_url(metadata, request), accept="text/html, */*;q=0.8")


def _judged(about: Subject, provider: Provider, redirect_uri: str, reply: Reply) -> Check:
    """Read an answer that came instead of a sign-in page; of the peer's own text, registered error codes count."""
    location = reply.headers.get("location", "")
    if 300 <= reply.status < 400 and location.startswith(redirect_uri):
        error = parse_qs(urlsplit(location).query).get("error", ["none"])[0]
        if error in _NOBODY_THERE or error == "none":
            return about.ok("The provider knows this client and this redirect URI.")
        if error in ERRORS:
            action = _ACTIONS.get(error, "Compare the client's registration at the provider with the settings.")
            return about.problem(
                f"The provider knows client and redirect URI, and says no: {error} (refused).", action, "provider"
            )
        return about.unknown("The provider sent the browser back with an error of its own.", _TRY)
    if 400 <= reply.status < 500:
        return about.problem(
            f"The provider does not accept this client with this redirect URI (status {reply.status}; refused).",
            f"At the provider, open the registration of client '{provider.client_id}' and add exactly: {redirect_uri}",
            "provider",
        )
    if reply.status >= 500:
        return about.unknown(f"The provider answers status {reply.status}.", "Try again later.", "provider")
    return about.unknown("The provider shows a page instead of an answer, so it cannot be told.", _TRY, "user")


_TRY: Final = "Sign in once with a browser, and read what its page says."
_ACTIONS: Final = {
    "invalid_scope": "Remove from 'scopes' what this client may not ask for, or allow it at the provider.",
    "unauthorized_client": "Allow the authorization code flow for this client at the provider.",
    "unsupported_response_type": "Allow the authorization code flow (response type 'code') at the provider.",
    "invalid_target": "Correct 'audience', or allow the API for this client at the provider.",
}
