"""Remembers the tokens that the provider has just refused or delayed, so that they are not requested again for a while.

Each call of an API would use a refresh token otherwise, for an answer that is known (B25, B30).
It refuses to hold back the sign-in's own token; ``refresh_schedule`` decides about that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.problems import AudienceRefused
from jupyter_oidc.sessions.grant import TryLater

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.sessions.grant import TokenKey

TokenAndSource = tuple["TokenKey", str]
"""The token's key, and whether it is an access token or an ID token."""


class NegativeTokenCache:
    """Caches refusals and delays by token: a reason of ``None`` is a refusal, a text is a reason to try later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[TokenAndSource, tuple[float, str | None]] = {}

    def add(self, token: TokenAndSource, seconds: float, reason: str | None) -> None:
        """Do not request ``token`` again for ``seconds``."""
        self._until[token] = (self._clock.now().monotonic + seconds, reason)

    def lookup(self, token: TokenAndSource) -> TryLater | None:
        """Return the cached delay of ``token``, if there is one; raises ``AudienceRefused`` for a cached refusal."""
        until, reason = self._until.get(token, (0.0, None))
        left = until - self._clock.now().monotonic
        if left <= 0:
            return None
        if reason is None:
            raise AudienceRefused
        return TryLater(left, reason)
