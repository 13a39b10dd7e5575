"""Takes samples in rounds and computes medians and ratios from them.

A round visits every target once in a shuffled order. Ratios are made of two samples of the same round, and only then
the median is taken, so that a load which slows the machine for a while slows both halves of a pair.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_rounds(
    visits: Mapping[str, Callable[[], T]],
    rounds: int,
    chance: random.Random,
    told: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, list[T]]:
    """Make ``rounds`` visits to each target; the n-th samples of all targets belong to the same round.

    ``told`` hears the number of each round, from 1, and how many there are, before it begins.
    """
    samples: dict[str, list[T]] = {name: [] for name in visits}
    for number in range(1, rounds + 1):
        told(number, rounds)
        order = list(visits)
        chance.shuffle(order)
        for name in order:
            samples[name].append(visits[name]())
    return samples


def paired(ours: Sequence[float], anchors: Sequence[float]) -> list[float]:
    """Return ours divided by the anchor, round by round; raises ``ValueError`` if the rounds do not match."""
    return [mine / anchor for mine, anchor in zip(ours, anchors, strict=True)]


def added(ours: Sequence[float], anchors: Sequence[float]) -> list[float]:
    """Return the difference between ours and the anchor, round by round."""
    return [mine - anchor for mine, anchor in zip(ours, anchors, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that at least ``share`` (above 0, up to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


def median(values: Sequence[float]) -> float:
    """Return the median of ``values``, of which there is at least one."""
    return statistics.median(values)
