"""The page of recipes as the tests read it: they run the code that it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "call-an-api-from-any-library.md"

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block of the page, and the heading it stands under."""

    heading: str
    language: str
    code: str


def blocks() -> list[Block]:
    """Every code block of the page, in its order."""
    _, *parts = _HEADING.split(PAGE.read_text(encoding="utf-8"))
    sections = zip(parts[::2], parts[1::2], strict=True)
    return [Block(heading, *found) for heading, text in sections for found in _BLOCK.findall(text)]


def recipe(heading: str, language: str = "python") -> str:
    """The only block in ``language`` under ``heading``."""
    (code,) = [one.code for one in blocks() if (one.heading, one.language) == (heading, language)]
    return code
