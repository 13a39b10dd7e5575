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

from jupyter_oidc.adapters.telemetry.named_log import SERVER
from jupyter_oidc.errors import Overloaded, Problem, UnknownApi
from jupyter_oidc.server.handlers.proxy import ProxyHandler, RefusedCall
from jupyter_oidc.server.kernel_grants import grant_in
from jupyter_oidc.server.proxy_request_parsing import proxy_request
from jupyter_oidc.server.refused_calls import cut_short_by, note_refused_call
from jupyter_oidc.server.response_headers import response_headers
from jupyter_oidc.web.problems import defect_text

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
    from tornado.web import Application

    from jupyter_oidc.compose import Services
    from jupyter_oidc.proxy.request import ProxyRequest
    from jupyter_oidc.proxy.service import Answer
    from jupyter_oidc.server.handler import Context

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
"""The verbs of the handler that kernels may use."""


class KernelFastPath(Router):
    """Selects the calls of kernels from all requests; the target of a rule in front of all others."""

    def __init__(self, application: Application, context: Context) -> None:
        self.application = application
        self.context = context

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> FastPathRequest | None:
        """Return the delegate for ``request``, or ``None`` for the handler, which checks it again in full."""
        context, headers = self.context, request.headers
        if not request.path.startswith(context.proxy_prefix) or request.method not in METHODS:
            return None
        grant = grant_in(headers.get("Authorization", ""))
        if grant is None or request.version != "HTTP/1.1":
            return None
        if "Content-Length" in headers or "Transfer-Encoding" in headers or "Upgrade" in headers:
            return None
        services = context.built_services
        if services is None or not context.is_known_host(request.host):
            return None
        try:
            context.require_local_kernel(request)
            kernel_id = context.grants.kernel_of(grant)
            identity = self.application.settings["identity_provider"]
            parsed = proxy_request(request, context.proxy_prefix, "kernel", identity)
        except Exception:  # noqa: BLE001 - the handler raises the same error again, and answers it
            return None
        return FastPathRequest(self, services, request, parsed, kernel_id, grant)


class FastPathRequest(HTTPMessageDelegate):
    """Passes one call of a kernel on and its answer back."""

    def __init__(
        self,
        router: KernelFastPath,
        services: Services,
        request: HTTPServerRequest,
        parsed: ProxyRequest,
        kernel_id: str,
        grant: str,
    ) -> None:
        self._router = router
        self._services = services
        self._request = request
        self._connection: Any = request.connection
        self._proxy_request = parsed
        self._kernel_id = kernel_id
        self._grant = grant
        self._task: asyncio.Task[None] | None = None
        self._answer: Answer | None = None
        self._is_client_gone = False
        self._sent_bytes = 0
        self._code: str | None = None
        self._truncation_request_id: str | None = None

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        """Keep the first line for the handler that renders an error; the headers are known."""
        del headers
        self._start_line = start_line

    def finish(self) -> None:
        """Start the call: the request is complete."""
        self._connection.set_close_callback(self.on_connection_close)
        self._task = asyncio.get_running_loop().create_task(self._forward())

    def on_connection_close(self) -> None:
        """Cancel the upstream call: the kernel went away (C18)."""
        self._is_client_gone = True
        if self._answer is not None:
            self._answer.close()
        elif self._task is not None:
            self._task.cancel()

    async def _forward(self) -> None:
        try:
            self._answer = answer = await self._services.proxy.open(self._proxy_request)
        except asyncio.CancelledError:
            if self._is_client_gone:
                self._record_call(200, "client_abort")  # nothing was sent, and this is how tornado counts it
            elif _is_being_cancelled():
                self._abort_connection()
                raise
            else:
                self._refuse(Overloaded("Something that the call waited for was given up."))
            return
        except Exception as error:  # noqa: BLE001 - it is raised again where errors are rendered and logged
            self._refuse(error)
            return
        finally:
            self._task = None
        outcome = "client_abort"
        try:
            if not self._is_client_gone:
                outcome = await self._stream(answer)
        finally:
            answer.close()
            self._record_call(answer.status, outcome)

    async def _stream(self, answer: Answer) -> str:
        """Send ``answer``; return the outcome."""
        try:
            await self._send(answer)
        except StreamClosedError:
            return "client_abort"
        except (Problem, HTTPOutputError) as error:
            self._abort_connection()
            if self._is_client_gone:
                return "client_abort"
            self._record_truncation(answer.status, cut_short_by(error))
            return "upstream_truncated"
        except BaseException as error:
            self._abort_connection()  # the head may be sent, so no other answer is possible
            if not isinstance(error, Exception):
                raise
            defect = defect_text(type(error), error.__traceback__)
            SERVER.error("jupyter_oidc: %s", defect)
            self._record_truncation(answer.status, None)
            return "upstream_truncated"
        return f"{answer.status // 100}xx"

    async def _send(self, answer: Answer) -> None:
        connection, upstream, head = self._connection, answer.upstream, response_headers(answer.headers)
        line = ResponseStartLine("", answer.status, responses.get(answer.status, "Unknown"))
        if self._proxy_request.method == "HEAD" or answer.status in (204, 304):
            whole: bytes | None = b""
        else:
            whole = upstream.whole()
            if whole is not None and "Content-Length" not in head:
                head["Content-Length"] = str(len(whole))
        if whole is None:
            answer.on_session_end(self._abort_connection)
            context = self._router.context
            stop_watching = context.kernel_streams.watch(context.grants, self._grant, self._abort_connection)
            try:
                await connection.write_headers(line, head)
                async for chunk in upstream.chunks():
                    self._sent_bytes += len(chunk)
                    await connection.write(chunk)
                connection.finish()
            finally:
                stop_watching()
        elif answer.is_over:
            self._abort_connection()
            raise StreamClosedError
        else:
            self._sent_bytes = len(whole)
            written = connection.write_headers(line, head, whole)
            connection.finish()
            if not written.done():
                answer.on_session_end(self._abort_connection)
            await written

    def _refuse(self, error: Exception) -> None:
        """Let the handler answer ``error``, as if the error had occurred there."""
        if self._is_client_gone:
            self._record_call(200, "client_abort")
            return
        if isinstance(error, Problem):
            error.with_traceback(None)  # NOTE: it would refer to this call, and no cycle may stay behind (ADR 17)
        api = "" if isinstance(error, UnknownApi) else self._proxy_request.api
        given = {
            "context": self._router.context,
            "refused": RefusedCall(self._kernel_id, api, error, self._proxy_request.person),
        }
        handler = self._router.application.get_handler_delegate(self._request, ProxyHandler, given)
        handler.headers_received(self._start_line, self._request.headers)
        handler.finish()

    def _abort_connection(self) -> None:
        """End the connection in the middle, so that a truncated answer never looks complete (C19)."""
        self._connection.stream.close()

    def _record_truncation(self, status: int, problem: Problem | None) -> None:
        """Log why an answer broke off after its head; ``None`` is a defect."""
        self._truncation_request_id = self._services.entropy.token(96)
        self._code = note_refused_call(
            self._services,
            self._request,
            problem,
            api=self._proxy_request.api,
            kernel_id=self._kernel_id,
            status=status,
            request_id=self._truncation_request_id,
        )

    def _record_call(self, status: int, outcome: str) -> None:
        self._services.event_log.call(
            api=self._proxy_request.api,
            method=self._proxy_request.method,
            status=status,
            size=self._sent_bytes,
            seconds=self._request.request_time(),
            kernel_id=self._kernel_id,
            outcome=outcome,
            error_code=self._code,
            request_id=self._truncation_request_id,
            person=None if self._proxy_request.person is None else self._proxy_request.person.subject,
        )


def _is_being_cancelled() -> bool:
    """Return whether the running task itself is being cancelled (Python 3.11; before, that cannot be told)."""
    task: Any = asyncio.current_task()
    return bool(task.cancelling()) if hasattr(task, "cancelling") else False
