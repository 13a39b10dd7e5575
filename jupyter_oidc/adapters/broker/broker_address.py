"""The address of a broker, as the settings write it: ``unix:`` and the path of its socket."""

from __future__ import annotations

from typing import Final

_UNIX: Final = "unix:"


def socket_path(address: str) -> str | None:
    """Return the path of the socket in ``address``; ``None`` for a text that is no address of a broker."""
    path = address[len(_UNIX) :] if address.startswith(_UNIX) else ""
    return path if path.startswith("/") and path.isprintable() else None
