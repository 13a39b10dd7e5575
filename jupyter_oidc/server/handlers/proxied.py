"""The base of the proxy's handlers: matches their requests, parses them and records each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado.routing import Matcher

from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.kernel_grants import grant_in
from jupyter_oidc.server.proxy_request_parsing import proxy_request
from jupyter_oidc.server.refused_calls import note_refused_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tornado.httputil import HTTPServerRequest

    from jupyter_oidc.compose import Services
    from jupyter_oidc.errors import Problem
    from jupyter_oidc.proxy.ports import Caller
    from jupyter_oidc.proxy.request import Person, ProxyRequest


class PathPrefixMatcher(Matcher):
    """Matches requests below ``prefix``: WebSocket handshakes, or all others."""

    def __init__(self, prefix: str, *, sockets: bool) -> None:
        self._prefix = prefix
        self._sockets = sockets

    def match(self, request: HTTPServerRequest) -> dict[str, object] | None:
        """Return an empty mapping for a match, as tornado expects, else ``None``."""
        if not request.path.startswith(self._prefix):
            return None
        return {} if (request.headers.get("Upgrade", "").lower() == "websocket") is self._sockets else None


class ProxiedHandler(OidcHandler):
    """Base of the HTTP and the WebSocket side of ``api/{name}/{path}``."""

    _api = ""
    _code: str | None = None
    """The error code of a call that failed here or on its way, once it is logged."""

    _person: Person | None = None
    """The person whose token the call carries, once there is a call."""

    def _proxy_request(self, body: AsyncIterator[bytes] | None = None, length: int | None = None) -> ProxyRequest:
        """Return the call as it was received; raises ``BadPath`` or ``UnknownApi``."""
        caller: Caller = "browser" if self.kernel_id is None else "kernel"
        prefix, identity = self.context.proxy_prefix, self.identity_provider
        asked = proxy_request(self.request, prefix, caller, identity, body=body, length=length)
        self.services.proxy.route(asked.api)
        self._api, self._person = asked.api, asked.person
        return asked

    def _close_with_kernel(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the kernel of this call ends or restarts; return the function that stops this (Q8.12)."""
        grant = None if self.kernel_id is None else grant_in(self.request.headers.get("Authorization", ""))
        if grant is None:
            return _nothing
        return self.context.kernel_streams.watch(self.context.grants, grant, cut)

    def _record_call(self, status: int, sent: int, outcome: str) -> None:
        """Add the call to the counters and the audit trail."""
        services = self.context.services
        if services is not None and self._api:
            services.event_log.call(
                api=self._api,
                method=self.request.method or "",
                status=status,
                size=sent,
                seconds=self.request.request_time(),
                kernel_id=self.kernel_id,
                outcome=outcome,
                error_code=self._code,
                request_id=None if self._code is None else self.request_id,
                person=None if self._person is None else self._person.subject,
            )

    def _log_refusal(self, status: int, problem: Problem | None) -> None:
        """Log the API, the caller and the reason of the failure, as the kernels' fast path does."""
        services = self.context.built_services
        if services is None:
            super()._log_refusal(status, problem)
            return
        self._code = note_refused_call(
            services,
            self.request,
            problem,
            api=self._api or self._named_api(services),
            kernel_id=self.kernel_id,
            status=status,
            request_id=self.request_id,
        )

    def _named_api(self, services: Services) -> str:
        """Return the API of a call that was refused before its API was looked up; empty if that name is unknown."""
        name = self.request.path.removeprefix(self.context.proxy_prefix).partition("/")[0]
        return next((api.name for api in services.sessions.apis if api.name == name), "")


def _nothing() -> None:
    """Do nothing: a page's call ends with the page."""
