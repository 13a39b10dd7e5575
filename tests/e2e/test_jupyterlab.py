"""Real JupyterLab in real Chromium: sign in through the window, run a cell, sign out."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from playwright.sync_api import Browser, expect

from jupyter_oidc.demo.ledger import read_ledger
from jupyter_oidc.demo.stack import Stack
from tests.e2e.conftest import sign_out
from tests.e2e.lab_page import Lab, answer_demo, visiting
from tests.support.canary import CANARY


def test_a_person_signs_in_runs_a_cell_and_signs_out(lab: Lab, stack: Stack) -> None:
    """The main job, start to end; no reply, page, storage or cookie holds a token, and nothing is logged in red."""
    page = lab.page
    lab.says("Sign in")
    window = lab.begin()
    window.wait_for_url(re.compile("^http://127.0.0.1"))
    expect(page.get_by_text("Signing in at demo: finish it in the other window.")).to_be_visible()
    answer_demo(window)
    lab.says("ada")
    expect(page.get_by_text("Signed in at demo as ada.")).to_be_visible()
    lab.gone(window)

    shown = lab.run_code(
        "import jupyter_oidc as oidc\nprint(oidc.api('orders').get('orders').json()['orders'][0]['item'])"
    )
    assert shown.strip() == "Difference engine"

    lab.menu("File", "Identity", "Sign Out")
    lab.says("Sign in")
    expect(page.get_by_text("Signed out at demo.")).to_be_visible()
    for _, value in read_ledger(stack.ledger):
        CANARY.hold(value)
    assert lab.look_for_secrets() > 10
    assert lab.complaints == []


def test_the_window_is_cut_off_from_jupyterlab(lab: Lab) -> None:
    """Neither the provider's pages nor ours can reach JupyterLab through ``opener``."""
    window = lab.begin()
    window.wait_for_url(re.compile("^http://127.0.0.1"))
    assert window.evaluate("window.opener") is None
    lab.page.get_by_role("button", name="Cancel").click()
    lab.says("Sign in")


def test_a_blocked_window_becomes_a_link(browser: Browser, stack: Stack) -> None:
    with visiting(browser, stack, script="window.open = () => null") as lab:
        lab.open()
        lab.item.click()
        lab.button("Sign in").click()
        link = lab.page.get_by_role("link", name="Open the sign-in page")
        expect(link).to_be_visible()
        with lab.page.context.expect_page() as opened:
            link.click()
        answer_demo(opened.value)
        lab.says("ada")
        expect(link).to_have_count(0)
        lab.panel.get_by_text("Details").click()
        expect(lab.panel.get_by_text("orders.read, orders.write")).to_be_visible()
        lab.button("Sign out").click()
        lab.says("Sign in")
    sign_out(stack)


def test_the_keyboard_is_enough(lab: Lab) -> None:
    """The panel opens with the focus on the button to press, and the focus stays in its row when the button goes."""
    assert lab.item.get_attribute("aria-label") == "Sign in. Not signed in at demo. Opens the sign-in panel."
    lab.item.focus()
    lab.page.keyboard.press("Enter")
    expect(lab.button("Sign in")).to_be_focused()
    with lab.page.context.expect_page() as opened:
        lab.page.keyboard.press("Enter")
    opened.value.wait_for_load_state()
    lab.page.bring_to_front()
    expect(lab.button("Use a link")).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(lab.button("Cancel")).to_be_focused()
    lab.page.keyboard.press("Enter")
    lab.says("Sign in")
    expect(lab.button("Sign in")).to_be_focused()


def test_a_declined_sign_in_says_so_in_both_windows(lab: Lab) -> None:
    """E-1: the provider's `access_denied` is a decision of the person, not a fault."""
    window = lab.begin()
    window.wait_for_url(re.compile("^http://127.0.0.1"))
    sent = lab.authorization
    window.goto(f"{sent['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': sent['state']})}")
    expect(window.get_by_role("heading")).to_have_text("Sign-in was declined")
    expect(lab.panel.get_by_role("alert")).to_contain_text("declined")
    expect(lab.page.get_by_role("dialog")).to_have_count(0)
