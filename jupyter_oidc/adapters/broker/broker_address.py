"""The address of a broker, as the settings write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_UNIX: Final = "unix:"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker's address: the ``path`` of its Unix socket, or its web address (``url``)."""

    path: str | None
    url: str

    @classmethod
    def read(cls, text: str) -> BrokerAddress | None:
        """Return the address that ``text`` writes, ``unix:/PATH`` or ``https://HOST/PATH``; ``None`` for any other."""
        if text.startswith(_UNIX):
            path = text[len(_UNIX) :]
            return cls(path, "http://broker/") if path.startswith("/") and path.isprintable() else None
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return None
        plain = not (parts.query or parts.fragment or "@" in parts.netloc) and text.isascii() and text.isprintable()
        return cls(None, f"{text.rstrip('/')}/") if host and plain and parts.scheme == "https" else None
