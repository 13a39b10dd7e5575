"""Large answers: bytes a second against no proxy at all, and against jupyter-server-proxy where it can keep up.

jupyter-server-proxy holds a whole answer in memory and refuses one of a gibibyte, so it is met at the medium size.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.processes import MIB
from tests.bench.proxy.report import Line, Target
from tests.bench.proxy.samples import in_rounds, paired
from tests.bench.proxy.wire import Call, download

NAME = "download"
DIRECT = Target(">=", 0.6)
JSP = Target(">=", 3.0)


def measure(run: Run) -> list[Line]:
    """Measure mebibytes a second."""
    real_environment, scale = run.real_environment, run.scale

    def visit(call: Callable[[str], Call], path: str, size: int) -> Callable[[], float]:
        return lambda: size / MIB / download(call(path), size)

    def ours(path: str) -> Call:
        return real_environment.ours.call("plain", path)

    for path in ("large", "medium"):  # NOTE: the first reading of a file is the system's, not nginx's
        download(real_environment.direct(path), 0)
    rates = in_rounds(
        {
            "direct": visit(real_environment.direct, "large", scale.large),
            "nginx": visit(real_environment.nginx, "large", scale.large),
            "ours": visit(ours, "large", scale.large),
            "ours medium": visit(ours, "medium", scale.medium),
            "jsp medium": visit(real_environment.jsp, "medium", scale.medium),
        },
        scale.rounds,
        run.chance,
        run.told,
    )
    large, medium = scale.size(scale.large), scale.size(scale.medium)
    return [
        Line(NAME, f"no proxy, {large}", tuple(rates["direct"]), "MiB/s"),
        Line(NAME, f"nginx, {large}", tuple(rates["nginx"]), "MiB/s"),
        Line(NAME, f"ours, {large}", tuple(rates["ours"]), "MiB/s"),
        Line(NAME, f"ours, {large}, against no proxy", tuple(paired(rates["ours"], rates["direct"])), "x", DIRECT),
        Line(NAME, f"ours, {large}, against nginx", tuple(paired(rates["ours"], rates["nginx"])), "x"),
        Line(NAME, f"jupyter-server-proxy, {medium}", tuple(rates["jsp medium"]), "MiB/s"),
        Line(
            NAME,
            f"ours, {medium}, against jupyter-server-proxy",
            tuple(paired(rates["ours medium"], rates["jsp medium"])),
            "x",
            JSP,
        ),
    ]


def estimate(scale: Scale) -> float:
    """About 250 MiB/s through the slowest."""
    return scale.rounds * (scale.large * 2.0 + scale.medium * 2.0) / (250 * MIB)


PART = Part(NAME, "speed of large downloads", measure, estimate)
