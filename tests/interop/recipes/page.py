"""The pages of recipes as the tests read them: they run the code that is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PAGES = Path(__file__).parents[3] / "docs" / "how-to"
PAGE = _PAGES / "call-an-api-from-any-library.md"
OF_WORKERS = _PAGES / "use-from-workers.md"

_HEADING = re.compile(r"^###? (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block of a page, and the heading it stands under."""

    heading: str
    language: str
    code: str


def blocks(page: Path = PAGE) -> list[Block]:
    """Every code block of the ``page``, in its order."""
    _, *parts = _HEADING.split(page.read_text(encoding="utf-8"))
    sections = zip(parts[::2], parts[1::2], strict=True)
    return [Block(heading, *found) for heading, text in sections for found in _BLOCK.findall(text)]


def recipe(heading: str, language: str = "python", page: Path = PAGE) -> str:
    """The only block in ``language`` under ``heading``."""
    (code,) = [one.code for one in blocks(page) if (one.heading, one.language) == (heading, language)]
    return code
