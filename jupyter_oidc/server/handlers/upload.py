"""Passes a request body on: a short queue between tornado and the upstream client.

Its producer waits while the upstream is slower than the caller (back-pressure); a caller who stops sending, or
sends more than the API's settings allow, receives a problem.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.problems import ClientTooSlow
from jupyter_oidc.web.upload_limits import too_large

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from jupyter_oidc.problems import Problem
    from jupyter_oidc.web.upload_limits import UploadLimits

MAX_WAITING_PIECES: Final = 4
"""Pieces that wait for the upstream, of 64 KiB at most."""


class Upload:
    """One body; it calls ``abort`` with the problem when it cannot go on (C16, C17)."""

    def __init__(self, limits: UploadLimits, abort: Callable[[Problem], None]) -> None:
        self._limits = limits
        self.idle_timeout_seconds = limits.timeout_idle
        """Seconds that the upstream may take to read the next piece."""
        self._abort = abort
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING_PIECES)
        self._taken = asyncio.Event()
        self._received_bytes = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._start_idle_timer()

    def offer(self, piece: bytes) -> bool:
        """Queue a piece if there is room, and return whether there was; an empty one is the end."""
        self.stop()
        if self._queue.full():
            self._taken.clear()  # at once, so that a producer that waits in ``wait_for_room`` later misses no take
            return False
        self._received_bytes += len(piece)
        problem = too_large(self._limits, self._received_bytes)
        if problem is not None:
            self._abort(problem)
            return True
        self._queue.put_nowait(piece)
        if piece:
            self._start_idle_timer()
        return True

    async def wait_for_room(self) -> None:
        """Return when the upstream has taken a piece since :meth:`offer` returned false."""
        await self._taken.wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the queued pieces."""
        while piece := await self._queue.get():
            self._taken.set()
            yield piece

    def stop(self) -> None:
        """Stop waiting for the caller."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _start_idle_timer(self) -> None:
        self._idle_timer = asyncio.get_running_loop().call_later(
            self._limits.timeout_upload, self._abort, ClientTooSlow()
        )
