"""Compares the provider's metadata with the settings, without a sign-in (G-6, H-3).

It sends two requests: for the metadata and for the keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.problems import DiscoveryFailed, IdpUnavailable, IssuerMismatch, Problem, TlsUntrusted
from jupyter_oidc.protocol import discovery, jwks
from jupyter_oidc.protocol.reply_header import date_offset
from jupyter_oidc.sessions.algorithms import id_token_algs
from jupyter_oidc.sessions.contradictions import contradictions
from jupyter_oidc.sessions.request_parameters import leaves_out_offline_access

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.sessions.contradictions import SignInPlan
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.summary import Summary
    from jupyter_oidc.settings import Provider
    from jupyter_oidc.settings.model import AuthMethod

MAX_CLOCK_OFFSET_SECONDS: Final = 300.0
"""Seconds; beyond that a sign-in is refused (A21)."""

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
    about, issuer = Subject("discovery", provider.name), Subject("issuer", provider.name)
    call = discovery.discovery_call(provider.issuer, provider.metadata_url)
    try:
        reply = await port.send(call)
        if reply.status in (429, 500, 502, 503, 504):
            raise IdpUnavailable(f"The provider answers status {reply.status}.", detail="discovery.status")
        offset = date_offset(reply.headers, context.clock.now().wall)
        metadata = discovery.read_discovery_reply(
            provider.issuer,
            reply,
            allow_loopback_http=provider.allow_insecure_loopback,
            endpoints=dict(provider.endpoints),
            mutual_tls=provider.mutual_tls,
        )
    except IssuerMismatch as problem:
        return None, [
            about.ok("The provider's metadata can be read."),
            issuer.failed(problem, f"Copy the value of 'issuer' from {call.url} into the settings, to the letter."),
        ]
    except TlsUntrusted as problem:
        action = "Add the authority that signed it to this machine's trust store, or name its file in ca_bundle."
        return None, [about.failed(problem, action)]
    except IdpUnavailable as problem:
        if problem.detail == "discovery.status":
            return None, [about.failed(problem, "Try again later, or ask whether the provider is up.", "provider")]
        action = "Check that the issuer's host is right and that this machine may reach it, directly or by a proxy."
        return None, [about.failed(problem, action)]
    except Problem as problem:
        return None, [about.failed(problem)]
    return Answer(metadata, offset), [
        _readable(about, provider, metadata),
        issuer.ok("The provider calls itself what the settings call it."),
    ]


def _readable(about: Subject, provider: Provider, metadata: Metadata) -> Check:
    """Report that the document can be read, and which of its members do not count (ADR 0028)."""
    if not metadata.unusable:
        ours = ", ".join(name for name, _ in provider.endpoints)
        return about.ok("The provider's metadata can be read" + (f"; from the settings: {ours}." if ours else "."))
    faults = "; ".join(f"{member} {fault}" for member, fault in metadata.unusable)
    return about.warning(
        f"The provider's metadata can be read. What cannot be used counts as not there: {faults}.",
        "Ask the provider's administrator to correct it, if you need what it stands for.",
        "provider",
    )


def check_clock(provider: Provider, answer: Answer) -> Check:
    """Compare the clocks (A21)."""
    about = Subject("clock", provider.name)
    if answer.offset is None:
        return about.ok("The provider does not tell its time; nothing to compare.")
    seconds = abs(answer.offset)
    way = "behind" if answer.offset > 0 else "ahead of"
    if seconds <= max(provider.clock_skew, 5):
        return about.ok("The clocks agree.")
    message = f"The clock of this machine is {_minutes(seconds)} {way} the provider's."
    action = "Set the clock of this machine, best by NTP."
    if seconds <= MAX_CLOCK_OFFSET_SECONDS:
        return about.warning(f"{message} Sign-in still works; from five minutes on it is refused.", action)
    return about.problem(f"{message} Every sign-in is refused.", action)


def check_contradictions(wanted: SignInPlan) -> list[Check]:
    """Report the contradictions that refuse a sign-in, and the subjects where the metadata fit (D-11, T-3, X-1)."""
    provider, metadata = wanted.settings, wanted.metadata
    found = [
        Subject(one.about, provider.name).problem(
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
        _method_known(Subject("client authentication", provider.name), method, methods),
        Subject("PKCE", provider.name).ok(
            "S256 is used; the provider does not say that it checks it."
            if metadata.code_challenge_methods is None
            else "S256 is used, and the provider supports it."
        ),
    ]
    if provider.dpop_bound_access_tokens:
        checks.append(_dpop_known(Subject("DPoP", provider.name), metadata))
    return checks


def _dpop_known(about: Subject, metadata: Metadata) -> Check:
    if metadata.dpop_signing_algs is not None:
        return about.ok("The provider lists ES256 for proofs of possession.")
    return about.unknown("The provider does not say whether it takes proofs of possession.", "Sign in once.", "user")


def _method_known(about: Subject, method: AuthMethod, listed: frozenset[str] | None) -> Check:
    """Report on ``method``; a provider that lists none accepts client_secret_basic (Discovery 1.0, 3)."""
    if method in (listed or ()):
        return about.ok(
            "None is needed: the provider takes public clients."
            if method == "none"
            else f"The provider takes {method}."
        )
    if listed is None and method == "client_secret_basic":
        return about.ok("The provider does not list what it takes, which by the standard means client_secret_basic.")
    told = (
        "The provider does not list what it takes, which by the standard means client_secret_basic"
        if listed is None
        else "The provider lists none for public clients, and may take them all the same"
    )
    if method == "none":
        ask = "If the client has a secret at the provider, set client_secret and token_endpoint_auth_method."
        return about.unknown(f"{told}; this client shows no secret.", ask)
    return about.unknown(
        f"{told}; this client uses {method}.", "If sign-ins are refused, ask what the client is registered with."
    )


def check_userinfo(provider: Provider, metadata: Metadata) -> Check:
    """Report the source of the claims about a person: ID token or UserInfo (U-1)."""
    about = Subject("user information", provider.name)
    if metadata.userinfo_endpoint is None:
        return about.ok(
            "The provider has no UserInfo endpoint: what is known of a person comes from the ID token alone."
        )
    return about.ok("UserInfo is asked at every sign-in and renewal.")


def check_scopes(provider: Provider, metadata: Metadata) -> Check:
    """Compare the scopes with those that the provider lists."""
    about = Subject("scopes", provider.name)
    if metadata.scopes_supported is None:
        return about.ok("The provider does not list its scopes; yours are sent as they are.")
    if leaves_out_offline_access(provider, metadata):
        return about.ok(
            "The provider does not list offline_access, so it is left out. Set 'scopes' to ask for it all the same."
        )
    missing = sorted(set(provider.scopes) - metadata.scopes_supported - _NOT_LISTED)
    if not missing:
        return about.ok("The provider lists every scope that is asked for.")
    words = ", ".join(missing)
    action = f"Remove from 'scopes' what the provider does not know ({words}), or allow it there."
    if "offline_access" in missing:
        action += " Where it is unknown, a refresh token usually comes without it."
    return about.warning(f"The provider does not list: {words}. It may ignore or refuse that.", action)


def check_refresh(provider: Provider, metadata: Metadata) -> Check:
    """Check whether a session can be expected to last longer than its first access token (A25)."""
    about = Subject("refresh token", provider.name)
    if metadata.grant_types is not None and "refresh_token" not in metadata.grant_types:
        return about.warning(
            "The provider does not list the grant type refresh_token: sessions will end after minutes.",
            "Allow refresh tokens for this client at the provider.",
            "provider",
        )
    knows = metadata.scopes_supported is not None and "offline_access" in metadata.scopes_supported
    if knows and "offline_access" not in provider.scopes:
        return about.warning(
            "The provider knows the scope offline_access, and it is not asked for: sessions may end after minutes.",
            "Add 'offline_access' to 'scopes'.",
        )
    if metadata.grant_types is None:
        return about.unknown(
            "The provider does not say whether it gives refresh tokens; a session shows whether this client gets one.",
            "Sign in, then look again.",
            "user",
        )
    return about.ok(
        "The provider lists the grant type refresh_token; a session shows whether this client is given such a token."
    )


def check_granted(provider: Provider, summary: Summary) -> list[Check]:
    """Compare the present session's scopes and tokens with the requested ones; they prove more than metadata (A25)."""
    about, granted = Subject("session", provider.name), Subject("session's scopes", provider.name)
    token = about.ok("The session that there is now was given a refresh token.")
    if not summary.refreshable:
        token = about.warning(
            "The session that there is now was given no refresh token: it ends with its access token.",
            "Allow refresh tokens for this client; where they need consent, let offline_access_prompt be 'consent'.",
            "provider",
        )
    if summary.missing_scopes:
        missing = ", ".join(summary.missing_scopes)
        return [
            token,
            granted.warning(
                f"The session was given fewer scopes than were asked for; it misses: {missing}.",
                f"Allow this client {missing} at the provider, or remove that from 'scopes'.",
                "provider",
            ),
        ]
    return [token, granted.ok("The session was given every scope that was asked for.")]


def check_sign_out(provider: Provider, metadata: Metadata) -> Check:
    """Report the effect of a sign-out at the provider."""
    about = Subject("sign-out", provider.name)
    takes_back = metadata.revocation_endpoint is not None
    revokes = (
        "The provider names an endpoint at which a sign-out asks it to take the refresh token back"
        if takes_back
        else "The provider names no endpoint at which a sign-out could have the refresh token taken back"
    )
    if provider.sign_out_method == "none":
        return about.ok(f"{revokes}; the provider's sign-out page is not offered, as set.")
    if (provider.end_session_endpoint or metadata.end_session_endpoint) is None:
        return about.ok(f"{revokes}; the provider has no sign-out page, so its session in the browser goes on.")
    if (
        provider.post_logout_redirect_uri is None
        and provider.post_logout_redirect_parameter != _STANDARD_LOGOUT_PARAMETER
    ):
        return about.warning(
            f"{revokes}; the provider's sign-out page insists on an address to return to, and there is none.",
            "Set post_logout_redirect_uri to a registered value, or sign_out_method to 'none'.",
        )
    return about.ok(f"{revokes}, and has a sign-out page, which is offered.")


_STANDARD_LOGOUT_PARAMETER: Final = "post_logout_redirect_uri"


async def check_keys(provider: Provider, metadata: Metadata, port: ProviderPort) -> Check:
    """Check whether a key exists with which ID tokens can be verified (K-2 to K-4)."""
    about, algs = Subject("keys", provider.name), id_token_algs(provider, metadata)
    words = " or ".join(algs)
    if not algs:
        return about.unknown("Which algorithm signs ID tokens is not known.", "See the line about the ID token.")
    if words.startswith("HS"):
        return about.ok(f"ID tokens are signed with the client secret ({words}).")
    try:
        reply = await port.send(jwks.jwks_call(metadata))
        found = jwks.read_jwks_reply(reply)
    except Problem as problem:
        return about.failed(problem, "Ask the provider's administrator why its keys cannot be read.", "provider")
    if not any(found.candidates(alg, None) for alg in algs):
        return about.problem(
            f"None of the provider's {len(found.keys)} usable keys is for {words}, so no ID token can be verified.",
            "Set id_token_signed_response_alg to what the provider signs with for this client.",
        )
    return about.ok(f"The provider publishes a key for {words}.")


METADATA_CHECKS: Final[tuple[Callable[[Provider, Metadata], Check], ...]] = (
    check_scopes,
    check_refresh,
    check_sign_out,
)
"""The checks that need only the metadata."""


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"
