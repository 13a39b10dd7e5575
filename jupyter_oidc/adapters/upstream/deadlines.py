"""Limits the whole time that an API may take to be reached and to begin its answer (C15).

aiohttp limits the silence between two pieces; a deadline limits the whole, so one byte a second does not evade it.
Calls whose deadlines are equally long share one timer: they end in the order in which they begin, and a timer for each
call would cost more than all the rest of the deadline.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Deadlines:
    """Deadlines of ``seconds`` each, on the running loop."""

    __slots__ = ("_loop", "_running", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._running: dict[Deadline, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Deadline:
        """Return a deadline for the task that asks; the time counts from now."""
        deadline = Deadline(self)
        self.start(deadline)
        return deadline

    def start(self, deadline: Deadline) -> None:
        """Start ``deadline``, which must not be running."""
        self._running[deadline] = when = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(when, self._expire_due)

    def stop(self, deadline: Deadline) -> None:
        """Remove ``deadline``; the shared timer stays until it fires."""
        self._running.pop(deadline, None)

    def close(self) -> None:
        """Cancel the timer and forget all deadlines."""
        self._running.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire_due(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._running:
            first, when = next(iter(self._running.items()))
            if when > now:
                self._timer = self._loop.call_at(when, self._expire_due)
                return
            del self._running[first]
            first.expire()


class Deadline:
    """Cancels the task that began it when its time is over."""

    __slots__ = ("_deadlines", "_is_expired", "_is_stopped", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._task = asyncio.current_task()
        self._is_expired = False
        self._is_stopped = False

    async def after(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass ``body`` on; the time counts from its end."""
        self._deadlines.stop(self)
        async for chunk in body:
            yield chunk
        if not self._is_stopped:  # an answer may come before the end of the body
            self._deadlines.start(self)

    def stop(self) -> None:
        """Stop the deadline: it can no longer expire."""
        self._is_stopped = True
        self._deadlines.stop(self)

    def uncancel_if_expired(self) -> bool:
        """Return whether the deadline passed; if so, the cancellation was ours and is undone."""
        if self._is_expired and self._task is not None and hasattr(self._task, "uncancel"):
            self._task.uncancel()
        return self._is_expired

    def expire(self) -> None:
        """Mark the deadline as expired, and cancel its task."""
        self._is_expired = True
        if self._task is not None:
            self._task.cancel()
