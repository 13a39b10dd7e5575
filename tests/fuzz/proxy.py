"""Run the proxy's property for long: ``python -m tests.fuzz.proxy --minutes N``.

An input that breaks it is kept in ``tests/fuzz/corpus``, Hypothesis' own format, and tried first the next time, by the
suite too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.unit.proxy.anything import WISHES, Recorded, Wish, check

CORPUS = Path(__file__).parent / "corpus"
KEPT = DirectoryBasedExampleDatabase(CORPUS)
ROUND = 2_000
"""Examples in one round; the clock is looked at between rounds."""


def property_of(recorded: Recorded) -> Callable[[Wish], None]:
    """Return the property with its proxy; Hypothesis files its examples under this function's source."""

    def any_call_is_refused_or_stays_where_it_may_go(wish: Wish) -> None:
        check(recorded, wish)

    return any_call_is_refused_or_stays_where_it_may_go


def main() -> int:
    """Run rounds until the time is up; a failure ends the run with Hypothesis' report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    until = time.monotonic() + 60 * parser.parse_args().minutes
    recorded = Recorded()
    campaign = settings(
        database=KEPT, max_examples=ROUND, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )(given(WISHES)(property_of(recorded)))
    rounds = 0
    try:
        while rounds == 0 or time.monotonic() < until:
            campaign()
            rounds += 1
    finally:
        recorded.close()
    print(f"{rounds * ROUND} calls, and each was refused or stayed where it may go.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
