"""Questions that are answered with yes or no, in the language of the person at the terminal."""

from __future__ import annotations

from typing import Final

from jupyter_oidc.language import _

_ALWAYS: Final = frozenset({"y", "yes"})


def choice(*, default: bool) -> str:
    """Return the hint behind a question; the capital letter is what an empty answer means."""
    return _("[Y/n]") if default else _("[y/N]")


def is_yes(answer: str) -> bool:
    """Return whether ``answer`` agrees: by the word of here or its first letter, and by ``y`` and ``yes`` everywhere."""
    said, here = answer.strip().casefold(), _("yes").casefold()
    return said in _ALWAYS or said in (here, here[:1])
