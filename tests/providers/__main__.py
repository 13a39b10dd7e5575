"""Make the journey at real providers and print a matrix: ``python -m tests.providers [NAME ...]``.

Exits with 1 if a step failed or a provider did not start. ``--keep`` leaves the folder with all logs; ``--write`` puts
the outcomes into the documentation. ``--only`` makes one step that needs no other; those that were made before stay.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.providers.journey import INDEPENDENT, STEPS, Journey, why_not
from tests.providers.known import PROVIDERS
from tests.providers.real import RealProvider, metadata_of
from tests.providers.record import FAILED, MADE, NOT_OFFERED, Outcome, matrix, read, write

CACHE = Path(__file__).parents[2] / ".cache" / "providers"


def made_at(name: str, folder: Path, only: str | None = None) -> Outcome:
    """Make the journey at the provider ``name``; where that does not even start, every step has failed.

    With ``only`` that step is made, and the other outcomes are those of before.
    """
    folder.mkdir()
    print(f"\n{name}: starting", flush=True)
    steps = dict.fromkeys(STEPS, FAILED)
    reasons: dict[str, str] = {}
    if only is not None and (before := read().get(name)) is not None:
        steps |= {step: word for step, word in before.steps.items() if step != only}
        reasons |= {step: why for step, why in before.reasons.items() if step != only}
    try:
        _walk(PROVIDERS[name], folder, steps, reasons, [only] if only else list(STEPS))
    except Exception as error:  # NOTE: the other providers are tried after any error
        print(f"  {FAILED} start: {type(error).__name__}: {str(error)[-2000:]}", flush=True)
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    return Outcome(PROVIDERS[name].name, PROVIDERS[name].version, today, steps, reasons)


def _walk(
    make: Callable[[Path, Path], RealProvider],
    folder: Path,
    steps: dict[str, str],
    reasons: dict[str, str],
    wanted: list[str],
) -> None:
    provider = make(folder, CACHE)
    journey = Journey(folder, provider)
    try:
        provider.start()
        metadata = metadata_of(provider.issuer)
        for step in wanted:
            if why := why_not(step, provider, metadata):
                steps[step], reasons[step] = NOT_OFFERED, why
                print(f"  - {step}: not offered, {why}", flush=True)
            else:
                steps[step] = _made(step, journey)
    finally:
        journey.close()
        provider.stop()


def _made(step: str, journey: Journey) -> str:
    began = time.monotonic()
    try:
        STEPS[step](journey)
    except Exception as error:  # NOTE: the other steps are tried after any error
        print(f"  {FAILED} {step}: {type(error).__name__}: {str(error)[:600]}", flush=True)
        return FAILED
    print(f"  {MADE} {step} ({time.monotonic() - began:.0f} s)", flush=True)
    return MADE


def main() -> int:
    """Run the providers that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.providers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PROVIDERS)}; all by default")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    parser.add_argument("--write", action="store_true", help="write the matrix into the documentation")
    parser.add_argument("--only", choices=INDEPENDENT, help="make this step alone")
    wanted = parser.parse_args()
    names = wanted.names or list(PROVIDERS)
    if unknown := set(names) - set(PROVIDERS):
        parser.error(f"no such provider: {', '.join(sorted(unknown))}")
    folder = Path(tempfile.mkdtemp(prefix="providers-check-"))
    try:
        outcomes = {name: made_at(name, folder / name, wanted.only) for name in names}
    finally:
        if wanted.keep:
            print(f"Logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{matrix(list(outcomes.values()))}")
    if wanted.write:
        write(outcomes, list(PROVIDERS))
    passed, failed = (sum(made.count(word) for made in outcomes.values()) for word in (MADE, FAILED))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
