"""Limits the number of calls to one API that run at once, and of those that wait (C28, C29).

Every API has a limiter of its own, so one that is slow or down delays no other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Overloaded

RETRY_AFTER_SECONDS = 1.0
"""Seconds after which a caller that found the queue full may try again."""


class ConcurrencyLimiter:
    """Lets ``max_running`` calls run at once and up to ``max_waiting`` more wait, the first one first."""

    __slots__ = ("_max_running", "_max_waiting", "_queue", "_running")

    def __init__(self, max_running: int, max_waiting: int) -> None:
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._running = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def running(self) -> int:
        """The calls that have a place."""
        return self._running

    async def acquire(self) -> None:
        """Take a place, or wait for one; raises ``Overloaded`` if too many wait already."""
        if self._running < self._max_running:
            self._running += 1
            return
        if len(self._queue) >= self._max_waiting:
            raise Overloaded(
                N_("Too many calls to the API{api_name} are waiting."),
                action=N_("Wait a moment, or make fewer calls at once."),
                retry_after=RETRY_AFTER_SECONDS,
            )
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):  # a release in the same moment has passed it over
                    self._queue.remove(place)
            else:
                self.release()  # a release gave a place to this call, which will not use it
            raise

    def release(self) -> None:
        """Free a place; the call that has waited longest takes it."""
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._running -= 1
