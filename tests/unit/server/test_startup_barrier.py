"""Kernels, terminals and conversions wait for the imports of the server (Q8.3)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from jupyter_oidc.server.notebook_export import export_routes
from jupyter_oidc.server.startup_barrier import hold_kernels_back, hold_terminals_back


class Held:
    """Imports that are done when the test says so."""

    def __init__(self) -> None:
        self.event = threading.Event()

    async def done(self) -> None:
        while not self.event.is_set():
            await asyncio.sleep(0.001)

    def wait(self) -> None:
        assert self.event.wait(10)


class Starter:
    """A manager of kernels and of terminals that only counts."""

    def __init__(self) -> None:
        self.started: list[Any] = []

    async def start_kernel(self, *, kernel_name: str) -> str:
        self.started.append(kernel_name)
        return "id"

    def new_terminal(self, **options: Any) -> str:
        self.started.append(options)
        return "pty"


async def test_a_kernel_waits_for_the_imports() -> None:
    """Q8.3: Imports are done before any kernel starts."""
    held, manager = Held(), Starter()
    hold_kernels_back(manager, held)  # type: ignore[arg-type]
    starting = asyncio.ensure_future(manager.start_kernel(kernel_name="python3"))
    await asyncio.sleep(0.02)
    before = list(manager.started)
    held.event.set()
    assert (before, await starting, manager.started) == ([], "id", ["python3"])


async def test_a_manager_that_starts_without_waiting_is_held_back_too() -> None:
    """Q8.3: sibling: its ``start_kernel`` is an ordinary function."""

    class Ordinary(Starter):
        def start_kernel(self, *, kernel_name: str) -> str:  # type: ignore[override]
            self.started.append(kernel_name)
            return "id"

    held, manager = Held(), Ordinary()
    hold_kernels_back(manager, held)  # type: ignore[arg-type]
    held.event.set()
    assert await manager.start_kernel(kernel_name="python3") == "id"  # type: ignore[misc]


async def test_a_terminal_waits_for_the_imports() -> None:
    """Q8.3: sibling: a shell runs its user's code without any kernel."""
    held, manager = Held(), Starter()
    hold_terminals_back({"terminal_manager": manager}, held)  # type: ignore[arg-type]
    starting = asyncio.ensure_future(asyncio.to_thread(manager.new_terminal, cwd="/"))
    await asyncio.sleep(0.02)
    before = list(manager.started)
    held.event.set()
    assert (before, await starting, manager.started) == ([], "pty", [{"cwd": "/"}])


def test_a_server_without_terminals_has_none_to_hold_back() -> None:
    hold_terminals_back({}, Held())  # type: ignore[arg-type]


async def test_a_conversion_waits_for_the_imports() -> None:
    """Q8.3: sibling: templates are programs of the user's."""
    held = Held()
    (_, _, given), *_ = export_routes("/", held.done)
    entered = asyncio.ensure_future(given["limiter"].__aenter__())
    await asyncio.sleep(0.02)
    before = entered.done()
    held.event.set()
    await entered
    assert before is False


@pytest.mark.parametrize("places", [4])
async def test_no_more_than_so_many_conversions_run_at_a_time(places: int) -> None:
    held = Held()
    held.event.set()
    (_, _, given), *_ = export_routes("/", held.done)
    for _ in range(places):
        await given["limiter"].__aenter__()
    waiting = asyncio.ensure_future(given["limiter"].__aenter__())
    await asyncio.sleep(0.02)
    before = waiting.done()
    await given["limiter"].__aexit__(None, None, None)
    await waiting
    assert before is False
