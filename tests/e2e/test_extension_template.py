"""The template for authors of extensions: built against the packed file as it is, and at work in real JupyterLab."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from aiohttp import web
from playwright.sync_api import expect

from tests.e2e.lab_page import Lab, answer_certified, visiting
from tests.interop.person import at_work
from tests.support.browser import Chromium
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.node import find_node
from tests.support.upstream import Upstream

ROOT = Path(__file__).parents[2]
STUB = ROOT / "labextension-stub"
TEMPLATE = ROOT / "docs" / "how-to" / "extension-template"
NAME = "orders-panel"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built extension; its dependencies are those of our own lock file, and our packed file."""
    folder = tmp_path_factory.mktemp("author")
    node = find_node()
    node.install(STUB)
    packing = (sys.executable, str(ROOT / ".ci" / "npm-package"), str(folder))
    packed = subprocess.run(packing, capture_output=True, text=True, check=False, timeout=600)
    assert packed.returncode == 0, packed.stderr
    extension = folder / NAME
    shutil.copytree(TEMPLATE, extension)
    modules = extension / "node_modules"
    modules.mkdir()
    for one in (STUB / "node_modules").iterdir():
        (modules / one.name).symlink_to(one)
    (modules / "@jupyter-oidc").mkdir()
    with tarfile.open(packed.stdout.strip()) as file:
        file.extractall(modules / "@jupyter-oidc", filter="data")
    (modules / "@jupyter-oidc" / "package").rename(modules / "@jupyter-oidc" / "labextension")
    done = node.run("npm", "run", "build", cwd=extension)
    assert done.returncode == 0, done.stdout + done.stderr
    return extension / "labextension"


async def one_order(_: web.Request) -> web.StreamResponse:
    return web.json_response({"orders": [{"id": 1, "item": "Brass gears"}]})


def open_orders(lab: Lab) -> None:
    """Choose the command of the template in the palette."""
    lab.page.keyboard.press("Control+Shift+c")
    lab.page.locator(".lm-CommandPalette-input").fill("Show My Orders")
    lab.page.locator(".lm-CommandPalette-item", has_text="Show My Orders").click()


def test_an_extension_made_from_the_template_signs_its_user_in_and_calls_an_api(
    browser: Chromium, tmp_path: Path, built: Path
) -> None:
    with (
        CertifiedProvider(ProviderDocument()) as provider,
        Upstream() as upstream,
        at_work(tmp_path, provider, upstream, app="jupyterlab", built_beside={NAME: built}) as person,
        visiting(browser, person.process) as lab,
    ):
        lab.open("lab")
        open_orders(lab)
        shown = lab.page.locator(".orders-panel")
        expect(shown.get_by_text("Sign in at corp first.")).to_be_visible()
        upstream.plan(one_order)
        with lab.page.context.expect_page() as opened:
            shown.get_by_role("button", name="Sign in").click()
        answer_certified(opened.value)
        expect(shown.get_by_text("Brass gears")).to_be_visible()
        expect(shown.get_by_role("button")).to_have_count(0)
        lab.sign_out()
        expect(shown.get_by_text("Sign in at corp first.")).to_be_visible()
        assert lab.complaints == []


OF_THE_SERVICE = ("jp-oidc-card", "Sign-in at OpenID Connect providers: the sessions")
"""Texts in the sources of our panel and our service."""


def test_the_extension_brings_no_second_service(built: Path) -> None:
    """Its bundle holds the React parts, and asks JupyterLab for the service of the first."""
    scripts = "".join(path.read_text(encoding="utf-8") for path in (built / "static").glob("*.js"))
    assert "jp-oidc-signed-in" in scripts
    sources = "".join(path.read_text(encoding="utf-8") for path in (STUB / "src").rglob("*.ts*"))
    assert [text for text in OF_THE_SERVICE if text not in sources] == []
    assert [text for text in OF_THE_SERVICE if text in scripts] == []
