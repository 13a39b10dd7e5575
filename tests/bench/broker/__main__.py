"""Measure a call through a broker of a Hub beside oauth2-proxy with sessions in Redis and nginx: ``python -m tests.bench.broker``.

All of them pass 1 KiB of JSON on, over connections that stay open, with 16 calls in flight, on one core; the clients
and the API have another. The broker checks the Hub's token, the account, the route of the API, its limits and the
person, and writes the audit trail. Ratios are made within a round, and the median of the rounds counts. The exit code is
1 if a target is missed or could not be measured.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jupyter_oidc.demo.child import ChildFailed
from tests.bench.broker.processes import Proxies, proxies
from tests.bench.proxy.load import worked_by
from tests.bench.proxy.report import Line, NotMeasured, Target, exit_code, table, verdicts
from tests.bench.proxy.samples import in_rounds, paired
from tests.bench.proxy.wrk import Load, Wrk

IN_FLIGHT = 16
RATE = Target(">=", 1.0)
LATENCY = Target("<=", 2.0)
SECONDS = 2


@dataclass(frozen=True, slots=True)
class Visit:
    """Wrk's figures, and the microseconds that the proxy worked on a request."""

    load: Load
    cpu: float


def visit(running: Proxies, way: str) -> Visit:
    """Load one way once."""
    call, pid = running.ways[way]
    worked = worked_by(pid)
    load = Wrk(running.folder).run(call.url, call.headers, connections=IN_FLIGHT, seconds=SECONDS)
    return Visit(load, 1e6 * (worked_by(pid) - worked) / load.requests)


def measure(running: Proxies, rounds: int) -> list[Line]:
    """Return the lines of the table."""
    visited = in_rounds({way: partial(visit, running, way) for way in running.ways}, rounds, random.Random())

    def rates(way: str) -> tuple[float, ...]:
        return tuple(one.load.rate for one in visited[way])

    def p99s(way: str) -> tuple[float, ...]:
        return tuple(one.load.p99 for one in visited[way])

    lines = [Line("calls", f"{way}, 16 in flight", rates(way), "req/s") for way in running.ways]
    lines += [
        Line("calls", f"{way}, processor time of a call", tuple(one.cpu for one in visited[way]), "us")
        for way in ("oauth2-proxy", "broker")
    ]
    lines += [Line("calls", f"{way}, p99", p99s(way), "ms") for way in running.ways]
    lines.append(
        Line("calls", "broker, against oauth2-proxy", tuple(paired(rates("broker"), rates("oauth2-proxy"))), "x", RATE)
    )
    lines.append(Line("calls", "broker, against nginx", tuple(paired(rates("broker"), rates("nginx"))), "x"))
    slower = tuple(paired(p99s("broker"), p99s("oauth2-proxy")))
    lines.append(Line("calls", "broker, p99 against oauth2-proxy", slower, "x", LATENCY))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.broker", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds (9)")
    asked = parser.parse_args(arguments)
    cores = tuple(sorted(os.sched_getaffinity(0)))[:2]
    if len(cores) < 2:
        print("The benchmark needs two cores, and this process may use only one.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # NOTE: so that everything that was started ends
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"
    began = time.monotonic()
    print(f"Proxies on core {cores[0]}, clients and API on core {cores[1]}; load {os.getloadavg()[0]:.2f}.", flush=True)
    os.sched_setaffinity(0, {cores[1]})
    try:
        with tempfile.TemporaryDirectory(prefix="bench-broker-") as name, proxies(Path(name), cores) as running:
            entries = measure(running, asked.rounds)
    except (NotMeasured, ChildFailed) as reason:
        print(f"Nothing was measured, because not everything started. {reason}")
        return 1
    print(f"\n{table(entries)}\n\n{verdicts(entries)}\nIt took {time.monotonic() - began:.0f} s.")
    return exit_code(entries)


if __name__ == "__main__":
    sys.exit(main())
