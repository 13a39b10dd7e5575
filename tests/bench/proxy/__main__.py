"""Measure the proxy beside what people would use otherwise, and hold it against its targets.

nginx, jupyter-server-proxy and a Jupyter server with this extension are started on loopback; every round visits each
of them once in a shuffled order; ratios are made within a round, and the median of the rounds counts. The server under
test has one core, the clients and the API behind it another. It ends everything that it started. The exit code is 1 if
a target is missed or could not be measured.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from jupyter_oidc.demo.child import ChildFailed
from tests.bench.proxy import calls, connections, download, events, memory, requests, status, tls
from tests.bench.proxy.part import Part, Run, Scale
from tests.bench.proxy.processes import RealEnvironment, real_environment
from tests.bench.proxy.report import Entry, Gap, NotMeasured, exit_code, table, verdicts
from tests.bench.proxy.tools import header, missing

PARTS = tuple(module.PART for module in (requests, download, memory, events, status, connections, tls, calls))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    asked = _parser().parse_args(arguments)
    faults = missing()
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # NOTE: so that everything that was started ends
    parts = [part for part in PARTS if not asked.only or part.name in asked.only]
    scale = Scale.quick() if asked.quick else Scale.full(asked.rounds)
    began = time.monotonic()
    print(header())
    cores = tuple(sorted(os.sched_getaffinity(0)))[:2]
    print(
        f"The server under test on core {cores[0]}, clients and API on core {cores[1]}. {scale.rounds} rounds, "
        f"about {_long(10 + sum(part.estimate(scale) for part in parts))}. The load of the machine is "
        f"{os.getloadavg()[0]:.2f} before it begins."
    )
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"
    os.sched_setaffinity(0, {cores[1]})
    try:
        with tempfile.TemporaryDirectory(prefix="jupyter-oidc-bench-") as name:
            _say("starting nginx, jupyter-server-proxy and a signed-in server with a kernel")
            with real_environment(Path(name), scale.large, scale.medium, (cores[0], cores[1])) as running:
                entries = [entry for part in parts for entry in _measured(part, running, scale)]
    except KeyboardInterrupt:
        _done("Stopped; everything that was started has ended.")
        return 130
    except (NotMeasured, ChildFailed) as reason:
        _done(f"Nothing was measured, because not everything started. {reason}")
        return 1
    _say("")
    print(f"\n{table(entries)}\n\n{verdicts(entries)}\nIt took {_long(time.monotonic() - began)}.")
    return exit_code(entries)


def _measured(part: Part, running: RealEnvironment, scale: Scale) -> list[Entry]:
    """Measure one part; one that fails leaves the others alone."""
    began = time.monotonic()
    longest = _long(part.estimate(scale))

    def told(number: int, rounds: int) -> None:
        if number == 1 or sys.stdout.isatty():
            _say(f"{part.name}: round {number} of {rounds}, about {longest} in all")

    try:
        lines: list[Entry] = list(part.measure(Run(running, scale, told)))
    except NotMeasured as reason:
        _done(f"{part.name}: not measured. {reason}")
        return [Gap(part.name, str(reason))]
    _done(f"{part.name}: measured in {_long(time.monotonic() - began)}")
    return lines


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  {part.name:<12} {part.what}" for part in PARTS)
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.proxy",
        description=__doc__,
        epilog=f"parts:\n{names}\n\ndocs/explanation/performance.md says how to read the table.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=_positive, default=9, metavar="N", help="rounds of each part (9)")
    parser.add_argument("--quick", action="store_true", help="3 rounds and small files: a smoke run, rough numbers")
    parser.add_argument(
        "--only",
        action="append",
        choices=[part.name for part in PARTS],
        metavar="NAME",
        help="only this part; again for more",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one round is needed")
    return number


def _long(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _say(text: str) -> None:
    """Show the progress: in place on a terminal, line by line in a file."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif text:
        print(text, flush=True)


def _done(text: str) -> None:
    _say(text)
    if sys.stdout.isatty():
        print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
