"""One visit with wrk to one server: what wrk saw, and whether the server had its core to itself.

On a machine that others use, a visit during which they had the server's core is made again, a few times at most, and
the least disturbed one counts. It is chosen by the disturbance and never by its result.
"""

from __future__ import annotations

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
    """What wrk saw, the microseconds that the server worked on a request, and the share that others had, in per cent."""

    load: Load
    cpu: float
    others: float


def visit(run: Run, made: Callable[[], Call], connections: int, pid: int | None = None) -> Visit:
    """Load what ``made`` calls, which the process ``pid`` answers; without one nothing is known about disturbances."""
    wrk = Wrk(run.stage.folder)

    def once() -> Visit:
        call = made()
        before = scheduled(pid)
        load = wrk.run(call.url, call.headers, connections=connections, seconds=run.scale.wrk)
        after = scheduled(pid)
        return Visit(load, (after[0] - before[0]) / load.requests, (after[1] - before[1]) / (run.scale.wrk * 10_000))

    return least_disturbed(once, run.scale.attempts)


def least_disturbed(once: Callable[[], Visit], attempts: int) -> Visit:
    """Return the first quiet visit, or the least disturbed of ``attempts``."""
    made: list[Visit] = []
    while len(made) < attempts:
        made.append(once())
        if made[-1].others <= QUIET:
            break
    return min(made, key=lambda one: one.others)


def scheduled(pid: int | None) -> tuple[float, float]:
    """Return the microseconds that all threads of a process have had a processor, and have waited for one."""
    paths = Path(f"/proc/{pid}/task").glob("*/schedstat") if pid else ()
    times = [path.read_text().split() for path in paths]
    return sum(int(time[0]) / 1000 for time in times), sum(int(time[1]) / 1000 for time in times)
