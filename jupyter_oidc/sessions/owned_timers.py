"""Keeps the timers of one session service, so that none is left when the service has closed.

A timer refers to what it calls, and thereby to a whole service with its tokens; a sign-in's own timer runs for ten
minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.sessions.ports import Cancellable, Scheduler


class OwnedTimers:
    """Implements ``Scheduler`` over ``scheduler``, for the parts of one service."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._timers: set[_OwnedTimer] = set()
        self._closed = False

    def after(self, seconds: float, callback: Callable[[], None]) -> Cancellable:
        """Call ``callback`` after ``seconds``, unless this is closed then."""
        timer = _OwnedTimer(self._timers, callback)
        if not self._closed:
            timer.start(self._scheduler, seconds)
        return timer

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``; the task that waits is cancelled by its own owner."""
        await self._scheduler.sleep(seconds)

    def close(self) -> None:
        """Cancel every timer, and start none any more."""
        self._closed = True
        for timer in tuple(self._timers):
            timer.cancel()


class _OwnedTimer:
    """One timer; it is among ``timers`` until it has fired or was cancelled."""

    __slots__ = ("_callback", "_inner", "_timers")

    def __init__(self, timers: set[_OwnedTimer], callback: Callable[[], None]) -> None:
        self._timers = timers
        self._callback: Callable[[], None] | None = callback
        self._inner: Cancellable | None = None

    def start(self, scheduler: Scheduler, seconds: float) -> None:
        self._timers.add(self)
        self._inner = scheduler.after(seconds, self._fire)

    def cancel(self) -> None:
        """Stop it; stopping twice is no error."""
        inner, self._inner, self._callback = self._inner, None, None
        self._timers.discard(self)
        if inner is not None:
            inner.cancel()

    def _fire(self) -> None:
        callback = self._callback
        self._inner = self._callback = None
        self._timers.discard(self)
        if callback is not None:
            callback()
