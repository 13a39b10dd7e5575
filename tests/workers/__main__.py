"""Make the journey with real engines and print the outcome of each step: ``python -m tests.workers``.

Exits with 1 if a step failed. ``--only`` names what is made; ``--keep`` leaves the folder with all logs.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.workers import attacks, commands, fairness, jobs, journey, network, night_jobs
from tests.workers.engines import ENGINES, Engine
from tests.workers.journey import Place

NETWORK = "a worker in a network of its own"
JOBS = "jupyter-scheduler"
NIGHT_JOBS = "jupyter-scheduler at a broker"
ATTACKS = "a stolen grant"

OPTIONS = {NETWORK: network.OPTIONS, JOBS: jobs.OPTIONS, NIGHT_JOBS: night_jobs.OPTIONS, ATTACKS: attacks.OPTIONS}
"""What the servers of some parts are started with."""

Made = Callable[[Place, Callable[[str], None]], None]


def _engine(engine: Engine, place: Place, said: Callable[[str], None]) -> None:
    asyncio.run(journey.make(engine, place, said))


def _fairness(place: Place, said: Callable[[str], None]) -> None:
    asyncio.run(fairness.measure(place, said))


PARTS: dict[str, Made] = {
    **{engine.name: partial(_engine, engine) for engine in ENGINES},
    **{f"jupyter oidc run: {name}": partial(commands.make, name) for name in commands.COMMANDS},
    JOBS: jobs.make,
    NIGHT_JOBS: night_jobs.make,
    NETWORK: network.make,
    ATTACKS: attacks.make,
    f"{fairness.WORKERS} workers and the interface": _fairness,
}


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.workers", description=__doc__)
    parser.add_argument("--only", action="append", help=f"one of: {'; '.join(PARTS)}")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    wanted = parser.parse_args()
    unknown = set(wanted.only or ()) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the engines end with this
    folder = Path(tempfile.mkdtemp(prefix="workers-check-"))
    failed = 0
    for number, (name, make) in enumerate(PARTS.items()):
        if wanted.only and name not in wanted.only:
            continue
        print(name, flush=True)
        began = time.monotonic()
        try:
            with journey.opened(folder / str(number), **OPTIONS.get(name, {})) as place:
                make(place, lambda told: print(f"  ✓ {told}", flush=True))
        except Exception as error:  # NOTE: the other parts are tried after any error
            failed += 1
            print(f"  ✗ {type(error).__name__}: {str(error)[:3_000]}", flush=True)
        print(f"  {time.monotonic() - began:.0f} s", flush=True)
    if wanted.keep or failed:
        print(f"Logs: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    made = len(set(wanted.only or PARTS))
    print(f"{made - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
