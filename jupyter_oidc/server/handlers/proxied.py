"""The base of the proxy's handlers: matches their requests, parses them and logs those that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from tornado.routing import Matcher

from jupyter_oidc.facts import facts
from jupyter_oidc.server.broker import NoRecord, forwarded_of
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.received_call import received_call
from jupyter_oidc.sessions.delegation import SOCKET
from jupyter_oidc.web.call_record import CallRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tornado.httputil import HTTPServerRequest

    from jupyter_oidc.background import Background
    from jupyter_oidc.compose import Services
    from jupyter_oidc.facts import Fact
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.proxy.ports import Caller, SocketRefused
    from jupyter_oidc.proxy.request import Person, ProxyRequest
    from jupyter_oidc.settings import Api
    from jupyter_oidc.web.relay import RelayedAnswer
    from jupyter_oidc.web.socket_relay import RelayedSocket
    from jupyter_oidc.web.upload_limits import UploadLimits


Kind = Literal["bodiless", "socket", "other"]
"""What a proxied request brings: nothing but its head, a WebSocket handshake, or possibly a body."""

_ABOUT_A_BODY: Final = ("Content-Length", "Transfer-Encoding", "Content-Type")
"""Headers of a request with a body; a ``Content-Type`` alone would make tornado read the missing one as a form."""


class ProxiedKindMatcher(Matcher):
    """Matches requests of one kind below ``prefix``."""

    def __init__(self, prefix: str, kind: Kind) -> None:
        self._prefix = prefix
        self._kind = kind

    def match(self, request: HTTPServerRequest) -> dict[str, object] | None:
        """Return an empty mapping for a match, as tornado expects, else ``None``."""
        return {} if request.path.startswith(self._prefix) and _kind_of(request) == self._kind else None


def _kind_of(request: HTTPServerRequest) -> Kind:
    headers = request.headers
    if "Upgrade" in headers and headers["Upgrade"].lower() == "websocket":
        return "socket"
    return "other" if any(name in headers for name in _ABOUT_A_BODY) else "bodiless"


class Gateway(Protocol):
    """The way of a call to its API: the proxy of this process, or that of the broker."""

    def upload_limits(self, request: ProxyRequest) -> UploadLimits:
        """Return the limits of a body; raises the refusals that :meth:`open` would raise before it sends anything."""
        ...

    def open(self, request: ProxyRequest) -> Coroutine[Any, Any, RelayedAnswer]:
        """Send ``request`` and return the head of the answer; raises a ``Problem`` of ours."""
        ...

    def open_socket(
        self, request: ProxyRequest, subprotocols: tuple[str, ...]
    ) -> Coroutine[Any, Any, RelayedSocket | SocketRefused]:
        """Open a WebSocket, or return the refusal of the API; raises a ``Problem`` of ours."""
        ...


class ProxiedHandler(OidcHandler):
    """Base of the HTTP and the WebSocket side of ``api/{name}/{path}``."""

    _record: CallRecord | NoRecord | None = None
    """The record of the call, once its API is known; a call to an unknown API is not counted."""

    @property
    def gateway(self) -> Gateway:
        """The way of this call."""
        broker = self.context.broker
        return self.services.proxy if broker is None else broker.gateway(forwarded_of(self, needs_page=False))

    @property
    def background(self) -> Background:
        """The owner of the work that a WebSocket leaves behind."""
        broker = self.context.broker
        return self.services.background if broker is None else broker.background

    def _received_call(self) -> tuple[ProxyRequest, CallRecord | NoRecord]:
        """Return the call as it was received, and its record; raises ``BadPath`` or ``UnknownApi``."""
        caller: Caller = "browser" if self.kernel_id is None and not self.is_worker else "kernel"
        prefix, identity = self.context.proxy_prefix, self.identity_provider
        asked = received_call(self.request, list(self.request.headers.get_all()), prefix, caller, identity)
        if self.context.broker is not None:
            self._record = unrecorded = NoRecord(asked.method)
            return asked, unrecorded
        method = SOCKET if _kind_of(self.request) == "socket" else asked.method
        find, worker = self.services.proxy.route, self.worker
        route = find(asked.api) if worker is None else worker.find(find, asked.api, method)
        self._record = record = self._new_record(self.services, asked.api, asked.person)
        if worker is not None:
            worker.check_provider(asked.api, route.api.provider, method)
            asked = asked._replace(grant=worker.id)
        return asked, record

    def _new_record(self, services: Services, api: str, person: Person | None = None) -> CallRecord:
        method, seconds = self.request.method or "", self.request.request_time
        name = self.kernel_id if self.worker is None else self.worker.id
        return CallRecord(services.event_log, services.entropy, method, seconds, name, api, person)

    def close_with_kernel(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the kernel or worker of this call may call no more; return the function that stops this."""
        lasts = self.caller_lasts()
        return _nothing if lasts is None else self.context.streams.watch(lasts, cut)

    def _log_refusal(self, status: int, problem: Problem | None) -> None:
        """Log the API, the caller and the reason of the failure, as the kernels' fast path does."""
        services = self.context.built_services
        if services is None or self.context.broker is not None:
            super()._log_refusal(status, problem)
            return
        api = self._named_api(services)
        record = self._record or self._new_record(services, "" if api is None else api.name)
        record.fail(status, problem, self.request_id)

    def place(self) -> dict[str, Fact]:
        """Return the facts of the call: its API and that API's provider, if they are configured."""
        # NOTE: a broker has told the facts already.
        services = None if self.context.broker is not None else self.context.built_services
        api = None if services is None else self._named_api(services)
        if api is None or (self.worker is not None and api.name not in self.worker.apis):
            return {}
        return facts(api=api.name, provider=api.provider)

    def _named_api(self, services: Services) -> Api | None:
        """Return the API that the path names, or ``None`` if that is unknown."""
        name = self.request.path.removeprefix(self.context.proxy_prefix).partition("/")[0]
        return services.settings.api_named(name)


def _nothing() -> None:
    """Do nothing: a page's call ends with the page."""
