"""The reference of settings says what the table says: its tables of keys are made from it (ADR 44)."""

from __future__ import annotations

from tests.support.configuration_page import PAGE, page


def test_the_page_has_the_keys_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(PAGE.read_text(encoding="utf-8")), (
        "run: python -m tests.configuration --write"
    )
