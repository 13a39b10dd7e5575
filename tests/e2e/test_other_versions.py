"""JupyterLab beside a server of another version: the panel names what is new and goes on (ADR 48).

The replies are those of the fixtures, which stand in for the server's: Chromium gets them in the place of what the routes
would have answered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, expect

from tests.contract import fixtures
from tests.e2e.lab_page import LAUNCHER, Lab, visiting
from tests.support.browser import Chromium
from tests.support.jupyter_process import JupyterProcess


class OtherServer:
    """Answers the routes of a page with replies of a version of the contract; ``number`` is in the header."""

    def __init__(self, number: int | None, **replies: dict[str, Any]) -> None:
        self._headers = {} if number is None else {"X-OIDC-Contract": str(number)}
        self._replies = replies

    def answer(self, route: Route) -> None:
        """Answer one request of the page; a route without a reply has an error of a newer server."""
        name = route.request.url.partition("?")[0].rsplit("/", 1)[-1]
        headers = {**self._headers, "Content-Type": "application/json"}
        if name in self._replies:
            route.fulfill(body=json.dumps(self._replies[name]), headers=headers)
            return
        refused = added("error", "code with an added word")
        route.fulfill(status=409, body=json.dumps(refused), headers={**headers, "X-OIDC-Error": str(refused["code"])})


def added(name: str, shows: str) -> dict[str, Any]:
    """Return what a server of the next version replies."""
    (reply,) = [one["reply"] for one in fixtures.of_next_version() if (one["contract"], one["shows"]) == (name, shows)]
    return dict(reply)


NEWER = OtherServer(
    2,
    providers=added("providers.reply", "added members"),
    session=added("session.reply", "added members")
    | {"state": "hibernating", "storage": "vault", "sharing": "guests"}
    | {"apis": added("session.reply", "apis.0.readiness with an added word")["apis"]},
    apis=added("apis.reply", "added members"),
)
OLDER = OtherServer(
    None,
    providers=fixtures.replies_of(0, "providers.reply")[0],
    session=fixtures.replies_of(0, "session.reply")[0],
    apis=fixtures.replies_of(0, "apis.reply")[0],
)


def opened(lab: Lab, server: OtherServer) -> None:
    """Open JupyterLab beside ``server``, and the panel."""
    lab.page.route("**/jupyter-oidc/**", server.answer)
    lab.open(LAUNCHER)
    lab.show_panel()


def test_a_page_goes_on_at_a_newer_and_at_an_older_server_and_says_once_which_side_is_older(
    browser: Chromium, tmp_path: Path
) -> None:
    process = JupyterProcess(tmp_path / "jupyter", {}, app="jupyterlab")
    with process:
        with visiting(browser, process) as lab:
            opened(lab, NEWER)
            lab.says("Example User")
            for told in (
                "State not known",
                'The server calls it "hibernating".',
                "This server may be shared: whose kernels call APIs as you is not known here.",
                "Whether a call works is not known here (added-later)",
                "This page is older than the jupyter_oidc of the Jupyter server",
            ):
                expect(lab.panel).to_contain_text(told)
            expect(lab.notice("This page is older")).to_have_count(1)
            expect(lab.button("Sign in")).to_be_enabled()
            lab.button("Sign out").click()
            expect(lab.alert).to_contain_text("Nobody is signed in.")  # an error with a code of a newer server
            expect(lab.notice("This page is older")).to_have_count(1)
        with visiting(browser, process) as lab:
            opened(lab, OLDER)
            lab.says("Example User")
            expect(lab.panel).to_contain_text("is older than this page")
            expect(lab.panel).to_contain_text("Signed in")
            assert lab.complaints == []
