"""The facts of an error, and the one place that writes them into its sentences.

A fact is a name of the settings, a word of the request, or a number: an API, its open methods, the seconds to wait.
Templates are ours. ``{api}`` is a fact, and a sentence with one is used where that fact is known; ``{the_api}`` and
``{the_provider}`` are the noun with its name, or the noun alone, so a sentence with those fits everywhere.
Anything else in braces stays as it is: a text that quotes somebody else cannot break this.
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

MAX_TOLD: Final = 5
"""Entries of one list in a sentence."""

_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,63}\Z")
"""A name that can stand in a sentence; a caller may have sent anything in its place."""

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]{1,30})\}")
_NOUN: Final = re.compile(r"([Tt])he_(api|provider)\Z")
_NOUNS: Final = {"api": "API", "provider": "provider"}
_BARE: Final = frozenset({"method", "methods", "paths", "caller", "callers", "max_bytes"})
"""Facts that stand in a sentence without quotation marks."""


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


def needs(template: str) -> set[str]:
    """Return the names of the facts without which ``template`` cannot be used."""
    return {name for name in _PLACEHOLDER.findall(template) if not _NOUN.match(name)}


def filled(template: str, known: Facts) -> str:
    """Return ``template`` with the facts in their places."""
    return _PLACEHOLDER.sub(lambda found: _told(found[1], found[0], known), template)


def printable(text: str) -> str:
    """Return ``text`` with an escape for every character that is no printable ASCII, so that none acts or misleads."""
    return "".join(char if "\x20" <= char <= "\x7e" else f"\\x{ord(char):02x}" for char in text)


def _clean(text: str) -> str:
    shown = printable(text[: MAX_FACT_CHARACTERS + 1]).replace("'", "%27")
    return shown if len(shown) <= MAX_FACT_CHARACTERS else shown[: MAX_FACT_CHARACTERS - 3] + "..."


def _told(name: str, as_written: str, known: Facts) -> str:
    noun = _NOUN.match(name)
    if noun is not None:
        fact = known.get(noun[2])
        return f"{noun[1]}he {_NOUNS[noun[2]]}" + (f" '{fact}'" if isinstance(fact, str) else "")
    if name not in known:
        return as_written
    fact = known[name]
    if name == "seconds":
        return "1 second" if fact == 1 else f"{fact} seconds"
    if isinstance(fact, tuple):
        return _listed([one if name in _BARE else f"'{one}'" for one in fact])
    return str(fact) if name in _BARE else f"'{fact}'"


def _listed(entries: list[str]) -> str:
    """Return ``entries`` as a sentence lists them: ``GET, HEAD and POST``."""
    told = entries if len(entries) <= MAX_TOLD else [*entries[:MAX_TOLD], f"{len(entries) - MAX_TOLD} more"]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
