"""JupyterLab shows the end of a session that the user did not end, and a sign-in that cannot begin."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.lab_page import LAUNCHER, Lab, visiting
from tests.e2e.world import World
from tests.support.browser import Chromium
from tests.support.jupyter_process import JupyterProcess


def test_a_session_that_the_provider_ends_is_announced_once_with_a_way_back(visitor: Lab, world: World) -> None:
    """A page that is opened afterwards shows the end in its status item alone, without a notice."""
    visitor.sign_in()
    world.provider.revoke_all("user1")
    world.person.post("refresh")
    visitor.says("Sign in again")
    ended = visitor.notice("Your session at corp has ended.")
    expect(ended).to_have_count(1)
    visitor.page.reload()
    visitor.says("Sign in again")
    expect(ended).to_have_count(0)


@pytest.mark.parametrize(
    ("providers", "enabled", "says", "why"),
    [
        ({"corp": {"issuer": "http://id.example.com"}}, True, "Sign-in unavailable", "corp.issuer"),
        ({}, False, "Sign-in unavailable", "jupyter server extension enable jupyter_oidc"),
    ],
    ids=["settings with a mistake", "server extension off"],
)
def test_a_sign_in_that_cannot_work_says_why_and_what_to_do(
    browser: Chromium, tmp_path: Path, providers: dict[str, object], enabled: bool, says: str, why: str
) -> None:
    process = JupyterProcess(tmp_path / "jupyter", providers, app="jupyterlab", enabled=enabled)
    with process, visiting(browser, process) as lab:
        lab.open(LAUNCHER)
        lab.says(says)
        lab.item.click()
        expect(lab.panel).to_contain_text(why)
        expect(lab.button("Retry")).to_be_visible()
