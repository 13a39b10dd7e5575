"""Decides which logout tokens of a provider are new, and which session they concern (B-12, B-14).

It refuses to verify tokens (``protocol.logout_token`` does) and to end anything (the session service does).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jupyter_oidc.protocol.logout_token import LogoutToken

MAX_REMEMBERED: Final = 1_000
"""Accepted tokens that are remembered at once; only the provider can issue another one."""


class AcceptedLogouts:
    """Remembers the tokens that took effect until they expire, so that none takes effect twice."""

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}

    def knows(self, token: LogoutToken) -> bool:
        """Return whether ``token`` was accepted before."""
        return _digest(token.jti) in self._until

    def remember(self, token: LogoutToken, now: float, skew: float) -> None:
        """Remember ``token``; ``now`` is in wall seconds, as its expiry is, and ``skew`` in seconds."""
        self._until = {jti: until for jti, until in self._until.items() if until > now}
        while len(self._until) >= MAX_REMEMBERED:
            self._until.pop(next(iter(self._until)))
        self._until[_digest(token.jti)] = token.expires_at + skew


def concerns(token: LogoutToken, subject: str, sid: str | None) -> bool:
    """Return whether ``token`` ends the session of ``subject`` that the provider calls ``sid`` (B-14)."""
    if token.sid is not None and token.sid == sid:
        return token.subject in (None, subject)
    return token.subject is not None and token.subject == subject


def _digest(jti: str) -> bytes:
    return hashlib.sha256(jti.encode("utf-8", "surrogatepass")).digest()
