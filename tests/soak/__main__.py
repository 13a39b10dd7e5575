"""A long run: many clients, short tokens, and a provider and an API that are killed and restarted by chance.

``python -m tests.soak --minutes 30``; the report is printed, and the exit code is 1 if anything was wrong or grew.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from jupyter_oidc.kernel.find import Kernel, Server
from jupyter_oidc.kernel.grant import GrantAuth
from tests.soak.api import SoakApi
from tests.soak.callers import Caller, Tally
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.kernel_proof import start_kernel
from tests.support.scripted_provider import ScriptedProvider

CLIENTS = 32
LIFETIME = 20
CALM = 75.0
"""Seconds at the end in which nothing is killed; the longest pause between two attempts at a refresh is 60."""

WARMING = 8.0
"""Seconds of calls before the first count."""

SETTLE = 20.0
"""Seconds without any client before open connections are counted; aiohttp closes idle ones after 15."""

MOST_GROWTH = 24.0
"""MiB by which the server's memory may be larger in the last quarter than in the second."""

MOST_LEFT = 15
"""Tasks or open files that may be left over."""


@dataclass(frozen=True)
class Look:
    """One look at the server: seconds since the start, MiB of memory, open files, tasks."""

    at: float
    memory: float
    files: int
    tasks: int


class Watch:
    """Looks at the server every few seconds."""

    def __init__(self, process: JupyterProcess) -> None:
        self._process = process
        self._server = psutil.Process(process.pid)
        self._began = time.monotonic()
        self.looks: list[Look] = []

    async def look(self) -> Look:
        """Look once."""
        async with httpx.AsyncClient(
            headers={"Authorization": f"token {self._process.token}"}, trust_env=False
        ) as client:
            tasks = (await client.get(f"{self._process.url}soak/tasks", timeout=30)).json()["tasks"]
        memory = self._server.memory_info().rss / (1 << 20)
        return Look(time.monotonic() - self._began, memory, self._server.num_fds(), tasks)

    async def run(self, over: asyncio.Event) -> None:
        """Look until it is ``over``."""
        while not over.is_set():
            self.looks.append(await self.look())
            await asyncio.sleep(3)


async def chaos(provider: ScriptedProvider, api: SoakApi, until: float, told: Callable[[str], None]) -> int:
    """Kill and restart by chance until ``until`` (monotonic seconds); return how often."""
    chance = random.Random(7)
    kills = 0
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(left, chance.uniform(3, 15)))
        if time.monotonic() >= until:
            break
        victims: list[tuple[str, ScriptedProvider | SoakApi]] = [("provider", provider), ("API", api)]
        name, victim = chance.choice(victims)
        seconds = chance.uniform(0.5, 8)
        told(f"the {name} is killed for {seconds:.1f} s")
        await asyncio.to_thread(victim.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(victim.start)
        kills += 1
    return kills


async def warm_up(callers: list[Caller]) -> None:
    """Let everything be imported and opened that stays open, then let idle connections close."""
    over = asyncio.Event()
    tasks = [asyncio.ensure_future(caller.run(over)) for caller in callers]
    await asyncio.sleep(WARMING)
    over.set()
    await asyncio.gather(*tasks)
    await asyncio.sleep(SETTLE)


async def soak(process: JupyterProcess, provider: ScriptedProvider, api: SoakApi, minutes: float) -> int:
    """Run, report, and return the exit code."""
    watch = Watch(process)
    token = f"token {process.token}"
    with process.client() as client:
        kernel_id, key = start_kernel(process, client)
    grants = GrantAuth(Server(process.url), Kernel(kernel_id, key))

    def crowd(tally: Tally) -> list[Caller]:
        opens = (lambda: token, lambda: f"Bearer {grants.current()}")
        return [Caller(number, process.url, opens[number % 2], tally) for number in range(CLIENTS)]

    await warm_up(crowd(Tally()))
    before = await watch.look()
    tally, over = Tally(), asyncio.Event()
    callers = crowd(tally)
    tasks = [asyncio.ensure_future(caller.run(over)) for caller in callers]
    tasks.append(asyncio.ensure_future(watch.run(over)))
    refreshes = provider.count("token", grant_type="refresh_token")
    end = time.monotonic() + 60 * minutes

    def told(what: str) -> None:
        print(f"  {max(0.0, end - time.monotonic()) / 60:5.1f} min left, {tally.calls} calls: {what}", flush=True)

    kills = await chaos(provider, api, end - CALM, told)
    told("nothing is killed any more; everything has to recover by itself")
    await asyncio.sleep(max(0.0, CALM - 10))
    calm = Tally()
    for caller in callers:
        caller._tally = calm
    await asyncio.sleep(10)
    over.set()
    await asyncio.gather(*tasks)
    await asyncio.sleep(SETTLE)
    after = await watch.look()
    refreshes = provider.count("token", grant_type="refresh_token") - refreshes
    return report(
        tally, calm, watch.looks, before, after, f"{kills} kills, {refreshes} refreshes, {provider.reuses} reuses"
    )


def report(tally: Tally, calm: Tally, looks: list[Look], before: Look, after: Look, chance: str) -> int:
    """Print the results beside their limits; return the exit code."""
    quarter = max(1, len(looks) // 4)
    early = statistics.median(look.memory for look in looks[quarter : 2 * quarter])
    late = statistics.median(look.memory for look in looks[-quarter:])
    unwell = [ending for ending in calm.ended if not ending.endswith(": right")]
    print(f"\n{tally.calls + calm.calls} calls; {chance}\n")
    for ending, count in sorted((tally.ended + calm.ended).items()):
        print(f"  {count:8d}  {ending}")
    verdicts: list[tuple[str, Any, bool]] = [
        ("wrong answers", len(tally.wrong) + len(calm.wrong), not tally.wrong and not calm.wrong),
        ("endings but right ones in the calm at the end", unwell or "none", not unwell),
        ("memory, second quarter to last, MiB", f"{early:.0f} -> {late:.0f}", late - early < MOST_GROWTH),
        ("tasks, before and after", f"{before.tasks} -> {after.tasks}", after.tasks - before.tasks <= MOST_LEFT),
        ("open files, before and after", f"{before.files} -> {after.files}", after.files - before.files <= MOST_LEFT),
    ]
    print()
    for name, value, fine in verdicts:
        print(f"  {'ok  ' if fine else 'BAD '} {name}: {value}")
    for wrong in (tally.wrong + calm.wrong)[:20]:
        print(f"       {wrong}")
    return 0 if all(fine for _, _, fine in verdicts) else 1


def main() -> int:
    """Set up and run."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients leave in the middle by plan
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default 30; at least 3)")
    minutes = max(3.0, parser.parse_args().minutes)
    with (
        tempfile.TemporaryDirectory() as name,
        ScriptedProvider(lifetime=LIFETIME, userinfo={"name": "Example User"}) as provider,
        SoakApi(provider.accepts) as api,
    ):
        corp = {
            "issuer": provider.issuer,
            "client_id": "jupyter",
            "allow_insecure_loopback": True,
            "apis": {"orders": {"base_url": api.url, "methods": ["GET", "POST"], "max_in_flight": 20}},
        }
        server = {"jpserver_extensions": {"jupyter_oidc": True, "tests.soak.count_extension": True}}
        environment = {"PYTHONPATH": str(Path.cwd())}
        with JupyterProcess(
            Path(name) / "jupyter",
            {"corp": corp},
            server=server,
            log_level="INFO",
            environment=environment,
            as_program=True,
        ) as process:
            with process.client() as client:
                started = client.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
                FormBrowser(provider.issuer).open(str(httpx.URL(process.url).join(started["start_url"])))
            print(f"{CLIENTS} clients for {minutes:.0f} minutes; tokens live {LIFETIME} seconds", flush=True)
            return asyncio.run(soak(process, provider, api, minutes))


if __name__ == "__main__":
    sys.exit(main())
