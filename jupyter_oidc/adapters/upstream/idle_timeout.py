"""Limits how long the API may send nothing of a reply while the caller waits for it (C15).

A whole reply has one timer, and none if it is there at once; time in which the caller does not read does not count.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class IdleTimeout:
    """Calls ``on_timeout`` when a wait between :meth:`start` and :meth:`pause` has taken ``seconds`` seconds."""

    __slots__ = ("_loop", "_on_timeout", "_seconds", "_timer", "_waiting_since")

    def __init__(self, seconds: float, on_timeout: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._on_timeout = on_timeout
        self._waiting_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start counting: the caller waits from now on."""
        self._waiting_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._check_elapsed)

    def pause(self) -> None:
        """Stop counting until :meth:`start`: the caller has received a piece."""
        self._waiting_since = None

    def stop(self) -> None:
        """Cancel the timer."""
        self._waiting_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_elapsed(self) -> None:
        since = self._loop.time() if self._waiting_since is None else self._waiting_since
        left = since + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._check_elapsed)
        else:
            self._timer = None
            self._on_timeout()
