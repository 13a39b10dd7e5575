"""A signed-in person, and a kernel of a real Jupyter server for each recipe."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

from jupyter_oidc.demo.running_kernel import CellRun
from tests.support.jupyter_process import JupyterProcess
from tests.support.recipe_api import RecipeApi
from tests.support.scripted_provider import ScriptedProvider


@dataclass
class ServerUnderTest:
    """Where recipes are tried: ``run`` gives them a fresh kernel, started by the server."""

    process: JupyterProcess
    jupyter: httpx.Client
    api: RecipeApi
    provider: ScriptedProvider

    def run(self, *cells: str) -> list[str]:
        """Run ``cells`` one after the other and return their outputs; an error in one is a failed test."""
        told = asyncio.run(self._run(cells))
        assert [cell.error for cell in told] == [None] * len(cells), "\n".join(cell.text for cell in told)
        assert "jog." not in str(told), "a recipe shows no grant"
        return [cell.text.strip() for cell in told]

    def sign_in_anew(self) -> None:
        """Begin a session without a past: the server replaces a refused token once in 30 seconds (B27)."""
        self.jupyter.post("jupyter-oidc/providers/corp/sign-out", json={})
        started = self.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
        self.provider.browser().open(str(httpx.URL(self.process.url).join(started["start_url"])))
        assert self.jupyter.get("jupyter-oidc/providers/corp/session").json()["state"] == "active"

    async def _run(self, cells: tuple[str, ...]) -> list[CellRun]:
        door = self.process.rest(self.jupyter)
        async with door.client:
            kernel = await door.kernel("notebook.ipynb")
            try:
                return [await kernel.run(cell) for cell in cells]
            finally:
                await kernel.aclose()
                await door.call("DELETE", f"api/kernels/{kernel.kernel_id}")


@pytest.fixture(scope="package")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    with ScriptedProvider(resources={"https://far.example": "far"}) as provider, RecipeApi(provider.accepts) as api:
        settings = {
            "issuer": provider.issuer,
            "client_id": "jupyter",
            "scopes": ["openid", "profile", "offline_access"],
            "allow_insecure_loopback": True,
            "apis": {
                "orders": {"base_url": api.url("orders"), "methods": ["GET", "HEAD", "POST", "PUT"]},
                "models": {"base_url": api.url("models"), "methods": ["POST"]},
                "far": {"base_url": api.url("models"), "methods": ["POST"], "resource": "https://far.example"},
            },
        }
        process = JupyterProcess(tmp_path_factory.mktemp("recipes") / "jupyter", {"corp": settings})
        with process, closing(process.client()) as jupyter:
            server_under_test = ServerUnderTest(process, jupyter, api, provider)
            server_under_test.sign_in_anew()
            yield server_under_test


@pytest.fixture
def server_under_test(signed_in: ServerUnderTest) -> ServerUnderTest:
    signed_in.api.accepts = signed_in.provider.accepts
    signed_in.api.seen.clear()
    signed_in.api.asked.clear()
    signed_in.api.sent = 0
    return signed_in
