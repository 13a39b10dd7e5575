"""Measures what 200 workers cost the interface: ``GET /api/status`` beside them, and without them (ADR 62)."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp

from jupyter_oidc.kernel.delegation import grant_in
from jupyter_oidc.kernel.server_connection import WORKER_VARIABLE
from tests.workers.journey import Place, expect, notebook

WORKERS = 200
ROUNDS = 5
SECONDS = 4.0
MOST_TIMES_IDLE = 3.0
"""How many times the idle 99th percentile the one beside the workers may be."""


async def calls(url: str, grant: str, workers: int, seconds: float) -> tuple[int, list[int]]:
    """Call as ``workers`` that each wait for their answer; return how many answers came, and the bad statuses.

    Real workers take no processor of the server's machine, so these leave it to whoever else wants it.
    """
    os.nice(10)
    until, count, bad = time.monotonic() + seconds, 0, list[int]()
    headers = {"Authorization": f"Bearer {grant}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as client:

        async def work() -> None:
            nonlocal count
            while time.monotonic() < until:
                async with client.get(url) as reply:
                    await reply.read()
                    count += 1
                    if reply.status != 200:
                        bad.append(reply.status)

        await asyncio.gather(*(work() for _ in range(workers)))
    return count, bad


async def answer_times(url: str, token: str, seconds: float) -> list[float]:
    """Ask for Jupyter's status fifty times a second at most; return the milliseconds of each answer."""
    until, times = time.monotonic() + seconds, list[float]()
    async with aiohttp.ClientSession(headers={"Authorization": f"token {token}"}) as client:
        while time.monotonic() < until:
            began = time.perf_counter()
            async with client.get(f"{url}api/status") as reply:
                await reply.read()
            times.append((time.perf_counter() - began) * 1_000)
            await asyncio.sleep(0.02)
    return times


def _in_a_process(what: str, *arguments: object) -> subprocess.Popen[str]:
    """Start one of the functions above in a process of its own, which prints what it returns as JSON."""
    code = f"import asyncio, json; from tests.workers.fairness import {what}; print(json.dumps(asyncio.run({what}(*{arguments!r}))))"
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def _measured(place: Place) -> list[float]:
    """Return the times of the answers to ``GET /api/status``, in milliseconds."""
    process = place.person.process
    told, _ = _in_a_process("answer_times", process.url, process.token, SECONDS).communicate(timeout=120)
    times: list[float] = json.loads(told)
    return times


def _percentile(times: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(times)[int(len(times) * 0.99)]


@contextmanager
def _processors_apart(server: int) -> Iterator[None]:
    """Give the server a processor of its own, and another to the workers, whose machines are others in the field."""
    mine = os.sched_getaffinity(0)
    first, *others = sorted(mine)
    os.sched_setaffinity(server, {first})
    os.sched_setaffinity(0, others or {first})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


async def measure(place: Place, said: Callable[[str], None]) -> None:
    """Measure idle and beside the workers, several times by turns."""
    place.person.provider.set_lifetime(300)
    place.person.sign_in()
    async with notebook(place.person) as cells:
        grant = grant_in((await cells.delegated("'orders'"))[WORKER_VARIABLE]).worker_auth().current()
        url = f"{place.person.process.url}jupyter-oidc/api/orders/items"
        every_idle, every_beside = list[float](), list[float]()
        with _processors_apart(place.person.process.pid):
            for _ in range(ROUNDS):
                idle = await asyncio.to_thread(_measured, place)
                load = _in_a_process("calls", url, grant, WORKERS, SECONDS + 3)
                await asyncio.sleep(2)  # so that the calls that all of them begin with at once are over
                beside = await asyncio.to_thread(_measured, place)
                count, bad = json.loads(load.communicate(timeout=120)[0])
                expect(bad == [], f"{len(bad)} calls failed: {sorted(set(bad))}")
                every_idle += idle
                every_beside += beside
                said(
                    f"GET /api/status: median {statistics.median(idle):.1f} ms, 99th percentile {_percentile(idle):.1f} ms; "
                    f"beside {WORKERS} workers with {count / (SECONDS + 3):.0f} calls a second "
                    f"{statistics.median(beside):.1f} and {_percentile(beside):.1f} ms"
                )
    # NOTE: of all rounds together, since in one of them a hundredth is an answer or two.
    idle_percentile, beside_percentile = _percentile(every_idle), _percentile(every_beside)
    times = beside_percentile / idle_percentile
    told = f"{beside_percentile:.1f} ms, {times:.1f} times the {idle_percentile:.1f} ms of an idle server"
    expect(
        times <= MOST_TIMES_IDLE, f"the 99th percentile of all rounds is {told}: more than {MOST_TIMES_IDLE:g} times"
    )
    said(f"the 99th percentile of all rounds is {told}, {MOST_TIMES_IDLE:g} times at most")
