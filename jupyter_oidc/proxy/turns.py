"""Lets the calls of workers go on one after the other, so that a cluster does not slow the interface (ADR 62).

The server has one thread. Two hundred calls that start, or are answered, in the same round of its event loop would keep
everything else waiting until all of them have been looked at; one in each round keeps a page waiting for one.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Lets one of the calls that wait go on in each round of the event loop, the first one first."""

    __slots__ = ("_is_scheduled", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_scheduled = False

    async def take(self) -> None:
        """Wait for a round of one's own."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._give)
        await turn

    def _give(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else its call has been cancelled
                turn.set_result(None)
                break
        self._is_scheduled = bool(self._waiting)
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._give)
