"""A person at work: one Jupyter server, one browser, one notebook, against the certified provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from jupyter_oidc.demo.running_kernel import CellRun
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream

SCOPES = ["openid", "profile", "email", "offline_access"]


def settings_for(provider: CertifiedProvider, upstream: Upstream, **changes: Any) -> dict[str, Any]:
    """The settings of the provider ``corp`` with the API ``orders``."""
    return {
        "issuer": provider.issuer,
        "client_id": "jupyter",
        "scopes": SCOPES,
        # Core 1.0, 11: a provider gives offline access where the person is asked for consent.
        "prompt": "consent",
        "allow_insecure_loopback": True,
        "apis": {"orders": {"base_url": upstream.url, "methods": ["GET", "POST"]}},
        **changes,
    }


@dataclass
class Person:
    """A user with a browser; ``jupyter`` is logged in to the server."""

    process: JupyterProcess
    provider: CertifiedProvider
    jupyter: httpx.Client
    browser: FormBrowser

    def begin(self) -> dict[str, Any]:
        """Begin a sign-in from the page."""
        reply = self.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
        assert reply.status_code == 201, reply.text
        started: dict[str, Any] = reply.json()
        return started

    def start_url(self, started: dict[str, Any]) -> str:
        """Where the browser goes; the reply names a path of the server."""
        return str(httpx.URL(self.process.url).join(started["start_url"]))

    def sign_in(self, name: str = "user1") -> httpx.Response:
        """Sign in through the provider's own forms and return the last page."""
        return self.browser.sign_in(self.start_url(self.begin()), name, "any")

    def summary(self) -> dict[str, Any]:
        """Read the session summary."""
        told: dict[str, Any] = self.jupyter.get("jupyter-oidc/providers/corp/session").json()
        return told

    def post(self, act: str) -> httpx.Response:
        """Refresh or sign out."""
        return self.jupyter.post(f"jupyter-oidc/providers/corp/{act}", json={})

    def run(self, *cells: str) -> list[CellRun]:
        """Run ``cells`` in one kernel that the server starts for them."""
        return asyncio.run(self._run(cells))

    async def _run(self, cells: tuple[str, ...]) -> list[CellRun]:
        door = self.process.rest(self.jupyter)
        async with door.client:
            kernel = await door.kernel("notebook.ipynb")
            try:
                return [await kernel.run(cell) for cell in cells]
            finally:
                await kernel.aclose()


@contextmanager
def at_work(
    folder: Path,
    provider: CertifiedProvider,
    upstream: Upstream,
    *,
    changes: dict[str, Any] | None = None,
    client: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Person]:
    """Start a Jupyter server that signs in at ``provider``; ``client`` says how it is registered there."""
    process = JupyterProcess(
        folder / "jupyter", {"corp": settings_for(provider, upstream, **(changes or {}))}, **options
    )
    provider.register_client(RegisteredClient("jupyter", (process.callback("corp"),), **(client or {})))
    with process, closing(process.client()) as jupyter:
        yield Person(process, provider, jupyter, FormBrowser(provider.issuer, tls=process.trust))
        for _ in provider.issued():
            CANARY.look("the log of the Jupyter server", process.log)
            break
