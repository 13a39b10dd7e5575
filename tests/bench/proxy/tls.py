"""Small calls to an API with TLS and a private authority, 16 in flight.

The anchor is the handler that people write themselves: it fetches with tornado's own client, which makes a new
connection and a new handshake for each call.
"""

from __future__ import annotations

from functools import partial

from tests.bench.proxy.load import visit
from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.report import Line, Target
from tests.bench.proxy.samples import in_rounds, paired

NAME = "tls"
IN_FLIGHT = 16
BUFFERED = Target(">=", 4.0)


def measure(run: Run) -> list[Line]:
    """Measure requests a second."""
    real_environment = run.real_environment
    visits = {
        "buffered": partial(
            visit, run, lambda: real_environment.buffered("small"), IN_FLIGHT, real_environment.anchors.pid
        ),
        "ours": partial(
            visit, run, lambda: real_environment.ours.call("tls", "small"), IN_FLIGHT, real_environment.ours.pid
        ),
    }
    visited = in_rounds(visits, run.scale.rounds, run.chance, run.told)
    rates = {way: [one.load.rate for one in made] for way, made in visited.items()}
    return [
        Line(NAME, "buffered fetch of tornado, 16 in flight", tuple(rates["buffered"]), "req/s"),
        Line(NAME, "ours, kernel grant, 16 in flight", tuple(rates["ours"]), "req/s"),
        Line(NAME, "ours, against buffered fetch", tuple(paired(rates["ours"], rates["buffered"])), "x", BUFFERED),
    ]


def estimate(scale: Scale) -> float:
    """Two visits a round."""
    return scale.rounds * 2 * (scale.wrk + 0.15)


PART = Part(NAME, "requests a second to an API with TLS and a private authority", measure, estimate)
