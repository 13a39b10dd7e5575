"""Access tokens with their lifetimes, and the three answers to "may I have one?".

An access token is opaque here: it is never parsed, only held, aged and handed to the proxy (A13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from jupyter_oidc.clock import Moment
    from jupyter_oidc.protocol.dpop import ProofKey
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.settings import Api


@dataclass(frozen=True, slots=True)
class TokenKey:
    """The audience, resource and scopes of an access token; two APIs with equal keys share one.

    The key with only empty fields is that of the sign-in's own access token.
    """

    audience: str | None = None
    resource: str | None = None
    scopes: tuple[str, ...] | None = None


SIGN_IN_KEY = TokenKey()


def token_key(api: Api) -> TokenKey:
    """Return the key of the access token for ``api``: the sign-in's own unless its settings demand another one."""
    if api.audience is None and api.resource is None and api.scopes is None:
        return SIGN_IN_KEY
    return TokenKey(audience=api.audience, resource=api.resource, scopes=api.scopes)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """One access token, the time at which it was obtained, and its lifetime in seconds (``None``: unknown).

    ``proof_key`` is the key that it is bound to, or ``None`` for a bearer token.
    """

    secret: Secret
    obtained: Moment
    lifetime: float | None
    proof_key: ProofKey | None = None

    def seconds_left(self, now: Moment) -> float | None:
        """Return the seconds until expiry by the stricter of both clocks, or ``None`` if unknown.

        The monotonic clock stands still while a laptop sleeps and the wall clock can be set back, so the
        clock on which more time has passed wins (B24, B25).
        """
        if self.lifetime is None:
            return None
        passed = max(now.monotonic - self.obtained.monotonic, now.wall - self.obtained.wall)
        return self.lifetime - passed

    def alive(self, now: Moment, reserve: float = 0.0) -> bool:
        """Return whether the token is good for at least ``reserve`` more seconds, as far as we know."""
        left = self.seconds_left(now)
        return left is None or left > reserve

    def alive_by_monotonic_clock(self, now: Moment, reserve: float = 0.0) -> bool:
        """Return the same by the monotonic clock alone, while the wall clock cannot be trusted (B25)."""
        return self.lifetime is None or self.lifetime - (now.monotonic - self.obtained.monotonic) > reserve


class Granted(NamedTuple):
    """A token for one upstream call; ``subject`` is the person of the session with that number.

    With a ``proof_key`` an API accepts it only with a proof by that key; without one it is a bearer token.
    """

    secret: Secret
    session_number: int
    proof_key: ProofKey | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """No session exists (``not_signed_in``), or the provider ended it (``session_expired``)."""

    code: Literal["not_signed_in", "session_expired"]


@dataclass(frozen=True, slots=True)
class TryLater:
    """No token is available now: try again after ``seconds``.

    ``remedy`` is an action for the user, if the code that found the fault knows a better one than the reason's own.
    """

    seconds: float
    reason: str
    remedy: str | None = None


Bearer = Granted | SignInNeeded | TryLater
