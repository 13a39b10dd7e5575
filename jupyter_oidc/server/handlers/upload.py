"""A request body on its way through: a short queue between tornado and the upstream client.

Whoever feeds it waits while the upstream is slower than the caller (back-pressure); a caller who stops sending, or
sends more than the API's settings allow, is told so.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.errors import BodyTooLarge, ClientTooSlow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from jupyter_oidc.errors import Problem
    from jupyter_oidc.settings import Api

MAX_WAITING_PIECES: Final = 4
"""Pieces that wait for the upstream, of 64 KiB at most."""


class Upload:
    """One body; ``give_up`` is called with the problem when it cannot go on (C16, C17)."""

    def __init__(self, api: Api, give_up: Callable[[Problem], None]) -> None:
        self._limit = api.max_request_bytes
        self._patience = api.timeout_upload
        self.longest_wait = api.timeout_idle
        """Seconds that the upstream may take to read the next piece."""
        self._give_up = give_up
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING_PIECES)
        self._taken = asyncio.Event()
        self._received = 0
        self._silence: asyncio.TimerHandle | None = None
        self._watch()

    def offer(self, piece: bytes) -> bool:
        """Take a piece if there is room for it; an empty one is the end."""
        self.stop()
        if self._queue.full():
            self._taken.clear()  # at once, so that nothing taken before somebody waits in ``room`` is missed
            return False
        self._received += len(piece)
        if self._limit is not None and self._received > self._limit:
            self._give_up(BodyTooLarge())
            return True
        self._queue.put_nowait(piece)
        if piece:
            self._watch()
        return True

    async def room(self) -> None:
        """Return when the upstream has taken something since a piece was turned down."""
        await self._taken.wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what was fed."""
        while piece := await self._queue.get():
            self._taken.set()
            yield piece

    def stop(self) -> None:
        """Stop waiting for the caller."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _watch(self) -> None:
        self._silence = asyncio.get_running_loop().call_later(self._patience, self._give_up, ClientTooSlow())
