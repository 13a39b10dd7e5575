"""A value that is read in a thread: how long a caller waits, what it gets meanwhile, and what a failure costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from jupyter_oidc.kernel.bounded_read import RETRY_AFTER_SECONDS, BoundedRead


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Source:
    """Counts its reads; ``gate`` keeps one waiting, ``failure`` makes it fail."""

    def __init__(self) -> None:
        self.reads = 0
        self.gate: threading.Event | None = None
        self.failure: Exception | None = None

    def __call__(self) -> int:
        self.reads += 1
        if self.gate is not None:
            self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        return self.reads


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


def test_a_value_is_read_once_while_it_is_young_enough() -> None:
    source, clock = Source(), Clock()
    read = BoundedRead(source, clock)
    assert [read.within(5.0, 60.0) for _ in range(3)] == [1, 1, 1]
    clock.seconds += 61
    assert read.within(5.0, 60.0) == 2


def test_nothing_is_read_before_it_is_asked_for() -> None:
    source = Source()
    read = BoundedRead(source)
    assert (read.held(), read.age_seconds(), source.reads) == (None, float("inf"), 0)


def test_a_caller_waits_as_long_as_it_wants_and_the_next_one_gets_the_value() -> None:
    source = Source()
    source.gate = threading.Event()
    read = BoundedRead(source)
    begun = time.monotonic()
    assert read.within(0.1) is None
    assert time.monotonic() - begun < 2
    source.gate.set()
    until(lambda: read.held() == 1)
    assert (read.within(0.0), source.reads) == (1, 1)


def test_callers_at_the_same_time_share_one_read() -> None:
    source = Source()
    source.gate = threading.Event()
    read = BoundedRead(source)
    assert [read.within(0.01) for _ in range(5)] == [None] * 5
    source.gate.set()
    until(lambda: read.held() == 1)
    assert source.reads == 1


@pytest.mark.parametrize("failure", [ValueError("x"), OSError(), RuntimeError()])
def test_a_failure_is_silent_and_is_repeated_after_a_while_only(
    capfd: pytest.CaptureFixture[str], failure: Exception
) -> None:
    source, clock = Source(), Clock()
    source.failure = failure
    read = BoundedRead(source, clock)
    assert [read.within(5.0) for _ in range(3)] == [None] * 3
    assert source.reads == 1
    clock.seconds += RETRY_AFTER_SECONDS
    source.failure = None
    assert read.within(5.0) == 2
    assert capfd.readouterr() == ("", "")


def test_an_expired_value_is_still_held_but_counts_as_old() -> None:
    read = BoundedRead(Source())
    read.keep(7)
    read.expire()
    assert (read.held(), read.held(1e9), read.age_seconds()) == (7, None, float("inf"))


def test_a_renewed_value_is_never_one_of_before() -> None:
    source, clock = Source(), Clock()
    read = BoundedRead(source, clock)
    read.keep(-1)
    clock.seconds += 1
    source.failure = ValueError()
    assert (read.renewed(5.0), read.held()) == (None, -1)
