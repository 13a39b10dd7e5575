"""The widget of the how-to, in real JupyterLab: the page calls the API, and neither page nor kernel holds a token."""

from __future__ import annotations

import shutil
from pathlib import Path

from aiohttp import web
from playwright.sync_api import expect

from tests.e2e.lab_page import NOTEBOOK, SLOW, new_notebook, visiting
from tests.interop.person import at_work
from tests.support.browser import Chromium
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.upstream import Upstream

MANAGERS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")
WIDGET = Path(__file__).parents[2] / "docs" / "how-to" / "widget.py"
CELL = """
from widget import ApiTable

ApiTable(api="orders", path="orders", rows="orders")
"""


async def two_orders(_: web.Request) -> web.StreamResponse:
    """Answer with text that would be markup if the page inserted it as HTML."""
    return web.json_response({"orders": [{"id": 1, "item": "<b>gears</b>"}, {"id": 2, "status": "open"}]})


def test_a_widget_shows_what_an_api_answers_and_says_why_where_it_does_not(browser: Chromium, tmp_path: Path) -> None:
    with (
        CertifiedProvider(ProviderDocument()) as provider,
        Upstream() as upstream,
        at_work(tmp_path, provider, upstream, app="jupyterlab", beside=MANAGERS) as person,
        visiting(browser, person.process) as lab,
    ):
        notebook = new_notebook(person.process.work)
        shutil.copy(WIDGET, person.process.work)
        lab.open(NOTEBOOK)
        output = lab.start_code(CELL)
        said = output.get_by_role("status")
        expect(said).to_contain_text("Sign in", timeout=SLOW)
        lab.sign_in()
        upstream.plan(two_orders)
        output.get_by_role("button", name="Read again").click()
        expect(said.get_by_role("columnheader")).to_have_text(["id", "item", "status"])
        expect(said.get_by_role("cell")).to_have_text(["1", "<b>gears</b>", "", "2", "", "open"])
        lab.save()
        assert "gears" not in notebook.read_text(encoding="utf-8")
        provider.issued()
        assert lab.look_for_secrets() > 5
