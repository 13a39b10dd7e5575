"""Notebook and page say the same about a session: the kernel's sentences are those of the front end, to the letter."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.cli.session import SETTINGS_PENDING, _paragraph
from jupyter_oidc.kernel import messages
from jupyter_oidc.kernel.display import session_html, session_text
from jupyter_oidc.kernel.messages import duration, session_message
from tests.unit.kernel.fake_server import SUMMARY

CONTRACT = Path(__file__).parents[2] / "jupyter_oidc" / "contract"
SOURCES = Path(__file__).parents[2] / "labextension-stub" / "src"


def source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def sentences(name: str) -> set[str]:
    """Every text of a source that the front end translates."""
    return set(re.findall(r"trans\.__\(\s*'([^']+)'", source(name)))


def test_every_headline_of_the_kernel_is_one_of_the_front_end() -> None:
    headlines = set(re.findall(r"(?:headline: |[?:] )trans\.__\('([^']+)'\)", source("words.ts")))
    assert {messages.REFRESH_FAILS, *messages.HEADLINES.values()} <= headlines


@pytest.mark.parametrize("state", sorted(messages.HEADLINES))
def test_a_state_has_one_word_in_panel_status_item_cell_and_terminal(state: str) -> None:
    """The panel's headline is in the status item's name, in a cell's card and in a terminal's first line."""
    headline = messages.HEADLINES[state]
    assert re.search(rf"headline: (away \? )?trans\.__\('{headline}'\)", source("words.ts"))
    assert "trans.__('%1 at %2.', words.headline, view.provider)" in source("words.ts")
    assert "aria-label={words.long}" in source("status.tsx")
    summary = {**SUMMARY, "state": state, "user": None}
    assert session_text(summary).startswith(headline.partition(",")[0])
    assert f"<b>{headline}" in session_html(summary)
    assert _paragraph(summary)[0] == f"corp: {headline}"


@pytest.mark.parametrize("readiness", sorted(messages.ACCESS))
def test_the_readiness_of_an_api_has_one_word_in_panel_cell_and_terminal(readiness: str) -> None:
    api = {"name": "orders", "readiness": readiness, "allowed": True, "missing": ["a"]}
    word = messages.ACCESS[readiness]
    assert re.search(rf"trans\.__\('{word}(: %1)?'", source("panel/apirow.tsx"))
    assert word in session_text({**SUMMARY, "apis": [api]}) + session_html({**SUMMARY, "apis": [api]})
    assert _paragraph({**SUMMARY, "apis": [api]})[-1].startswith(f"    API orders: {word}")


def test_every_reason_has_the_same_sentence_on_both_sides() -> None:
    known = re.findall(r"(\w+): \{\s*why: trans\.__\(\s*'([^']+)'", source("reasons.ts"))
    assert dict(known) == messages.REASONS
    assert messages.UNKNOWN in sentences("reasons.ts")


@pytest.mark.parametrize("state", sorted(messages.HEADLINES))
@pytest.mark.parametrize("left", [None, 0, 59, 284, 7_500])
@pytest.mark.parametrize("refreshable", [True, False])
@pytest.mark.parametrize("storage", ["memory", "unsaved"])
def test_how_long_it_lasts_is_said_alike(state: str, left: int | None, refreshable: bool, storage: str) -> None:
    summary = {**SUMMARY, "state": state, "expires_in": left, "refreshable": refreshable, "storage": storage}
    said = session_message(summary)
    of_page = sentences("words.ts") | sentences("reasons.ts")
    span = duration(left or 0)
    told = {said.lasts, said.reason} | ({said.next} if state == "refresh-failed" else set())
    assert {text.replace(span, "%1") for text in told if text} <= of_page


def test_settings_that_wait_are_told_alike_in_panel_cell_and_terminal() -> None:
    """Q8.1: the same sentence wherever the session is shown."""
    assert messages.SETTINGS_PENDING == SETTINGS_PENDING
    assert messages.SETTINGS_PENDING in sentences("words.ts")
    assert messages.SETTINGS_PENDING in session_text({**SUMMARY, "settings_pending": True})


def test_that_a_server_is_shared_is_told_alike_in_panel_cell_and_terminal() -> None:
    """Q10.4: every value of the contract's ``sharing`` but ``none`` has one sentence, the same in all three places."""
    schema = json.loads((CONTRACT / "session.reply.schema.json").read_text(encoding="utf-8"))
    assert schema["properties"]["sharing"]["enum"] == [word for word in ("none", *messages.SHARING) if word != "other"]
    for word, sentence in messages.SHARING.items():
        assert sentence in sentences("words.ts")
        assert sentence in session_text({**SUMMARY, "sharing": word})
        assert sentence in session_html({**SUMMARY, "sharing": word})
        assert f"    {sentence}" in _paragraph({**SUMMARY, "sharing": word})
    assert "shared" not in session_text(SUMMARY)


def test_what_an_api_is_ready_for_is_said_alike() -> None:
    """Q5.8: every word of the contract, in the page, a cell and a terminal."""
    told = re.findall(r"case '(\w+)':\s*return \{\s*text: trans.__\('([^'%]+?)(?:: %1)?'", source("panel/apirow.tsx"))
    assert dict(told) == messages.ACCESS
    for name in ("session.reply", "apis.reply"):
        schema = json.loads((CONTRACT / f"{name}.schema.json").read_text(encoding="utf-8"))
        assert schema["properties"]["apis"]["items"]["properties"]["readiness"]["enum"] == [
            word for word in messages.ACCESS if word != "other"
        ]


def test_what_an_api_misses_is_named() -> None:
    api = {"readiness": "missing_entitlement", "allowed": False, "missing": ["a", "b"]}
    assert messages.access_message(api) == "Missing: a, b"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "orders.read"),
        ({"entitlements": []}, "none"),
        ({"entitlements_more": 19_800}, "orders.read, and 19800 more"),
        ({"entitlements": [], "entitlements_known": False}, "unknown: the provider did not list them"),
        ({"entitlements_known": False}, "orders.read, and others: unknown: the provider did not list them"),
    ],
)
def test_entitlements_are_told_alike(changes: dict[str, Any], said: str) -> None:
    """Q2.3, Q8.17: the page says the same of the same, which ``words.spec.ts`` shows."""
    assert messages.entitlement_message({**SUMMARY, **changes}) == said
    assert messages.NOT_LISTED in sentences("words.ts")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (60, "1 minute"),
        (3_599, "59 minutes"),
        (3_600, "1 hour"),
        (7_320, "2 hours 2 minutes"),
        (90_000, "25 hours"),
        (172_800, "2 days"),
        (300_000, "3 days"),
    ],
)
def test_a_span_is_rounded_down_as_in_the_page(seconds: float, said: str) -> None:
    """A user is never promised more time than is left."""
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("reason", "headline"),
    [(None, "Signed in at corp, provider unreachable"), ("clock_skew", "Signed in at corp, renewal fails")],
)
def test_a_provider_that_refuses_is_not_called_unreachable(reason: str | None, headline: str) -> None:
    summary: dict[str, Any] = {**SUMMARY, "state": "refresh-failed", "user": None, "reason": reason}
    assert session_text(summary).partition(".")[0] == headline


def test_a_reason_of_a_newer_server_is_no_error() -> None:
    assert session_message({**SUMMARY, "state": "signed-out-expired", "reason": "brand_new"}).reason == messages.UNKNOWN


@pytest.mark.parametrize("reason", sorted(reason for reason in messages.REASONS if reason.startswith("storage_")))
@pytest.mark.parametrize("state", ["active", "refresh-failed"])
def test_what_helps_against_trouble_with_the_storage_is_said_alike(state: str, reason: str) -> None:
    """Q8.8, Q7.5: where the folder that was tried is named; a cell said nothing."""
    said = session_message({**SUMMARY, "state": state, "reason": reason}).next or ""
    of_page = re.findall(
        rf"{reason}: \{{\s*why: trans\.__\(\s*'[^']+'\s*\)(?:,\s*next: (folder|trans\.__\(\s*'([^']+)'))?",
        source("reasons.ts"),
    )
    [(constant, text)] = of_page
    wanted = messages.FOLDER if constant == "folder" else text
    assert said == " ".join(part for part in (messages.STILL if state == "refresh-failed" else "", wanted) if part)
    assert messages.FOLDER in sentences("reasons.ts")
