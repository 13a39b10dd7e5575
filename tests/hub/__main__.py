"""Make two journeys at real JupyterHubs and print the outcome of each step: ``python -m tests.hub``.

In the first each server holds the session of its user, in the second a broker holds those of all.
Exits with 1 if a step failed. ``--keep`` leaves the folder with all logs; ``--only=broker`` or ``--only=servers`` makes one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.hub.broker_journey import STEPS as WITH_BROKER
from tests.hub.broker_journey import BrokerJourney
from tests.hub.journey import STEPS, Journey

CACHE = Path(__file__).parents[2] / ".cache" / "hub"


def made(journey: Journey | BrokerJourney, steps: Mapping[str, Callable[[Any], None]], folder: Path) -> int:
    """Make the journey; return how many steps failed."""
    failed = 0
    with journey:
        for step, make in steps.items():
            began = time.monotonic()
            try:
                make(journey)
            except Exception as error:  # NOTE: the other steps are tried after any error
                failed += 1
                print(f"  ✗ {step}: {type(error).__name__}: {str(error)[:800]}", flush=True)
                for name, lab in journey.people.items():
                    lab.page.screenshot(path=folder / f"{step.replace(' ', '-')}-{name}.png")
            else:
                print(f"  ✓ {step} ({time.monotonic() - began:.0f} s)", flush=True)
    return failed


def both(folder: Path, only: str) -> tuple[int, int]:
    """Make the journeys; return how many steps there are, and how many failed."""
    steps = failed = 0
    if only != "broker":
        print("Sessions in the servers of the users (the first time the Hub is installed)", flush=True)
        (folder / "servers").mkdir()
        steps, failed = len(STEPS), made(Journey(folder / "servers", CACHE), STEPS, folder)
    if only != "servers":
        print("Sessions in a broker", flush=True)
        (folder / "broker").mkdir()
        journey = BrokerJourney(folder / "broker")
        steps, failed = steps + len(WITH_BROKER), failed + made(journey, WITH_BROKER, folder)
        for note in journey.notes:
            print(f"  {note}")
    return steps, failed


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.hub", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    parser.add_argument("--only", choices=["servers", "broker"], default="", help="make one of the two journeys")
    wanted = parser.parse_args()
    if not hasattr(os, "geteuid") or os.geteuid():
        print("Under a Hub only settings that belong to root count, so this check needs root (a container will do).")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the Hub and its children end with this
    expect.set_options(timeout=30_000)
    folder = Path(tempfile.mkdtemp(prefix="hub-check-"))
    folder.chmod(0o711)  # NOTE: users of the machine have folders below
    steps, failed = 1, 1
    try:
        steps, failed = both(folder, wanted.only)
    finally:
        if wanted.keep or failed:
            print(f"Logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{steps - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
