"""Limits the number of calls to one API that run at once, and of those that wait (C28, C29).

Every API has a limiter of its own, so one that is slow or down delays no other. Within an API the callers take turns:
whoever signed in and the kernels are one caller, each worker grant is another, and has half of the places at most, so
that a cluster keeps no notebook waiting (ADR 62).
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Overloaded

RETRY_AFTER_SECONDS = 1.0
"""Seconds after which a caller that found the queue full may try again."""


class ConcurrencyLimiter:
    """Lets ``max_running`` calls run at once and up to ``max_waiting`` of each caller wait, the first one first.

    A caller is the id of a worker grant, or empty for every other call.
    """

    __slots__ = ("_max_of_grant", "_max_running", "_max_waiting", "_of_grants", "_queues", "_running")

    def __init__(self, max_running: int, max_waiting: int) -> None:
        self._max_running = max_running
        self._max_of_grant = max(1, max_running // 2)
        self._max_waiting = max_waiting
        self._running = 0
        self._of_grants: Counter[str] = Counter()
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def running(self) -> int:
        """The calls that have a place."""
        return self._running

    async def acquire(self, grant: str = "") -> None:
        """Take a place, or wait for one; raises ``Overloaded`` if too many calls of the same caller wait already."""
        if self._has_place(grant):
            self._take(grant)
            return
        queue = self._queues.setdefault(grant, deque())
        if len(queue) >= self._max_waiting:
            if not queue:
                del self._queues[grant]
            raise Overloaded(
                N_("Too many calls to the API{api_name} are waiting."),
                action=N_("Wait a moment, or make fewer calls at once."),
                retry_after=RETRY_AFTER_SECONDS,
            )
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._leave(grant, place)
            else:
                self.release(grant)  # a release gave a place to this call, which will not use it
            raise

    def release(self, grant: str = "") -> None:
        """Free a place; the caller whose turn it is takes it, with the call that has waited longest."""
        self._running -= 1
        if grant:
            self._of_grants[grant] -= 1
            if not self._of_grants[grant]:
                del self._of_grants[grant]
        for waiting in list(self._queues):
            if self._has_place(waiting) and self._give(waiting):
                return

    def _has_place(self, grant: str) -> bool:
        if self._running >= self._max_running:
            return False
        return not grant or self._of_grants[grant] < self._max_of_grant

    def _take(self, grant: str) -> None:
        self._running += 1
        if grant:
            self._of_grants[grant] += 1

    def _give(self, grant: str) -> bool:
        """Give a free place to the next call of the caller, who is the last in turn then; ``False`` if none takes it."""
        queue = self._queues.pop(grant)
        while queue:
            place = queue.popleft()
            if place.done():  # its call is being cancelled
                continue
            self._take(grant)
            place.set_result(None)
            if queue:
                self._queues[grant] = queue
            return True
        return False

    def _leave(self, grant: str, place: asyncio.Future[None]) -> None:
        """Forget a call that waits no more; a release in the same moment may have passed it over."""
        queue = self._queues.get(grant)
        if queue is not None and place in queue:
            queue.remove(place)
            if not queue:
                del self._queues[grant]
