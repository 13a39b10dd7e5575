"""Law 10, for decisions: a decision is a page in docs/adr with four headings and a place in the index.

That the rules are written too, and shown, is the law of test_rule_book.
Proof that the law can fail: the seeded violation below is caught.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laws.source import ROOT

ADR = ROOT / "docs" / "adr"
PARTS = ("## Context", "## Decision", "## Consequences", "## Alternatives")
LONGEST = 90
"""Lines of a page."""

DECISIONS = sorted(path for path in ADR.glob("*.md") if path.name != "README.md")


def faults_of(name: str, text: str, index: str) -> Iterator[str]:
    """Yield the faults of a decision."""
    number = int(name[:4])
    if not text.startswith(f"# {number}. "):
        yield "its title does not begin with its number"
    if "Status: " not in text:
        yield "it has no status"
    yield from (f"it has no {part!r}" for part in PARTS if part not in text)
    if len(text.splitlines()) > LONGEST:
        yield "it is longer than a page"
    if f"({name})" not in index:
        yield "it is not in the index"


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_one_page_with_its_four_parts_and_a_place_in_the_index(path: Path) -> None:
    index = (ADR / "README.md").read_text(encoding="utf-8")
    assert list(faults_of(path.name, path.read_text(encoding="utf-8"), index)) == []


def test_the_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_a_seeded_decision_without_its_parts_is_caught() -> None:
    assert list(faults_of("0099-seeded.md", "# 9. Seeded\n", "")) == [
        "its title does not begin with its number",
        "it has no status",
        "it has no '## Context'",
        "it has no '## Decision'",
        "it has no '## Consequences'",
        "it has no '## Alternatives'",
        "it is not in the index",
    ]
