"""Make the journey at real providers and print a matrix: ``python -m tests.providers [NAME ...]``.

Exits with 1 if a step failed. ``--keep`` leaves the folder with all logs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.providers.django_oauth_toolkit import DjangoOAuthToolkit
from tests.providers.journey import ALWAYS, STEPS, Journey
from tests.providers.keycloak import Keycloak
from tests.providers.real import RealProvider

CACHE = Path(__file__).parents[2] / ".cache" / "providers"
PROVIDERS: dict[str, Callable[[Path, Path], RealProvider]] = {
    "keycloak": Keycloak,
    "django-oauth-toolkit": DjangoOAuthToolkit,
}
MADE, NOT_OFFERED, FAILED = "✓", "-", "✗"


def made_at(name: str, folder: Path) -> dict[str, str]:
    """Make the journey at the provider ``name``; return what became of each step, in a word."""
    folder.mkdir()
    print(f"\n{name}: starting", flush=True)
    provider = PROVIDERS[name](folder, CACHE)
    provider.start()
    journey = Journey(folder, provider)
    outcomes: dict[str, str] = {}
    try:
        for step, make in STEPS.items():
            if step not in ALWAYS | provider.offers:
                outcomes[step] = NOT_OFFERED
                continue
            began = time.monotonic()
            try:
                make(journey)
            except Exception as error:  # NOTE: whatever it is, the other steps are tried
                outcomes[step] = FAILED
                print(f"  {FAILED} {step}: {type(error).__name__}: {str(error)[:600]}", flush=True)
            else:
                outcomes[step] = MADE
                print(f"  {MADE} {step} ({time.monotonic() - began:.0f} s)", flush=True)
    finally:
        journey.close()
        provider.stop()
    return {f"{provider.name} {provider.version}": "", **outcomes}


def matrix(rows: list[dict[str, str]]) -> str:
    """Return the table of all providers in Markdown."""
    head = ["Step", *(next(iter(row)) for row in rows)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {step} | {' | '.join(row[step] for row in rows)} |" for step in STEPS]
    return "\n".join(lines)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(PROVIDERS), help=f"of {', '.join(PROVIDERS)}; all by default")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="providers-check-"))
    try:
        rows = [made_at(name, folder / name) for name in wanted.names]
    finally:
        if wanted.keep:
            print(f"Logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{matrix(rows)}\n")
    failed = sum(list(row.values()).count(FAILED) for row in rows)
    print(f"{sum(list(row.values()).count(MADE) for row in rows)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
