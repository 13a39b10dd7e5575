"""On a machine that other processes use, the least disturbed of several visits counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.proxy.load import Visit, busy_in, least_disturbed
from tests.bench.proxy.wrk import Load


def visits(*others: float) -> Callable[[], Visit]:
    made = [Visit(Load(1, float(number), 1.0, 1.0), 1.0, share) for number, share in enumerate(others)]
    return iter(made).__next__


def test_a_quiet_visit_is_not_made_again() -> None:
    assert least_disturbed(visits(5.0, 0.0), 3).load.rate == 0.0


def test_a_disturbed_visit_is_made_again_until_one_is_quiet() -> None:
    assert least_disturbed(visits(30.0, 4.0, 0.0), 3).load.rate == 1.0


@pytest.mark.parametrize(("others", "chosen"), [((30.0, 20.0, 40.0), 1.0), ((20.0, 30.0, 40.0), 0.0)])
def test_if_none_is_quiet_the_least_disturbed_counts_whatever_it_saw(
    others: tuple[float, float, float], chosen: float
) -> None:
    assert least_disturbed(visits(*others, 0.0), 3).load.rate == chosen


def test_a_core_is_busy_when_it_is_neither_idle_nor_waiting_for_a_disk() -> None:
    text = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 1000 2000 8 16 32 0 0\ncpu1 5 5 5 5 5 5 5 5 0 0\n"
    assert busy_in(text, 0) == 63
