"""Searches texts and all files of a folder for every form of every issued secret.

A search that finds nothing proves nothing unless it works, so a planted value tests :func:`forms_of_secret` first.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MIN_PART_CHARACTERS: Final = 16
_CHUNK_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Leak:
    """A place where a secret was found, and its kind, never its value."""

    place: str
    kind: str


def forms_of_secret(value: str) -> tuple[bytes, ...]:
    """Return the byte strings that would give ``value`` away: itself, a token's parts, quoted, and in base64.

    The first part of a JWT is the same for every token of a provider and holds no secret, so it is left out.
    """
    parts = value.split(".")
    plain = [value, *(part for part in parts[1:] if len(parts) == 3 and len(part) >= _MIN_PART_CHARACTERS)]
    forms = {form.encode() for text in plain for form in (text, quote(text, safe=""))}
    for offset in range(3):
        # The characters that depend on the neighbours of the value are cut off.
        encoded = base64.b64encode(b"\0" * offset + value.encode()).rstrip(b"=")
        middle = encoded[4 if offset else 0 : -2]
        forms |= {middle, middle.translate(bytes.maketrans(b"+/", b"-_"))}
    return tuple(sorted(forms))


class LeakSearch:
    """Searches for all issued values."""

    def __init__(self, issued: Iterable[tuple[str, str]]) -> None:
        self._forms = [(kind, form) for kind, value in issued for form in forms_of_secret(value)]

    def in_bytes(self, place: str, content: bytes) -> list[Leak]:
        """Return the leaks in ``content``."""
        return list(dict.fromkeys(Leak(place, kind) for kind, form in self._forms if form in content))

    def in_folder(self, folder: Path, *, without: Path | None = None) -> tuple[int, list[Leak]]:
        """Return the number of files below ``folder`` and the leaks in them; ``without`` is not searched."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        files = [path for path in files if without is None or not path.is_relative_to(without)]
        found = [leak for path in files for leak in self._in_file(path)]
        return len(files), found

    def _in_file(self, path: Path) -> list[Leak]:
        longest = max((len(form) for _, form in self._forms), default=0)
        found: list[Leak] = []
        with path.open("rb") as file:
            kept = b""
            while chunk := file.read(_CHUNK_BYTES):
                found.extend(self.in_bytes(path.name, kept + chunk))
                kept = (kept + chunk)[-longest:]
        return list(dict.fromkeys(found))
