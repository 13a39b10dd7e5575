"""``python -m jupyter_oidc.demo.check``: make the demo's journey unattended, one line per step.

It starts the same processes as the demo on free ports, records the codes and tokens that the provider issues, and
afterwards searches every log, reply, file and environment for them. It ends with ``demo-check: N steps passed``, or
with the first failure and exit code 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from jupyter_oidc.demo.child import ChildFailed
from jupyter_oidc.demo.environment import NOTEBOOK, DemoEnvironment, DemoOptions
from jupyter_oidc.demo.interrupts import StopRequests
from jupyter_oidc.demo.issued_tokens import read_issued_tokens
from jupyter_oidc.demo.journey import Journey, StepFailed, expect
from jupyter_oidc.demo.leak_search import Leak, LeakSearch
from jupyter_oidc.demo.personas import API, PROVIDER
from jupyter_oidc.demo.running_kernel import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

# Every route that a user's browser can read without an interaction.
_READABLE_PATHS: Final = (
    "jupyter-oidc/providers",
    f"jupyter-oidc/providers/{PROVIDER}/session",
    "jupyter-oidc/apis",
    "jupyter-oidc/diagnostics",
    f"jupyter-oidc/api/{API}/orders",
    "api/status",
    "api/sessions",
    "metrics",
    "api/contents",
    f"api/contents/{NOTEBOOK}",
    "lab/api/settings",
)


@dataclass(slots=True)
class Report:
    """Counts and prints the steps."""

    began: float = field(default_factory=time.monotonic)
    steps: int = 0

    def passed(self, what: str) -> None:
        """Print that a step has passed, and its result."""
        self.steps += 1
        print(f"{self.steps:3}. [{time.monotonic() - self.began:5.1f} s] {what}", flush=True)


@dataclass(slots=True)
class CapturedOutput:
    """All output of the Jupyter server, with its source."""

    outputs: list[tuple[str, bytes]] = field(default_factory=list)

    def keep(self, place: str, content: bytes) -> None:
        """Keep ``content`` for the search."""
        self.outputs.append((place, content))


async def run_journey(demo: DemoEnvironment, report: Report, captured: CapturedOutput) -> tuple[int, bytes]:
    """Make the journey; return the kernel's process id and its environment at the end."""
    async with aiohttp.ClientSession(trust_env=False) as client:
        server = Server(demo.url, demo.token, captured.keep, client)
        status, model = await server.call("GET", f"api/contents/{NOTEBOOK}")
        expect(status == 200, f"the tutorial is not in the working folder: {status}")
        kernel = await server.kernel(NOTEBOOK)
        try:
            report.passed(f"the server started a kernel for {NOTEBOOK}")
            journey = Journey(server, kernel, model["content"], report.passed, captured.keep)
            await journey.make(demo.places.logs / "kernel-replies")
            process, environment = await journey.environment()
        finally:
            await kernel.aclose()
        for path in _READABLE_PATHS:
            await server.call("GET", path)
    return process, environment


def search_for_leaks(
    demo: DemoEnvironment, report: Report, captured: CapturedOutput, process: int, environment: bytes
) -> None:
    """Search all captured output and files, except the provider's own, for every issued code and token."""
    issued = read_issued_tokens(demo.issued_tokens)
    kinds = {kind: sum(1 for one, _ in issued if one == kind) for kind, _ in issued}
    expect(kinds.get("access_token", 0) >= 4, f"the record of issued tokens is incomplete: {kinds}")
    leak_search = LeakSearch(issued)
    _check_search_finds_leaks(leak_search, issued)
    report.passed(
        f"the provider issued {', '.join(f'{count} x {kind}' for kind, count in kinds.items())}; "
        "planted copies of them are found by the search"
    )

    places = demo.places
    logs = [path for path in places.logs.iterdir() if path.suffix == ".log"]
    found = [leak for path in logs for leak in leak_search.in_bytes(path.name, path.read_bytes())]
    lines = sum(path.read_bytes().count(b"\n") for path in logs)
    expect(b"[D " in (places.logs / "jupyter.log").read_bytes(), "the server's log is not at DEBUG")
    _expect_no_leaks(found, report, f"{len(logs)} logs with {lines} lines, the server's at DEBUG")

    found = [leak for place, content in captured.outputs for leak in leak_search.in_bytes(place, content)]
    kernel_replies = (places.logs / "kernel-replies").read_bytes()
    found += leak_search.in_bytes("reply to the kernel", kernel_replies)
    expect(b"Difference engine" in kernel_replies, "the kernel's replies were not kept")
    _expect_no_leaks(
        found, report, f"{len(captured.outputs)} replies and messages, {len(kernel_replies)} bytes read by the kernel"
    )

    _expect_no_leaks(
        leak_search.in_bytes("kernel environment", environment + _first_environment(process)),
        report,
        "the kernel's environment",
    )
    found = leak_search.in_bytes(NOTEBOOK, (places.work / NOTEBOOK).read_bytes())
    _expect_no_leaks(found, report, "the saved notebook")
    count, found = leak_search.in_folder(places.root, without=places.provider)
    _expect_no_leaks(
        found, report, f"{count} files: the working folder, Jupyter's own folders, connection files, history"
    )


def _check_search_finds_leaks(leak_search: LeakSearch, issued: Sequence[tuple[str, str]]) -> None:
    for kind, value in issued:
        planted = json.dumps({"cell": f"x{value}y"}).encode()
        expect(Leak("planted", kind) in leak_search.in_bytes("planted", planted), f"the search overlooks a {kind}")


def _first_environment(process: int) -> bytes:
    """Return the environment that the kernel was started with, if the system shows it."""
    path = Path(f"/proc/{process}/environ")
    return path.read_bytes() if path.exists() else b""


def _expect_no_leaks(found: Sequence[Leak], report: Report, where: str) -> None:
    listed = "; ".join(sorted({f"{leak.kind} in {leak.place}" for leak in found}))
    expect(not found, f"secrets were found: {listed}")
    report.passed(f"no code and no token in {where}")


def has_ended(process: int) -> bool:
    """Return whether no process has this id any more."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def check_nothing_left(demo: DemoEnvironment, kernel: int, report: Report) -> None:
    """Check that no process, port or file of the demo has outlived it."""
    processes = (*demo.process_ids, kernel)
    until = time.monotonic() + 10
    while not all(map(has_ended, processes)) and time.monotonic() < until:
        time.sleep(0.1)
    left = [process for process in processes if not has_ended(process)]
    expect(not left, f"processes are still running: {left}")
    expect(not demo.places.root.exists(), "the temporary folder is still there")
    with socket.socket() as probe:
        expect(probe.connect_ex(("127.0.0.1", demo.port)) != 0, f"port {demo.port} is still in use")
    report.passed(f"stopped: {len(processes)} processes, the port and the temporary folder are gone")


def main() -> int:
    """Make the journey; return the exit code."""
    requests = StopRequests()
    requests.listen()
    report, captured = Report(), CapturedOutput()
    started: list[str] = []
    try:
        with DemoEnvironment(DemoOptions(base_url="/demo/check/", watched=True), started.append, requests) as demo:
            report.passed("; ".join(started))
            process, environment = asyncio.run(run_journey(demo, report, captured))
            search_for_leaks(demo, report, captured, process, environment)
        check_nothing_left(demo, process, report)
    except KeyboardInterrupt:
        print("demo-check: stopped", file=sys.stderr)
        return 130
    except (StepFailed, ChildFailed, ConnectionError, TimeoutError, asyncio.TimeoutError) as failure:
        print(f"{report.steps + 1:3}. FAILED: {failure or type(failure).__name__}", file=sys.stderr)
        print(f"demo-check: failed after {report.steps} steps", file=sys.stderr)
        return 1
    finally:
        requests.ignore_until_exit()
    print(f"demo-check: {report.steps} steps passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
