"""Checks which redirect URI has to be registered at the provider, to the letter, and whether it is.

The second check sends a request that looks like the beginning of a sign-in without interaction
(``prompt=none``). It is only sent if the user asked for it; see ADR 0021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, any_of, joined, sentence
from jupyter_oidc.problems import Problem
from jupyter_oidc.protocol.authorization import ERRORS, AuthorizationRequest, authorization_url
from jupyter_oidc.protocol.device import offers_device_grant
from jupyter_oidc.protocol.message import Call
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.request_parameters import scopes_of, supports_prompt, uses_pushed_request
from jupyter_oidc.sessions.strategy import Choice, Impossible, choose, pins_callback
from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS, leads_through_hub, takes_any_port
from jupyter_oidc.strategies import facts_of_setting

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.settings import Provider

_NON_INTERACTIVE_ERRORS: Final = frozenset(
    {"login_required", "interaction_required", "consent_required", "account_selection_required", "access_denied"}
)
"""Error codes that answer a valid request without interaction."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The redirect URI of a sign-in; it is ``certain`` if the settings, or a browser's request, determine it."""

    uri: str | None
    certain: bool


def expected(context: DiagnosticContext, provider: Provider) -> Expected:
    """Return the redirect URI that a sign-in will use, as far as it can be known beforehand."""
    if provider.redirect_uri:
        return Expected(provider.redirect_uri, certain=True)
    if context.address and urlsplit(context.address).hostname in LOOPBACK_HOSTS:
        uri = f"{context.address}jupyter-oidc/providers/{provider.name}/callback"
        return Expected(uri, certain=context.address_seen_by_browsers)
    return Expected(None, certain=context.address_seen_by_browsers)


def check_sign_in_strategy(context: DiagnosticContext, provider: Provider, metadata: Metadata) -> Check:
    """Report the strategy of a sign-in, and why.

    It depends on the browser's location, which may be unknown (A31, A32).
    """
    about, ways = Subject(N_("way to sign in"), provider.name), _possible_strategies(context, provider, metadata)
    obstacles = [way for way in ways if isinstance(way, Impossible)]
    if obstacles and len(obstacles) == len(ways):
        return about.problem(obstacles[0].reason, obstacles[0].action)
    names = sorted({way.strategy if isinstance(way, Choice) else "none" for way in ways})
    if len(names) == 1 and isinstance(ways[0], Choice):
        return about.ok(
            joined(sentence("Sign-ins take the way '{strategy}'.", strategy=ways[0].strategy), ways[0].reason)
        )
    return about.unknown(
        sentence("Which way sign-ins take depends on where the browser is: {ways}.", ways=any_of(names)),
        N_(
            "Set redirect_uri or redirect_strategy if it must be one of them, or look at 'Check the set-up' in "
            "JupyterLab."
        ),
    )


def uses_device_code(context: DiagnosticContext, provider: Provider, metadata: Metadata) -> bool:
    """Return whether a sign-in is certainly one by code, without an authorization request."""
    return all(
        isinstance(way, Choice) and way.facts.has_code for way in _possible_strategies(context, provider, metadata)
    )


def _possible_strategies(
    context: DiagnosticContext, provider: Provider, metadata: Metadata
) -> list[Choice | Impossible]:
    """Return the strategies that a sign-in may take: one for each possible location of the browser."""
    places: tuple[Browser, ...] = ("here", "elsewhere")
    if context.address_seen_by_browsers and context.address:
        places = ("here",) if urlsplit(context.address).hostname in LOOPBACK_HOSTS else ("elsewhere",)
    return [choose(provider, offers_device=offers_device_grant(metadata), browser=where) for where in places]


def check_redirect_uri(context: DiagnosticContext, provider: Provider) -> Check:
    """Report the redirect URI that has to be registered (A30)."""
    about, wanted = Subject(N_("redirect URI"), provider.name), expected(context, provider)
    path = f"/jupyter-oidc/providers/{provider.name}/callback"
    facts = facts_of_setting(provider.redirect_strategy)
    if facts is not None and facts.redirect_target is None:
        return about.ok(N_("Sign-ins by code need no redirect URI."))
    if wanted.uri and wanted.certain and _any_port(provider):
        return about.ok(sentence("Register exactly this, for any port if it names none: {uri}", uri=wanted.uri))
    if not wanted.certain:
        likely = (
            sentence("At {address} it would be {uri}.", address=context.address, uri=wanted.uri) if wanted.uri else None
        )
        return about.unknown(
            joined(
                N_("redirect_uri is not set, and at which address browsers reach this server is not known from here."),
                likely,
            ),
            sentence(
                "Register the address at which browsers reach the server, followed by {path}; 'Check the set-up' in "
                "JupyterLab shows it.",
                path=path,
            ),
        )
    if wanted.uri is None:
        return about.problem(
            N_("Browsers do not reach this server at a loopback address, and redirect_uri is not set."),
            sentence(
                "Set redirect_uri to the server's public address followed by {path}, and register the same value.",
                path=path,
            ),
        )
    if leads_through_hub(wanted.uri, provider.name):
        return about.ok(
            sentence(
                "Register exactly this, to the letter: {uri} (JupyterHub sends each user on to their own server)",
                uri=wanted.uri,
            )
        )
    if (
        provider.redirect_uri
        and context.address
        and not context.address_is_assumed
        and not context.takes_answers_elsewhere
        and not wanted.uri.endswith(urlsplit(context.address).path + path[1:])
    ):
        return about.warning(
            sentence(
                "redirect_uri is {uri}, but this server answers below {path}.",
                uri=wanted.uri,
                path=urlsplit(context.address).path,
            ),
            N_("Correct the path, unless a reverse proxy in front of the server changes it."),
        )
    return about.ok(sentence("Register exactly this, to the letter: {uri}", uri=wanted.uri))


def _any_port(provider: Provider) -> bool:
    facts = facts_of_setting(provider.redirect_strategy)
    return (facts is not None and facts.redirect_target in ("loopback", "any")) or takes_any_port(provider.redirect_uri)


async def check_host(context: DiagnosticContext, provider: Provider) -> list[Check]:
    """Check whether the Jupyter server answers at the redirect URI's host, if that leads to this server (A30).

    Jupyter refuses hosts that it does not know, with status 403 and before any handler of ours.
    """
    about, uri = Subject(N_("host name"), provider.name), provider.redirect_uri or ""
    if context.takes_answers_elsewhere or not pins_callback(provider) or leads_through_hub(uri, provider.name):
        return []
    host = urlsplit(uri).netloc
    found = await context.admission(host)
    if found is None:
        return []
    if found.seen and found.admits:
        return [about.ok(sentence("This server answers requests for {host}, where redirect_uri leads.", host=host))]
    action = sentence(
        "Add '{host}' to ServerApp.local_hostnames, or set ServerApp.allow_remote_access to True, unless a reverse "
        "proxy in front of the server sends another host name on.",
        host=urlsplit(uri).hostname,
    )
    if found.seen:
        return [
            about.problem(
                sentence("This server refuses requests for {host}, where redirect_uri leads.", host=host), action
            )
        ]
    by_files = (
        sentence(
            "Jupyter could not be asked; by its configuration files it would answer requests for {host}, where "
            "redirect_uri leads.",
            host=host,
        )
        if found.admits
        else sentence(
            "Jupyter could not be asked; by its configuration files it would refuse requests for {host}, where "
            "redirect_uri leads.",
            host=host,
        )
    )
    return [
        about.unknown(
            by_files,
            N_("Run this again while the server runs.") if found.admits else action,
        )
    ]


async def check_registration(
    context: DiagnosticContext, provider: Provider, metadata: Metadata, port: ProviderPort, *, refused: bool = False
) -> Check:
    """Ask the provider whether it knows client and redirect URI, without a sign-in (A30).

    An uncertain redirect URI is never sent. ``refused`` says that a contradiction would refuse the sign-in before.
    """
    about, wanted = Subject(N_("registration"), provider.name), expected(context, provider)
    facts = facts_of_setting(provider.redirect_strategy)
    if (facts is not None and facts.has_code) or uses_device_code(context, provider, metadata):
        return about.unknown(
            N_("A sign-in by code shows the provider the client alone; the first one tells whether it is known."),
            N_("Sign in once."),
            "user",
        )
    if refused:
        return about.unknown(
            N_(
                "The provider was not asked, because no sign-in is started as long as its metadata contradict the "
                "settings."
            ),
            N_("See the lines about that."),
        )
    if wanted.uri is None or not wanted.certain:
        return about.unknown(
            N_("The provider was not asked, because the redirect URI is not known from here."),
            N_("See the line about the redirect URI."),
        )
    if not supports_prompt(metadata, "none"):
        return about.unknown(
            N_("The provider does not let itself be asked without a page for a person."), _SIGN_IN_ONCE, "user"
        )
    if uses_pushed_request(provider, metadata):
        return about.unknown(
            N_("The provider is asked by requests that are pushed, which only a sign-in sends."),
            N_("Sign in once."),
            "user",
        )
    try:
        reply = await port.send(_silent_request_call(context, provider, metadata, wanted.uri))
    except Problem as problem:
        return about.unknown(problem.message, N_("Look at the provider's authorization page with a browser."))
    return _registration_check(about, provider, wanted.uri, reply)


def _silent_request_call(context: DiagnosticContext, provider: Provider, metadata: Metadata, redirect_uri: str) -> Call:
    request = AuthorizationRequest(
        client_id=provider.client_id,
        redirect_uri=redirect_uri,
        scopes=scopes_of(provider, metadata),
        state=context.entropy.token(128),
        nonce=context.entropy.token(256),
        code_challenge=challenge_of(Secret(context.entropy.token(256))),
        response_mode=provider.response_mode,
        prompt="none",
        audience=provider.audience if provider.send_audience_in_authorize else None,
        more=tuple((name, value) for name, value in provider.authorization_parameters if name != "prompt"),
    )
    return Call("GET", authorization_url(metadata, request), accept="text/html, */*;q=0.8", endpoint="authorization")


def _registration_check(about: Subject, provider: Provider, redirect_uri: str, reply: Reply) -> Check:
    """Judge an answer that came instead of a sign-in page; only registered error codes are read from it."""
    location = reply.headers.get("location", "")
    if 300 <= reply.status < 400 and location.startswith(redirect_uri):
        error = parse_qs(urlsplit(location).query).get("error", ["none"])[0]
        if error in _NON_INTERACTIVE_ERRORS or error == "none":
            return about.ok(N_("The provider knows this client and this redirect URI."))
        if error in ERRORS:
            action = _ACTIONS.get(error, N_("Compare the client's registration at the provider with the settings."))
            return about.problem(
                sentence("The provider knows client and redirect URI, and says no: {error} (refused).", error=error),
                action,
                "provider",
            )
        return about.unknown(N_("The provider sent the browser back with an error of its own."), _SIGN_IN_ONCE)
    if 400 <= reply.status < 500 and reply.status not in _TRANSIENT_STATUSES:
        return about.problem(
            sentence(
                "The authorization endpoint refused the request with status {status}, and did not say why in a way "
                "that can be relied on.",
                status=reply.status,
            ),
            sentence(
                "At the provider, open the registration of client '{client_id}': usually the client id is unknown, or "
                "this redirect URI is not registered to the letter: {uri} If both are right, something before the "
                "provider may refuse requests from this machine.",
                client_id=provider.client_id,
                uri=redirect_uri,
            ),
            "provider",
        )
    if reply.status >= 400:
        return about.unknown(
            sentence("The provider answers status {status}.", status=reply.status), N_("Try again later."), "provider"
        )
    return about.unknown(
        N_("The provider shows a page instead of an answer, so it cannot be told."), _SIGN_IN_ONCE, "user"
    )


_TRANSIENT_STATUSES: Final = frozenset({408, 425, 429})
_SIGN_IN_ONCE: Final = N_("Sign in once with a browser, and read what its page says.")
_ACTIONS: Final = {
    "invalid_scope": N_("Remove from 'scopes' what this client may not ask for, or allow it at the provider."),
    "unauthorized_client": N_("Allow the authorization code flow for this client at the provider."),
    "unsupported_response_type": N_("Allow the authorization code flow (response type 'code') at the provider."),
    "invalid_target": N_("Correct 'audience', or allow the API for this client at the provider."),
}
