"""Compares the provider's metadata with the settings, without a sign-in (G-6, H-3).

It sends two requests: for the metadata and for the keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, Sentence, any_of, counted, joined, sentence
from jupyter_oidc.problems import DiscoveryFailed, IdpUnavailable, IssuerMismatch, Problem, TlsUntrusted
from jupyter_oidc.protocol import discovery, jwks
from jupyter_oidc.protocol.reply_header import date_offset
from jupyter_oidc.sessions.algorithms import id_token_algs
from jupyter_oidc.sessions.contradictions import contradictions
from jupyter_oidc.sessions.request_parameters import leaves_out_offline_access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.sessions.contradictions import SignInPlan
    from jupyter_oidc.sessions.contradictions import Subject as Contradicted
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.summary import Summary
    from jupyter_oidc.settings import Provider
    from jupyter_oidc.settings.model import AuthMethod

MAX_CLOCK_OFFSET_SECONDS: Final = 300.0
"""Seconds; beyond that a sign-in is refused (A21)."""

_CONTRADICTED: Final[Mapping[Contradicted, str]] = {
    "PKCE": N_("PKCE"),
    "DPoP": N_("DPoP"),
    "client certificate": N_("client certificate"),
    "client authentication": N_("client authentication"),
    "authorization request": N_("authorization request"),
    "ID token": N_("ID token"),
    "user information": N_("user information"),
}
"""The subject of each contradiction, as its check calls it."""

_NOT_LISTED: Final = frozenset({"openid"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The metadata, and the provider's clock minus ours in seconds, if its reply has a ``Date``."""

    metadata: Metadata
    offset: float | None


async def ask_metadata(
    context: DiagnosticContext, provider: Provider, port: ProviderPort
) -> tuple[Answer | None, list[Check]]:
    """Fetch the metadata and judge them as a sign-in would."""
    about, issuer = Subject(N_("discovery"), provider.name), Subject(N_("issuer"), provider.name)
    call = discovery.discovery_call(provider.issuer, provider.metadata_url)
    try:
        reply = await port.send(call)
        if reply.status in (429, 500, 502, 503, 504):
            message = sentence("The provider answers status {status}.", status=reply.status)
            raise IdpUnavailable(message, detail="discovery.status")
        offset = date_offset(reply.headers, context.clock.now().wall)
        metadata = discovery.read_discovery_reply(
            provider.issuer,
            reply,
            allow_loopback_http=provider.allow_insecure_loopback,
            endpoints=dict(provider.endpoints),
            mutual_tls=provider.mutual_tls,
        )
    except IssuerMismatch as problem:
        copy_it = sentence("Copy the value of 'issuer' from {url} into the settings, to the letter.", url=call.url)
        return None, [
            about.ok(N_("The provider's metadata can be read.")),
            issuer.failed(problem, copy_it),
        ]
    except TlsUntrusted as problem:
        action = N_("Add the authority that signed it to this machine's trust store, or name its file in ca_bundle.")
        return None, [about.failed(problem, action)]
    except IdpUnavailable as problem:
        if problem.detail == "discovery.status":
            return None, [about.failed(problem, N_("Try again later, or ask whether the provider is up."), "provider")]
        action = N_("Check that the issuer's host is right and that this machine may reach it, directly or by a proxy.")
        return None, [about.failed(problem, action)]
    except Problem as problem:
        return None, [about.failed(problem)]
    return Answer(metadata, offset), [
        _readable(about, provider, metadata),
        issuer.ok(N_("The provider calls itself what the settings call it.")),
    ]


def _readable(about: Subject, provider: Provider, metadata: Metadata) -> Check:
    """Report that the document can be read, and which of its members do not count (ADR 0028)."""
    if not metadata.unusable:
        ours = ", ".join(name for name, _ in provider.endpoints)
        return about.ok(
            sentence("The provider's metadata can be read; from the settings: {endpoints}.", endpoints=ours)
            if ours
            else N_("The provider's metadata can be read.")
        )
    faults = joined(
        *(sentence("{member} {fault}", member=member, fault=joined(fault)) for member, fault in metadata.unusable),
        between="; ",
    )
    return about.warning(
        sentence(
            "The provider's metadata can be read. What cannot be used counts as not there: {faults}.", faults=faults
        ),
        N_("Ask the provider's administrator to correct it, if you need what it stands for."),
        "provider",
    )


def check_clock(provider: Provider, answer: Answer) -> Check:
    """Compare the clocks (A21)."""
    about = Subject(N_("clock"), provider.name)
    if answer.offset is None:
        return about.ok(N_("The provider does not tell its time; nothing to compare."))
    seconds = abs(answer.offset)
    if seconds <= max(provider.clock_skew, 5):
        return about.ok(N_("The clocks agree."))
    message = (
        sentence("The clock of this machine is {time} behind the provider's.", time=_minutes(seconds))
        if answer.offset > 0
        else sentence("The clock of this machine is {time} ahead of the provider's.", time=_minutes(seconds))
    )
    action = N_("Set the clock of this machine, best by NTP.")
    if seconds <= MAX_CLOCK_OFFSET_SECONDS:
        return about.warning(joined(message, N_("Sign-in still works; from five minutes on it is refused.")), action)
    return about.problem(joined(message, N_("Every sign-in is refused.")), action)


def check_contradictions(wanted: SignInPlan) -> list[Check]:
    """Report the contradictions that refuse a sign-in, and the subjects where the metadata fit (D-11, T-3, X-1)."""
    provider, metadata = wanted.settings, wanted.metadata
    found = [
        Subject(_CONTRADICTED[one.about], provider.name).problem(
            one.message, one.action, "provider" if one.kind is DiscoveryFailed else "administrator"
        )
        for one in contradictions(wanted)
    ]
    contradicted = {check.name for check in found}
    return [*found, *(check for check in _fitting(provider, metadata) if check.name not in contradicted)]


def _fitting(provider: Provider, metadata: Metadata) -> list[Check]:
    """Report each subject without a contradiction."""
    method, methods = provider.token_endpoint_auth_method, metadata.token_endpoint_auth_methods
    checks = [
        _method_known(Subject(N_("client authentication"), provider.name), method, methods),
        Subject(N_("PKCE"), provider.name).ok(
            N_("S256 is used; the provider does not say that it checks it.")
            if metadata.code_challenge_methods is None
            else N_("S256 is used, and the provider supports it.")
        ),
    ]
    if provider.dpop_bound_access_tokens:
        checks.append(_dpop_known(Subject(N_("DPoP"), provider.name), metadata))
    return checks


def _dpop_known(about: Subject, metadata: Metadata) -> Check:
    if metadata.dpop_signing_algs is not None:
        return about.ok(N_("The provider lists ES256 for proofs of possession."))
    return about.unknown(
        N_("The provider does not say whether it takes proofs of possession."), N_("Sign in once."), "user"
    )


def _method_known(about: Subject, method: AuthMethod, listed: frozenset[str] | None) -> Check:
    """Report on ``method``; a provider that lists none accepts client_secret_basic (Discovery 1.0, 3)."""
    if method in (listed or ()):
        return about.ok(
            N_("None is needed: the provider takes public clients.")
            if method == "none"
            else sentence("The provider takes {method}.", method=method)
        )
    if listed is None and method == "client_secret_basic":
        return about.ok(
            N_("The provider does not list what it takes, which by the standard means client_secret_basic.")
        )
    if method == "none":
        told = (
            N_(
                "The provider does not list what it takes, which by the standard means client_secret_basic; this "
                "client shows no secret."
            )
            if listed is None
            else N_(
                "The provider lists none for public clients, and may take them all the same; this client shows no "
                "secret."
            )
        )
        ask = N_("If the client has a secret at the provider, set client_secret and token_endpoint_auth_method.")
        return about.unknown(told, ask)
    told = (
        sentence(
            "The provider does not list what it takes, which by the standard means client_secret_basic; this client "
            "uses {method}.",
            method=method,
        )
        if listed is None
        else sentence(
            "The provider lists none for public clients, and may take them all the same; this client uses {method}.",
            method=method,
        )
    )
    return about.unknown(told, N_("If sign-ins are refused, ask what the client is registered with."))


def check_userinfo(provider: Provider, metadata: Metadata) -> Check:
    """Report the source of the claims about a person: ID token or UserInfo (U-1)."""
    about = Subject(N_("user information"), provider.name)
    if metadata.userinfo_endpoint is None:
        return about.ok(
            N_("The provider has no UserInfo endpoint: what is known of a person comes from the ID token alone.")
        )
    return about.ok(N_("UserInfo is asked at every sign-in and renewal."))


def check_scopes(provider: Provider, metadata: Metadata) -> Check:
    """Compare the scopes with those that the provider lists."""
    about = Subject(N_("scopes"), provider.name)
    if metadata.scopes_supported is None:
        return about.ok(N_("The provider does not list its scopes; yours are sent as they are."))
    if leaves_out_offline_access(provider, metadata):
        return about.ok(
            N_("The provider does not list offline_access, so it is left out. Set 'scopes' to ask for it all the same.")
        )
    missing = sorted(set(provider.scopes) - metadata.scopes_supported - _NOT_LISTED)
    if not missing:
        return about.ok(N_("The provider lists every scope that is asked for."))
    words = ", ".join(missing)
    action = sentence(
        "Remove from 'scopes' what the provider does not know ({scopes}), or allow it there.", scopes=words
    )
    if "offline_access" in missing:
        action = joined(action, N_("Where it is unknown, a refresh token usually comes without it."))
    return about.warning(
        sentence("The provider does not list: {scopes}. It may ignore or refuse that.", scopes=words), action
    )


def check_refresh(provider: Provider, metadata: Metadata) -> Check:
    """Check whether a session can be expected to last longer than its first access token (A25)."""
    about = Subject(N_("refresh token"), provider.name)
    if metadata.grant_types is not None and "refresh_token" not in metadata.grant_types:
        return about.warning(
            N_("The provider does not list the grant type refresh_token: sessions will end after minutes."),
            N_("Allow refresh tokens for this client at the provider."),
            "provider",
        )
    knows = metadata.scopes_supported is not None and "offline_access" in metadata.scopes_supported
    if knows and "offline_access" not in provider.scopes:
        return about.warning(
            N_("The provider knows the scope offline_access, and it is not asked for: sessions may end after minutes."),
            N_("Add 'offline_access' to 'scopes'."),
        )
    if metadata.grant_types is None:
        return about.unknown(
            N_(
                "The provider does not say whether it gives refresh tokens; a session shows whether this client gets "
                "one."
            ),
            N_("Sign in, then look again."),
            "user",
        )
    return about.ok(
        N_(
            "The provider lists the grant type refresh_token; a session shows whether this client is given such a "
            "token."
        )
    )


def check_granted(provider: Provider, summary: Summary) -> list[Check]:
    """Compare the present session's scopes and tokens with the requested ones; they prove more than metadata (A25)."""
    about, granted = Subject(N_("session"), provider.name), Subject(N_("session's scopes"), provider.name)
    token = about.ok(N_("The session that there is now was given a refresh token."))
    if not summary.refreshable:
        token = about.warning(
            N_("The session that there is now was given no refresh token: it ends with its access token."),
            N_(
                "Allow refresh tokens for this client; where they need consent, let offline_access_prompt be 'consent'."
            ),
            "provider",
        )
    if summary.missing_scopes:
        missing = ", ".join(summary.missing_scopes)
        return [
            token,
            granted.warning(
                sentence(
                    "The session was given fewer scopes than were asked for; it misses: {scopes}.", scopes=missing
                ),
                sentence("Allow this client {scopes} at the provider, or remove that from 'scopes'.", scopes=missing),
                "provider",
            ),
        ]
    return [token, granted.ok(N_("The session was given every scope that was asked for."))]


def check_sign_out(provider: Provider, metadata: Metadata) -> Check:
    """Report the effect of a sign-out at the provider."""
    about = Subject(N_("sign-out"), provider.name)
    takes_back = metadata.revocation_endpoint is not None
    revokes = (
        sentence("The provider names an endpoint at which a sign-out asks it to take the refresh token back")
        if takes_back
        else sentence("The provider names no endpoint at which a sign-out could have the refresh token taken back")
    )
    if provider.sign_out_method == "none":
        return about.ok(
            sentence("{revocation}; the provider's sign-out page is not offered, as set.", revocation=revokes)
        )
    if (provider.end_session_endpoint or metadata.end_session_endpoint) is None:
        return about.ok(
            sentence(
                "{revocation}; the provider has no sign-out page, so its session in the browser goes on.",
                revocation=revokes,
            )
        )
    if (
        provider.post_logout_redirect_uri is None
        and provider.post_logout_redirect_parameter != _STANDARD_LOGOUT_PARAMETER
    ):
        return about.warning(
            sentence(
                "{revocation}; the provider's sign-out page insists on an address to return to, and there is none.",
                revocation=revokes,
            ),
            N_("Set post_logout_redirect_uri to a registered value, or sign_out_method to 'none'."),
        )
    return about.ok(sentence("{revocation}, and has a sign-out page, which is offered.", revocation=revokes))


_STANDARD_LOGOUT_PARAMETER: Final = "post_logout_redirect_uri"


async def check_keys(provider: Provider, metadata: Metadata, port: ProviderPort) -> Check:
    """Check whether a key exists with which ID tokens can be verified (K-2 to K-4)."""
    about, algs = Subject(N_("keys"), provider.name), id_token_algs(provider, metadata)
    if not algs:
        return about.unknown(
            N_("Which algorithm signs ID tokens is not known."), N_("See the line about the ID token.")
        )
    words = any_of(algs)
    if words.startswith("HS"):
        return about.ok(sentence("ID tokens are signed with the client secret ({algs}).", algs=words))
    try:
        reply = await port.send(jwks.jwks_call(metadata))
        found = jwks.read_jwks_reply(reply)
    except Problem as problem:
        return about.failed(problem, N_("Ask the provider's administrator why its keys cannot be read."), "provider")
    if not any(found.candidates(alg, None) for alg in algs):
        return about.problem(
            sentence(
                "None of the provider's {keys} usable keys is for {algs}, so no ID token can be verified.",
                keys=len(found.keys),
                algs=words,
            ),
            N_("Set id_token_signed_response_alg to what the provider signs with for this client."),
        )
    return about.ok(sentence("The provider publishes a key for {algs}.", algs=words))


METADATA_CHECKS: Final[tuple[Callable[[Provider, Metadata], Check], ...]] = (
    check_scopes,
    check_refresh,
    check_sign_out,
)
"""The checks that need only the metadata."""


def _minutes(seconds: float) -> Sentence:
    if seconds < 90:
        return counted(round(seconds), "{number} second", "{number} seconds")
    return counted(round(seconds / 60), "{number} minute", "{number} minutes")
