"""The demo on Binder: the files of ``binder/``, run behind a proxy that has Binder's paths, in a real browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from jupyter_oidc.demo.environment import free_port
from tests.e2e.lab_page import SLOW, answer_demo, visiting
from tests.support.browser import Chromium
from tests.support.clean_environment import without_jupyter
from tests.support.hub_front import HubFront
from tests.support.plain_http import PLAIN

START = Path(__file__).parents[2] / "binder" / "start"
TOKEN = "the-token-of-this-visit"


@dataclass
class Visit:
    """The address with a token in it that Binder gives a visitor."""

    front: HubFront

    @property
    def url(self) -> str:
        return self.front.url

    @property
    def token(self) -> str:
        return TOKEN


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The server as Binder starts it: through ``binder/start``, below a path of its own, with nothing inbound."""
    folder = tmp_path_factory.mktemp("binder")
    port = free_port()
    prefix = "/user/demo-a1b2c3d4/"
    command = ["jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--ServerApp.base_url={prefix}", f"--IdentityProvider.token={TOKEN}", "--port-retries=0"]
    kept = without_jupyter()
    environment = {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "NO_PROXY": "localhost,127.0.0.1",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(START), *command], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        with HubFront(prefix, port) as front:
            _await(front.url, server, folder / "log")
            yield Visit(front)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) is not None


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 90
    with httpx.Client(trust_env=False, verify=PLAIN, headers={"Authorization": f"token {TOKEN}"}) as client:
        while time.monotonic() < until:
            assert server.poll() is None, log.read_text()
            if client.get(f"{url}jupyter-oidc/providers").status_code == 200:
                return
            time.sleep(0.3)
    raise AssertionError(log.read_text())


def test_a_visitor_signs_in_with_a_code_and_calls_the_api(browser: Chromium, visit: Visit) -> None:
    """Binder has no address that a provider could redirect to; the provider's page comes through the server, too."""
    with visiting(browser, visit) as lab:
        lab.open("jupyter-oidc-demo")
        expect(lab.page.get_by_role("heading", name="Orders, and no token in sight")).to_be_visible(timeout=SLOW)
        expect(lab.page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=SLOW)
        lab.run_code("import jupyter_oidc as oidc\noidc.sign_in()")
        link = lab.page.locator(".jp-OutputArea a[href*='/device']").first
        expect(link).to_be_visible(timeout=SLOW)
        assert (link.get_attribute("href") or "").startswith(visit.url)
        with lab.page.context.expect_page() as opened:
            link.click()
        answer_demo(opened.value)
        expect(opened.value.get_by_role("heading", name="JupyterLab is signed in")).to_be_visible()
        lab.says("Ada Lovelace")
        shown = lab.run_code("print(oidc.api('orders').get('orders').json()['orders'][0]['item'])")
        assert shown.strip() == "Difference engine"
    assert visit.front.elsewhere == []


def test_the_launcher_says_what_it_is_for() -> None:
    shown = subprocess.run([str(START)], capture_output=True, text=True, check=False, env=_with_this_python())
    assert (shown.returncode, "COMMAND" in shown.stdout) == (2, True)


def _with_this_python() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
