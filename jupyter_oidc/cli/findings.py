"""Tells mistakes in settings, and notes on them, in the language of the person at the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.language import _, told

if TYPE_CHECKING:
    from jupyter_oidc.settings import Finding


def told_finding(finding: Finding) -> str:
    """Return the line about a mistake: its class, its key, what is wrong, and what to write instead."""
    return f"{told(finding.kind_in_words)}: {told(finding.text)}"


def told_note(note: str) -> str:
    """Return a note on settings as a sentence of its own."""
    text = told(note)
    return _("{note}.", note=text[:1].upper() + text[1:])
