"""Coming back through a listener in a real Chromium, whose cookies know no ports and whose windows close themselves."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.browser import Chromium
from tests.support.jupyter_process import JupyterProcess
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider


@pytest.mark.parametrize("redirect_uri", ["http://127.0.0.1/cb", "http://localhost/deep/er/cb", None])
def test_a_person_comes_back_through_a_listener(browser: Chromium, tmp_path: Path, redirect_uri: str | None) -> None:
    """RFC 8252, 7.3: JupyterLab at ``localhost``, the listener at another name and port, both in one browser."""
    with ScriptedProvider() as provider:
        settings = {
            "issuer": provider.issuer,
            "client_id": "jupyter",
            "allow_insecure_loopback": True,
            "redirect_strategy": "loopback",
            "redirect_uri": redirect_uri,
        }
        with JupyterProcess(tmp_path / "jupyter", {"corp": settings}) as process, process.client() as client:
            started = client.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
            assert started["strategy"] == "loopback"
            context = browser.new_context()
            page = context.new_page()
            visited: list[str] = []
            page.on("framenavigated", lambda frame: visited.append(frame.url))
            page.goto(str(httpx.URL(process.url).join(started["start_url"])))
            expect(page.get_by_role("heading")).to_have_text("You are signed in")
            assert "code=" not in page.url
            ours = urlsplit(page.url)
            assert (ours.hostname, ours.port != process.port) == (
                urlsplit(redirect_uri or "http://127.0.0.1").hostname,
                True,
            )
            home = page.get_by_role("link", name="Back to JupyterLab").get_attribute("href")
            assert home == process.url
            summary = client.get("jupyter-oidc/providers/corp/session").json()
            assert summary["state"] == "active"
            page.wait_for_timeout(1000)
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://{ours.netloc}/", trust_env=False, verify=PLAIN)
            context.close()
