"""The canary of law 9: it knows every secret that a test provider issued, and sings when it sees one outside.

Secrets are recognised by their mark, plain or in base64, and by the pieces of their exact value, so that a part of
a token, a percent-encoded one, or one inside a longer text is recognised too.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from tests.support.marker import MARKER

SHORTEST = 16
"""Characters; a shorter piece could turn up by chance."""

_PIECES = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST},}}")
_ESCAPES = re.compile(r"%[0-9A-Fa-f]{2}|\\[a-z]")
"""Characters that may stand directly before or after a secret in a URL or a JSON string."""

_HEADER = re.compile(r"^eyJ[A-Za-z0-9_-]+$")


def _disguises(mark: str) -> frozenset[str]:
    """Return the mark as it looks inside base64, at each of the three offsets, without the borders."""
    found = set()
    for offset in range(3):
        text = base64.urlsafe_b64encode(b"\0" * offset + mark.encode()).decode().rstrip("=")
        found.add(text[(4 if offset else 0) : -2])
    return frozenset(found)


_MARKS = (MARKER, *sorted(_disguises(MARKER)))


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret was seen ``where``; ``piece`` shows only its first characters."""

    where: str
    piece: str

    def __str__(self) -> str:
        return f"{self.where} holds a secret that begins with {self.piece!r}"


@dataclass(slots=True)
class Canary:
    """The issued secrets, and the places where one was seen."""

    leaks: list[Leak] = field(default_factory=list)
    _pieces: set[str] = field(default_factory=set, repr=False)

    def hold(self, secret: str) -> None:
        """Remember ``secret``, which a provider has just issued."""
        for piece in _PIECES.findall(secret):
            if _HEADER.match(piece) and secret.startswith(piece) and secret.count(".") == 2:
                continue  # the header of a JWT says only which key signed it
            self._pieces.add(piece)

    def find(self, text: str) -> str | None:
        """Return the beginning of the first secret in ``text``."""
        for mark in _MARKS:
            if mark in text:
                return mark[:8]
        if self._pieces:
            for piece in _PIECES.findall(_ESCAPES.sub(" ", text)):
                if piece in self._pieces:
                    return str(piece[:8])
        return None

    def look(self, where: str, text: str | bytes) -> bool:
        """Look at ``text``; a secret in it becomes a leak. Return whether it is clean."""
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        piece = self.find(shown)
        if piece is not None:
            self.leaks.append(Leak(where, piece))
        return piece is None

    def look_at_reply(self, response: Any) -> None:
        """Look at a reply of our server: an ``httpx.Response`` that is read, or one of tornado's."""
        code = getattr(response, "status_code", None) or getattr(response, "code", "?")
        body = response.content if hasattr(response, "content") else response.body
        headers = response.headers
        lines = headers.get_all() if hasattr(headers, "get_all") else headers.multi_items()
        self.look(f"the head of a reply ({code})", "\n".join(f"{name}: {value}" for name, value in lines))
        self.look(f"the body of a reply ({code})", body or b"")


CANARY = Canary()
"""The one canary of a test run."""
