"""Real JupyterLab in real Chromium: sign in through the window, run a cell, sign out."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from jupyter_oidc.demo.environment import DemoEnvironment
from jupyter_oidc.demo.issued_tokens import read_issued_tokens
from tests.bench.newcomer import Watch, call_an_operation
from tests.e2e.lab_page import Lab, answer_demo
from tests.support.canary import CANARY


def test_a_person_signs_in_runs_a_cell_and_signs_out(lab: Lab, demo: DemoEnvironment) -> None:
    """The main job, start to end; no reply, page, storage or cookie holds a token, and nothing is logged in red."""
    page = lab.page
    lab.says("Sign in")
    window = lab.begin()
    window.wait_for_url(re.compile("^http://127.0.0.1"))
    expect(page.get_by_text("Signing in at demo: finish it in the other window.")).to_be_visible()
    answer_demo(window)
    lab.says("Ada Lovelace")
    expect(page.get_by_text("Signed in at demo as Ada Lovelace.")).to_be_visible()
    lab.gone(window)

    shown = lab.run_code(
        "import jupyter_oidc as oidc\nprint(oidc.api('orders').get('orders').json()['orders'][0]['item'])"
    )
    assert shown.strip() == "Difference engine"

    lab.menu("File", "Identity", "Sign Out")
    lab.says("Sign in")
    expect(page.get_by_text("Signed out at demo.")).to_be_visible()
    for _, value in read_issued_tokens(demo.issued_tokens):
        CANARY.hold(value)
    assert lab.look_for_secrets() > 10
    assert lab.complaints == []


def test_a_newcomer_finds_an_operation_by_a_word_and_answers_before_another_account_replaces_theirs(lab: Lab) -> None:
    """The way that the demo's terminal and README name; ``make newcomer`` measures it."""
    call_an_operation(lab, Watch())
    window = lab.begin("Use another account")
    expect(window.get_by_role("heading", name="Choose another account")).to_be_visible()
    answer_demo(window, "Ben Herschel")
    window.get_by_role("button", name="Stay Ada Lovelace").click()
    lab.says("Ada Lovelace")
    window = lab.begin("Use another account")
    answer_demo(window, "Ben Herschel")
    window.get_by_role("button", name="Sign in as Ben Herschel").click()
    lab.says("Ben Herschel")


def test_the_window_is_cut_off_from_jupyterlab(lab: Lab) -> None:
    """Neither the provider's pages nor ours can reach JupyterLab through ``opener``."""
    window = lab.begin()
    window.wait_for_url(re.compile("^http://127.0.0.1"))
    assert window.evaluate("window.opener") is None
    lab.page.get_by_role("button", name="Cancel").click()
    lab.says("Sign in")


def test_the_keyboard_is_enough(lab: Lab) -> None:
    """The panel opens with the focus on the button to press, and the focus stays in its row when the button goes."""
    assert lab.item.get_attribute("aria-label") == "Sign in. Not signed in at demo. Opens the sign-in panel."
    lab.item.press("Enter")
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


def test_a_person_finds_an_operation_by_a_word_and_its_cell_runs(lab: Lab) -> None:
    """From the word to the answer, with the document that the demo's API serves: signed in, typed, pressed, run."""
    window = lab.begin()
    answer_demo(window)
    lab.says("Ada Lovelace")
    lab.gone(window)
    lab.kernel_is_idle()
    lab.find_insert_and_run_search()
    assert lab.complaints == []
