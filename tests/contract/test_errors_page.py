"""The page of errors lists every code as the server sends it: status, message, action and whether to try again."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_oidc.problems import BY_CODE

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"
EXAMPLES = {"sign_in_refused", "tls_untrusted", "openapi_invalid", "no_operations"}
"""Codes whose sentences are always more exact than those of their class: the page shows examples."""


def rows() -> list[list[str]]:
    """The cells of each row of the table of codes."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [cells for cells in tables if len(cells) == 6 and cells[0].isdecimal()]


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_a_code_stands_on_the_page_as_it_is_sent(code: str) -> None:
    problem = BY_CODE[code]()
    found = [cells for cells in rows() if cells[1] == f"`{code}`"]
    assert [str(problem.status), "yes" if problem.retryable else "no"] in [[cells[0], cells[5]] for cells in found]
    if code not in EXAMPLES:
        assert [problem.message, problem.action] in [cells[3:5] for cells in found]


def test_the_page_names_no_code_that_there_is_not() -> None:
    assert {cells[1].strip("`") for cells in rows()} == set(BY_CODE)
