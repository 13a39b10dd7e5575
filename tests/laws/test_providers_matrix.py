"""The matrix of real providers in the documentation is the one of the journey as it is written now, and so are its settings.

Proof that the law can fail: a page without its table, another step and another version of a provider are noticed.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from jupyter_oidc.settings import Settings, read_settings
from tests.laws.source import ROOT
from tests.providers.journey import STEPS
from tests.providers.keycloak import SETTINGS, api_settings
from tests.providers.known import PROVIDERS
from tests.providers.record import MADE, PAGE, Outcome, matrix, read, section, written

RECORD = read()
AGAIN = "make it anew: make providers-check WRITE=1"


def stale(record: dict[str, Outcome]) -> list[str]:
    """Return which providers have no outcome for the steps and versions of now."""
    return [
        name
        for name, provider in PROVIDERS.items()
        if name not in record
        or list(record[name].steps) != list(STEPS)
        or (record[name].provider, record[name].version) != (provider.name, provider.version)
    ]


def test_every_provider_has_made_the_journey_of_now() -> None:
    assert stale(RECORD) == [], AGAIN


def test_the_page_holds_what_was_kept() -> None:
    assert section(list(RECORD.values())) in PAGE.read_text(encoding="utf-8"), AGAIN


def test_every_step_that_is_not_offered_has_a_reason_and_no_other_step_has() -> None:
    for made in RECORD.values():
        assert list(made.reasons) == [step for step, word in made.steps.items() if word == "not offered"]


def test_the_page_is_found() -> None:
    assert "(reference/providers.md)" in (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert "(docs/reference/providers.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_settings_in_the_documentation_are_those_of_the_journey_and_are_good() -> None:
    body = json.loads(PAGE.read_text(encoding="utf-8").partition("```json\n")[2].partition("```")[0])
    assert body.items() >= SETTINGS.items()
    assert body["apis"]["reports"].items() >= api_settings("reports").items()
    read = read_settings({"corp": body})
    assert isinstance(read, Settings), read


@pytest.mark.parametrize("change", [{"version": "0"}, {"provider": "Another"}, {"steps": {"sign in": MADE}}])
def test_a_seeded_change_is_noticed(change: dict[str, Any]) -> None:
    name, made = next(iter(RECORD.items()))
    assert stale({**RECORD, name: dataclasses.replace(made, **change)}) == [name]


def test_a_provider_without_an_outcome_is_noticed() -> None:
    name = next(iter(PROVIDERS))
    assert stale({known: made for known, made in RECORD.items() if known != name}) == [name]


def test_a_seeded_cell_is_noticed() -> None:
    name, made = next(iter(RECORD.items()))
    other = {**RECORD, name: dataclasses.replace(made, steps={**made.steps, "sign in": "✗"})}
    assert section(list(other.values())) not in PAGE.read_text(encoding="utf-8")


def test_the_table_takes_the_place_of_the_old_one_and_of_nothing_else() -> None:
    made = Outcome("One", "1", "2026-11-29", dict.fromkeys(STEPS, MADE), {})
    page = f"before\n{section([])}after\n"
    assert written(page, [made]) == f"before\n{section([made])}after\n"


def test_what_is_not_offered_is_told_with_its_reason() -> None:
    steps = {**dict.fromkeys(STEPS, "✓"), "device": "not offered"}
    made = Outcome("One", "1", "2026-11-29", steps, {"device": "no such endpoint"})
    assert "| device | not offered |" in matrix([made])
    assert "- One, device: no such endpoint." in matrix([made])
