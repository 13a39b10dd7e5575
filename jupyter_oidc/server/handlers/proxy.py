"""``api/{name}/{path}``: the proxy's HTTP side for tornado; it holds no policy.

The answer goes through :mod:`jupyter_oidc.web.relay`, which sees this handler as its client.

A call without a body costs little: one coroutine, no task, no timer but the deadline, no log line.
An upload starts the upstream call as soon as the request's headers are there, so that it flows through a short queue
with back-pressure, and is never collected in memory.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final

from tornado.httputil import HTTPHeaders, HTTPOutputError
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from jupyter_oidc.compat.tornado import (
    awaits_body,
    awaits_no_body,
    close_after_reply,
    end_body_wait,
    end_written_answer,
)
from jupyter_oidc.language import N_
from jupyter_oidc.problems import ClientTooSlow, GrantInvalid, Problem, UpstreamTimeout
from jupyter_oidc.server.handlers.proxied import ProxiedHandler
from jupyter_oidc.server.handlers.upload import Upload
from jupyter_oidc.server.peer import is_half_closed, reset_on_close
from jupyter_oidc.server.response_headers import response_headers
from jupyter_oidc.server.whole_answer import stays_open, write_whole_answer
from jupyter_oidc.sessions.delegation import ended
from jupyter_oidc.web.access_rule import access_rule_of, allow
from jupyter_oidc.web.relay import CLIENT_ABORT, PEER_CHECK_INTERVAL_SECONDS, REFUSED, UNSENT_STATUS, Relay
from jupyter_oidc.web.upload_limits import too_large

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.request import Person
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.web.relay import RelayedAnswer

UNLIMITED_BODY_BYTES: Final = 1 << 62
"""Bytes; the API's settings limit an upload, not Jupyter's limit for memory."""

MAX_DRAINED_BYTES: Final = 1_048_576
"""Bytes of an upload that are read and dropped so that the client can read the refusal."""

UPLOAD_REST_TIMEOUT_SECONDS: Final = 30.0
"""Seconds for the rest of an upload whose answer is complete."""

_END_OF_BODY: Final = b""


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call of ``api`` by a kernel that ended in ``error`` on the fast path; ``api`` is empty if there is none.

    ``person`` is that of the token that the call carried.

    The fast path has authenticated the caller, which is not authenticated twice: a grant that ended meanwhile would
    turn the result of the call into "nothing was sent", and clients would send it again (C14).
    """

    kernel_id: str
    api: str
    error: Exception
    person: Person | None = None


class ProxyHandler(ProxiedHandler):
    """Passes one call on and its answer back."""

    max_drained_bytes = MAX_DRAINED_BYTES

    def initialize(self, context: Context, refused: RefusedCall | None = None) -> None:
        """Prepare for a body that arrives piece by piece, or for answering a call that was ``refused`` already."""
        super().initialize(context)
        self._refused = refused
        self._upload: Upload | None = None
        self._upstream_call: asyncio.Task[RelayedAnswer] | None = None
        self._relay: Relay | None = None
        self._is_client_gone = False
        self._abort_problem: Problem | None = None
        self.remaining_body: asyncio.Future[None] | None = None
        self._drained_bytes = 0
        self._unwatch_kernel: Callable[[], None] | None = None

    # -- defaults of Jupyter that an API's answer does not get ---------------------------------------------

    def clear(self) -> None:
        """Begin without Jupyter's default headers; an answer gets those of the API, an error sets its own."""
        self._headers = HTTPHeaders()
        self._write_buffer: list[bytes] = []
        self._status_code = 200
        self._reason = "OK"

    def set_secure_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        """Set no cookie: a reply of an API never carries one of Jupyter's."""

    set_signed_cookie = set_secure_cookie

    def set_etag_header(self) -> None:
        """Leave the ``ETag`` to the API."""

    def check_etag_header(self) -> bool:
        """Leave conditional requests to the API."""
        return False

    # -- the request ---------------------------------------------------------------------------------------

    async def _authenticate(self) -> None:
        """Authenticate; start the upstream call of an upload while its body is still arriving."""
        if self._refused is not None:
            self._take_over(self._refused)
            raise self._refused.error
        await super()._authenticate()
        rule = access_rule_of(getattr(self, (self.request.method or "").lower()))
        if rule is None or rule.protection is not None:
            return
        await self.admit(rule)
        if "Transfer-Encoding" in self.request.headers:
            self._begin_upload(None)
        elif self.request.headers.get("Content-Length", "0") != "0":
            self._begin_upload(self.declared_length)

    def _take_over(self, refused: RefusedCall) -> None:
        """Go on with a call of a kernel that the fast path has authenticated."""
        self._set_kernel_user(refused.kernel_id)
        if refused.api:
            self._record = self._new_record(self.services, refused.api, refused.person)

    def _body_is_awaited(self) -> bool:
        """Return whether a public verb waits for a body; an upload has its own time limits."""
        return self._is_public() and super()._body_is_awaited()

    def _begin_upload(self, length: int | None) -> None:
        asked, record = self._received_call()
        gateway = self.gateway
        limits = gateway.upload_limits(asked)
        problem = too_large(limits, length)
        if problem is not None:
            raise problem
        connection: Any = self.request.connection
        connection.set_max_body_size(UNLIMITED_BODY_BYTES)
        self._upload = Upload(limits, self._abort_upload)
        request = asked._replace(body=self._upload.pieces(), length=length)
        self._unwatch_kernel = self.close_with_kernel(
            lambda: self._abort_upload(GrantInvalid(detail="grant.kernel_gone") if self.worker is None else ended())
        )
        self._upstream_call = asyncio.ensure_future(gateway.open(request))
        self._relay = Relay(record)
        self._relay.opening = self._upstream_call
        self._upstream_call.add_done_callback(self._upstream_answered)

    def _upstream_answered(self, upstream_call: asyncio.Task[RelayedAnswer]) -> None:
        """Pass on an answer that came before the end of the upload; a refusal of ours waits for a small rest."""
        if not _is_answered(upstream_call):
            problem = None if upstream_call.cancelled() else upstream_call.exception()
            if self.context.broker is not None and isinstance(problem, Problem):
                self._end_refused_upload(problem)
            return
        if self._is_client_gone:
            upstream_call.result().close()  # the client left at the same time, and the verb will not run any more
        else:
            self._stop_reading_body()

    def _end_refused_upload(self, problem: Problem) -> None:
        """Answer the refusal of a broker, which is the one that waits for the caller; a small rest has some seconds."""
        if isinstance(problem, ClientTooSlow):
            self._stop_reading_body(problem)
        else:
            seconds = self.context.max_drain_seconds
            self._drain_timer = asyncio.get_running_loop().call_later(seconds, self._stop_reading_body, problem)

    async def data_received(self, chunk: bytes) -> None:  # type: ignore[override]  # NOTE: tornado takes either
        """Hand a piece of the body on; waits while the upstream is slower than the client."""
        if self._upstream_call is not None and not self._upstream_call.done():
            await self._feed(chunk)
            return
        self._drained_bytes += len(chunk)
        if self._drained_bytes > MAX_DRAINED_BYTES:
            self._stop_reading_body()

    async def _feed(self, chunk: bytes) -> None:
        if self._upload is None or self._upstream_call is None:
            return
        waited = 0.0
        while not self._upstream_call.done() and not self._upload.offer(chunk):
            room = asyncio.ensure_future(self._upload.wait_for_room())
            await asyncio.wait(
                [room, self._upstream_call], timeout=PEER_CHECK_INTERVAL_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            waited = 0.0 if room.done() else waited + PEER_CHECK_INTERVAL_SECONDS
            room.cancel()
            if is_half_closed(self._stream_of_caller()):
                self.abort_connection()
                return
            if waited >= self._upload.idle_timeout_seconds:
                self._abort_upload(UpstreamTimeout(N_("The API{api_name} stopped reading the upload.")))
                return

    def _abort_upload(self, problem: Problem) -> None:
        """Answer ``problem`` instead of waiting for the rest of the body; the upstream call ends at once.

        An answer that has arrived already is passed on all the same.
        """
        if self._upstream_call is not None:
            if _is_answered(self._upstream_call):
                return
            self._upstream_call.cancel()
        self._abort_problem = problem
        self._stop_reading_body(problem)

    def _stop_reading_body(self, problem: Problem | None = None) -> None:
        """Stop waiting for the rest of the body, and let the verb run (or fail by ``problem``)."""
        rest = end_body_wait(self.request, problem)
        if rest is not None:
            self.remaining_body = rest

    def on_connection_close(self) -> None:
        """End the upstream call: the client went away (C18)."""
        in_the_middle = awaits_body(self.request)
        super().on_connection_close()
        self._is_client_gone = True
        if self._upload is not None:
            self._upload.stop()
        if self._relay is not None:
            self._relay.client_gone()
            if in_the_middle:
                self._end_in_the_middle(self._relay)

    def _end_in_the_middle(self, relay: Relay) -> None:
        """Record a call whose client left in the middle of its upload: tornado runs neither its verb nor its end."""
        self._stop_watching_kernel()
        if self._record is not None and not relay.owns_record:
            relay.owns_record = True
            self._record.write(UNSENT_STATUS, CLIENT_ABORT)

    def _stop_watching_kernel(self) -> None:
        unwatch, self._unwatch_kernel = self._unwatch_kernel, None
        if unwatch is not None:
            unwatch()

    @allow("user", "kernel", "worker", action="execute")
    async def get(self, *_: str) -> None:
        """Pass a GET on."""
        await self._forward()

    @allow("user", "kernel", "worker", action="execute")
    async def head(self, *_: str) -> None:
        """Pass a HEAD on."""
        await self._forward()

    @allow("user", "kernel", "worker", action="execute")
    async def post(self, *_: str) -> None:
        """Pass a POST on."""
        await self._forward()

    @allow("user", "kernel", "worker", action="execute")
    async def put(self, *_: str) -> None:
        """Pass a PUT on."""
        await self._forward()

    @allow("user", "kernel", "worker", action="execute")
    async def patch(self, *_: str) -> None:
        """Pass a PATCH on."""
        await self._forward()

    @allow("user", "kernel", "worker", action="execute")
    async def delete(self, *_: str) -> None:
        """Pass a DELETE on."""
        await self._forward()

    async def _forward(self) -> None:
        if self._upstream_call is not None and self._relay is not None:
            await self._relay.run(_HandlerClient(self), self._finish_upload(self._upstream_call))
            return
        request, record = self._received_call()
        self._relay = relay = Relay(record)
        relay.opening = asyncio.current_task()
        await relay.run(_HandlerClient(self), self.gateway.open(request))

    async def _finish_upload(self, upstream_call: asyncio.Task[RelayedAnswer]) -> RelayedAnswer:
        if not upstream_call.done():
            await self._feed(_END_OF_BODY)
        try:
            return await upstream_call
        except asyncio.CancelledError:
            if self._abort_problem is None:
                raise
            raise self._abort_problem from None

    # -- the answer ----------------------------------------------------------------------------------------

    def write_at_once(self, status: int, headers: Headers, body: bytes | None) -> asyncio.Future[None] | None:
        """Send a whole answer in one piece and finish; return ``None``, with nothing sent, if it is unusual."""
        connection: Any = self.request.connection
        if self.remaining_body is not None or self.request.version != "HTTP/1.1":
            return None
        if not stays_open(connection, self.request.headers.get("Connection")):
            return None
        try:
            written = write_whole_answer(connection, status, [*headers, *self._cors_headers()], body)
        except StreamClosedError:
            return None
        if written is not None:
            connection.set_close_callback(None)
            self.set_status(status)
            end_written_answer(self)
        return written

    def _cors_headers(self) -> list[tuple[str, str]]:
        """Return the headers that Jupyter has set while it admitted the caller: they let the page read the answer."""
        return [(name, value) for name, value in self._headers.get_all() if name.startswith("Access-Control-")]

    def take_head(self, status: int, headers: Headers) -> None:
        """Replace Jupyter's prepared head by the API's own: headers, cookie, compression."""
        cors = self._cors_headers()
        self._headers = response_headers(headers)
        for name, value in cors:
            self._headers[name] = value
        self._new_cookie = SimpleCookie()  # NOTE: a reply of an API never carries a cookie of Jupyter's
        self._transforms = []  # NOTE: a body stays as the upstream sent it, compressed or not (C21)
        self._write_buffer = []
        self.set_status(status)

    def take_piece(self, piece: bytes) -> None:
        """Keep a piece of the body, as it is, for the next flush."""
        self._write_buffer.append(piece)

    def name_length(self, length: int) -> None:
        """Name the ``length`` of a body in the head, if the API has not: the head may leave before tornado knows it."""
        if self._status_code not in (204, 304) and self.request.method != "HEAD":
            self._headers.setdefault("Content-Length", str(length))

    @property
    def ends_with_connection(self) -> bool:
        """Whether only the end of the connection marks the end of the body for the caller (RFC 9112, 6.3)."""
        return self.request.version == "HTTP/1.0" and "Content-Length" not in self._headers

    def abort_connection(self) -> None:
        """End the connection in the middle, so that a truncated answer never looks complete (C19)."""
        stream = self._stream_of_caller()
        if stream is not None:
            if self.ends_with_connection:
                reset_on_close(stream)
            stream.close()

    def _stream_of_caller(self) -> Any:
        return getattr(self.request.connection, "stream", None)

    def _log(self) -> None:
        """Log our own refusals; an answer of an API is only counted, unless it breaks off."""
        if self._relay is None or not self._relay.has_answer:
            super()._log()

    def on_finish(self) -> None:
        """Drop what refers to this handler, and record the call if it was refused."""
        if self._upload is not None:
            self._upload.stop()
        self._stop_watching_kernel()
        # NOTE: all of them refer to this handler, an error by its frames, and no cycle may stay behind (ADR 17).
        self._upload = self._upstream_call = self._refused = self._abort_problem = None
        if self._relay is not None:
            self._relay.opening = None
        super().on_finish()
        if self._record is not None and (self._relay is None or not self._relay.owns_record):
            self._record.write(self.get_status(), CLIENT_ABORT if self._is_client_gone else REFUSED)


@awaits_no_body
class BodilessProxyHandler(ProxyHandler):
    """Passes on a call that has no body: tornado runs its verb at once."""


class _HandlerClient:
    """The client of one handler, for the relay; the handler does not hold it."""

    __slots__ = ("_handler",)

    closed_error = StreamClosedError
    length_error = HTTPOutputError

    def __init__(self, handler: ProxyHandler) -> None:
        self._handler = handler

    def write_whole(self, status: int, headers: Headers, body: bytes | None) -> asyncio.Future[None]:
        """Send a whole answer; one that came before the end of an upload waits for a small rest of that."""
        handler = self._handler
        written = handler.write_at_once(status, headers, body)
        if written is not None:
            return written
        handler.take_head(status, headers)
        if body is not None:
            handler.take_piece(body)
        if handler.remaining_body is not None:
            handler.name_length(len(body or b""))
            return asyncio.ensure_future(self.finish())
        if body is None:
            handler.flush()
        return RequestHandler.finish(handler)

    async def write_head(self, status: int, headers: Headers) -> None:
        """Send the head of an answer whose body follows in pieces."""
        handler = self._handler
        handler.take_head(status, headers)
        if handler.ends_with_connection:
            close_after_reply(handler.request)
        await handler.flush()

    async def write(self, piece: bytes) -> None:
        """Send a piece of the body."""
        self._handler.take_piece(piece)
        await self._handler.flush()

    async def finish(self) -> None:
        """Send the end of the body, after a small rest of an upload, so that the client reads before it closes."""
        handler = self._handler
        if handler.remaining_body is not None:
            await handler.flush()
            await asyncio.wait([handler.remaining_body], timeout=UPLOAD_REST_TIMEOUT_SECONDS)
        await RequestHandler.finish(handler)

    def abort(self) -> None:
        """Close the connection."""
        self._handler.abort_connection()

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the kernel of this call is over."""
        return self._handler.close_with_kernel(cut)


def _is_answered(upstream_call: asyncio.Task[RelayedAnswer]) -> bool:
    return upstream_call.done() and not upstream_call.cancelled() and upstream_call.exception() is None
