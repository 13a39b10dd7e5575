"""The journeys of users in JupyterLab, under a base URL, at the certified provider.

The fixture ``visitor`` ends every journey with a look at the console: no error, no warning, no request beside the base
URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.e2e.lab_page import LAUNCHER, SLOW, Lab, answer_certified, visiting
from tests.e2e.world import World
from tests.support.browser import Chromium


def test_a_person_signs_in_calls_from_an_example_cell_refreshes_and_signs_out(author: Lab, world: World) -> None:
    """The notebook stays where it is, and each step is said where the person looks."""
    address = author.address
    author.says("Sign in")
    window = author.begin()
    expect(author.news).to_have_text("Signing in at corp: finish it in the other window.")
    answer_certified(window)
    author.says("Example User")
    expect(author.notice("Signed in at corp as Example User.")).to_be_visible()
    author.gone(window)

    author.button("Insert example cell for orders").click()
    output = author.run_active_cell()
    expect(output).to_contain_text("/v1/")

    renewals = world.provider.record().token_requests.get("refresh_token", 0)
    author.button("Refresh now").click()
    expect(author.button("Refresh now")).to_be_enabled()
    assert world.provider.record().token_requests["refresh_token"] == renewals + 1

    author.button("Sign out").click()
    author.says("Sign in")
    expect(author.notice("Signed out at corp.")).to_be_visible()
    assert author.address == address


def test_one_click_opens_the_panel_although_the_focus_leaves_a_cell(author: Lab) -> None:
    """The status bar moves when a notebook loses the focus, so the item must not take it before the click is over."""
    author.page.locator(".jp-Notebook .cm-content").first.click()
    author.item.click()
    expect(author.button("Sign in")).to_be_focused()


def test_a_cancelled_sign_in_cannot_be_finished_afterwards(visitor: Lab, world: World) -> None:
    window = visitor.begin()
    expect(window.locator("input[name=login]")).to_be_visible()
    visitor.button("Cancel").click()
    visitor.says("Sign in")
    answer_certified(window)
    expect(window.get_by_role("heading")).to_be_visible()
    assert window.url.startswith(world.process.url)
    assert world.person.summary()["state"] == "signed-out"
    visitor.says("Sign in")


def test_a_blocked_window_becomes_a_link_in_the_page(world: World, browser: Chromium) -> None:
    with visiting(browser, world.process, script="window.open = () => null") as lab:
        lab.open(LAUNCHER)
        lab.show_panel()
        lab.button("Sign in").click()
        with lab.page.context.expect_page() as opened:
            lab.link.click()
        answer_certified(opened.value)
        lab.says("Example User")
        expect(lab.link).to_have_count(0)
        assert lab.complaints == []


def test_a_person_who_declines_at_the_provider_reads_so_in_both_windows(visitor: Lab) -> None:
    """E-1: a decision of the person, not a fault."""
    window = visitor.begin()
    window.get_by_role("link", name="Cancel").click()
    expect(window.get_by_role("heading")).to_have_text("Sign-in was declined")
    expect(visitor.alert).to_contain_text("declined")
    visitor.says("Sign in")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)


LOOP = """
import time
import jupyter_oidc as oidc
orders, seen = oidc.api("orders"), []
def note(word):
    if seen[-1:] != [word]:
        print(word, flush=True)
    seen.append(word)
while "paused" not in seen or seen[-1] == "paused":
    try:
        orders.get("items").raise_for_status()
        note("called")
    except (oidc.SessionExpired, oidc.NotSignedIn):
        note("paused")
    time.sleep(0.1)
"""


def test_a_session_that_ends_under_a_loop_is_one_click_away_from_going_on(author: Lab, world: World) -> None:
    """The cell is not interrupted, nothing covers the notebook, and the way back is in the notice."""
    author.sign_in()
    output = author.start_code(LOOP)
    expect(output).to_have_text("called", timeout=SLOW)
    world.provider.revoke_all("user1")
    world.person.post("refresh")
    expect(output).to_have_text(re.compile(r"called\s+paused"))
    author.says("Sign in again")
    ended = author.notice("Your session at corp has ended.")
    expect(ended).to_have_count(1)
    expect(author.page.get_by_role("dialog")).to_have_count(0)
    with author.page.context.expect_page() as opened:
        ended.get_by_role("button", name="Sign in again").click()
    answer_certified(opened.value)
    expect(output).to_have_text(re.compile(r"called\s+paused\s+called"))
    author.says("Example User")
    expect(ended).to_have_count(0)


def test_a_provider_that_is_down_and_back_is_told_once_and_ends_nothing(visitor: Lab, world: World) -> None:
    """A transient failure never ends a session: calls work meanwhile, and the notice goes by itself."""
    visitor.sign_in()
    world.provider.down("unavailable")
    assert world.person.post("refresh").status_code == 503
    visitor.says(re.compile("^Example User · provider unreachable, .* left$"))
    unreachable = visitor.notice("The provider cannot be reached.")
    expect(unreachable).to_have_count(1)
    assert visitor.call_from_page()[0] == 200
    world.person.post("refresh")
    world.provider.up()
    expect(visitor.item).to_have_text("Example User", timeout=SLOW)
    expect(unreachable).to_have_count(0)


def test_two_tabs_agree(visitor: Lab) -> None:
    """A tab that comes to the front shows the change that the other tab made."""
    other = visitor.beside()
    visitor.page.bring_to_front()
    window = visitor.begin()
    other.page.bring_to_front()
    other.says("Signing in…")
    answer_certified(window)
    other.says("Example User")
    visitor.page.bring_to_front()
    visitor.says("Example User")
    visitor.button("Sign out").click()
    visitor.says("Sign in")
    other.page.bring_to_front()
    other.says("Sign in")


def test_two_persons_see_what_each_of_them_may_call(visitor: Lab, world: World) -> None:
    """The panel names the missing permission, and who can grant it."""
    visitor.sign_in()
    expect(visitor.api("orders")).to_contain_text("Ready")
    expect(visitor.api("plans")).to_contain_text("Missing: plans.read")
    visitor.button("Sign out").click()
    visitor.says("Sign in")
    visitor.page.context.clear_cookies(domain="127.0.0.1")  # the provider's own session is another matter
    visitor.sign_in("user2", "Other User")
    expect(visitor.api("orders")).to_contain_text("Missing: orders.read")
    expect(visitor.card()).to_contain_text("The server and the API decide.")


BROKEN = {
    "a state that is none": '{"provider": "corp", "state": "brand-new"}',
    "a member too many": '{"token": "x"}',
    "no JSON": "<!doctype html><title>A portal</title>",
    "nothing": "",
}


NOTED = """() => {
  document.addEventListener('click', event => {
    globalThis.pressed = event.target.closest('button')?.textContent ?? globalThis.pressed;
  }, true);
}"""


def broken_until_retried(page: Page, body: str) -> Callable[[Route], None]:
    """Return the answers of a server that breaks at the click on "Refresh now" and is mended at the one on "Retry".

    What the page asks by itself, after a hint say, is answered as the last of these clicks says.
    """

    def answer(route: Route) -> None:
        if page.evaluate("globalThis.pressed") == "Refresh now":
            route.fulfill(body=body, content_type="application/json")
        else:
            route.continue_()

    return answer


def test_a_malformed_reply_becomes_a_sentence_and_not_a_white_page(visitor: Lab) -> None:
    visitor.sign_in()
    visitor.page.evaluate(NOTED)
    address = re.compile(r".*/providers/corp/session(\?.*)?$")
    for body in BROKEN.values():
        visitor.page.route(address, broken_until_retried(visitor.page, body))
        visitor.button("Refresh now").click()
        expect(visitor.card()).to_contain_text("The server answered something that this page does not understand.")
        visitor.says("Sign-in unavailable")
        expect(visitor.page.locator(".jp-Launcher")).to_be_visible()
        visitor.button("Retry").click()
        visitor.says("Example User")
        visitor.page.unroute(address)


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until the control called ``name`` has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        told = page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")
        if name in told:
            return
    raise AssertionError(f"Tab does not lead to {name}.")


def test_the_keyboard_alone_leads_in_and_out(world: World, browser: Chromium) -> None:
    with visiting(browser, world.process) as lab:
        lab.open(LAUNCHER)
        tab_to(lab.page, "Opens the sign-in panel.")
        lab.page.keyboard.press("Enter")
        expect(lab.button("Sign in")).to_be_focused()
        with lab.page.context.expect_page() as opened:
            lab.page.keyboard.press("Enter")
        window = opened.value
        expect(window.locator("input[name=login]")).to_be_focused()
        for keys in ("user1", "any"):
            window.keyboard.type(keys)
            window.keyboard.press("Tab")
        window.keyboard.press("Enter")
        expect(window.get_by_role("button", name="Continue")).to_be_focused()
        window.keyboard.press("Enter")
        lab.says("Example User")
        lab.gone(window)
        lab.page.bring_to_front()
        tab_to(lab.page, "Sign out at corp")
        lab.page.keyboard.press("Enter")
        lab.says("Sign in")
        assert lab.complaints == []


def test_a_dark_theme_that_is_chosen_on_the_way_is_followed(visitor: Lab) -> None:
    visitor.show_panel()
    light = visitor.colour_of(visitor.card())
    visitor.choose_theme("JupyterLab Dark")
    dark = visitor.colour_of(visitor.card())
    assert (light > 600, dark < 200) == (True, True)
