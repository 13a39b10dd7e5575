"""Measures how much later server-sent events arrive through the proxy.

The event says when it was written. The p50 of a stream's delays is one sample; its target is the delay that the proxy
adds to the stream without a proxy of the same round.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.report import Line, NotMeasured, Target
from tests.bench.proxy.samples import added, in_rounds, median
from tests.bench.proxy.wire import Call, events

NAME = "events"
ADDED = Target("<=", 1.0)
EVERY = 0.005
"""Seconds between two events."""


def measure(run: Run) -> list[Line]:
    """Measure milliseconds."""
    path = f"events?count={run.scale.events}&every={EVERY}"

    def visit(made: Callable[[], Call]) -> float:
        delays = [(arrived - written) / 1e6 for written, arrived in events(made())]
        if len(delays) != run.scale.events:
            raise NotMeasured(f"{len(delays)} of {run.scale.events} events arrived.")
        return median(delays)

    delays = in_rounds(
        {
            "direct": lambda: visit(lambda: run.real_environment.own(path)),
            "ours": lambda: visit(lambda: run.real_environment.ours.call("own", path)),
        },
        run.scale.rounds,
        run.chance,
        run.told,
    )
    return [
        Line(NAME, "no proxy, p50 of the delay", tuple(delays["direct"]), "ms"),
        Line(NAME, "ours, p50 of the delay", tuple(delays["ours"]), "ms"),
        Line(NAME, "ours, added to no proxy", tuple(added(delays["ours"], delays["direct"])), "ms", ADDED),
    ]


def estimate(scale: Scale) -> float:
    """Two streams a round."""
    return scale.rounds * 2 * scale.events * (EVERY + 0.001)


PART = Part(NAME, "delay of server-sent events", measure, estimate)
