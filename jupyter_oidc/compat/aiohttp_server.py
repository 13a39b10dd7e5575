"""Private names of aiohttp's server: the headers that it adds to a reply, and what is made for a new connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from asyncio import BaseTransport, TimerHandle
    from collections.abc import Callable

    from aiohttp import StreamReader

SEEN: Final = ("3.14.0", "3.14.5")


class OwnHeadersResponse(web.StreamResponse):
    """A reply that has the headers it was given, and those of the connection, and no others.

    By itself aiohttp names its version, and calls a body without a type ``application/octet-stream``.
    """

    async def _prepare_headers(self) -> None:
        added = {"Content-Type", "Server", "Date"} - {name.title() for name in self.headers}
        await super()._prepare_headers()
        for name in added:
            self.headers.popall(name, None)


HEAD_TIMEOUT_SECONDS: Final = 10.0
"""Seconds from the beginning of a connection to the end of its first head."""

MAX_HEAD_BYTES: Final = 65_536
"""Bytes of one head, all its lines together."""

MAX_WAITING_HEADS: Final = 1
"""Heads that a connection may have sent before the answer to the one before; our own client sends none."""


class CountedConnection(web.RequestHandler):
    """A connection that is closed at once if ``admit`` refuses it; see :func:`counted_server`.

    So is one whose first head is late or too long, and one that sends heads faster than they are answered.
    """

    __slots__ = ("_admit", "_deadline", "_head_bytes", "_head_seconds", "_newest", "_release")

    def __init__(
        self, server: web.Server, admit: Callable[[BaseTransport], Callable[[], None] | None], head_seconds: float
    ) -> None:
        made: Any = server
        super().__init__(server, loop=made._loop, **made._kwargs)
        self._admit = admit
        self._head_seconds = head_seconds
        self._release: Callable[[], None] | None = None
        self._deadline: TimerHandle | None = None
        self._head_bytes = 0
        self._newest: tuple[Any, StreamReader] | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Count the connection."""
        self._release = self._admit(transport)
        super().connection_made(transport)
        self._deadline = self._loop.call_later(self._head_seconds, self._abort)
        if self._release is None:
            self._abort()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        super().data_received(data)
        waiting = len(self._messages)
        newest = self._messages[-1] if waiting else self._newest
        has_new_head, self._newest = newest is not self._newest, newest
        # NOTE: the task that takes a request begins later, and one that is refused early leaves its body to come.
        has_body_to_come = newest is not None and not newest[1].is_eof()
        is_no_head = has_new_head or has_body_to_come or self._upgraded or self._payload_parser is not None
        self._head_bytes = 0 if is_no_head else self._head_bytes + len(data)
        if self._deadline is not None and (waiting or self._current_request is not None):
            self._deadline.cancel()
            self._deadline = None
        if waiting > MAX_WAITING_HEADS or self._head_bytes > MAX_HEAD_BYTES:
            self._abort()

    def _abort(self) -> None:
        transport: Any = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it no more."""
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()
        release, self._release = self._release, None
        if release is not None:
            release()


def counted_server(
    server: web.Server,
    admit: Callable[[BaseTransport], Callable[[], None] | None],
    *,
    head_seconds: float = HEAD_TIMEOUT_SECONDS,
) -> Callable[[], CountedConnection]:
    """Return a factory of connections for ``server`` that closes at once each one that ``admit`` refuses.

    ``admit`` returns the function that is called when the connection is lost.
    """
    return lambda: CountedConnection(server, admit, head_seconds)
