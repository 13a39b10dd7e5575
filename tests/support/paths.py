"""The corpora of hostile and honest paths in ``tests/data``; the notation is explained in the files themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_DATA = Path(__file__).parents[1] / "data"
_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


@dataclass(frozen=True, slots=True)
class HostilePath:
    """One path as raw bytes."""

    category: str
    raw: bytes

    @property
    def text(self) -> str:
        """The path as a web framework hands it on: bytes as latin-1."""
        return self.raw.decode("latin-1")


def _rows(name: str) -> list[str]:
    lines = (_DATA / name).read_text(encoding="ascii").split("\n")
    return [line for line in lines if line and not line.startswith("# ") and line != "#"]


def _bytes(written: str) -> bytes:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", written).encode("latin-1")


HOSTILE = tuple(
    HostilePath(category, _bytes(written))
    for category, _, written in (row.partition("\t") for row in _rows("hostile_paths.txt"))
)
HONEST = tuple(_rows("honest_paths.txt"))
CATEGORIES = tuple(dict.fromkeys(path.category for path in HOSTILE))


def hostile(category: str) -> list[HostilePath]:
    """The hostile paths of ``category``."""
    return [path for path in HOSTILE if path.category == category]


@dataclass(frozen=True, slots=True)
class NamePath:
    """A path that passes if ``data`` is data for the API, and not otherwise."""

    data: frozenset[str]
    path: str


NAMES = tuple(
    NamePath(frozenset(data.split(",")), path)
    for data, _, path in (row.partition("\t") for row in _rows("honest_names.txt"))
)
