"""Reads single values out of a peer's JSON and checks the type of each.

``bool`` is an ``int`` in Python and ``1e999`` parses as infinity; a claim that is compared with a time must
be neither.
No function here raises: a value of the wrong kind is ``None``, and the caller decides by its own rule.
"""

from __future__ import annotations

import json
import re
from typing import Final, TypeGuard

_DECIMAL: Final = re.compile(r"\s*(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)\s*")

_MAX_NUMBER: Final = 10**15
"""Seconds beyond this are nonsense; infinity and NaN fail the same comparison."""


def number(value: object) -> float | None:
    """Return ``value`` if it is a finite JSON number of sane size; never a ``bool``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= _MAX_NUMBER else None


def number_in_text(value: object) -> float | None:
    """Return ``value`` as :func:`number` does, or the number that a text holds, as some frameworks write it."""
    if isinstance(value, str):
        match = _DECIMAL.fullmatch(value)
        return number(float(match[1])) if match else None
    return number(value)


def printable(value: object) -> TypeGuard[str]:
    """Return whether ``value`` is non-empty printable ASCII text, space included (RFC 6749, Appendix A; N-5)."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def texts(value: object) -> tuple[str, ...] | None:
    """Return the members of a JSON array that holds texts only, in order; else ``None``."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(value)


def writable(value: object) -> bool:
    """Return whether ``value`` can be written as UTF-8: half a surrogate pair, which JSON can escape, cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True
