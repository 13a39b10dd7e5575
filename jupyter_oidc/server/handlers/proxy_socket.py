"""``api/{name}/{path}`` with ``Upgrade: websocket``: messages pass both ways, one by one, with back-pressure.

The upstream is opened first, so that a caller whom the API refuses never gets a socket here.
"""

from __future__ import annotations

import asyncio
import re
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final

from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from jupyter_oidc.errors import Problem, RequestInvalid
from jupyter_oidc.proxy.ports import SocketRefused
from jupyter_oidc.server.handlers.proxied import ProxiedHandler
from jupyter_oidc.server.peer import PEER_CHECK_INTERVAL_SECONDS, is_half_closed
from jupyter_oidc.web.access_rule import allow

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.service import OpenSocket
    from jupyter_oidc.server.handler import Context

SIGNED_OUT_CODE: Final = 4401
"""Close code when the session ends while the socket is open (C27)."""

_GOING_AWAY_CODE: Final = 1001
_INTERNAL_ERROR_CODE: Final = 1011
_RESERVED_CODES: Final = frozenset({1004, 1005, 1006, 1015})
"""Codes that only report an event locally and may not be sent (RFC 6455, 7.4.1)."""


_KEY: Final = re.compile(r"[A-Za-z0-9+/]{22}==")
"""16 bytes in base64 (RFC 6455, 4.1)."""


class ProxySocketHandler(ProxiedHandler, WebSocketHandler):
    """Joins the caller's socket and the API's."""

    def initialize(self, context: Context) -> None:
        """Prepare for a socket."""
        super().initialize(context)
        self._socket: OpenSocket | None = None
        self._opening: asyncio.Task[Any] | None = None
        self._is_client_gone = False
        self._relay: asyncio.Task[None] | None = None
        self._sent = 0
        self._is_answered = False
        self._peer_timer: asyncio.TimerHandle | None = None
        self._stop_watching: Callable[[], None] | None = None

    @property
    def max_message_size(self) -> int:
        """Bytes of one message; a longer one closes the socket with 1009."""
        return self._socket.max_message_bytes if self._socket else 0

    def get_compression_options(self) -> None:
        """Pass messages on as they are."""

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose the subprotocol that the API chose."""
        del subprotocols  # the API has seen them
        return self._socket.upstream.subprotocol if self._socket else None

    @allow("user", "kernel", action="execute")
    async def get(self, *_: str) -> None:
        """Open the API's socket, then the caller's, whose handshake is checked first: a bad one sends no token."""
        _check_handshake(self.request.headers)
        wanted = self.request.headers.get("Sec-WebSocket-Protocol", "")
        names = tuple(name.strip() for name in wanted.split(",") if name.strip())
        opened = await self._open_upstream(names)
        if opened is None:
            return
        if isinstance(opened, SocketRefused):
            self._pass_refusal_on(opened)
            return
        self._socket = opened
        self._take_headers(opened.headers)
        try:
            await WebSocketHandler.get(self)
        finally:
            if self._relay is None:  # the handshake failed; otherwise ``on_close`` closes the API's side
                await opened.close(_GOING_AWAY_CODE)

    async def _open_upstream(self, names: tuple[str, ...]) -> OpenSocket | SocketRefused | None:
        """Open the API's socket; ``None`` if the caller went away, which tornado does not report again."""
        self._opening = asyncio.current_task()
        try:
            return await self.services.proxy.open_socket(self._proxy_request(), names)
        except asyncio.CancelledError:
            if not self._is_client_gone:
                raise
            if self._opening is not None and hasattr(self._opening, "uncancel"):
                self._opening.uncancel()
            return None
        finally:
            self._opening = None

    def open(self, *_: str, **__: str) -> None:
        """Begin to pass the API's messages on."""
        if self._socket is not None:
            self._relay = self.services.background.start(self._pass_down(self._socket))
            self._socket.on_session_end(self._close_at_session_end)
            self._stop_watching = self._close_with_kernel(self._close_at_kernel_end)

    async def on_message(self, message: str | bytes) -> None:
        """Pass a message to the API; the next one is read when this one has been sent."""
        if self._socket is not None:
            self._schedule_peer_check()
            try:
                await self._socket.upstream.send(message)
            except Problem:
                self.close(_INTERNAL_ERROR_CODE, "The API closed the connection.")
            finally:
                self._cancel_peer_check()

    def on_close(self) -> None:
        """Close the API's side too, with the caller's reason; a handshake that is under way ends at once (C18)."""
        self._is_client_gone = True
        if self._opening is not None:
            self._opening.cancel()
        if self._socket is None:
            return
        if self._relay is not None:
            self._relay.cancel()
        if self._stop_watching is not None:
            self._stop_watching()
        self._cancel_peer_check()
        self._close_upstream(self._socket, _sendable(self.close_code or _GOING_AWAY_CODE))
        self._record_call(101, self._sent, "websocket")

    def _close_at_session_end(self) -> None:
        """Close both sides at the end of the session: neither sends any more, even if the closes take long (S-5)."""
        self._end(SIGNED_OUT_CODE, "The session has ended.")

    def _close_at_kernel_end(self) -> None:
        """Close both sides at the end of the kernel; a process that it started may still hold the socket (Q8.12)."""
        self._end(_GOING_AWAY_CODE, "The kernel has ended.")

    def _end(self, code: int, reason: str) -> None:
        self.close(code, reason)
        if self._socket is not None:
            self._close_upstream(self._socket, _GOING_AWAY_CODE)

    def _close_upstream(self, socket: OpenSocket, code: int) -> None:
        self.services.background.start(socket.close(code))

    def _schedule_peer_check(self) -> None:
        self._peer_timer = asyncio.get_running_loop().call_later(PEER_CHECK_INTERVAL_SECONDS, self._check_peer)

    def _check_peer(self) -> None:
        """Check whether the caller is still connected: while a message waits for the API, no read would notice."""
        if not is_half_closed(getattr(self.ws_connection, "stream", None)):
            self._schedule_peer_check()
        elif self._socket is not None:
            self._close_upstream(self._socket, _GOING_AWAY_CODE)  # which ends the wait, too

    def _cancel_peer_check(self) -> None:
        if self._peer_timer is not None:
            self._peer_timer.cancel()
            self._peer_timer = None

    async def _pass_down(self, socket: OpenSocket) -> None:
        try:
            async for message in socket.upstream.messages():
                self._sent += len(message)
                await self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            return
        self.close(_sendable(socket.upstream.close_code or _INTERNAL_ERROR_CODE))

    def _pass_refusal_on(self, refused: SocketRefused) -> None:
        """Answer the handshake as the API did, without a body."""
        self._take_headers(refused.headers)
        self._is_answered = True
        self.set_status(refused.status)
        self.finish()

    def _log_refusal(self, status: int, problem: Problem | None) -> None:
        """Log our own refusals, not an answer of the API."""
        if not self._is_answered:
            super()._log_refusal(status, problem)

    def on_finish(self) -> None:
        """Count a handshake that led to no socket; one that did is counted when it closes."""
        super().on_finish()
        if self.get_status() != 101:
            answered = f"{self.get_status() // 100}xx" if self._is_answered else "refused"
            outcome = "client_abort" if self._is_client_gone else answered
            self._record_call(self.get_status(), 0, outcome)

    def _take_headers(self, lines: Headers) -> None:
        """Answer with the API's headers, except those of a body: a handshake has none."""
        self._headers = headers = HTTPHeaders()
        self._new_cookie = SimpleCookie()  # NOTE: as in a proxied call, no header of Jupyter's goes with it
        if self.kernel_id is None:
            self.set_cors_headers()
        for name, value in lines:
            if name.lower() not in ("content-length", "content-encoding", "content-type"):
                headers.add(name, value)


def _check_handshake(headers: HTTPHeaders) -> None:
    """Raise ``RequestInvalid`` for a handshake that cannot lead to a socket (RFC 6455, 4.2.1)."""
    connection = [name.strip().lower() for name in headers.get("Connection", "").split(",")]
    if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in connection:
        wrong = "connection"
    elif headers.get("Sec-WebSocket-Version") != "13":
        wrong = "version"
    elif not _KEY.fullmatch(headers.get("Sec-WebSocket-Key", "")):
        wrong = "key"
    else:
        return
    raise RequestInvalid("This is no WebSocket handshake of version 13.", detail=f"websocket.{wrong}")


def _sendable(code: int) -> int:
    return _INTERNAL_ERROR_CODE if code in _RESERVED_CODES or not 1000 <= code <= 4999 else code
