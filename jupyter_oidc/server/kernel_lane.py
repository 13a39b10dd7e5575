"""The short way of a kernel's calls: what has a grant and no body goes to the API without a handler of Jupyter's.

Most of what a request costs is what a handler prepares for pages and forms. A call with a grant needs none of it: nothing
ambient is trusted, so there is no cookie, no XSRF token and no origin to look at.
Whoever is not obviously one of these calls takes the way of all others, and so does whoever is refused:
:class:`~jupyter_oidc.server.handlers.proxy.ProxyHandler` authenticates, reads bodies, and is the only one to render errors.
The policy is the same object for both ways (:class:`~jupyter_oidc.proxy.service.ProxyService`).
"""

from __future__ import annotations

import asyncio
from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from tornado.httputil import HTTPMessageDelegate, HTTPOutputError, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.routing import Router

from jupyter_oidc.adapters.named_log import SERVER
from jupyter_oidc.errors import Overloaded, Problem, UnknownApi
from jupyter_oidc.server.handlers.proxy import ProxyHandler, Refused
from jupyter_oidc.server.head import head_of
from jupyter_oidc.server.incoming import proxy_request
from jupyter_oidc.server.kernel_grants import grant_in
from jupyter_oidc.server.problems import defect_text
from jupyter_oidc.server.refused_calls import cut_short_by, note_refused_call

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
    from tornado.web import Application

    from jupyter_oidc.compose import Services
    from jupyter_oidc.proxy.request import ProxyRequest
    from jupyter_oidc.proxy.service import Answer
    from jupyter_oidc.server.handler import Context

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
"""The verbs of the handler that kernels may use."""


class KernelLane(Router):
    """Takes the calls of kernels out of all requests; the target of a rule in front of all others."""

    def __init__(self, application: Application, context: Context) -> None:
        self.application = application
        self.context = context

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> LaneCall | None:
        """Return who passes ``request`` on, or ``None`` for the long way, where it is looked at again and in full."""
        context, headers = self.context, request.headers
        if not request.path.startswith(context.proxy_prefix) or request.method not in METHODS:
            return None
        grant = grant_in(headers.get("Authorization", ""))
        if grant is None or request.version != "HTTP/1.1":
            return None
        if "Content-Length" in headers or "Transfer-Encoding" in headers or "Upgrade" in headers:
            return None
        services = context.opened
        if services is None or not context.is_known_host(request.host):
            return None
        try:
            context.must_be_near(request)
            kernel_id = context.grants.kernel_of(grant)
            identity = self.application.settings["identity_provider"]
            asked = proxy_request(request, context.proxy_prefix, "kernel", identity)
        except Exception:  # noqa: BLE001 - whatever it is, it comes up again where it can be answered
            return None
        return LaneCall(self, services, request, asked, kernel_id, grant)


class LaneCall(HTTPMessageDelegate):
    """Passes one call of a kernel on and its answer back."""

    def __init__(
        self,
        lane: KernelLane,
        services: Services,
        request: HTTPServerRequest,
        asked: ProxyRequest,
        kernel_id: str,
        grant: str,
    ) -> None:
        self._lane = lane
        self._services = services
        self._request = request
        self._connection: Any = request.connection
        self._asked = asked
        self._kernel_id = kernel_id
        self._grant = grant
        self._task: asyncio.Task[None] | None = None
        self._answer: Answer | None = None
        self._gone = False
        self._sent = 0
        self._code: str | None = None
        self._cut: str | None = None

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        """Keep the first line for whoever renders an error; all else is known."""
        del headers
        self._start_line = start_line

    def finish(self) -> None:
        """The request is complete."""
        self._connection.set_close_callback(self.on_connection_close)
        self._task = asyncio.get_running_loop().create_task(self._pass_on())

    def on_connection_close(self) -> None:
        """The kernel went away: so does the upstream call (C18)."""
        self._gone = True
        if self._answer is not None:
            self._answer.close()
        elif self._task is not None:
            self._task.cancel()

    async def _pass_on(self) -> None:
        try:
            self._answer = answer = await self._services.proxy.open(self._asked)
        except asyncio.CancelledError:
            if self._gone:
                self._note(200, "client_abort")  # nothing was sent, and this is how tornado counts it
            elif _is_being_cancelled():
                self._break_off()
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
            if not self._gone:
                outcome = await self._stream(answer)
        finally:
            answer.close()
            self._note(answer.status, outcome)

    async def _stream(self, answer: Answer) -> str:
        """Send ``answer``; return what became of it."""
        try:
            await self._send(answer)
        except StreamClosedError:
            return "client_abort"
        except (Problem, HTTPOutputError) as error:
            self._break_off()
            if self._gone:
                return "client_abort"
            self._note_cut(answer.status, cut_short_by(error))
            return "upstream_truncated"
        except BaseException as error:
            self._break_off()  # the head may be sent, so there is nothing to answer
            if not isinstance(error, Exception):
                raise
            defect = defect_text(type(error), error.__traceback__)
            SERVER.error("jupyter_oidc: %s", defect)
            self._note_cut(answer.status, None)
            return "upstream_truncated"
        return f"{answer.status // 100}xx"

    async def _send(self, answer: Answer) -> None:
        connection, upstream, head = self._connection, answer.upstream, head_of(answer.headers)
        line = ResponseStartLine("", answer.status, responses.get(answer.status, "Unknown"))
        if self._asked.method == "HEAD" or answer.status in (204, 304):
            whole: bytes | None = b""
        else:
            whole = upstream.whole()
            if whole is not None and "Content-Length" not in head:
                head["Content-Length"] = str(len(whole))
        if whole is None:
            answer.on_end(self._break_off)
            context = self._lane.context
            stop_watching = context.kernel_streams.watch(context.grants, self._grant, self._break_off)
            try:
                await connection.write_headers(line, head)
                async for chunk in upstream.chunks():
                    self._sent += len(chunk)
                    await connection.write(chunk)
                connection.finish()
            finally:
                stop_watching()
        elif answer.is_over:
            self._break_off()
            raise StreamClosedError
        else:
            self._sent = len(whole)
            written = connection.write_headers(line, head, whole)
            connection.finish()
            if not written.done():
                answer.on_end(self._break_off)
            await written

    def _refuse(self, error: Exception) -> None:
        """Let the handler answer ``error``, as if it had come to it there."""
        if self._gone:
            self._note(200, "client_abort")
            return
        if isinstance(error, Problem):
            error.with_traceback(None)  # NOTE: it would hold this call, and no cycle is left behind (ADR 17)
        api = "" if isinstance(error, UnknownApi) else self._asked.api
        given = {"context": self._lane.context, "refused": Refused(self._kernel_id, api, error, self._asked.person)}
        handler = self._lane.application.get_handler_delegate(self._request, ProxyHandler, given)
        handler.headers_received(self._start_line, self._request.headers)
        handler.finish()

    def _break_off(self) -> None:
        """End the connection in the middle, so that a truncated answer never looks complete (C19)."""
        self._connection.stream.close()

    def _note_cut(self, status: int, problem: Problem | None) -> None:
        """Write down why an answer broke off after its head; ``None`` is a defect."""
        self._cut = self._services.entropy.token(96)
        self._code = note_refused_call(
            self._services,
            self._request,
            problem,
            api=self._asked.api,
            kernel_id=self._kernel_id,
            status=status,
            request_id=self._cut,
        )

    def _note(self, status: int, outcome: str) -> None:
        self._services.event_log.call(
            api=self._asked.api,
            method=self._asked.method,
            status=status,
            size=self._sent,
            seconds=self._request.request_time(),
            kernel_id=self._kernel_id,
            outcome=outcome,
            error_code=self._code,
            request_id=self._cut,
            person=None if self._asked.person is None else self._asked.person.subject,
        )


def _is_being_cancelled() -> bool:
    """Return whether it is the running task itself that somebody cancels (Python 3.11; before, nobody can tell)."""
    task: Any = asyncio.current_task()
    return bool(task.cancelling()) if hasattr(task, "cancelling") else False
