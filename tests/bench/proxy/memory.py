"""Measures the server's memory while bodies pass: it may collect nothing, however slow the other side is.

The highest resident size since a reset of the system's own record (``/proc/PID/clear_refs``), minus the size before.
A slow reader and a slow sink are watched for some seconds: long enough that collected bytes would be seen.
jupyter-server-proxy, which holds the whole answer, shows that this sees what it should.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.processes import MIB
from tests.bench.proxy.report import Line, NotMeasured, Target
from tests.bench.proxy.samples import in_rounds
from tests.bench.proxy.wire import download, upload

NAME = "memory"
GROWTH = Target("<", 8.0)
READER = 20_000_000
SINK = 40_000_000
"""Bytes a second."""

_SIZES = re.compile(r"^(VmHWM|VmRSS):\s+(\d+) kB$", re.MULTILINE)


def growth(pid: int, work: Callable[[], object]) -> float:
    """Return by how many MiB the process ``pid`` was larger during ``work`` than before."""
    process = Path("/proc") / str(pid)
    try:
        (process / "clear_refs").write_text("5")
        before = sizes((process / "status").read_text())["VmRSS"]
        work()
        # NOTE: the system counts in batches, so the difference may come out a little below nothing.
        return max(0.0, sizes((process / "status").read_text())["VmHWM"] - before)
    except OSError:
        raise NotMeasured("The memory of the server cannot be read from /proc.") from None


def sizes(status: str) -> dict[str, float]:
    """Return the resident sizes in a ``/proc/PID/status``, in MiB."""
    return {name: int(number) / 1024 for name, number in _SIZES.findall(status)}


def measure(run: Run) -> list[Line]:
    """Measure the growth in the four situations."""
    ours, scale = run.real_environment.ours, run.scale
    works: dict[str, Callable[[], object]] = {
        f"{scale.size(scale.large)} down": lambda: download(ours.call("plain", "large"), scale.large),
        f"{scale.size(scale.large)} up in chunks": lambda: upload(ours.call("own", "sink?rate=0"), scale.large),
        "a reader of 20 MB/s": lambda: download(
            ours.call("plain", "large"), scale.large, rate=READER, for_seconds=scale.slow
        ),
        "a sink of 40 MB/s": lambda: upload(ours.call("own", f"sink?rate={SINK}"), int(SINK * scale.slow)),
    }
    download(ours.call("plain", "medium"), scale.medium)
    upload(ours.call("own", "sink?rate=0"), scale.medium)  # NOTE: modules that are imported at first use are no growth
    visits = {what: partial(growth, ours.pid, work) for what, work in works.items()}
    visits["anchor"] = partial(
        growth, run.real_environment.anchors.pid, lambda: download(run.real_environment.jsp("medium"), scale.medium)
    )
    samples = in_rounds(visits, scale.memory_rounds, run.chance, run.told)
    anchor = f"jupyter-server-proxy, {scale.size(scale.medium)} down, growth"
    return [
        Line(NAME, anchor, tuple(samples["anchor"]), "MiB"),
        *[Line(NAME, f"ours, {what}, growth", tuple(samples[what]), "MiB", GROWTH) for what in works],
    ]


def estimate(scale: Scale) -> float:
    """About 200 MiB/s each way, and twice the slow time."""
    return scale.memory_rounds * (2 * scale.slow + 2 * scale.large / (200 * MIB)) + 1


PART = Part(NAME, "memory growth of the server while large bodies pass", measure, estimate)
