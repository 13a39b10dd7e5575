"""Logout tokens: the provider's signed statement that a session has ended (OpenID Connect Back-Channel Logout 1.0).

An attacker can send one, so the claims are judged before the signature: a token with wrong claims causes neither a
signature check nor a request to the provider (K-7).
This module refuses to remember tokens; the session service notices a repeated one (B-12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.problems import LogoutTokenInvalid
from jupyter_oidc.protocol.id_token import MAX_ISSUED_AGE_SECONDS
from jupyter_oidc.protocol.json_value import number, texts
from jupyter_oidc.protocol.jws import KeysStale, verify_compact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.protocol.jwks import KeySet
    from jupyter_oidc.protocol.jws import Verified
    from jupyter_oidc.secret import Secret

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TYPE: Final = "logout+jwt"


@dataclass(frozen=True, slots=True)
class LogoutTokenRules:
    """The values that a logout token must have; ``skew`` is in seconds, ``alg`` that registered for ID tokens (B-5)."""

    issuer: str
    client_id: str
    alg: str
    skew: float
    client_secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """A token that passed every check, with the subject or session that has ended.

    ``expires_at`` is in wall seconds.
    """

    subject: str | None
    sid: str | None
    jti: str
    expires_at: float


def verify_logout_token(
    raw: Secret,
    rules: LogoutTokenRules,
    keys: KeySet,
    *,
    now: float,
    fresh: bool = False,
) -> LogoutToken | KeysStale:
    """Apply B-5 ... B-11 and B-13; ``now`` is in wall seconds.

    Returns :class:`KeysStale` if fresher keys might verify the signature; every other check has passed then.
    Raises :class:`LogoutTokenInvalid` with the detail ``logout_token.<check>``.
    """
    found: list[LogoutToken] = []

    def judge(unverified: Verified) -> None:
        found.append(_read(unverified, rules, now))

    verified = verify_compact(
        raw,
        alg=rules.alg,
        keys=keys,
        client_secret=rules.client_secret,
        refuse=_refuse,
        fresh=fresh,
        special_type=_TYPE,
        before_keys=judge,
    )
    return verified if isinstance(verified, KeysStale) else found[0]


def _refuse(check: str) -> LogoutTokenInvalid:
    return LogoutTokenInvalid(detail=f"logout_token.{check}")


def _read(unverified: Verified, rules: LogoutTokenRules, now: float) -> LogoutToken:
    claims = unverified.claims
    if str(unverified.header.get("typ", "JWT")).lower() not in (_TYPE, "jwt"):
        raise _refuse("type")
    if claims.get("iss") != rules.issuer:
        raise _refuse("iss")
    audience = claims.get("aud")
    if rules.client_id not in ((audience,) if isinstance(audience, str) else texts(audience) or ()):
        raise _refuse("aud")
    expires_at = _times(claims, now, rules.skew)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise _refuse("jti")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise _refuse("events")
    if "nonce" in claims:
        raise _refuse("nonce")  # or an ID token could be passed off as a logout token
    subject, sid = (_text(claims, name) for name in ("sub", "sid"))
    if subject is None and sid is None:
        raise _refuse("sub")
    return LogoutToken(subject, sid, jti, expires_at)


def _times(claims: Mapping[str, Any], now: float, skew: float) -> float:
    """Check ``iat`` and ``exp`` (B-8) and return ``exp``."""
    issued_at, expires_at = number(claims.get("iat")), number(claims.get("exp"))
    if issued_at is None or not now - MAX_ISSUED_AGE_SECONDS - skew <= issued_at <= now + skew:
        raise _refuse("iat")
    if expires_at is None or expires_at <= now - skew:
        raise _refuse("exp")
    return expires_at


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    if name not in claims:
        return None
    value = claims[name]
    if not isinstance(value, str) or not value:
        raise _refuse(name)
    return value
