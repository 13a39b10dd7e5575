"""The connection of a caller, as aiohttp has it, behind the methods that the relays of ``web`` ask for."""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jupyter_oidc.compat.aiohttp_server import OwnHeadersResponse
from jupyter_oidc.contract.version import BROKER_HEADER, CONTRACT_VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from jupyter_oidc.background import Background
    from jupyter_oidc.proxy.headers import Headers

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds that a caller has to answer the close of its WebSocket."""

_BODILESS: Final = frozenset({204, 304})


WatchCaller: TypeAlias = "Callable[[Callable[[], None]], Callable[[], None]]"
"""Calls a function when a caller may call no more, or now if that is so; returns the function that stops this."""


def watch_nothing(cut: Callable[[], None]) -> Callable[[], None]:
    """Watch nothing: the server of a kernel closes the connection when that is over."""
    del cut
    return _nothing


class LengthMismatch(Exception):
    """The body has another length than the head has announced."""


class ResponseClient:
    """Implements ``web.relay.Client`` for one request; ``response`` is the reply that it has begun.

    ``watch_caller`` watches the caller.
    """

    closed_error: type[Exception] = ConnectionResetError
    length_error: type[Exception] = LengthMismatch

    def __init__(self, request: web.BaseRequest, watch_caller: WatchCaller) -> None:
        self._request = request
        self._watch_caller = watch_caller
        self._left: int | None = None
        self.response: web.StreamResponse | None = None

    def write_whole(self, status: int, headers: Headers, body: bytes | None) -> asyncio.Future[None]:
        """Send a whole answer."""
        return asyncio.ensure_future(self._write_whole(status, headers, body))

    async def _write_whole(self, status: int, headers: Headers, body: bytes | None) -> None:
        response = self._begin(status, headers)
        if body is not None:
            if response.content_length not in (None, len(body)):
                raise LengthMismatch
            response.content_length = len(body)
        elif status not in _BODILESS and self._request.method != "HEAD":
            response.content_length = 0
        await response.prepare(self._request)
        await response.write_eof(body or b"")

    async def write_head(self, status: int, headers: Headers) -> None:
        """Send the head of an answer whose body follows in pieces."""
        response = self._begin(status, headers)
        self._left = response.content_length
        await response.prepare(self._request)
        await response.write(b"")

    async def write(self, piece: bytes) -> None:
        """Send a piece of the body."""
        if self._left is not None:
            self._left -= len(piece)
            if self._left < 0:
                raise LengthMismatch
        if self.response is not None:
            await self.response.write(piece)

    async def finish(self) -> None:
        """Send the end of the body."""
        if self._left:
            raise LengthMismatch
        if self.response is not None:
            await self.response.write_eof()

    def abort(self) -> None:
        """Close the connection in the middle."""
        if self.response is not None:
            self.response.force_close()
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the worker that calls may call no more."""
        return self._watch_caller(cut)

    def _begin(self, status: int, headers: Headers) -> web.StreamResponse:
        self.response = response = OwnHeadersResponse(status=status)
        for name, value in headers:
            response.headers.add(name, value)
        response.headers[BROKER_HEADER] = str(CONTRACT_VERSION)
        return response


class SocketClient:
    """Implements ``web.socket_relay.SocketClient`` for an open WebSocket; ``background`` owns its closes.

    ``watch_caller`` watches the caller.
    """

    closed_error: type[Exception] = ConnectionResetError

    def __init__(
        self,
        socket: web.WebSocketResponse,
        request: web.BaseRequest,
        background: Background,
        watch_caller: WatchCaller,
    ) -> None:
        self._socket = socket
        self._watch_caller = watch_caller
        self._request = request
        self._background = background

    def write_message(self, message: str | bytes) -> Awaitable[None]:
        """Send a message."""
        socket = self._socket
        return socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message)

    def close(self, code: int, reason: str = "") -> None:
        """Close the caller's side."""
        self._background.start(self._close(code, reason.encode()))

    def has_left(self) -> bool:
        """Return whether the caller has closed its connection."""
        transport = self._request.transport
        return transport is None or transport.is_closing() or _is_hung_up(transport.get_extra_info("socket"))

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the worker that calls may call no more."""
        return self._watch_caller(cut)

    async def _close(self, code: int, reason: bytes) -> None:
        closed: Any = self._socket.close(code=code, message=reason)
        await closed


def _nothing() -> None:
    """Stop no watch: none was begun."""


def _is_hung_up(connection: Any) -> bool:
    """Return whether the other end has closed ``connection``, which nobody reads now (poll(2))."""
    if connection is None or connection.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLHUP | getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))
