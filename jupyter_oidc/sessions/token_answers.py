"""The values that the client of a provider returns: tokens that passed every check, their person, and why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_oidc.protocol import token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.clock import Moment
    from jupyter_oidc.protocol import discovery, dpop, id_token
    from jupyter_oidc.protocol.message import Reply


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user: the subject at this issuer (V-16), and the validated claims about them.

    ``identity`` is compared with every later ID token (F-5); unknown if no ID token was seen since the session was
    restored from storage.
    ``sid`` is the provider's name for its own session, if an ID token named it (Back-Channel Logout 1.0, 2.1), and
    ``acr`` the strength of the authentication, as the ID token names it.
    """

    identity: id_token.Identity | None
    subject: str
    claims: Mapping[str, Any]
    sid: str | None = None
    acr: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token response that passed every check.

    ``person`` is ``None`` only after a refresh without new claims; ``id_token_expires_at`` is wall seconds, and
    ``None`` without an ID token.
    ``requested_at`` is the time of the request: their lifetime counts from then at the latest, even if the answer and
    its checks were slow (RFC 6749, 5.1).
    ``proof_key`` is the key that the tokens are bound to, or ``None`` for bearer tokens.
    """

    set: token.TokenSet
    person: Person | None
    requested_at: Moment
    id_token_expires_at: float | None = None
    proof_key: dpop.ProofKey | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No response came to the token request: the refresh token may be used, or not (B5)."""


@dataclass(frozen=True, slots=True)
class UnverifiableResponse:
    """The response holds tokens that cannot be checked now (the keys cannot be fetched): none may be used."""


@dataclass(frozen=True, slots=True)
class RefreshReply:
    """The reply to a refresh request before it is judged (ADR 0025).

    ``tokens`` holds the successor, to be stored first; ``requested_at`` is the time of the request.
    """

    reply: Reply
    metadata: discovery.Metadata
    tokens: token.UnverifiedTokens
    requested_at: Moment


Refused = token.TokenError | token.TokenUnavailable | UnverifiableResponse
