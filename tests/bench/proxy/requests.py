"""Small calls: 1 KiB of JSON over connections that stay open, 16 in flight, and one at a time.

The anchor is jupyter-server-proxy with Jupyter's token. nginx and no proxy at all are there to read the others by, and
so is the processor time of the servers, which others on the machine disturb less than the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.bench.proxy.load import visit
from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.report import Line, Target
from tests.bench.proxy.samples import in_rounds, paired
from tests.bench.proxy.wire import Call

NAME = "requests"
IN_FLIGHT = 16
GRANT = Target(">=", 3.5)
USER = Target(">=", 2.0)
LATENCY = Target("<=", 0.75)


def measure(run: Run) -> list[Line]:
    """Measure requests a second at 16 in flight and the latency of one at a time."""
    real_environment = run.real_environment

    ways: dict[str, Callable[[], Call]] = {
        "direct": lambda: real_environment.direct("small"),
        "nginx": lambda: real_environment.nginx("small"),
        "jsp": lambda: real_environment.jsp("small"),
        "grant": lambda: real_environment.ours.call("plain", "small", "grant"),
        "token": lambda: real_environment.ours.call("plain", "small", "token"),
        "cookie": lambda: real_environment.ours.call("plain", "small", "cookie"),
    }
    pids = {
        "jsp": real_environment.anchors.pid,
        **dict.fromkeys(("grant", "token", "cookie"), real_environment.ours.pid),
    }
    visits = {f"{way} {IN_FLIGHT}": partial(visit, run, made, IN_FLIGHT, pids.get(way)) for way, made in ways.items()}
    visits |= {f"{way} 1": partial(visit, run, ways[way], 1, pids.get(way)) for way in ("nginx", "jsp", "grant")}
    visited = in_rounds(visits, run.scale.rounds, run.chance, run.told)

    def rates(way: str) -> list[float]:
        return [one.load.rate for one in visited[f"{way} {IN_FLIGHT}"]]

    def p50s(way: str) -> list[float]:
        return [one.load.p50 for one in visited[f"{way} 1"]]

    def work(way: str) -> list[float]:
        return [one.cpu for one in visited[f"{way} {IN_FLIGHT}"]]

    def others(way: str) -> list[float]:
        return [one.others for one in visited[f"{way} {IN_FLIGHT}"]]

    anchor = rates("jsp")
    shown = {"direct": "no proxy", "nginx": "nginx", "jsp": "jupyter-server-proxy"}
    lines = [Line(NAME, f"{text}, 16 in flight", tuple(rates(way)), "req/s") for way, text in shown.items()]
    for way, text, target in (
        ("grant", "ours, kernel grant", GRANT),
        ("token", "ours, Jupyter's token", USER),
        ("cookie", "ours, login cookie", USER),
    ):
        lines.append(Line(NAME, f"{text}, 16 in flight", tuple(rates(way)), "req/s"))
        ratios = tuple(paired(rates(way), anchor))
        lines.append(Line(NAME, f"{text}, against jupyter-server-proxy", ratios, "x", target))
    shown = {"jsp": "jupyter-server-proxy", "grant": "ours, kernel grant", "token": "ours, Jupyter's token"}
    shown["cookie"] = "ours, login cookie"
    lines += [Line(NAME, f"{text}, processor time of a request", tuple(work(way)), "us") for way, text in shown.items()]
    disturbed = tuple(max(round_) for round_ in zip(*[others(way) for way in shown], strict=True))
    lines.append(Line(NAME, "time that others had the core of the servers", disturbed, "%"))
    shown = {"nginx": "nginx", "jsp": "jupyter-server-proxy", "grant": "ours, kernel grant"}
    lines += [Line(NAME, f"{text}, p50 of one at a time", tuple(p50s(way)), "ms") for way, text in shown.items()]
    latency = tuple(paired(p50s("grant"), p50s("jsp")))
    lines.append(Line(NAME, "ours, p50 of one at a time, against jupyter-server-proxy", latency, "x", LATENCY))
    return lines


def estimate(scale: Scale) -> float:
    """Nine visits a round."""
    return scale.rounds * 9 * (scale.wrk + 0.15)


PART = Part(NAME, "requests a second and latency of small calls, by grant, token and cookie", measure, estimate)
