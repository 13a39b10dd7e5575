"""Make the journey at a real JupyterHub and print the outcome of each step: ``python -m tests.hub``.

Exits with 1 if a step failed. ``--keep`` leaves the folder with all logs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import expect

from tests.hub.journey import STEPS, Journey

CACHE = Path(__file__).parents[2] / ".cache" / "hub"


def made(folder: Path) -> int:
    """Make the journey; return how many steps failed."""
    failed = 0
    print("Starting the Hub (the first time it is installed)", flush=True)
    with Journey(folder, CACHE) as journey:
        for step, make in STEPS.items():
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


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.hub", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    wanted = parser.parse_args()
    if not hasattr(os, "geteuid") or os.geteuid():
        print("Under a Hub only settings that belong to root count, so this check needs root (a container will do).")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the Hub and its children end with this
    expect.set_options(timeout=30_000)
    folder = Path(tempfile.mkdtemp(prefix="hub-check-"))
    failed = 1
    try:
        failed = made(folder)
    finally:
        if wanted.keep or failed:
            print(f"Logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(STEPS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
