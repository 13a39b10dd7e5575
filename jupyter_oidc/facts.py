"""The facts of an error: names of the settings, words of the request, and numbers, such as the seconds to wait.

:mod:`jupyter_oidc.language` writes them into the sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TypeAlias

Fact: TypeAlias = str | int | tuple[str, ...]
Facts: TypeAlias = Mapping[str, Fact]

MAX_FACT_CHARACTERS: Final = 100
"""Characters of one text, such as the path of a request; an ellipsis stands for the rest."""

MAX_LISTED: Final = 20
"""Entries of one list in the reply of an error."""

_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,63}\Z")
"""A name that can stand in a sentence; a caller may have sent anything in its place."""


def facts(**given: str | float | Iterable[str] | None) -> dict[str, Fact]:
    """Return the facts that are known, each in printable ASCII and of limited length; ``None`` and ``""`` are none."""
    known: dict[str, Fact] = {}
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, (int, float)):
            known[name] = int(value)
            continue
        clean = _clean(value) if isinstance(value, str) else tuple(_clean(one) for one in list(value)[:MAX_LISTED])
        if clean:
            known[name] = clean
    return known


def choices(kind: str, wanted: str, names: Iterable[str]) -> dict[str, Fact]:
    """Return the facts about a name that does not exist: what it would be, what there is, and what is nearest to it."""
    known = list(names)
    nearest = get_close_matches(wanted[:MAX_FACT_CHARACTERS].lower(), known, 1)
    ordered = [*nearest, *(name for name in known if name not in nearest)]
    shown = wanted if _NAME.match(wanted) else None
    return facts(**{kind: shown}, nearest=nearest[0] if nearest else None, names=ordered)


def printable(text: str) -> str:
    """Return ``text`` with an escape for every character that is no printable ASCII, so that none acts or misleads."""
    return "".join(char if "\x20" <= char <= "\x7e" else f"\\x{ord(char):02x}" for char in text)


def _clean(text: str) -> str:
    shown = printable(text[: MAX_FACT_CHARACTERS + 1]).replace("'", "%27")
    return shown if len(shown) <= MAX_FACT_CHARACTERS else shown[: MAX_FACT_CHARACTERS - 3] + "..."
