"""Private names of asyncio: how much a transport reads at a time.

A loop whose transports have no such name (uvloop, Windows, TLS) reads as it always does.
"""

from __future__ import annotations

from typing import Any, Final

SEEN: Final = ("3.10", "3.11")

DEFAULT_READ_BYTES: Final = 262_144
"""Bytes that a transport of asyncio reads at a time."""


def read_bytes(transport: Any) -> int:
    """Return how many bytes ``transport`` reads at a time; 0 if it does not say."""
    size: int = getattr(transport, "max_size", 0)
    return size


def set_read_bytes(transport: Any, size: int) -> None:
    """Let ``transport`` read ``size`` bytes at a time, if it can be told so."""
    if hasattr(transport, "max_size"):
        transport.max_size = size


def reset_read_bytes(transport: Any) -> None:
    """Let ``transport`` read as it does by itself."""
    vars(transport).pop("max_size", None)
