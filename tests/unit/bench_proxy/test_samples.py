"""The benchmark compares rounds in pairs and takes medians."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.bench.proxy.samples import added, in_rounds, median, paired, percentile


def test_each_round_visits_every_target_once() -> None:
    visited = []
    visits = {name: lambda name=name: visited.append(name) for name in ("a", "b", "c")}
    in_rounds(visits, 4, random.Random(1))
    assert [sorted(visited[start : start + 3]) for start in (0, 3, 6, 9)] == [["a", "b", "c"]] * 4


def test_the_order_of_the_targets_changes_between_rounds() -> None:
    visited = []
    visits = {name: lambda name=name: visited.append(name) for name in ("a", "b", "c")}
    in_rounds(visits, 9, random.Random(1))
    assert len({tuple(visited[start : start + 3]) for start in range(0, 27, 3)}) > 1


def test_samples_of_one_round_stand_at_the_same_place() -> None:
    numbers = {"a": iter([1, 2, 3]), "b": iter([10, 20, 30])}
    taken = in_rounds({name: numbers[name].__next__ for name in numbers}, 3, random.Random(1))
    assert taken == {"a": [1, 2, 3], "b": [10, 20, 30]}


def test_the_number_of_each_round_is_told() -> None:
    told = []
    in_rounds({"a": lambda: None}, 3, random.Random(1), lambda number, rounds: told.append((number, rounds)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_slow_minute_of_the_machine_leaves_paired_ratios_alone() -> None:
    """The medians of each side alone would give 2.5; every single round gives 2."""
    ours, anchor = [200.0, 20.0, 100.0], [100.0, 10.0, 50.0]
    assert median(paired(ours, anchor)) == 2.0


def test_ratios_are_made_before_the_median_is_taken() -> None:
    assert median(paired([10.0, 40.0, 90.0], [10.0, 10.0, 100.0])) == 1.0


def test_what_is_added_is_the_difference_round_by_round() -> None:
    assert added([5.0, 7.0], [1.0, 4.0]) == [4.0, 3.0]


@pytest.mark.parametrize("of", [paired, added])
def test_rounds_that_do_not_match_are_never_paired(of: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="shorter"):
        of([1.0, 2.0], [1.0])


@pytest.mark.parametrize(("share", "value"), [(0.5, 50.0), (0.99, 99.0), (0.995, 100.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value
