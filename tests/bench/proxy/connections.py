"""Connections to the API: as many as calls are in flight, and kept for the next ones.

Sixteen clients make a thousand calls on connections that stay open. The API answers each a little later, so that
sixteen really are in flight, and counts the connections that bring one.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.report import Line, Target
from tests.bench.proxy.samples import in_rounds
from tests.bench.proxy.wire import Call, connect, exchange

NAME = "connections"
CALLS = 1_000
IN_FLIGHT = 16
MOST = Target("<=", IN_FLIGHT)
HELD = 0.02
"""Seconds that the API takes to answer."""


def measure(run: Run) -> list[Line]:
    """Count the connections that bring a thousand calls."""

    def used() -> int:
        call = run.real_environment.own("used")
        with connect(call) as connection:
            return int(json.loads(exchange(connection, call))["used"])

    def visit() -> float:
        used()
        call = run.real_environment.ours.call("own", f"held?seconds={HELD}")
        with ThreadPoolExecutor(IN_FLIGHT) as clients:
            list(clients.map(_calls, [call] * IN_FLIGHT, [_share(client) for client in range(IN_FLIGHT)]))
        return float(used())

    samples = in_rounds({"ours": visit}, min(run.scale.rounds, 3), run.chance, run.told)
    return [Line(NAME, "for 1,000 calls, 16 in flight", tuple(samples["ours"]), "conn.", MOST)]


def _share(client: int) -> int:
    return CALLS // IN_FLIGHT + (client < CALLS % IN_FLIGHT)


def _calls(call: Call, count: int) -> None:
    with connect(call) as connection:
        for _ in range(count):
            exchange(connection, call)


def estimate(scale: Scale) -> float:
    """At most three rounds."""
    return min(scale.rounds, 3) * CALLS / IN_FLIGHT * (HELD + 0.01)


PART = Part(NAME, "connections to the API that a thousand calls need", measure, estimate)
