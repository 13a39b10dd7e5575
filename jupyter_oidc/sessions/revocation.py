"""Decides whether a token may be revoked (RFC 7009).

Revoking a refresh token ends its grant, and with many providers every other token of that grant.
A person who signs in again in the same browser often gets another token of the *same* provider session: revoking the
old one would end the new session.
So a token is revoked only if it certainly belongs to another grant than every living session.
This module refuses to guess: an unknown origin is not certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_oidc.protocol.token import UnverifiedTokens
    from jupyter_oidc.secret import Secret

Revoked = Literal["done", "failed", "not-supported", "nothing-to-revoke"]
"""The outcome of a revocation; ``nothing-to-revoke`` includes a token that must not be revoked."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A token's origin, as far as a verified ID token names it; ``sid`` is the provider's name for its session."""

    issuer: str
    client_id: str
    subject: str | None = None
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class OrphanedToken:
    """A token that will not be used any more, and its origin."""

    token: Secret
    origin: Origin
    kind: Literal["refresh_token", "access_token"] = "refresh_token"


def orphan_of(tokens: UnverifiedTokens, origin: Origin) -> OrphanedToken | None:
    """Return the token to revoke of a refused answer: the refresh token, whose revocation ends the others."""
    if tokens.refresh_token is not None:
        return OrphanedToken(tokens.refresh_token, origin)
    return None if tokens.access_token is None else OrphanedToken(tokens.access_token, origin, "access_token")


def may_be_revoked(origin: Origin, living: Iterable[Origin]) -> bool:
    """Return whether a token of ``origin`` can be revoked without harm to any session that is ``living``."""
    return all(_certainly_another(origin, session) for session in living)


def _certainly_another(one: Origin, other: Origin) -> bool:
    if (one.issuer, one.client_id) != (other.issuer, other.client_id):
        return True
    return _differ(one.subject, other.subject) or _differ(one.sid, other.sid)


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one) and bool(other) and one != other
