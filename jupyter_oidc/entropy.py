"""Draws random numbers; no other module does.

Protocol and session code receives an :class:`Entropy`; tests pass a scripted one and get literal values.
"""

from __future__ import annotations

import base64
import random
import secrets
from typing import Protocol


class Entropy(Protocol):
    """A source of unpredictable bytes and of harmless jitter."""

    def token(self, bits: int) -> str:
        """Return at least ``bits`` random bits in the URL-safe base64 alphabet, without padding."""
        ...

    def jitter(self) -> float:
        """Return a number in ``[0, 1)`` for spreading timers; not for security."""
        ...


class SystemEntropy:
    """The operating system's cryptographic random source (RFC 4086)."""

    __slots__ = ()

    def token(self, bits: int) -> str:
        """Return ``ceil(bits / 8)`` random bytes as unpadded URL-safe base64 text."""
        return base64.urlsafe_b64encode(secrets.token_bytes(-(-bits // 8))).rstrip(b"=").decode()

    def jitter(self) -> float:
        """Return a pseudo-random number in ``[0, 1)``."""
        return random.random()  # noqa: S311 - spreads timers, protects nothing
