"""``api/{name}/{path}``: the proxy's HTTP side; streams both ways and holds no policy.

The upstream call starts as soon as the request's headers are there, so a long upload flows through a short
queue with back-pressure, and nothing is collected in memory.
"""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Final

from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from jupyter_oidc.clock import utc_text
from jupyter_oidc.errors import BadPath, Problem, RequestInvalid
from jupyter_oidc.proxy.ports import CallRecord
from jupyter_oidc.proxy.service import ProxyRequest
from jupyter_oidc.proxy.target import without_reserved
from jupyter_oidc.server.door import door, door_of
from jupyter_oidc.server.handler import OidcHandler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.proxy.service import Answer
    from jupyter_oidc.server.handler import Context

WAITING_CHUNKS: Final = 4
"""Pieces of a request body that wait for the upstream; then the client has to wait (back-pressure)."""

_END: Final = b""


class _Upload:
    """A request body on its way up: a short queue between tornado and the upstream client."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING_CHUNKS)

    async def feed(self, chunk: bytes) -> None:
        await self._queue.put(chunk)

    async def chunks(self) -> AsyncIterator[bytes]:
        while chunk := await self._queue.get():
            yield chunk


class ProxyHandler(OidcHandler):
    """Passes one call on and its answer back."""

    def initialize(self, context: Context) -> None:
        """Prepare for a body that arrives piece by piece."""
        super().initialize(context)
        self._upload: _Upload | None = None
        self._answer: asyncio.Task[Answer] | None = None
        self._leaving: asyncio.Future[None] | None = None
        self._api = ""
        self._sent = 0

    async def prepare(self) -> None:  # type: ignore[override]  # NOTE: as APIHandler does
        """Authenticate, then start the upstream call while the body is still arriving."""
        await super().prepare()
        verb = getattr(self, (self.request.method or "").lower())
        declared = door_of(verb)
        if declared is None or declared.protection is not None:
            return
        await self.admit(declared)
        self._answer = asyncio.ensure_future(self.services.proxy.open(self._request()))

    async def data_received(self, chunk: bytes) -> None:  # type: ignore[override]  # NOTE: tornado takes either
        """Hand a piece of the body on; waits while the upstream is slower than the client."""
        if self._upload is None or self._answer is None or self._answer.done():
            return
        feeding = asyncio.ensure_future(self._upload.feed(chunk))
        await asyncio.wait([feeding, self._answer], return_when=asyncio.FIRST_COMPLETED)
        feeding.cancel()

    def on_connection_close(self) -> None:
        """The client went away: so does the upstream call (C18)."""
        super().on_connection_close()
        if self._answer is not None:
            if self._answer.done() and not self._answer.cancelled() and self._answer.exception() is None:
                self._leaving = asyncio.ensure_future(self._answer.result().upstream.drop())
            else:
                self._answer.cancel()

    @door("user", "kernel", action="execute")
    async def get(self, *_: str) -> None:
        """Pass a GET on."""
        await self._pass_on()

    @door("user", "kernel", action="execute")
    async def head(self, *_: str) -> None:
        """Pass a HEAD on."""
        await self._pass_on()

    @door("user", "kernel", action="execute")
    async def post(self, *_: str) -> None:
        """Pass a POST on."""
        await self._pass_on()

    @door("user", "kernel", action="execute")
    async def put(self, *_: str) -> None:
        """Pass a PUT on."""
        await self._pass_on()

    @door("user", "kernel", action="execute")
    async def patch(self, *_: str) -> None:
        """Pass a PATCH on."""
        await self._pass_on()

    @door("user", "kernel", action="execute")
    async def delete(self, *_: str) -> None:
        """Pass a DELETE on."""
        await self._pass_on()

    async def _pass_on(self) -> None:
        if self._upload is not None and self._answer is not None and not self._answer.done():
            ending = asyncio.ensure_future(self._upload.feed(_END))
            await asyncio.wait([ending, self._answer], return_when=asyncio.FIRST_COMPLETED)
        if self._answer is None:
            raise RequestInvalid
        try:
            answer = await self._answer
        except asyncio.CancelledError:
            return  # the client went away while the upstream was thinking
        await self._stream(answer)

    async def _stream(self, answer: Answer) -> None:
        self._begin_raw(answer)
        try:
            if self.request.method == "HEAD" or answer.status in (204, 304):
                await answer.upstream.drop()
            else:
                async for chunk in answer.upstream.chunks():
                    self.write(chunk)
                    self._sent += len(chunk)
                    await self.flush()
            await self.flush()
            await RequestHandler.finish(self)
        except StreamClosedError:
            await answer.upstream.drop()
        except Problem:
            self._break_off()

    def _begin_raw(self, answer: Answer) -> None:
        """Replace everything that Jupyter prepared by the API's own head: headers, cookie, compression."""
        self.clear()
        self._headers = HTTPHeaders()
        self._new_cookie = SimpleCookie()  # NOTE: a reply of an API never carries a cookie of Jupyter's
        self._transforms = []  # NOTE: what the upstream compressed stays so, what it did not stays so too (C21)
        self.set_status(answer.status)
        if self.kernel_id is None:
            self.set_cors_headers()
        for name, value in answer.headers:
            self.add_header(name, value)

    def _break_off(self) -> None:
        """End the connection in the middle, so that a truncated answer never looks complete (C19)."""
        connection = self.request.connection
        stream = getattr(connection, "stream", None)
        if stream is not None:
            stream.close()

    def on_finish(self) -> None:
        """Write the call to the audit trail once the answer is on its way."""
        super().on_finish()
        if self.context.services is None or not self._api:
            return
        now = self.context.services.clock.now()
        record = CallRecord(
            api=self._api,
            method=self.request.method or "",
            status=self.get_status(),
            bytes=self._sent,
            duration=round(self.request.request_time(), 6),
            caller="kernel" if self.kernel_id else "browser",
            kernel_id=self.kernel_id,
            at=utc_text(now.wall),
        )
        asyncio.get_running_loop().call_soon(self.context.services.journal.call, record)

    def _request(self) -> ProxyRequest:
        prefix = url_path_join(self.base_url, "jupyter-oidc", "api") + "/"
        raw_path = (self.request.uri or "").partition("?")[0]
        if not raw_path.startswith(prefix):
            raise BadPath
        name, slash, rest = raw_path[len(prefix) :].partition("/")
        if not slash:
            raise BadPath("An API is called with a slash after its name.")
        self.services.sessions.of_api(name)
        self._api = name
        length = self.request.headers.get("Content-Length")
        chunked = "Transfer-Encoding" in self.request.headers
        if chunked or (length is not None and length != "0"):
            self._upload = _Upload()
        return ProxyRequest(
            api=name,
            method=self.request.method or "",
            raw_path=rest,
            raw_query=without_reserved(self.request.query, self._is_reserved),
            headers=list(self.request.headers.get_all()),
            caller="kernel" if self.kernel_id else "browser",
            proxy_path=f"{prefix}{name}/",
            body=self._upload.chunks() if self._upload else None,
            length=int(length) if length and length.isdigit() and not chunked else None,
        )

    def _is_reserved(self, name: str, value: str) -> bool:
        """Jupyter's own parameters never reach an API: its token, and its XSRF value."""
        return name == "_xsrf" or (name == "token" and bool(self.token) and value == self.token)
