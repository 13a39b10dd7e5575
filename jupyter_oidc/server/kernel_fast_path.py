"""The fast path of a kernel's calls: a call with a grant and no body goes to the API without a handler of Jupyter's.

A handler spends most of a request's time on preparations for pages and forms. A call with a grant needs none of them:
it trusts no cookie, so there is no XSRF token and no origin to check.
Any request that does not match exactly, and any failure, falls through to
:class:`~jupyter_oidc.server.handlers.proxy.ProxyHandler`, which authenticates, reads bodies, and alone renders errors.
The policy is the same object for both paths (:class:`~jupyter_oidc.proxy.service.ProxyService`).
"""

from __future__ import annotations

import asyncio
from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from tornado.httputil import HTTPMessageDelegate, HTTPOutputError, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.routing import Router

from jupyter_oidc.problems import Problem, UnknownApi
from jupyter_oidc.server.handlers.proxy import ProxyHandler, RefusedCall
from jupyter_oidc.server.kernel_grants import PREFIX
from jupyter_oidc.server.received_call import received_call
from jupyter_oidc.server.response_headers import response_headers
from jupyter_oidc.server.whole_answer import stays_open, write_whole_answer
from jupyter_oidc.web.bearer import grant_in
from jupyter_oidc.web.call_record import CallRecord
from jupyter_oidc.web.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
    from tornado.web import Application

    from jupyter_oidc.compose import Services
    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.request import ProxyRequest
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.server.kernel_grants import KernelRun

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
"""The verbs of the handler that kernels may use."""

_UNUSUAL: Final = frozenset({"Content-Length", "Transfer-Encoding", "Upgrade"})
"""Headers, as tornado spells them, of a request that goes to the handler: it has a body, or wants a WebSocket."""


class KernelFastPath(Router):
    """Selects the calls of kernels from all requests; the target of a rule in front of all others."""

    def __init__(self, application: Application, context: Context) -> None:
        self.application = application
        self.context = context

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> FastPathRequest | None:
        """Return the delegate for ``request``, or ``None`` for the handler, which checks it again in full."""
        context = self.context
        if not request.path.startswith(context.proxy_prefix) or request.method not in METHODS:
            return None
        received = list(request.headers.get_all())
        headers = dict(received)  # NOTE: tornado spells every name in the same way
        if request.version != "HTTP/1.1" or len(headers) != len(received) or not _UNUSUAL.isdisjoint(headers):
            return None
        grant = grant_in(headers["Authorization"], PREFIX) if "Authorization" in headers else None
        if grant is None:
            return None
        services = context.built_services
        if services is None or not context.is_known_host(request.host):
            return None
        try:
            context.require_local_kernel(request)
            kernel = context.grants.run_of(grant)
            identity = self.application.settings["identity_provider"]
            parsed = received_call(request, received, context.proxy_prefix, "kernel", identity)
        except Exception:  # noqa: BLE001 - the handler raises the same error again, and answers it
            return None
        keeps = stays_open(request.connection, headers.get("Connection"))
        return FastPathRequest(self, services, request, parsed, kernel, stays_open=keeps)


class FastPathRequest(HTTPMessageDelegate):
    """Passes one call of a kernel on and its answer back."""

    def __init__(
        self,
        router: KernelFastPath,
        services: Services,
        request: HTTPServerRequest,
        parsed: ProxyRequest,
        kernel: KernelRun,
        *,
        stays_open: bool,
    ) -> None:
        self._router = router
        self._services = services
        self._request = request
        self._connection: Any = request.connection
        self._proxy_request = parsed
        self._kernel = kernel
        self._stays_open = stays_open
        self._relay = Relay(
            CallRecord(
                services.event_log,
                services.entropy,
                parsed.method,
                request.request_time,
                kernel.kernel_id,
                parsed.api,
                parsed.person,
            )
        )

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        """Keep the first line for the handler that renders an error; the headers are known."""
        del headers
        self._start_line = start_line

    def finish(self) -> None:
        """Start the call: the request is complete."""
        self._connection.set_close_callback(self.on_connection_close)
        self._relay.opening = asyncio.get_running_loop().create_task(self._forward())

    def on_connection_close(self) -> None:
        """End the upstream call: the kernel went away (C18)."""
        self._relay.client_gone()

    async def _forward(self) -> None:
        client = _ConnectionClient(self._connection, self._router.context, self._kernel, stays_open=self._stays_open)
        try:
            await self._relay.run(client, self._services.proxy.open(self._proxy_request))
        except Exception as error:
            if self._relay.has_answer:
                client.abort()  # an answer is out, and no second one may follow it
                raise
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        """Let the handler answer ``error``, as if the error had occurred there."""
        if isinstance(error, Problem):
            error.with_traceback(None)  # NOTE: it would refer to this call, and no cycle may stay behind (ADR 17)
        api = "" if isinstance(error, UnknownApi) else self._proxy_request.api
        given = {
            "context": self._router.context,
            "refused": RefusedCall(self._kernel.kernel_id, api, error, self._proxy_request.person),
        }
        handler = self._router.application.get_handler_delegate(self._request, ProxyHandler, given)
        handler.headers_received(self._start_line, self._request.headers)
        handler.finish()


class _ConnectionClient:
    """The connection of a kernel, for the relay."""

    __slots__ = ("_connection", "_context", "_kernel", "_stays_open")

    closed_error = StreamClosedError
    length_error = HTTPOutputError

    def __init__(self, connection: Any, context: Context, kernel: KernelRun, *, stays_open: bool) -> None:
        """``stays_open`` says that the connection outlives this answer."""
        self._connection = connection
        self._stays_open = stays_open
        self._context = context
        self._kernel = kernel

    def write_whole(self, status: int, headers: Headers, body: bytes | None) -> asyncio.Future[None]:
        """Send a whole answer in one piece."""
        if self._stays_open:
            sent = write_whole_answer(self._connection, status, headers, body)
            if sent is not None:
                return sent
        head = response_headers(headers)
        if body is not None and "Content-Length" not in head:
            head["Content-Length"] = str(len(body))
        written: asyncio.Future[None] = self._connection.write_headers(_status_line(status), head, body)
        self._connection.finish()
        return written

    def write_head(self, status: int, headers: Headers) -> Awaitable[None]:
        """Send the head of an answer whose body follows in pieces."""
        written: Awaitable[None] = self._connection.write_headers(_status_line(status), response_headers(headers))
        return written

    def write(self, piece: bytes) -> Awaitable[None]:
        """Send a piece of the body."""
        written: Awaitable[None] = self._connection.write(piece)
        return written

    async def finish(self) -> None:
        """Send the end of the body."""
        self._connection.finish()

    def abort(self) -> None:
        """Close the connection."""
        self._connection.stream.close()

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the kernel's run is over."""
        grants, kernel = self._context.grants, self._kernel
        return self._context.streams.watch(lambda: grants.lasts(kernel), cut)


def _status_line(status: int) -> ResponseStartLine:
    return ResponseStartLine("", status, responses.get(status, "Unknown"))
