"""Questions that are answered with yes or no, in the language of the person at the terminal."""

from __future__ import annotations

import unicodedata
from typing import Final

from jupyter_oidc.language import _

_ALWAYS: Final = frozenset({"y", "yes"})


def choice(*, default: bool) -> str:
    """Return the hint behind a question; the capital letter is what an empty answer means."""
    return _("[Y/n]") if default else _("[y/N]")


def is_yes(answer: str) -> bool:
    """Return whether ``answer`` agrees: by the word of here or its first letter, and by ``y`` and ``yes`` everywhere."""
    said, here = _plain(answer), _plain(_("yes"))
    return said in _ALWAYS or said in (here, here[:1])


def _plain(word: str) -> str:
    """Return ``word`` without accents, which not every keyboard has."""
    letters = unicodedata.normalize("NFD", word.strip().casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
