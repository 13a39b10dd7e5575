"""Measures fairness: how long Jupyter's own ``/api/status`` takes while the same server passes a large download on.

The p99 of the polls of some seconds is one sample. The polls during a download that goes around the server are there
for comparison: the clients share a core with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager as Context
from contextlib import contextmanager, nullcontext

from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.report import Line, NotMeasured, Target
from tests.bench.proxy.samples import in_rounds, paired, percentile
from tests.bench.proxy.wire import Call, connect, download, exchange

NAME = "status"
DURING = Target("<=", 3.0)
PAUSE = 0.005
"""Seconds between two polls."""


@contextmanager
def downloading(made: Callable[[], Call], size: int) -> Iterator[None]:
    """Download again and again meanwhile."""
    over, faults = threading.Event(), list[NotMeasured]()

    def work() -> None:
        try:
            while not over.is_set():
                download(made(), size)
        except NotMeasured as fault:
            faults.append(fault)

    thread = threading.Thread(target=work, name="download")
    thread.start()
    try:
        time.sleep(0.1)
        yield
    finally:
        over.set()
        thread.join()
    if faults:
        raise faults[0]


def poll(call: Call, seconds: float) -> float:
    """Poll one after the other on one connection and return the p99 in milliseconds."""
    took: list[float] = []
    until = time.monotonic() + seconds
    with connect(call) as connection:
        while time.monotonic() < until:
            began = time.perf_counter()
            exchange(connection, call)
            took.append(1000 * (time.perf_counter() - began))
            time.sleep(PAUSE)
    return percentile(took, 0.99)


def measure(run: Run) -> list[Line]:
    """Measure in three situations."""
    real_environment, large = run.real_environment, run.scale.large

    def visit(situation: Callable[[], Context[None]]) -> Callable[[], float]:
        def p99() -> float:
            with situation():
                return poll(real_environment.ours.status(), run.scale.status)

        return p99

    samples = in_rounds(
        {
            "idle": visit(nullcontext),
            "around": visit(lambda: downloading(lambda: real_environment.direct("large"), large)),
            "through": visit(lambda: downloading(lambda: real_environment.ours.call("plain", "large"), large)),
        },
        run.scale.rounds,
        run.chance,
        run.told,
    )
    size = run.scale.size(large)
    return [
        Line(NAME, "p99 of /api/status, idle", tuple(samples["idle"]), "ms"),
        Line(NAME, f"p99 while {size} is downloaded without the server", tuple(samples["around"]), "ms"),
        Line(NAME, f"p99 while {size} is downloaded through it", tuple(samples["through"]), "ms"),
        Line(NAME, "through it, against idle", tuple(paired(samples["through"], samples["idle"])), "x", DURING),
    ]


def estimate(scale: Scale) -> float:
    """Three situations, and the rest of two downloads."""
    return scale.rounds * (3 * scale.status + scale.large / 400e6 + 0.3)


PART = Part(NAME, "delay of Jupyter's own requests during a large download", measure, estimate)
