"""Searches texts of any size for secrets: whole, cut in two, percent-encoded, in base64 or in hexadecimal.

It is made for the memory of a browser: hundreds of megabytes, thousands of patterns. It looks at every run of letters
and digits once, in steps of ``WINDOW`` characters, so any ``2 * WINDOW - 1`` characters of a secret that stand together
are found, wherever they were cut off. A secret that is spelt out character by character is not found.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WINDOW = 10
"""Characters: 60 bits of a random value, so nothing turns up by chance."""

SHORTEST = 2 * WINDOW - 1
"""Characters of a secret that are found in any surroundings."""

_RUN = re.compile(rf"[A-Za-z0-9_+/-]{{{WINDOW},}}")
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A secret of this ``kind`` was seen at ``place``; its value is never repeated."""

    place: str
    kind: str


class LeakSearch:
    """Knows ``issued``, pairs of a kind and a value, and finds them in texts."""

    def __init__(self, issued: Iterable[tuple[str, str]]) -> None:
        self._windows: dict[str, str] = {}
        for kind, value in issued:
            for spelling in _spellings(value):
                for at in range(len(spelling) - WINDOW + 1):
                    self._windows.setdefault(spelling[at : at + WINDOW], kind)

    def __len__(self) -> int:
        return len(self._windows)

    def look(self, place: str, text: str | bytes) -> set[Found]:
        """Return the leaks in ``text``, which was found at ``place``."""
        shown = text.decode("latin-1") if isinstance(text, bytes) else text
        known = self._windows
        return {
            Found(place, known[window])
            for run in set(_RUN.findall(shown))
            for at in range(0, len(run) - WINDOW + 1, WINDOW)
            if (window := run[at : at + WINDOW]) in known
        }

    def look_at_all(self, texts: Iterable[tuple[str, str | bytes]]) -> set[Found]:
        """Return the leaks in pairs of a place and a text."""
        return {found for place, text in texts for found in self.look(place, text)}


def _spellings(value: str) -> Iterator[str]:
    """Yield how ``value`` may be written; the head of a JWT, which says only how it is signed, is left out."""
    parts = value.split(".")[1:] if _JWT.fullmatch(value) else [value]
    for part in parts:
        yield from _RUN.findall(part)
    text = ".".join(parts).encode()
    yield text.hex()
    yield text.hex().upper()
    for offset in range(3):
        # The characters that depend on the text before and after the value are cut off.
        middle = base64.b64encode(b"\0" * offset + text).decode().rstrip("=")[4 if offset else 0 : -2]
        yield middle
        yield middle.translate(str.maketrans("+/", "-_"))
