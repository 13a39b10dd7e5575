"""The documentation promises no more than holds: code of the same user can reach a token (Q8.18).

Proof that the law can fail: the sentences that 0.1.0 said are caught.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.source import ROOT

PAGES = sorted(
    [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "pyproject.toml", *(ROOT / "docs").rglob("*.md")],
    key=str,
)
TOO_MUCH = re.compile(
    r"(?i)\b(?:no|neither)\b[^.|]*\bever holds? a token"
    r"|\bno\b[^.|]*\btokens?\b[^.|]*\bleaves? the (?:jupyter )?server"
    r"|\btokens never leave"
)
"""Sentences that promise more than the process can keep, as if it had a wall."""

OLD_DECISIONS = ("0009-sign-out-without-id-token-hint.md",)
"""Decisions that stay as they were written at their time."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_promises_a_wall_that_is_not_there(page: Path) -> None:
    """Q8.18: a token is not given away; whether it can be taken is another matter."""
    if page.name in OLD_DECISIONS:
        return
    assert TOO_MUCH.findall(page.read_text(encoding="utf-8")) == []


def test_the_readme_says_what_is_promised_and_where_the_rest_is_written() -> None:
    """Q8.18: Documents promise only what holds."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "No token is ever *given* to a cell, page, log or file" in text
    assert "docs/explanation/threat-model.md#not-defended-in-one-list" in text


@pytest.mark.parametrize("way", ["configuration file", "imports for the first time", "keyring", "Jupyter's own token"])
def test_the_threat_model_lists_the_ways_that_remain(way: str) -> None:
    """Q8.18: Documents promise only what holds."""
    text = (ROOT / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")
    assert way in text.partition("## Not defended, in one list")[2]


@pytest.mark.parametrize(
    "said",
    [
        "No cell, widget, notebook file, log or browser page ever holds a token.",
        "No token leaves the server process",
        "No access, refresh or ID token, code verifier or client secret leaves the Jupyter server process",
        "tokens never leave the Jupyter server.",
    ],
)
def test_the_old_promises_are_caught(said: str) -> None:
    assert TOO_MUCH.search(said)
