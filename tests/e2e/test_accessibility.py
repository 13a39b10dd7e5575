"""axe-core finds nothing in what we show: status item, panel, notices, sign-in pages; in light, dark, high contrast."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.lab_page import LAUNCHER, Lab, answer_certified, unfold_all, visiting
from tests.e2e.scenes import CATALOGUE, GRANTS, ada, play, play_catalogue, play_grants, play_problem, scenes
from tests.e2e.world import World
from tests.support.accessibility import checked
from tests.support.browser import Chromium

THEMES: dict[str, tuple[str, Literal["active", "none"]]] = {
    "light": ("JupyterLab Light", "none"),
    "dark": ("JupyterLab Dark", "none"),
    "high contrast": ("JupyterLab Dark High Contrast", "none"),
    "forced colours": ("JupyterLab Light", "active"),
}
"""A theme, and whether the system forces its own colours."""

OURS = ("#jupyter-oidc-panel", "#jupyter-oidc-status")


def wear(lab: Lab, name: str) -> None:
    """Give the open page the look of one of the :data:`THEMES`."""
    theme, forced = THEMES[name]
    lab.choose_theme(theme)
    lab.page.emulate_media(forced_colors=forced)


OF_JUPYTERLAB = {"4.2": ("color-contrast at .jp-toast-button.jp-mod-small.jp-mod-accept",)}
"""What is wrong in parts of JupyterLab's own, by its version: the buttons of its notices in the dark theme."""


def nothing_found(page: Page, *parts: str, looked: int) -> None:
    """Fail with the checker's sentences; ``looked`` is how many things it must have found good at least."""
    verdict = checked(page, *parts)
    theirs = OF_JUPYTERLAB.get(".".join(version("jupyterlab").split(".")[:2]), ())
    assert [found for found in verdict.violations if not found.startswith(theirs)] == []
    assert verdict.passed >= looked


@pytest.fixture(scope="module")
def all_states(shared_world: World, browser: Chromium) -> Iterator[Lab]:
    """One page with all states at once, each as a provider of its own, and the notices that belong to them."""
    with visiting(browser, shared_world.process) as lab:
        told: dict[str, Any] = scenes()
        play(lab.page.context, {**told, "loading": None})
        play_grants(lab.page.context, GRANTS)
        lab.open(LAUNCHER)
        lab.show_panel()
        for name in told:
            expect(lab.card(name)).to_be_visible()
        for summary in lab.panel.get_by_text("Details").all():
            summary.click()
        expect(lab.panel.get_by_role("button", name="Revoke the grant nightly report")).to_be_visible()
        yield lab


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_is_found_in_any_state_of_the_panel_and_its_notices(all_states: Lab, theme: str) -> None:
    wear(all_states, theme)
    expect(all_states.notices).not_to_have_count(0)
    nothing_found(all_states.page, *OURS, ".Toastify__toast", looked=200)


@pytest.fixture(scope="module")
def all_operations(shared_world: World, browser: Chromium) -> Iterator[Lab]:
    """A search over all APIs, the list of one, everything unfolded, and a document that could not be read."""
    with visiting(browser, shared_world.process) as lab:
        play(lab.page.context, {"corp": ada()})
        play_catalogue(lab.page.context, {"orders": CATALOGUE["orders"], "plans": None})
        lab.open(LAUNCHER)
        lab.show_panel()
        lab.panel.get_by_role("searchbox", name="Find an operation", exact=True).fill("order")
        for title in ("Order desk", "Production plans"):
            lab.panel.locator("summary", has_text=f"Operations of {title}").click()
        expect(lab.panel.get_by_role("button", name="Try again")).not_to_have_count(0)
        expect(lab.panel.get_by_text("The settings do not open DELETE.")).to_have_count(2)
        unfold_all(lab)
        expect(lab.panel.get_by_text("The reference leads nowhere.")).to_be_visible()
        yield lab


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_is_found_in_the_operations_of_the_apis(all_operations: Lab, theme: str) -> None:
    wear(all_operations, theme)
    nothing_found(all_operations.page, *OURS, looked=100)


@pytest.mark.parametrize("state", ["link", "declined", "unconfigured", "refused"])
def test_nothing_is_found_where_a_sign_in_does_not_go_as_planned(world: World, browser: Chromium, state: str) -> None:
    script = "window.open = () => null" if state == "link" else ""
    with visiting(browser, world.process, script=script) as lab:
        if state == "unconfigured":
            play(lab.page.context, {})
        elif state == "refused":
            play_problem(lab.page.context, "configuration_invalid", "corp.issuer is no https URL.", "Correct it.")
        lab.open(LAUNCHER)
        lab.show_panel()
        if state == "link":
            lab.button("Sign in").click()
            expect(lab.link).to_be_visible()
        elif state == "declined":
            lab.begin().get_by_role("link", name="Cancel").click()
            expect(lab.alert).to_be_visible()
        nothing_found(lab.page, *OURS, looked=20)


SCHEMES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
}


@pytest.mark.parametrize("options", SCHEMES.values(), ids=list(SCHEMES))
def test_nothing_is_found_on_the_pages_of_a_sign_in(world: World, browser: Chromium, options: dict[str, Any]) -> None:
    """The whole page is ours: after success, after a refusal, after a used link, after a sign-out."""
    with visiting(browser, world.process, script="window.close = () => undefined", **options) as lab:
        lab.page.goto(f"{world.process.url}api/status?token={world.process.token}")
        callback = world.process.callback("corp")
        start = world.person.start_url(world.person.begin())
        lab.page.goto(start)
        answer_certified(lab.page)
        expect(lab.page.get_by_role("heading", name="You are signed in")).to_be_visible()
        nothing_found(lab.page, looked=10)
        for address, status in (
            (start, 400),
            (f"{callback}?{urlencode({'error': 'access_denied', 'state': 'unknown'})}", 400),
            (callback.replace("/callback", "/signed-out"), 200),
        ):
            reply = lab.page.goto(address)
            assert reply is not None
            assert (reply.status, lab.page.get_by_role("heading").count()) == (status, 1)
            nothing_found(lab.page, looked=8)


def test_the_checker_finds_what_is_wrong(visitor: Lab) -> None:
    """The tests above can fail: a button without a name, and grey on grey."""
    visitor.show_panel()
    visitor.panel.evaluate(
        """panel => panel.insertAdjacentHTML("beforeend",
            '<button></button><p style="color: #bbb; background: #ccc">Pale</p>')"""
    )
    found = {violation.partition(" ")[0] for violation in checked(visitor.page, *OURS).violations}
    assert found == {"button-name", "color-contrast"}
