"""ID tokens: every check between a signed text and a signed-in person (OpenID Connect Core 1.0, 3.1.3.7).

The first failed check refuses the token, and with it the whole token response that it came in (V, F-6).
No setting turns a check off, and a refusal names the claim and never its value.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import IdTokenRejected
from jupyter_oidc.protocol.claims import mistyped_claim, well_typed
from jupyter_oidc.protocol.json_value import number, printable, texts
from jupyter_oidc.protocol.jws import KeysStale, verify_compact
from jupyter_oidc.secret_access import reveal_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.protocol.jwks import KeySet
    from jupyter_oidc.secret import Secret

MAX_ISSUED_AGE_SECONDS: Final = 600.0
"""Seconds; an ID token issued longer ago is not the answer to our request (V-8)."""

_MAX_SUBJECT_CHARACTERS: Final = 255
_CLOCK: Final = N_("Set this machine's clock, then sign in again.")
_AGAIN: Final = N_("Close older pages of this sign-in, then begin again in JupyterLab.")
_LOG_IN: Final = N_("Sign in again, and log in on the provider's page.")
_ACTIONS: Final = {"exp": _CLOCK, "iat": _CLOCK, "nbf": _CLOCK, "nonce": _AGAIN, "auth_time": _LOG_IN}
_FAULTS: Final = {
    "format": N_("The provider's ID token was refused: it is not a signed token of three parts."),
    "header": N_("The provider's ID token was refused: its header asks for something that is not supported."),
    "type": N_("The provider's ID token was refused: it is a token of another type."),
    "alg": N_(
        "The provider's ID token was refused: it is not signed with the algorithm in the settings "
        "(id_token_signed_response_alg)."
    ),
    "keys": N_("The provider's ID token was refused: too many of the provider's keys could have signed it."),
    "no_key": N_(
        "The provider's ID token was refused: none of the keys that the provider publishes fits its "
        "key id (kid) and algorithm."
    ),
    "signature": N_("The provider's ID token was refused: its signature does not verify."),
    "iss": N_("The provider's ID token was refused: its issuer (iss) is not the one in the settings."),
    "aud": N_("The provider's ID token was refused: its audience (aud) is not this application alone."),
    "azp": N_("The provider's ID token was refused: its authorized party (azp) is not this application."),
    "exp": N_("The provider's ID token was refused: its expiry (exp) is over."),
    "iat": N_("The provider's ID token was refused: its time of issue (iat) is in the future or too long ago."),
    "nbf": N_("The provider's ID token was refused: it is not valid yet (nbf)."),
    "sub": N_("The provider's ID token was refused: its subject (sub) is another person."),
    "no_iss": N_("The provider's ID token was refused: it names no issuer (iss)."),
    "no_sub": N_("The provider's ID token was refused: its subject (sub) is missing or malformed."),
    "no_exp": N_("The provider's ID token was refused: its expiry (exp) is missing or no number."),
    "no_iat": N_("The provider's ID token was refused: its time of issue (iat) is missing or no number."),
    "no_nbf": N_("The provider's ID token was refused: the time from which it is valid (nbf) is no number."),
    "nonce": N_("The provider's ID token was refused: it belongs to another sign-in (nonce)."),
    "no_nonce": N_("The provider's ID token was refused: it does not repeat the nonce of the request."),
    "at_hash": N_("The provider's ID token was refused: it does not belong to the access token (at_hash)."),
    "auth_time": N_(
        "The provider's ID token was refused: its time of authentication (auth_time) does not fit this sign-in."
    ),
    "acr": N_("The provider's ID token was refused: its authentication level (acr) is not one of those asked for."),
}


ACR_TOO_WEAK_DETAIL: Final = "id_token.acr"
"""Detail of the refusal of a token that fails only by its authentication level."""

OTHER_SUBJECT_DETAILS: Final = frozenset({"id_token.sub", "id_token.iss"})
"""Details of refusals that mean another person; a missing or malformed claim has a detail of its own."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The claims of an ID token that identify the person, for comparison with later tokens (F-5)."""

    issuer: str
    subject: str
    audience: tuple[str, ...]
    azp: str | None
    auth_time: float | None
    nonce: str | None


@dataclass(frozen=True, slots=True)
class IdTokenRules:
    """The values that a token must have; times are in seconds.

    ``nonce`` is that of the transaction, or ``None`` for a refresh.
    ``previous`` is the identity of the sign-in that a refresh continues, ``expected_subject`` its subject if only that
    is known (V-15).
    ``alg`` is that of the registration and never taken from a token (G-3).
    """

    issuer: str
    client_id: str
    nonce: str | None
    alg: str = "RS256"
    skew: float = 60.0
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    trusted_audiences: frozenset[str] = frozenset()
    expected_subject: str | None = None
    previous: Identity | None = None
    client_secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class IdToken:
    """A token that passed every check; only :func:`verify_id_token` may make one.

    ``claims`` holds no ``null`` and no claim about the person of a wrong type; ``expires_at`` is in wall seconds.
    """

    identity: Identity
    claims: Mapping[str, Any]
    sid: str | None
    expires_at: float
    acr: str | None = None


def verify_id_token(
    raw: Secret,
    rules: IdTokenRules,
    keys: KeySet,
    *,
    now: float,
    access_token: Secret | None,
    fresh: bool = False,
) -> IdToken | KeysStale:
    """Apply V-1 ... V-15 and F-5 in order; ``now`` is in wall seconds of the provider's clock.

    ``access_token`` is the one that came in the same response (V-12).
    Returns :class:`KeysStale` if fresher keys might verify the token; call again with those, ``fresh=True``.
    Raises :class:`IdTokenRejected` with the detail ``id_token.<check>``.
    """
    verified = verify_compact(
        raw,
        alg=rules.alg,
        keys=keys,
        client_secret=rules.client_secret,
        refuse=_refuse,
        fresh=fresh,
    )
    if isinstance(verified, KeysStale):
        return verified
    claims = verified.claims
    if (issuer := claims.get("iss")) != rules.issuer:
        raise _refuse("iss" if isinstance(issuer, str) and issuer else "no_iss")
    audience, azp = _parties(claims, rules)
    expires_at = _times(claims, now, rules.skew)
    subject = _subject(claims, rules)
    nonce = _nonce(claims, rules)
    if (wrong := mistyped_claim(claims)) is not None:
        raise _refuse(wrong)
    if access_token is not None and claims.get("at_hash") is not None:
        _check_at_hash(claims["at_hash"], access_token, rules.alg)
    auth_time = _auth_time(claims, now, rules)
    if rules.acr_values and claims.get("acr") not in rules.acr_values:
        raise _refuse("acr")
    identity = Identity(rules.issuer, subject, audience, azp, auth_time, nonce)
    if rules.previous is not None:
        _check_continuity(identity, rules.previous, issued_at=claims["iat"])
    return IdToken(
        identity=identity,
        claims=MappingProxyType(well_typed(claims)),
        sid=claims.get("sid"),
        expires_at=expires_at,
        acr=claims.get("acr"),
    )


def _refuse(check: str) -> IdTokenRejected:
    return IdTokenRejected(
        _FAULTS.get(check)
        or sentence("The provider's ID token was refused: its claim {claim} has the wrong JSON type.", claim=check),
        action=_ACTIONS.get(check),
        detail=f"id_token.{check}",
    )


def _parties(claims: Mapping[str, Any], rules: IdTokenRules) -> tuple[tuple[str, ...], str | None]:
    """Check ``aud`` and ``azp`` and return them (V-5, V-6, A16)."""
    value = claims.get("aud")
    audience = (value,) if isinstance(value, str) else texts(value)
    if not audience or rules.client_id not in audience:
        raise _refuse("aud")
    others = set(audience) - {rules.client_id}
    if not others <= rules.trusted_audiences:
        raise _refuse("aud")
    azp = claims.get("azp")
    if (others or "azp" in claims) and azp != rules.client_id:
        raise _refuse("azp")
    return audience, azp


def _times(claims: Mapping[str, Any], now: float, skew: float) -> float:
    """Check ``exp``, ``iat`` and ``nbf`` (V-7, V-8) and return ``exp``."""
    expires_at, issued_at = number(claims.get("exp")), number(claims.get("iat"))
    if expires_at is None:
        raise _refuse("no_exp")
    if expires_at <= now - skew:
        raise _refuse("exp")
    if issued_at is None:
        raise _refuse("no_iat")
    if not now - MAX_ISSUED_AGE_SECONDS - skew <= issued_at <= now + skew:
        raise _refuse("iat")
    if "nbf" in claims:
        not_before = number(claims["nbf"])
        if not_before is None:
            raise _refuse("no_nbf")
        if not_before > now + skew:
            raise _refuse("nbf")
    return expires_at


def _subject(claims: Mapping[str, Any], rules: IdTokenRules) -> str:
    """Check ``sub`` and return it (V-9, V-15)."""
    subject = claims.get("sub")
    if not printable(subject) or len(subject) > _MAX_SUBJECT_CHARACTERS:
        raise _refuse("no_sub")
    if rules.expected_subject is not None and subject != rules.expected_subject:
        raise _refuse("sub")
    return subject


def _nonce(claims: Mapping[str, Any], rules: IdTokenRules) -> str | None:
    """Check that ``nonce`` is that of our request, and return it (V-10, A17); a refresh has none of its own."""
    nonce = claims.get("nonce")
    if nonce is None and rules.nonce is not None:
        raise _refuse("no_nonce")
    if not isinstance(nonce, str | None) or (rules.nonce is not None and nonce != rules.nonce):
        raise _refuse("nonce")
    return nonce


def _check_at_hash(value: object, access_token: Secret, alg: str) -> None:
    """Compare with the left half of the hash that belongs to ``alg`` (Core 1.0, 3.1.3.6; V-12)."""
    expected = at_hash(access_token, alg)
    if not isinstance(value, str) or not hmac.compare_digest(value.encode(), expected.encode()):
        raise _refuse("at_hash")


def at_hash(access_token: Secret, alg: str) -> str:
    """Return the ``at_hash`` of ``access_token`` under the signature algorithm ``alg``."""
    token = reveal_bytes(access_token)
    digest = hashlib.new({"256": "sha256", "384": "sha384"}.get(alg[-3:], "sha512"), token).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def _auth_time(claims: Mapping[str, Any], now: float, rules: IdTokenRules) -> float | None:
    """Check ``auth_time``, the time of the person's authentication in wall seconds, and return it (V-13)."""
    auth_time = number(claims.get("auth_time"))
    if auth_time is None and ("auth_time" in claims or rules.max_age is not None):
        raise _refuse("auth_time")
    if auth_time is not None and rules.max_age is not None:
        age = now - auth_time
        if not -rules.skew <= age <= rules.max_age + rules.skew:
            raise _refuse("auth_time")
    return auth_time


def _check_continuity(identity: Identity, previous: Identity, *, issued_at: float) -> None:
    """Require that a refreshed token names the same person and client (OpenID Connect Core 1.0, 12.2; F-5, B4).

    NOTE: ``auth_time`` may have changed. It does not identify the person, and large providers write the time of the
    rotation there; only a time after the token itself is refused (Q1.7).
    """
    if identity.issuer != previous.issuer:
        raise _refuse("iss")
    if identity.subject != previous.subject:
        raise _refuse("sub")
    if not set(previous.audience) <= set(identity.audience):
        raise _refuse("aud")
    if identity.azp != previous.azp:
        raise _refuse("azp")
    if identity.auth_time is not None and identity.auth_time > issued_at and identity.auth_time != previous.auth_time:
        raise _refuse("auth_time")
    if identity.nonce not in (None, previous.nonce):
        raise _refuse("nonce")
