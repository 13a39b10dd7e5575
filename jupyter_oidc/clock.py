"""Reads the clocks of the operating system; no other module does.

Everything below ``adapters`` receives a :class:`Clock` or a :class:`Moment` and never imports ``time`` or
``datetime.now``; a law holds that.
Two times are kept apart on purpose: *wall* time to compare with other machines' times, *monotonic* time
to measure how long something has been going on, because the wall clock can jump and the monotonic clock
can stand still while a laptop sleeps.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import NamedTuple, Protocol


class Moment(NamedTuple):
    """One reading of both clocks, in seconds: ``wall`` since 1970 UTC, ``monotonic`` since an arbitrary start."""

    wall: float
    monotonic: float

    def later(self, seconds: float) -> Moment:
        """Return the moment ``seconds`` after this one on both clocks."""
        return Moment(self.wall + seconds, self.monotonic + seconds)


class Clock(Protocol):
    """Returns the current :class:`Moment`: the system's clock, or a frozen one in tests."""

    def now(self) -> Moment:
        """Return the current moment."""
        ...


class SystemClock:
    """The clock of this machine."""

    __slots__ = ()

    def now(self) -> Moment:
        """Read both system clocks."""
        return Moment(time.time(), time.monotonic())


def utc_text(wall: float) -> str:
    """Write ``wall`` (seconds since 1970) as ``2026-11-23T09:00:00Z``, whole seconds, UTC."""
    return datetime.fromtimestamp(int(wall), tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
