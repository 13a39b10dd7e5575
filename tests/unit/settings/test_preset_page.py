"""The page about presets matches the files: its tables are made from them (``python -m tests.support.preset_page``)."""

from __future__ import annotations

from tests.support.preset_page import PAGE, page


def test_the_page_has_the_facts_of_the_files() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(PAGE.read_text(encoding="utf-8"))
