"""Small calls to an API with TLS and a private authority, 16 in flight.

The anchor is the handler that people write themselves: it fetches with tornado's own client, which makes a new
connection and a new handshake for each call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.report import Line, Target
from tests.bench.proxy.samples import in_rounds, paired
from tests.bench.proxy.wire import Call
from tests.bench.proxy.wrk import Wrk

NAME = "tls"
BUFFERED = Target(">=", 4.0)


def measure(run: Run) -> list[Line]:
    """Measure requests a second."""
    stage, wrk = run.stage, Wrk(run.stage.folder)

    def visit(made: Callable[[], Call]) -> float:
        call = made()
        return wrk.run(call.url, call.headers, connections=16, seconds=run.scale.wrk).rate

    visits = {
        "buffered": partial(visit, lambda: stage.buffered("small")),
        "ours": partial(visit, lambda: stage.ours.call("tls", "small")),
    }
    rates = in_rounds(visits, run.scale.rounds, run.chance, run.told)
    return [
        Line(NAME, "buffered fetch of tornado, 16 in flight", tuple(rates["buffered"]), "req/s"),
        Line(NAME, "ours, kernel grant, 16 in flight", tuple(rates["ours"]), "req/s"),
        Line(NAME, "ours, against buffered fetch", tuple(paired(rates["ours"], rates["buffered"])), "x", BUFFERED),
    ]


def estimate(scale: Scale) -> float:
    """Two visits a round."""
    return scale.rounds * 2 * (scale.wrk + 0.15)


PART = Part(NAME, "requests a second to an API with TLS and a private authority", measure, estimate)
