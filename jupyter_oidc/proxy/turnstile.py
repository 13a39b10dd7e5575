"""How many calls to one API may be on their way at once, and how many may wait (C28, C29).

Every API has a turnstile of its own, so one that is slow or down holds up nobody else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from jupyter_oidc.errors import Overloaded

RETRY_AFTER = 1.0
"""Seconds after which a call that found the queue full is worth another try."""


class Turnstile:
    """Lets ``most`` callers in at once and up to ``waiting`` more wait, the first one first."""

    __slots__ = ("_inside", "_most", "_queue", "_waiting")

    def __init__(self, most: int, waiting: int) -> None:
        self._most = most
        self._waiting = waiting
        self._inside = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Come in, or wait for it; raises ``Overloaded`` if too many wait already."""
        if self._inside < self._most:
            self._inside += 1
            return
        if len(self._queue) >= self._waiting:
            raise Overloaded(
                "Too many calls to this API are waiting.",
                action="Wait a moment, or make fewer calls at once.",
                retry_after=RETRY_AFTER,
            )
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):  # whoever left in the same moment has passed it over
                    self._queue.remove(place)
            else:
                self.leave()  # somebody handed over a place that nobody will use
            raise

    def leave(self) -> None:
        """Make room; whoever waits longest comes in."""
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._inside -= 1
