"""Measures the cost of a summary: ten thousand polls of a signed-in session, as fifty open tabs make in a minute.

The target is 5 ms each; no request of it may reach the provider (D16).
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.interop.person import settings_for
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream

POLLS = 10_000
TABS = 50
TARGET = 5.0
"""Milliseconds."""


async def poll(process: JupyterProcess) -> list[float]:
    """Poll from ``TABS`` connections, one request after the other on each; return the milliseconds of each."""
    took: list[float] = []
    headers = {"Authorization": f"token {process.token}"}
    limits = httpx.Limits(max_connections=TABS, max_keepalive_connections=TABS)

    async def tab(client: httpx.AsyncClient) -> None:
        for _ in range(POLLS // TABS):
            reply = await client.get("jupyter-oidc/providers/corp/session")
            assert reply.status_code == 200

    async with httpx.AsyncClient(base_url=process.url, headers=headers, limits=limits, trust_env=False) as client:
        # One tab alone first: the cost of a request without other requests.
        for _ in range(500):
            began = time.perf_counter()
            await client.get("jupyter-oidc/providers/corp/session")
            took.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        await asyncio.gather(*[tab(client) for _ in range(TABS)])
        seconds = time.perf_counter() - began
    print(f"{POLLS} polls from {TABS} tabs: {seconds:.1f} s, {1000 * seconds / POLLS:.2f} ms each, side by side")
    return took


def main() -> int:
    """Measure and report; 1 if a summary costs too much or the provider was asked."""
    with tempfile.TemporaryDirectory() as name, ScriptedProvider() as provider, Upstream() as upstream:
        settings = settings_for(provider, upstream)  # type: ignore[arg-type]  # NOTE: only the issuer is read
        with JupyterProcess(Path(name) / "jupyter", {"corp": settings}, log_level="INFO", as_program=True) as process:
            with process.client() as client:
                started = client.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
                FormBrowser(provider.issuer).open(str(httpx.URL(process.url).join(started["start_url"])))
            asked = len(provider.received)
            took = asyncio.run(poll(process))
            asked = len(provider.received) - asked
    median = statistics.median(took)
    print(f"one poll at a time: median {median:.2f} ms, 99th percentile {sorted(took)[int(0.99 * len(took))]:.2f} ms")
    print(f"requests to the provider meanwhile: {asked}; the target is {TARGET:.0f} ms and none")
    return 0 if median < TARGET and asked == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
