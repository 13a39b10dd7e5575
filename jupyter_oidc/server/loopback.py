"""A listener on this machine for one sign-in: the browser comes back to it, and it closes afterwards.

It serves one path under one name to one browser, by the functions of the callback route, so that the same checks hold
(RFC 8252, 7.3; A33).
It answers any other request with an empty page, and lets none reach the rest of the Jupyter server.
"""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from tornado.httpserver import HTTPServer
from tornado.routing import Router
from tornado.web import RequestHandler

from jupyter_oidc.adapters.network.loopback_sockets import listen_on_loopback
from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
    from tornado.web import Application

    from jupyter_oidc.sessions.api import SessionApi, SignIn

_IDLE_TIMEOUT_SECONDS: Final = 20.0
"""Seconds for which a connection may stay without a request."""

_LAST_PAGE_SECONDS: Final = 5.0
"""Seconds for which the page at the end can still be fetched."""

_MAX_ENDED_LISTENERS: Final = 4
"""Listeners of finished sign-ins that stay open for their last page; beyond that, the oldest closes."""

_MAX_HEADER_BYTES: Final = 16_384


class _NotFoundHandler(RequestHandler):
    """Answers any other request without a log line, because a stray address may hold a code."""

    def prepare(self) -> None:
        self.set_status(404)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def check_xsrf_cookie(self) -> None:
        """Check no token: every method is answered alike."""

    def _log(self) -> None:
        """Write no log."""


class LoopbackListener(Router):
    """The listener for ``sign_in``; ``home`` is the address of JupyterLab for that browser."""

    def __init__(self, sessions: SessionApi, sign_in: SignIn, *, home: str, nonce: str) -> None:
        self.provider = sign_in.provider
        self.flow = sign_in.flow
        self.home = home
        self.is_over = False
        self._sessions = sessions
        self._seconds = sign_in.expires_in
        self.redirect_uri = ""
        self.last_page_shown = asyncio.Event()
        self._nonce: str | None = nonce
        self._server = HTTPServer(
            self,
            no_keep_alive=True,  # so that few connections are open when the listener closes
            idle_connection_timeout=_IDLE_TIMEOUT_SECONDS,
            max_header_size=_MAX_HEADER_BYTES,
            max_body_size=0,
        )
        self._application: Application | None = None
        self._handler: type[RequestHandler] = _NotFoundHandler
        self._handler_kwargs: dict[str, Any] = {}
        self.close_task: asyncio.Task[None] | None = None

    def open(self, application: Application, handler: type[RequestHandler], given: dict[str, Any], uri: str) -> str:
        """Listen at ``uri`` and return the address to which the browser goes first.

        ``handler`` serves the one path, with the settings of ``application``; the listener closes with the sign-in.
        """
        parts = urlsplit(uri)
        host = parts.hostname or ""
        sockets, port = listen_on_loopback(host, parts.port)
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.redirect_uri = urlunsplit(("http", netloc, parts.path or "/", "", ""))
        self._application, self._handler, self._handler_kwargs = application, handler, given
        self._server.add_sockets(sockets)
        self.close_task = asyncio.get_running_loop().create_task(self._close_in_time())
        return f"{self.redirect_uri}?start={self._nonce}"

    def consume_nonce(self, nonce: str) -> bool:
        """Return whether ``nonce`` is the one for this browser; it is good once."""
        known, matches = (
            self._nonce,
            self._nonce is not None and hmac.compare_digest(self._nonce.encode(), nonce.encode()),
        )
        self._nonce = None if matches else known
        return matches

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> HTTPMessageDelegate | None:
        """Return the handler for GET requests of our path under our name.

        Any other request gets ``_NotFoundHandler``.
        """
        application = self._application
        if application is None:
            return None
        ours = urlsplit(self.redirect_uri)
        wanted = (request.method, request.host, request.path) == ("GET", ours.netloc, ours.path)
        if wanted:
            return application.get_handler_delegate(request, self._handler, self._handler_kwargs)
        return application.get_handler_delegate(request, _NotFoundHandler)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self._server.stop()
        await self._server.close_all_connections()

    async def aclose(self) -> None:
        """Close now, even during the sign-in."""
        if self.close_task is not None:
            self.close_task.cancel()
            with suppress(asyncio.CancelledError):
                await self.close_task

    async def cancel_sign_in(self) -> None:
        """Cancel the sign-in, unless it is known no more."""
        with suppress(Problem):
            await self._sessions.cancel_sign_in(self.provider, self.flow)

    async def _close_in_time(self) -> None:
        try:
            with suppress(Problem, asyncio.TimeoutError):
                sign_in = await self._sessions.sign_in(self.provider, self.flow, wait_seconds=self._seconds)
                self.is_over = True
                if sign_in.state != "waiting":
                    await asyncio.wait_for(self.last_page_shown.wait(), _LAST_PAGE_SECONDS)
        finally:
            await self.close()


class LoopbackListeners:
    """The listeners that are open."""

    def __init__(self) -> None:
        self._open: dict[LoopbackListener, None] = {}

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._open)

    def __iter__(self) -> Iterator[LoopbackListener]:
        """Return those that listen, the oldest first."""
        return iter(tuple(self._open))

    async def open(
        self,
        application: Application,
        handler: type[RequestHandler],
        given: dict[str, Any],
        listener: LoopbackListener,
        *,
        uri: str,
    ) -> str:
        """Open ``listener`` and return the address to which the browser goes first.

        A fixed port has room for one: the sign-in that has it is cancelled, since the user began another one.
        """
        port = urlsplit(uri).port
        for other in [other for other in self._open if port is not None and urlsplit(other.redirect_uri).port == port]:
            await other.cancel_sign_in()
            await other.aclose()
        ended = [other for other in self._open if other.is_over]
        for other in ended[: max(0, len(ended) - _MAX_ENDED_LISTENERS)]:
            await other.aclose()
        first = listener.open(application, handler, given, uri)
        self._open[listener] = None
        if listener.close_task is not None:
            listener.close_task.add_done_callback(lambda _: self._open.pop(listener, None))
        return first

    async def aclose(self) -> None:
        """Close all of them."""
        for listener in list(self._open):
            await listener.aclose()
