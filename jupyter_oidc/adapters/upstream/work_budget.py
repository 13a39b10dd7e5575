"""Limits the work that a stream of an API may cause in one turn of the event loop (Q8.6, Q8.11).

The number of messages and chunks costs time, not their bytes: an API that answers in chunks of one byte, or that
pings without end, keeps its reader busy for as long as there is a next one, and a reader that never waits never
suspends. So the parser of a reply stops after a fixed number of chunks until they have been read, and every read of a
WebSocket, whether for a caller, for a ping or for a close, counts and suspends after a fixed number.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.compat.event_loop import read_bytes, set_read_bytes

if TYPE_CHECKING:
    import aiohttp

MAX_MESSAGES_PER_TURN: Final = 64
"""Messages of a WebSocket, pings and pongs among them, that are handled before other tasks run."""

MAX_MESSAGES_AFTER_CLOSE: Final = 256
"""Messages that an API may still have been sending when we closed; after more of them the connection is aborted."""

MAX_CHUNKS_PER_TURN: Final = 256
"""Chunks of a reply that are parsed before they have to be read."""

SMALL_PIECE_BYTES: Final = 4_096
"""Bytes of a piece of a reply after which the next piece waits for the next turn of the event loop."""

SOCKET_READ_BYTES: Final = 16_384
"""Bytes that a WebSocket takes from the network at a time: all frames in them are parsed at once."""


def limit_reads(transport: Any) -> None:
    """Let ``transport`` read ``SOCKET_READ_BYTES`` at a time, if it is one of asyncio's with that option."""
    if read_bytes(transport) > SOCKET_READ_BYTES:
        set_read_bytes(transport, SOCKET_READ_BYTES)


class BudgetedMessages:
    """The incoming messages of one WebSocket; every read counts.

    It stands between a socket of aiohttp and its queue, so that every reader is counted.
    """

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._left_in_turn = MAX_MESSAGES_PER_TURN
        self._left_after_close: int | None = None

    def closing(self) -> None:
        """Count towards ``MAX_MESSAGES_AFTER_CLOSE`` from now on."""
        if self._left_after_close is None:
            self._left_after_close = MAX_MESSAGES_AFTER_CLOSE

    async def read(self) -> Any:
        """Return the next message; raises ``ConnectionError`` if a closed socket's API does not stop sending."""
        if self._left_after_close is not None:
            self._left_after_close -= 1
            if self._left_after_close < 0:
                raise ConnectionError("the API goes on sending after the close")
        if self._left_in_turn == 0:
            self._left_in_turn = MAX_MESSAGES_PER_TURN
            await asyncio.sleep(0)
        self._left_in_turn -= 1
        return await self._queue.read()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


@cache
def budgeted_socket() -> type[aiohttp.ClientWebSocketResponse[Any]]:
    """Return the class of sockets that keep to the budget; aiohttp is imported at the first call."""
    import aiohttp

    class BudgetedSocket(aiohttp.ClientWebSocketResponse[Any]):
        """Reads through :class:`BudgetedMessages`."""

        def __init__(self, reader: Any, *rest: Any, **more: Any) -> None:
            self._messages = BudgetedMessages(reader)
            super().__init__(self._messages, *rest, **more)  # type: ignore[arg-type]  # NOTE: it only reads and feeds

        async def close(self, *, code: int = aiohttp.WSCloseCode.OK, message: bytes = b"") -> bool:
            """Close, and read at most the rest of the budget until the API has closed, too."""
            self._messages.closing()
            return await super().close(code=code, message=message)

    return BudgetedSocket
