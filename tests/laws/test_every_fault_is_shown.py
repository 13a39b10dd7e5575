"""Law 10, for the tables of faults: every row is quoted by a test.

That a test quotes a row does not prove that it shows it; that no test does proves that nothing shows it.
Proof that the law can fail: a row that is seeded beyond the end of a table is missed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.source import ROOT

ROWS = {"B": 35, "C": 35, "D": 16}
"""Tables of faults and the number of their rows; a table is listed once all of it is shown."""

FIELD_ROWS = {"Q1": 12, "Q2": 4, "Q3": 9, "Q4": 6, "Q5": 14, "Q6": 3, "Q7": 7, "Q8": 18, "Q9": 14, "Q10": 7}
"""Tables of what was found in the field, whose rows are written with a point: ``Q3.4``."""

NOT_YET: set[str] = set()
"""Rows without a test, each with an open issue."""

QUOTED = set(
    re.findall(
        r"(?<![\w.-])(?:[A-D]\d{1,2}|Q\d{1,2}\.\d{1,2})(?![\w-])",
        "\n".join(
            path.read_text(encoding="utf-8")
            for path in (
                *(ROOT / "tests").rglob("test_*.py"),
                *(ROOT / "labextension-stub" / "tests").rglob("*.spec.ts"),
            )
            if path != Path(__file__) and "node_modules" not in path.parts
        ),
    )
)


def unshown(rows: dict[str, int]) -> set[str]:
    return {f"{table}{row}" for table, last in rows.items() for row in range(1, last + 1)} - QUOTED


EVERY = ROWS | {f"{table}.": last for table, last in FIELD_ROWS.items()}


@pytest.mark.parametrize("table", sorted(EVERY))
def test_every_row_is_quoted_by_a_test(table: str) -> None:
    assert unshown({table: EVERY[table]}) <= NOT_YET


def test_what_is_not_shown_yet_is_listed_only_as_long() -> None:
    assert unshown(EVERY) == NOT_YET


def test_a_seeded_row_without_a_test_is_missed() -> None:
    assert "D17" in unshown({"D": 17})


def test_a_seeded_row_of_the_field_without_a_test_is_missed() -> None:
    assert "Q10.8" in unshown({"Q10.": 8})
