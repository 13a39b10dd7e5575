"""Counts the functions that a server calls for one proxied request: the measure that no noise reaches.

Python and C functions, in the thread of the event loop alone. It says nothing about the cost of one of them; it says
whether a change has put work on the path that was not there before.
The counting is done inside the server, by an extension; the client and the API are in other threads or processes.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from functools import partial

from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.report import Line
from tests.bench.proxy.samples import in_rounds, paired
from tests.bench.proxy.wire import Call, connect, exchange
from tests.support.jupyter_process import JupyterProcess

NAME = "calls"
REQUESTS = 100
WARMING = 10
BATCHES = 3


def calls_per_request(server: JupyterProcess, call: Call) -> float:
    """Return how many functions ``server``, which has the extension, calls for one GET over a connection that stays open.

    The lowest of some batches, since other work of the server only adds. Raises
    ``NotMeasured`` if the answer is not 200.
    """
    with connect(call) as connection, connect(call) as control:
        for _ in range(WARMING):
            exchange(connection, call)
        counts = partial(_counted, server, control, "calls")
        nothing = min(counts(lambda: None) for _ in range(BATCHES))
        return min(counts(partial(_make, connection, call)) - nothing for _ in range(BATCHES)) / REQUESTS


def garbage_per_request(server: JupyterProcess, call: Call, sent: bytes = b"") -> float:
    """Return how many objects of one call are in reference cycles afterwards, so that only the collector frees them."""
    with connect(call) as connection, connect(call) as control:
        for _ in range(WARMING):
            exchange(connection, call, sent)
        return _counted(server, control, "garbage", partial(_make, connection, call, sent)) / REQUESTS


def _counted(server: JupyterProcess, control: socket.socket, what: str, work: Callable[[], None]) -> int:
    headers = {"Authorization": f"token {server.token}"}
    exchange(control, Call(f"{server.url}bench-tally/start", headers))
    work()
    return int(json.loads(exchange(control, Call(f"{server.url}bench-tally/stop", headers)))[what])


def _make(connection: socket.socket, call: Call, sent: bytes = b"") -> None:
    for _ in range(REQUESTS):
        exchange(connection, call, sent)


def measure(run: Run) -> list[Line]:
    """Count for every way through a Jupyter server."""
    real_environment = run.real_environment
    ours = real_environment.ours.process
    samples = in_rounds(
        {
            "jsp": lambda: calls_per_request(real_environment.anchors, real_environment.jsp("small")),
            "grant": lambda: calls_per_request(ours, real_environment.ours.call("plain", "small", "grant")),
            "token": lambda: calls_per_request(ours, real_environment.ours.call("plain", "small", "token")),
            "cookie": lambda: calls_per_request(ours, real_environment.ours.call("plain", "small", "cookie")),
        },
        min(run.scale.rounds, 3),
        run.chance,
        run.told,
    )
    return [
        Line(NAME, "jupyter-server-proxy, functions called for a request", tuple(samples["jsp"]), "calls"),
        Line(NAME, "ours, kernel grant, functions called for a request", tuple(samples["grant"]), "calls"),
        Line(NAME, "ours, Jupyter's token, functions called for a request", tuple(samples["token"]), "calls"),
        Line(NAME, "ours, login cookie, functions called for a request", tuple(samples["cookie"]), "calls"),
        Line(
            NAME,
            "ours, kernel grant, against jupyter-server-proxy",
            tuple(paired(samples["grant"], samples["jsp"])),
            "x",
        ),
    ]


def estimate(scale: Scale) -> float:
    """About 2 ms for each request that is counted."""
    return min(scale.rounds, 3) * 4 * BATCHES * REQUESTS * 0.003


PART = Part(NAME, "functions that a server calls for one small call; repeats within two per cent", measure, estimate)
