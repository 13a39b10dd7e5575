"""Defines a part of the benchmark: how much is measured, what it is given, and how it reports."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.proxy.processes import GIB, MIB, RealEnvironment
from tests.bench.proxy.report import Line


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: sizes in bytes, times in seconds."""

    rounds: int
    memory_rounds: int
    wrk: int
    """Seconds of wrk on each target in each round."""
    attempts: int
    """Attempts at a visit of wrk, at most, if other processes disturb it."""
    large: int
    medium: int
    slow: float
    """Seconds that a slow reader or a slow sink is watched."""
    events: int
    status: float
    """Seconds of polling in each situation in each round."""

    @classmethod
    def full(cls, rounds: int) -> Scale:
        """Return the scale to which the targets apply."""
        memory = min(rounds, 3)
        return cls(rounds, memory, wrk=1, attempts=3, large=GIB, medium=64 * MIB, slow=8.0, events=100, status=2.0)

    @classmethod
    def quick(cls) -> Scale:
        """A smoke run: it shows that everything works, and its numbers are rough."""
        return cls(3, 1, wrk=1, attempts=1, large=128 * MIB, medium=16 * MIB, slow=1.5, events=30, status=0.3)

    def size(self, count: int) -> str:
        """Return ``count`` bytes for people."""
        return f"{count // GIB} GiB" if count >= GIB else f"{count // MIB} MiB"


@dataclass(frozen=True, slots=True)
class Run:
    """The arguments of a part: the running environment, the scale, the callback for each round, a random generator."""

    real_environment: RealEnvironment
    scale: Scale
    told: Callable[[int, int], None]
    chance: random.Random = field(default_factory=random.Random)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of measurement: ``estimate`` is how many seconds it takes."""

    name: str
    what: str
    measure: Callable[[Run], list[Line]]
    estimate: Callable[[Scale], float]
