"""Reads the grant in the ``Authorization`` header of a request (RFC 6750, 2.1)."""

from __future__ import annotations

from typing import Final

_BEARER_SCHEME: Final = "bearer "
_BEARER_CHARACTERS: Final = len(_BEARER_SCHEME)


def grant_in(authorization: str, prefix: str) -> str | None:
    """Return the grant with ``prefix`` in the value of an ``Authorization`` header, or ``None`` if it holds none."""
    if authorization.startswith(f"Bearer {prefix}"):
        return authorization[_BEARER_CHARACTERS:]
    value = (
        authorization[_BEARER_CHARACTERS:].strip()
        if authorization[:_BEARER_CHARACTERS].lower() == _BEARER_SCHEME
        else ""
    )
    return value if value.startswith(prefix) else None
