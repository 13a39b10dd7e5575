"""The card that a cell returns follows the session, in JupyterLab and Notebook 7; a saved notebook holds no person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.lab_page import NOTEBOOK, SLOW, Lab, answer_certified, visiting
from tests.e2e.test_accessibility import THEMES, nothing_found, wear
from tests.e2e.world import World
from tests.support.browser import Chromium

CARDS = "@jupyter-oidc/labextension:cards"
SESSION_TYPE = "application/vnd.jupyter-oidc.session.v1+json"
SIGN_IN_TYPE = "application/vnd.jupyter-oidc.sign-in.v1+json"
SHOW = "import jupyter_oidc as oidc\noidc.session()"
SIGN_IN = "import jupyter_oidc as oidc\noidc.sign_in()"


def card_in(lab: Lab) -> Locator:
    """The card in the notebook."""
    return lab.page.get_by_role("group", name="Session at corp")


def outputs(notebook: Path) -> list[dict[str, Any]]:
    """The data of the outputs in the saved ``notebook``."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [output["data"] for cell in cells for output in cell.get("outputs", ()) if "data" in output]


@contextmanager
def without_cards(world: World) -> Iterator[None]:
    """Switch the plugin of the cards off for every page that is opened in the block, as an administrator does."""
    page_config = world.process.folder / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(exist_ok=True)
    page_config.write_text(json.dumps({"disabledExtensions": {CARDS: True}}), encoding="utf-8")
    try:
        yield
    finally:
        page_config.unlink()


def test_the_card_follows_a_sign_out_in_the_panel_and_a_sign_in_without_a_run_of_the_cell(author: Lab) -> None:
    author.sign_in()
    author.start_code(SHOW)
    card = card_in(author)
    expect(card).to_contain_text("Example User", timeout=SLOW)
    expect(card).to_contain_text("orders Ready")
    author.button("Sign out").click()
    expect(card).to_contain_text("Not signed in")
    expect(card).not_to_contain_text("Example User")
    with author.page.context.expect_page() as opened:
        card.get_by_role("button", name="Sign in at corp").click()
    answer_certified(opened.value)
    expect(card).to_contain_text("Example User")


def test_a_saved_notebook_names_nobody_in_the_data_of_its_card_and_shows_the_present_when_it_is_opened_again(
    world: World, browser: Chromium
) -> None:
    with visiting(browser, world.process) as lab:
        lab.open(NOTEBOOK)
        lab.sign_in()
        lab.start_code(SHOW)
        expect(card_in(lab)).to_contain_text("Example User", timeout=SLOW)
        lab.save()
    (saved,) = outputs(world.notebook)
    assert set(saved) == {SESSION_TYPE, "text/html", "text/plain"}
    assert (saved[SESSION_TYPE]["provider"], set(saved[SESSION_TYPE])) == ("corp", {"provider", "sequence"})
    assert re.search(r"As of \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", "".join(saved["text/html"]))
    assert "user1@" not in world.notebook.read_text(encoding="utf-8")
    world.person.post("sign-out").raise_for_status()
    with visiting(browser, world.process) as lab:
        lab.open(NOTEBOOK)
        expect(card_in(lab)).to_contain_text("Not signed in")
        expect(card_in(lab)).not_to_contain_text("Example User")


def test_where_the_plugin_is_switched_off_the_notebook_shows_when_the_card_was_true(
    world: World, browser: Chromium
) -> None:
    with without_cards(world), visiting(browser, world.process) as lab:
        lab.open(NOTEBOOK)
        lab.sign_in()
        told = lab.run_code(SHOW)
        assert "Signed in as Example User" in told
        assert re.search(r"As of \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", told)
        expect(card_in(lab)).to_have_count(0)


def test_cancel_below_the_invitation_ends_the_wait_of_the_cell_and_no_link_is_saved(world: World, author: Lab) -> None:
    output = author.start_code(SIGN_IN)
    expect(output.first).to_contain_text("Open the sign-in page", timeout=SLOW)
    author.page.get_by_role("group", name="Sign-in at corp").get_by_role("button", name="Cancel").click()
    expect(output.first).to_contain_text("The sign-in was cancelled.")
    expect(author.page.get_by_role("group", name="Sign-in at corp")).to_have_count(0)
    author.kernel_is_idle()
    author.save()
    text = world.notebook.read_text(encoding="utf-8")
    assert (SIGN_IN_TYPE in text, "href" in text) == (False, False)


def test_the_card_follows_the_session_in_notebook_7(world: World, browser: Chromium) -> None:
    with visiting(browser, world.process) as lab:
        lab.open("notebooks/notebook.ipynb")
        window = lab.begin()
        answer_certified(window)
        lab.says("Example User")
        lab.start_code(SHOW)
        expect(card_in(lab)).to_contain_text("Example User", timeout=SLOW)
        lab.button("Sign out").click()
        expect(card_in(lab)).to_contain_text("Not signed in")


@pytest.fixture(scope="module")
def strange(shared_world: World) -> World:
    """A notebook of a stranger, which is not trusted: a true card, one of no provider, and one that is no card."""
    shared_world.start_anew()
    told = [
        {"provider": "corp", "sequence": 1},
        {"provider": "<img src=x onerror=alert(1)>", "sequence": 9e15},
        {"provider": ["corp"], "url": "https://evil.example.com"},
    ]
    rows = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "source": "",
            "metadata": {},
            "execution_count": 1,
            "outputs": [
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {SESSION_TYPE: data, "text/html": "<b>the photograph</b>", "text/plain": "text"},
                }
            ],
        }
        for number, data in enumerate(told)
    ]
    document = json.loads(shared_world.notebook.read_text(encoding="utf-8"))
    shared_world.notebook.write_text(json.dumps({**document, "cells": rows}), encoding="utf-8")
    return shared_world


def test_a_notebook_of_a_stranger_shows_my_session_and_does_nothing_by_itself(
    strange: World, browser: Chromium
) -> None:
    asked: list[str] = []
    with visiting(browser, strange.process) as lab:
        lab.page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
        lab.open(NOTEBOOK)
        expect(card_in(lab)).to_contain_text("Not signed in")
        outputs = lab.page.locator(".jp-Notebook .jp-OutputArea-output")
        expect(outputs.nth(1)).to_contain_text('No provider called "<img src=x onerror=alert(1)>" is configured')
        expect(outputs.nth(2)).to_have_text("This card cannot be read. Run the cell again.")
        assert outputs.locator("img").count() == 0
        assert lab.complaints == []
    assert [one for one in asked if "evil.example.com" in one] == []
    assert [one for one in asked if "/jupyter-oidc/" in one and not one.startswith("GET ")] == []


@pytest.fixture(scope="module")
def strange_cards(strange: World, browser: Chromium) -> Iterator[Lab]:
    """That notebook, open."""
    with visiting(browser, strange.process) as lab:
        lab.open(NOTEBOOK)
        lab.show_panel()
        yield lab


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_is_found_in_the_cards(strange: World, strange_cards: Lab, theme: str) -> None:
    wear(strange_cards, theme)
    expect(card_in(strange_cards)).to_contain_text("Not signed in")
    nothing_found(strange_cards.page, ".jp-oidc-output", looked=8)
    strange.person.sign_in()
    expect(card_in(strange_cards)).to_contain_text("Example User")
    nothing_found(strange_cards.page, ".jp-oidc-output", looked=8)
    strange.person.post("sign-out").raise_for_status()
