"""``api/{name}/{path}`` with ``Upgrade: websocket``: the WebSocket side of the proxy for tornado.

The upstream is opened first, so that a caller whom the API refuses never gets a socket here; then the messages go
through :mod:`jupyter_oidc.web.socket_relay`, which sees this handler as its client.
"""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from jupyter_oidc.proxy.ports import SocketRefused
from jupyter_oidc.server.handlers.proxied import ProxiedHandler
from jupyter_oidc.server.peer import is_half_closed
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.relay import CLIENT_ABORT, REFUSED
from jupyter_oidc.web.socket_relay import GOING_AWAY_CODE, SocketRelay, check_handshake, subprotocols_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.problems import Problem
    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.web.socket_relay import RelayedSocket


class ProxySocketHandler(ProxiedHandler, WebSocketHandler):
    """Joins the caller's socket and the API's."""

    def initialize(self, context: Context) -> None:
        """Prepare for a socket."""
        super().initialize(context)
        self._socket: RelayedSocket | None = None
        self._opening: asyncio.Task[Any] | None = None
        self._is_client_gone = False
        self._relay: SocketRelay | None = None
        self._is_joined = False
        self._is_answered = False

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

    @allow("user", "kernel", "worker", action="execute")
    async def get(self, *_: str) -> None:
        """Open the API's socket, then the caller's, whose handshake is checked first: a bad one sends no token."""
        check_handshake(self.request.method or "", self.request.headers)
        opened = await self._open_upstream(subprotocols_in(self.request.headers))
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
            if not self._is_joined:  # the handshake failed; otherwise ``on_close`` closes the API's side
                await opened.close(GOING_AWAY_CODE)

    async def _open_upstream(self, names: tuple[str, ...]) -> RelayedSocket | SocketRefused | None:
        """Open the API's socket; ``None`` if the caller went away, which tornado does not report again."""
        self._opening = asyncio.current_task()
        try:
            return await self.gateway.open_socket(self._received_call()[0], names)
        except asyncio.CancelledError:
            if not self._is_client_gone:
                raise
            if self._opening is not None and hasattr(self._opening, "uncancel"):
                self._opening.uncancel()
            return None
        finally:
            self._opening = None

    def open(self, *_: str, **__: str) -> None:
        """Begin to pass the messages on."""
        if self._socket is not None and self._record is not None:
            self._is_joined = True
            self._relay = SocketRelay(_HandlerClient(self), self._socket, self.background, self._record)
            self._relay.start()

    async def on_message(self, message: str | bytes) -> None:
        """Pass a message to the API; the next one is read when this one has been sent."""
        if self._relay is not None:
            await self._relay.pass_up(message)

    def on_close(self) -> None:
        """Close the API's side too, with the caller's reason; a handshake that is under way ends at once (C18)."""
        self._is_client_gone = True
        if self._opening is not None:
            self._opening.cancel()
        relay, self._relay = self._relay, None
        if relay is not None:
            relay.client_closed(self.close_code)

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
            answered = f"{self.get_status() // 100}xx" if self._is_answered else REFUSED
            if self._record is not None:
                self._record.write(self.get_status(), CLIENT_ABORT if self._is_client_gone else answered)

    def _take_headers(self, lines: Headers) -> None:
        """Answer with the API's headers, except those of a body: a handshake has none."""
        self._headers = headers = HTTPHeaders()
        self._new_cookie = SimpleCookie()  # NOTE: as in a proxied call, no header of Jupyter's goes with it
        if self.kernel_id is None and self.worker is None:
            self.set_cors_headers()
        for name, value in lines:
            if name.lower() not in ("content-length", "content-encoding", "content-type"):
                headers.add(name, value)


class _HandlerClient:
    """The caller's socket of one handler, for the relay."""

    __slots__ = ("_handler",)

    closed_error = WebSocketClosedError

    def __init__(self, handler: ProxySocketHandler) -> None:
        self._handler = handler

    def write_message(self, message: str | bytes) -> Awaitable[None]:
        """Send a message."""
        return self._handler.write_message(message, binary=isinstance(message, bytes))

    def close(self, code: int, reason: str = "") -> None:
        """Close the caller's side."""
        self._handler.close(code, reason or None)

    def has_left(self) -> bool:
        """Return whether the caller has closed its connection."""
        return is_half_closed(getattr(self._handler.ws_connection, "stream", None))

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the kernel of this call is over."""
        return self._handler.close_with_kernel(cut)
