"""Which of several visits counts on a machine that others use."""

from __future__ import annotations

import pytest

from tests.bench.proxy.load import Visit, least_disturbed
from tests.bench.proxy.wrk import Load


def visits(*others: float):
    made = [Visit(Load(1, float(number), 1.0, 1.0), 1.0, share) for number, share in enumerate(others)]
    return iter(made).__next__


def test_a_quiet_visit_is_not_made_again():
    assert least_disturbed(visits(5.0, 0.0), 3).load.rate == 0.0


def test_a_disturbed_visit_is_made_again_until_one_is_quiet():
    assert least_disturbed(visits(30.0, 4.0, 0.0), 3).load.rate == 1.0


@pytest.mark.parametrize(("others", "chosen"), [((30.0, 20.0, 40.0), 1.0), ((20.0, 30.0, 40.0), 0.0)])
def test_if_none_is_quiet_the_least_disturbed_counts_whatever_it_saw(others, chosen):
    assert least_disturbed(visits(*others, 0.0), 3).load.rate == chosen
