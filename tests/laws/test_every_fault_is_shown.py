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

NOT_YET: set[str] = set()
"""Rows without a test, each with an open issue."""

QUOTED = set(
    re.findall(
        r"(?<![\w-])[A-D]\d{1,2}(?![\w-])",
        "\n".join(
            path.read_text(encoding="utf-8")
            for path in (ROOT / "tests").rglob("test_*.py")
            if path != Path(__file__) and "node_modules" not in path.parts
        ),
    )
)


def unshown(rows: dict[str, int]) -> set[str]:
    return {f"{table}{row}" for table, last in rows.items() for row in range(1, last + 1)} - QUOTED


@pytest.mark.parametrize("table", sorted(ROWS))
def test_every_row_is_quoted_by_a_test(table: str) -> None:
    assert unshown({table: ROWS[table]}) <= NOT_YET


def test_what_is_not_shown_yet_is_listed_only_as_long() -> None:
    assert unshown(ROWS) == NOT_YET


def test_a_seeded_row_without_a_test_is_missed() -> None:
    assert "D17" in unshown({"D": 17})
