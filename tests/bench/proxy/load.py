"""Runs wrk against one server once (a visit) and records whether the server had its core to itself.

On a machine with other users, a visit during which they had the server's core is repeated, a few times at most, and
the least disturbed one counts. It is chosen by the disturbance and never by its result.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.proxy.part import Run
from tests.bench.proxy.wire import Call
from tests.bench.proxy.wrk import Load, Wrk

QUIET = 5.0
"""Per cent of the time that others may have the server's core."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Wrk's figures, the microseconds that the server worked on a request, and the share of others, in per cent."""

    load: Load
    cpu: float
    others: float


def visit(run: Run, made: Callable[[], Call], connections: int, pid: int | None = None) -> Visit:
    """Load the target of ``made``, which the process ``pid`` answers; without ``pid`` disturbances are unknown."""
    wrk = Wrk(run.real_environment.folder)

    def once() -> Visit:
        call = made()
        worked, busy, began = worked_by(pid), busy_of(run.real_environment.core), time.monotonic()
        load = wrk.run(call.url, call.headers, connections=connections, seconds=run.scale.wrk)
        seconds = time.monotonic() - began
        worked, busy = worked_by(pid) - worked, busy_of(run.real_environment.core) - busy
        return Visit(load, 1e6 * worked / load.requests, 100 * max(0.0, busy - worked) / seconds if pid else 0.0)

    return least_disturbed(once, run.scale.attempts)


def least_disturbed(once: Callable[[], Visit], attempts: int) -> Visit:
    """Return the first quiet visit, or the least disturbed of ``attempts``."""
    made: list[Visit] = []
    while len(made) < attempts:
        made.append(once())
        if made[-1].others <= QUIET:
            break
    return min(made, key=lambda one: one.others)


def worked_by(pid: int | None) -> float:
    """Return the seconds that all threads of a process have had a processor; 0 without a process."""
    paths = Path(f"/proc/{pid}/task").glob("*/schedstat") if pid else ()
    return sum(int(path.read_text().split()[0]) for path in paths) / 1e9


def busy_of(core: int) -> float:
    """Return the seconds that ``core`` has worked for all processes, and for other guests of the same host."""
    return busy_in(Path("/proc/stat").read_text(), core) / os.sysconf("SC_CLK_TCK")


def busy_in(text: str, core: int) -> int:
    """Return the ticks in which ``core`` was neither idle nor waiting for a disk, by the text of ``/proc/stat``."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"cpu{core} ")]
    user, nice, system, _, _, irq, softirq, steal = (int(ticks) for ticks in line.split()[1:9])
    return user + nice + system + irq + softirq + steal
