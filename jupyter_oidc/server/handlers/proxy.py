"""``api/{name}/{path}``: the proxy's HTTP side; streams both ways and holds no policy.

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

from jupyter_oidc.compat.tornado import close_after_reply, end_body_wait
from jupyter_oidc.errors import BodyTooLarge, GrantInvalid, Problem, UpstreamTimeout
from jupyter_oidc.server.handlers.proxied import ProxiedHandler
from jupyter_oidc.server.handlers.upload import Upload
from jupyter_oidc.server.peer import PEER_CHECK_INTERVAL_SECONDS, is_half_closed, reset_on_close
from jupyter_oidc.server.refused_calls import cut_short_by
from jupyter_oidc.server.response_headers import response_headers
from jupyter_oidc.web.access_rule import access_rule_of, allow

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.proxy.ports import UpstreamReply
    from jupyter_oidc.proxy.request import Person
    from jupyter_oidc.proxy.service import Answer
    from jupyter_oidc.server.handler import Context

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
        self._upstream_call: asyncio.Task[Answer] | None = None
        self._waiter: asyncio.Task[Any] | None = None
        self._answer: Answer | None = None
        self._abort_problem: Problem | None = None
        self._remaining_body: asyncio.Future[None] | None = None
        self._drained_bytes = 0
        self._sent_bytes = 0
        self._is_client_gone = False
        self._outcome = "refused"
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
            self._api, self._person = self._refused.api, self._refused.person
            self._set_kernel_user(self._refused.kernel_id)
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

    def _body_is_awaited(self) -> bool:
        """Return whether a public verb waits for a body; an upload has its own time limits."""
        return self._is_public() and super()._body_is_awaited()

    def _begin_upload(self, length: int | None) -> None:
        route, *_ = self.services.proxy.check(self._proxy_request(length=length))
        api = route.api
        if length is not None and api.max_request_bytes is not None and length > api.max_request_bytes:
            raise BodyTooLarge
        connection: Any = self.request.connection
        connection.set_max_body_size(UNLIMITED_BODY_BYTES)
        self._upload = Upload(api, self._abort_upload)
        request = self._proxy_request(self._upload.pieces(), length)
        self._unwatch_kernel = self._close_with_kernel(
            lambda: self._abort_upload(GrantInvalid(detail="grant.kernel_gone"))
        )
        self._upstream_call = asyncio.ensure_future(self.services.proxy.open(request))
        self._upstream_call.add_done_callback(self._upstream_answered)

    def _upstream_answered(self, upstream_call: asyncio.Task[Answer]) -> None:
        """Pass on an answer that came before the end of the upload; a refusal of ours waits for a small rest."""
        if not _is_answered(upstream_call):
            return
        if self._is_client_gone:
            upstream_call.result().close()  # the client left at the same time, and the verb will not run any more
        else:
            self._stop_reading_body()

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
                self._abort_connection()
                return
            if waited >= self._upload.idle_timeout_seconds:
                self._abort_upload(UpstreamTimeout("The API stopped reading the upload."))
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
            self._remaining_body = rest

    def on_connection_close(self) -> None:
        """Cancel the upstream call: the client went away (C18)."""
        super().on_connection_close()
        self._is_client_gone = True
        self._outcome = "client_abort"
        if self._upload is not None:
            self._upload.stop()
        for task in (self._waiter, self._upstream_call):
            if task is not None:
                task.cancel()
        if self._answer is not None:
            self._answer.close()

    @allow("user", "kernel", action="execute")
    async def get(self, *_: str) -> None:
        """Pass a GET on."""
        await self._forward()

    @allow("user", "kernel", action="execute")
    async def head(self, *_: str) -> None:
        """Pass a HEAD on."""
        await self._forward()

    @allow("user", "kernel", action="execute")
    async def post(self, *_: str) -> None:
        """Pass a POST on."""
        await self._forward()

    @allow("user", "kernel", action="execute")
    async def put(self, *_: str) -> None:
        """Pass a PUT on."""
        await self._forward()

    @allow("user", "kernel", action="execute")
    async def patch(self, *_: str) -> None:
        """Pass a PATCH on."""
        await self._forward()

    @allow("user", "kernel", action="execute")
    async def delete(self, *_: str) -> None:
        """Pass a DELETE on."""
        await self._forward()

    async def _forward(self) -> None:
        try:
            answer = await (self._open() if self._upstream_call is None else self._finish_upload(self._upstream_call))
        except asyncio.CancelledError:
            if not self._is_client_gone:
                raise
            if self._waiter is not None and hasattr(self._waiter, "uncancel"):
                self._waiter.uncancel()
            return  # the client went away before the upstream answered
        self._answer = answer
        try:
            if not self._is_client_gone:
                await self._stream(answer)
        finally:
            answer.close()

    async def _open(self) -> Answer:
        """Make a call without a body; a client that goes away cancels it."""
        self._waiter = asyncio.current_task()
        answer = await self.services.proxy.open(self._proxy_request())
        self._waiter = None
        return answer

    async def _finish_upload(self, upstream_call: asyncio.Task[Answer]) -> Answer:
        if not upstream_call.done():
            await self._feed(_END_OF_BODY)
        try:
            return await upstream_call
        except asyncio.CancelledError:
            if self._abort_problem is None:
                raise
            raise self._abort_problem from None

    # -- the answer ----------------------------------------------------------------------------------------

    async def _stream(self, answer: Answer) -> None:
        self._prepare_headers(answer)
        upstream = answer.upstream
        answer.on_session_end(self._abort_connection)
        try:
            if self.request.method == "HEAD" or answer.status in (204, 304):
                await self.flush()
            elif (whole := upstream.whole()) is not None:
                self._sent_bytes = len(whole)
                self._write_buffer.append(whole)
            else:
                await self._stream_chunks(upstream)
            if self._remaining_body is not None:
                await self.flush()
                # so that the client reads before the connection closes
                await asyncio.wait([self._remaining_body], timeout=UPLOAD_REST_TIMEOUT_SECONDS)
            await RequestHandler.finish(self)
        except StreamClosedError:
            self._outcome = "client_abort"
        except (Problem, HTTPOutputError) as error:
            self._outcome = "client_abort" if self._is_client_gone else "upstream_truncated"
            if not self._is_client_gone:
                self._log_refusal(answer.status, cut_short_by(error))
            self._abort_connection()

    async def _stream_chunks(self, upstream: UpstreamReply) -> None:
        """Write a body as it arrives; its last piece waits for the end of the answer."""
        if self._ends_with_connection:
            close_after_reply(self.request)
        stop_watching = self._close_with_kernel(self._abort_connection)
        try:
            if upstream.waiting:
                await self.flush()  # the body may come much later than the head
            async for chunk in upstream.chunks():
                self._sent_bytes += len(chunk)
                self._write_buffer.append(chunk)
                if not upstream.ended:
                    await self.flush()
        finally:
            stop_watching()

    def _prepare_headers(self, answer: Answer) -> None:
        """Replace Jupyter's prepared head by the API's own: headers, cookie, compression."""
        self._headers = response_headers(answer.headers)
        self._new_cookie = SimpleCookie()  # NOTE: a reply of an API never carries a cookie of Jupyter's
        self._transforms = []  # NOTE: a body stays as the upstream sent it, compressed or not (C21)
        self._write_buffer = []
        self.set_status(answer.status)
        self._outcome = f"{answer.status // 100}xx"
        if self.kernel_id is None:
            self.set_cors_headers()

    @property
    def _ends_with_connection(self) -> bool:
        """Whether only the end of the connection marks the end of the body for the caller (RFC 9112, 6.3)."""
        return self.request.version == "HTTP/1.0" and "Content-Length" not in self._headers

    def _abort_connection(self) -> None:
        """End the connection in the middle, so that a truncated answer never looks complete (C19)."""
        stream = self._stream_of_caller()
        if stream is not None:
            if self._ends_with_connection:
                reset_on_close(stream)
            stream.close()

    def _stream_of_caller(self) -> Any:
        return getattr(self.request.connection, "stream", None)

    def _log(self) -> None:
        """Log our own refusals; an answer of an API is only counted, unless it breaks off."""
        if self._answer is None:
            super()._log()

    def on_finish(self) -> None:
        """Count the call, and write it to the audit trail if an event handler listens."""
        if self._upload is not None:
            self._upload.stop()
        if self._unwatch_kernel is not None:
            self._unwatch_kernel()
            self._unwatch_kernel = None
        # NOTE: all of them refer to this handler, an error by its frames, and no cycle may stay behind (ADR 17).
        self._upload = self._upstream_call = self._refused = None
        super().on_finish()
        self._record_call(self.get_status(), self._sent_bytes, self._outcome)


def _is_answered(upstream_call: asyncio.Task[Answer]) -> bool:
    return upstream_call.done() and not upstream_call.cancelled() and upstream_call.exception() is None
