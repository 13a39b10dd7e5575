"""Law 10: decisions are written, rules are tests.

A decision is a page in docs/adr with four headings and a place in the index. A rule that the code quotes (``R-9``,
``C22``) is quoted by a test that shows it.
Proof that the law can fail: the seeded violations below are caught.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.laws.source import ROOT, modules

ADR = ROOT / "docs" / "adr"
PARTS = ("## Context", "## Decision", "## Consequences", "## Alternatives")
LONGEST = 90
"""Lines of a page."""

RULE = re.compile(r"(?<![\w-])(?:[A-Z]-\d{1,2}|[A-E]\d{1,2}|Q\d{1,2}\.\d{1,2})(?![\w-])")
DECISIONS = sorted(path for path in ADR.glob("*.md") if path.name != "README.md")


def faults_of(name: str, text: str, index: str) -> Iterator[str]:
    """What is wrong with a decision."""
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


def unshown(sources: Iterable[str], tests: Iterable[str]) -> set[str]:
    """The rules that ``sources`` quote and no test does."""
    quoted = {rule for text in sources for rule in RULE.findall(text)}
    shown = {rule for text in tests for rule in RULE.findall(text)}
    return quoted - shown


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_one_page_with_its_four_parts_and_a_place_in_the_index(path: Path) -> None:
    index = (ADR / "README.md").read_text(encoding="utf-8")
    assert list(faults_of(path.name, path.read_text(encoding="utf-8"), index)) == []


def test_the_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_every_rule_that_the_code_quotes_is_shown_by_a_test() -> None:
    tests = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    assert unshown((module.text for module in modules()), tests) == set()


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


def test_a_seeded_rule_without_a_test_is_caught() -> None:
    assert unshown(['"""Refuses (R-9, C22)."""'], ['"""R-9."""']) == {"C22"}
