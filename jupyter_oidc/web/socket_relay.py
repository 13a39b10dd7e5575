"""Passes the messages of a WebSocket both ways, one by one, with back-pressure, for every front.

The end of the session or of the caller's kernel closes both sides (C27, Q8.12), and so does the close of one of them,
with its code.
It refuses to open anything: a front opens the API's socket first, so that a refused caller never gets one.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, Protocol

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Problem, RequestInvalid
from jupyter_oidc.web.relay import PEER_CHECK_INTERVAL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from jupyter_oidc.background import Background
    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import UpstreamSocket
    from jupyter_oidc.web.relay import Record

SIGNED_OUT_CODE: Final = 4401
"""Close code when the session ends while the socket is open (C27)."""

GOING_AWAY_CODE: Final = 1001
INTERNAL_ERROR_CODE: Final = 1011

_KEY: Final = re.compile(r"[A-Za-z0-9+/]{22}==")
"""16 bytes in base64 (RFC 6455, 4.1)."""

_SWITCHING_PROTOCOLS: Final = 101
_RESERVED_CODES: Final = frozenset({1004, 1005, 1006, 1015})
"""Codes that only report an event locally and may not be sent (RFC 6455, 7.4.1)."""


class SocketClient(Protocol):
    """The WebSocket of a caller, as a front gives it to the relay."""

    @property
    def closed_error(self) -> type[Exception]:
        """The exception of the front's framework for a socket that is closed."""
        ...

    def write_message(self, message: str | bytes) -> Awaitable[None]:
        """Send a message; done when there is room for the next one."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Close the caller's side."""
        ...

    def has_left(self) -> bool:
        """Return whether the caller has closed its connection, even if no read has noticed it."""
        ...

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the caller's kernel is over, or now if it is; return the function that stops this."""
        ...


class RelayedSocket(Protocol):
    """The WebSocket to an API: of the proxy (:class:`~jupyter_oidc.proxy.service.OpenSocket`), or through a broker."""

    @property
    def headers(self) -> Headers:
        """The headers of the handshake, for the caller."""
        ...

    @property
    def max_message_bytes(self) -> int:
        """Bytes of one message."""
        ...

    @property
    def upstream(self) -> UpstreamSocket:
        """The open socket."""
        ...

    def on_session_end(self, close_stream: Callable[[], None]) -> None:
        """Call ``close_stream`` when the session ends on purpose, or now if it has."""
        ...

    async def close(self, code: int) -> None:
        """Close the API's side with ``code``; closing twice is no error."""
        ...


class SocketRelay:
    """Joins the ``client``'s socket and the API's ``socket``, from the caller's handshake to the close."""

    def __init__(self, client: SocketClient, socket: RelayedSocket, background: Background, record: Record) -> None:
        self._client = client
        self._socket = socket
        self._background = background
        self._record = record
        self._peer_timer: asyncio.TimerHandle | None = None
        self._passing_down: asyncio.Task[None] | None = None
        self._stop_watching: Callable[[], None] = _nothing

    def start(self) -> None:
        """Begin to pass messages on; after an error in here the front calls :meth:`client_closed` as after any other."""
        self._passing_down = self._background.start(self._pass_down())
        self._socket.on_session_end(self._close_at_session_end)
        self._stop_watching = self._client.watch_caller(self._close_at_kernel_end)

    async def pass_up(self, message: str | bytes) -> None:
        """Pass a message to the API; the front reads the next one when this one has been sent."""
        self._schedule_peer_check()
        try:
            await self._socket.upstream.send(message)
        except Problem:
            self._client.close(INTERNAL_ERROR_CODE, "The API closed the connection.")
        finally:
            self._cancel_peer_check()

    def client_closed(self, code: int | None) -> None:
        """Close the API's side too, with the caller's ``code``; the front calls this once."""
        if self._passing_down is not None:
            self._passing_down.cancel()
        self._stop_watching()
        self._cancel_peer_check()
        self._close_upstream(_sendable(code or GOING_AWAY_CODE))
        self._record.write(_SWITCHING_PROTOCOLS, "websocket")

    async def _pass_down(self) -> None:
        upstream = self._socket.upstream
        try:
            async for message in upstream.messages():
                self._record.sent_bytes += len(message)
                await self._client.write_message(message)
        except self._client.closed_error:
            return
        self._client.close(_sendable(upstream.close_code or INTERNAL_ERROR_CODE))

    def _close_at_session_end(self) -> None:
        """Close both sides at the end of the session: neither sends any more, even if the closes take long (S-5)."""
        self._end(SIGNED_OUT_CODE, "The session has ended.")

    def _close_at_kernel_end(self) -> None:
        """Close both sides at the end of the kernel; a process that it started may still hold the socket (Q8.12)."""
        self._end(GOING_AWAY_CODE, "The kernel has ended.")

    def _end(self, code: int, reason: str) -> None:
        self._client.close(code, reason)
        self._close_upstream(GOING_AWAY_CODE)

    def _close_upstream(self, code: int) -> None:
        self._background.start(self._socket.close(code))

    def _schedule_peer_check(self) -> None:
        self._peer_timer = asyncio.get_running_loop().call_later(PEER_CHECK_INTERVAL_SECONDS, self._check_peer)

    def _check_peer(self) -> None:
        """Check whether the caller is still connected: while a message waits for the API, no read would notice."""
        if self._client.has_left():
            self._close_upstream(GOING_AWAY_CODE)  # which ends the wait, too
        else:
            self._schedule_peer_check()

    def _cancel_peer_check(self) -> None:
        if self._peer_timer is not None:
            self._peer_timer.cancel()
            self._peer_timer = None


def _nothing() -> None:
    """Stop no watch: none was begun."""


def _sendable(code: int) -> int:
    return INTERNAL_ERROR_CODE if code in _RESERVED_CODES or not 1000 <= code <= 4999 else code


def subprotocols_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the subprotocols that a caller offers, in order (RFC 6455, 4.1)."""
    offered = headers.get("Sec-WebSocket-Protocol", "").split(",")
    return tuple(name.strip() for name in offered if name.strip())


def check_handshake(method: str, headers: Mapping[str, str]) -> None:
    """Raise ``RequestInvalid`` for a handshake that cannot lead to a socket (RFC 6455, 4.2.1)."""
    connection = [name.strip().lower() for name in headers.get("Connection", "").split(",")]
    if method != "GET":
        wrong = "method"
    elif headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in connection:
        wrong = "connection"
    elif headers.get("Sec-WebSocket-Version") != "13":
        wrong = "version"
    elif not _KEY.fullmatch(headers.get("Sec-WebSocket-Key", "")):
        wrong = "key"
    else:
        return
    raise RequestInvalid(N_("This is no WebSocket handshake of version 13."), detail=f"websocket.{wrong}")
