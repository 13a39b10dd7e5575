"""The operations of the APIs in the panel, in real JupyterLab: found, inserted, copied, and never in the way.

The operations are replaced replies of the server; cells run in a real kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.lab_page import LAUNCHER, NOTEBOOK, Lab, unfold_all, visiting
from tests.e2e.scenes import CATALOGUE, ada, operation, operations, play, play_catalogue
from tests.e2e.world import World
from tests.support.browser import Chromium

MAX_KEY_MILLISECONDS = 250
"""A key in the search may keep the page busy this long, on a busy machine; 50 is what a person notices."""

MANY = 5_000
MEASURE = """() => {
    window.longest = 0;
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
    }).observe({type: "longtask"});
}"""


def find(lab: Lab, words: str = "") -> Locator:
    """Type ``words`` into the search over all APIs, and return the rows that are found."""
    lab.panel.get_by_role("searchbox", name="Find an operation", exact=True).fill(words)
    return lab.panel.get_by_role("search").locator(".jp-oidc-operation")


def control(lab: Lab, name: str) -> Locator:
    """The button of this name."""
    return lab.panel.get_by_role("button", name=name, exact=True)


def open_operations(lab: Lab, title: str = "Order desk") -> None:
    """Open the operations of one API."""
    lab.panel.locator("summary", has_text=f"Operations of {title}").click()


@contextmanager
def catalogue_at(world: World, browser: Chromium, address: str) -> Iterator[Lab]:
    """Open ``address`` of a server whose APIs have operations."""
    with visiting(browser, world.process, permissions=["clipboard-read", "clipboard-write"]) as lab:
        play(lab.page.context, {"corp": ada()})
        play_catalogue(lab.page.context, CATALOGUE)
        lab.open(address)
        lab.show_panel()
        expect(lab.panel.get_by_role("searchbox", name="Find an operation", exact=True)).to_be_visible()
        yield lab
        assert lab.complaints == []


@pytest.fixture
def catalogued(world: World, browser: Chromium) -> Iterator[Lab]:
    """A visitor of a server whose APIs have operations."""
    with catalogue_at(world, browser, LAUNCHER) as lab:
        yield lab


@pytest.fixture
def catalogued_author(world: World, browser: Chromium) -> Iterator[Lab]:
    """A visitor of that server with a new notebook open."""
    with catalogue_at(world, browser, NOTEBOOK) as lab:
        yield lab


def test_an_operation_is_found_by_a_word_and_its_cell_runs(catalogued_author: Lab) -> None:
    lab = catalogued_author
    expect(find(lab, "track")).to_have_count(1)
    lab.kernel_is_idle()
    control(lab, "Insert cell for GET /deliveries/{id}/track").click()
    expect(lab.panel.get_by_text("Inserted a cell for GET /deliveries/{id}/track.")).to_be_visible()
    lab.page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    output = lab.run_active_cell()
    expect(output.first).to_have_text("42")
    control(lab, "Copy curl for GET /deliveries/{id}/track").click()
    expect(lab.panel.get_by_text("Copied the command for GET /deliveries/{id}/track.")).to_be_visible()
    assert lab.page.evaluate("navigator.clipboard.readText()") == "curl example"


def test_the_keyboard_is_enough_to_insert_a_cell(catalogued_author: Lab) -> None:
    """From the search field to the cell: two tabs and a key, and the focus stays where the person left it."""
    lab = catalogued_author
    lab.kernel_is_idle()
    field = lab.panel.get_by_role("searchbox", name="Find an operation", exact=True)
    field.press_sequentially("show one order")
    expect(find_rows(lab)).to_have_count(1)
    field.press("Tab")  # from the field, although JupyterLab may have given the focus to what it has just loaded
    insert = control(lab, "Insert cell for GET /orders/{id}")
    expect(insert).to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(lab.panel.get_by_role("status").filter(has_text="Inserted a cell for GET /orders/{id}.")).to_be_visible()
    expect(lab.page.locator(".jp-Notebook .cm-content").filter(has_text="6 * 7")).to_have_count(1)


def find_rows(lab: Lab) -> Locator:
    """The rows of the search over all APIs."""
    return lab.panel.get_by_role("search").locator(".jp-oidc-operation")


def test_operations_are_opened_and_unfolded_by_the_keyboard(catalogued: Lab) -> None:
    lab = catalogued
    lab.panel.locator("summary", has_text="Operations of Order desk").press("Enter")
    expect(lab.panel.get_by_role("searchbox", name="Find an operation of Order desk")).to_be_visible()
    lab.panel.locator("summary", has_text="1 parameter of GET /orders").first.press("Enter")
    expect(lab.panel.get_by_text("How many orders, 100 at most.")).to_be_visible()


@pytest.mark.parametrize(("width", "zoom"), [(320, 1.0), (240, 1.0), (400, 2.0)])
def test_nothing_has_to_be_scrolled_sideways(catalogued: Lab, width: int, zoom: float) -> None:
    """A panel of 320 pixels, a narrower one, and a page at 200 %."""
    lab = catalogued
    open_operations(lab)
    expect(find(lab, "i")).not_to_have_count(0)
    unfold_all(lab)
    panel = lab.page.locator("#jupyter-oidc-panel")
    panel.evaluate(
        """(node, [width, zoom]) => {
            document.documentElement.style.zoom = zoom;
            node.style.width = node.style.minWidth = node.style.maxWidth = `${width / zoom}px`;
        }""",
        [width, zoom],
    )
    shown, needed = panel.evaluate("node => [node.clientWidth, node.scrollWidth]")
    assert needed <= shown
    overflowing = panel.evaluate(
        """node => {
            const right = node.getBoundingClientRect().right;
            return [...node.querySelectorAll("button, input, code, p, summary")]
                .filter(one => !one.closest(".jp-oidc-unseen") && one.getBoundingClientRect().right > right + 1)
                .map(one => one.outerHTML.slice(0, 80));
        }"""
    )
    assert overflowing == []


def test_five_thousand_operations_do_not_pause_the_page(world: World, browser: Chromium) -> None:
    """Fifty rows are drawn, and a key in the search does not keep the page busy for long."""
    rows = [
        operation("GET", f"/{part}/{number}/{{id}}", f"Show {part} {number}")
        for part in ("orders", "plans", "items", "people", "places")
        for number in range(MANY // 5)
    ]
    with visiting(browser, world.process) as lab:
        play(lab.page.context, {"corp": ada()})
        play_catalogue(lab.page.context, {**CATALOGUE, "orders": operations("orders", rows)})
        lab.open(LAUNCHER)
        lab.show_panel()
        open_operations(lab)
        expect(lab.panel.get_by_text(f"{MANY} operations")).to_be_visible()
        expect(lab.panel.locator(".jp-oidc-operation")).to_have_count(50)
        lab.page.evaluate(MEASURE)
        lab.panel.get_by_role("searchbox", name="Find an operation of Order desk").focus()
        lab.page.keyboard.type("show people 9", delay=60)
        expect(lab.panel.get_by_text(f"271 of {MANY} operations")).to_be_visible()
        longest = lab.page.evaluate("window.longest")
        print(f"the longest task while typing: {longest} ms")
        assert longest <= MAX_KEY_MILLISECONDS
        lab.panel.get_by_role("button", name="Show more operations: 50 of 271 are shown").click()
        expect(lab.panel.locator(".jp-oidc-operation")).to_have_count(100)


def test_a_sign_in_that_a_terminal_began_is_shown_and_cancelled(visitor: Lab, world: World) -> None:
    """The page hears of it by an event, and the one who waits hears that it was cancelled."""
    visitor.show_panel()
    started = world.person.begin()
    expect(visitor.button("Cancel the sign-in at corp")).to_be_visible()
    expect(visitor.panel.get_by_text(re.compile("A sign-in is under way in another window"))).to_be_visible()
    visitor.button("Cancel the sign-in at corp").click()
    visitor.says("Sign in")
    route = f"jupyter-oidc/providers/corp/sign-in/{started['flow']}"
    assert world.person.jupyter.get(route).json()["state"] == "cancelled"


def test_another_account_is_asked_for_beside_a_session(visitor: Lab) -> None:
    """The provider is asked to let the person choose, and nothing changes before somebody has."""
    visitor.sign_in()
    with visitor.page.context.expect_event("request", lambda asked: "prompt=select_account" in asked.url):
        visitor.begin("Use another account")
    assert visitor.authorization["prompt"] == "select_account consent"
    visitor.says("Example User")
