"""Makes text that others have written safe to print, and to stand in a sentence."""

from __future__ import annotations

from typing import Final

_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_SPACES: Final = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"
_STAY: Final = frozenset(_JOINERS + _SPACES)


def plain(text: str) -> str:
    """Return untrusted ``text`` (a name) without characters that move a cursor, end a line or turn its direction.

    Joiners stay, because names in Persian and Hindi are spelt with them, and so do the spaces of French and Japanese.
    """
    return "".join(sign if sign.isprintable() or sign in _STAY else "\N{REPLACEMENT CHARACTER}" for sign in text)


def inside_quotes(text: str) -> str:
    """Return ``text`` as it stands between the single quotation marks of a sentence: as Python writes it."""
    shown = repr(text)
    return shown[1:-1] if shown.startswith("'") else shown[1:-1].replace("'", "\\'")
