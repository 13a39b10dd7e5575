"""What all handlers of a server share: settings, services, grants, and where browsers reach the server.

The modules of the handlers are imported by :mod:`jupyter_oidc.server.late_routes`, and none of them here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import GrantInvalid
from jupyter_oidc.server.kernel_peer import is_on_this_machine
from jupyter_oidc.server.loopback import LoopbackListeners
from jupyter_oidc.server.worker_access import WorkerAccess
from jupyter_oidc.sessions.strategy import pins_callback
from jupyter_oidc.web.browser_location import BrowserLocation
from jupyter_oidc.web.caller_streams import CallerStreams

if TYPE_CHECKING:
    from collections.abc import Callable

    from tornado.httputil import HTTPServerRequest

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.compose import MakeDiagnosticContext, Services
    from jupyter_oidc.diagnostics.report_cache import ReportCache
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.server.broker import Broker
    from jupyter_oidc.server.kernel_grants import KernelGrants
    from jupyter_oidc.server.sharing import Sharing
    from jupyter_oidc.server.worker_leases import WorkerLeases
    from jupyter_oidc.sessions.api import ProviderSettings
    from jupyter_oidc.settings import Finding, Settings
    from jupyter_oidc.web.front import SharingMode

MAX_DRAIN_SECONDS: Final = 10.0
"""Seconds that a refused caller has for the rest of its body: no more than an admitted one."""

MAX_KNOWN_HOSTS: Final = 100


@dataclass(slots=True)
class Context:
    """The state that all handlers share.

    ``build_services`` makes the services when the first request needs them, and so does not delay a server's start;
    ``settings`` is ``None`` if ``findings`` keep them from existing; ``proxy_prefix`` is the path above the APIs.
    With a ``broker`` there are neither services nor settings here.
    """

    build_services: Callable[[Settings], Services]
    settings: Settings | None
    findings: tuple[Finding, ...]
    grants: KernelGrants
    entropy: Entropy
    make_diagnostic_context: MakeDiagnosticContext
    clock: Clock
    proxy_prefix: str
    browser_location: BrowserLocation = field(default_factory=BrowserLocation)
    loopback_listeners: LoopbackListeners = field(default_factory=LoopbackListeners)
    streams: CallerStreams = field(default_factory=CallerStreams)
    max_drain_seconds: float = MAX_DRAIN_SECONDS
    allow_remote_kernels: bool = False
    allow_remote_workers: bool = False
    makes_worker_grants: bool = True
    under_hub: bool = False
    default_provider: str | None = None
    sharing: Sharing | None = None
    broker: Broker | None = None
    _services: Services | None = None
    _workers: WorkerAccess | None = None
    _leases: WorkerLeases | None = None
    _hosts: dict[str, bool] = field(default_factory=dict)
    _report_cache: ReportCache | None = None

    async def diagnostics(self, services: Services, address: str, *, seen: bool) -> dict[str, Any]:
        """Return the report about ``services`` of a server at ``address``, which browsers have ``seen`` there."""
        if self._report_cache is None:
            from jupyter_oidc.diagnostics.report_cache import ReportCache

            self._report_cache = ReportCache(self.clock)
        return await self._report_cache.view(
            lambda: self.make_diagnostic_context(services, address, seen=seen), seen=seen
        )

    @property
    def workers(self) -> WorkerAccess:
        """Admits the calls of workers."""
        if self._workers is None:
            self._workers = WorkerAccess(self.grants)
        return self._workers

    @property
    def worker_leases(self) -> WorkerLeases | None:
        """What backs the worker grants at the broker; ``None`` without one."""
        if self._leases is None and self.broker is not None:
            from jupyter_oidc.server.worker_leases import WorkerLeases

            self._leases = WorkerLeases(self, self.broker)
        return self._leases

    @property
    def built_services(self) -> Services | None:
        """The services, if they were ever made."""
        return self._services

    def notify_sessions(self, kind: str) -> None:
        """Publish an event of ``kind`` for every session, because a property of this server has changed."""
        if self._services is not None:
            self._services.notify_sessions(kind)

    @property
    def sharing_mode(self) -> SharingMode:
        """The sharing mode: whether other users than the owner have used this server."""
        return "none" if self.sharing is None else self.sharing.mode

    @property
    def services(self) -> Services | None:
        """The services, made at the first call."""
        if self._services is None and self.settings is not None:
            self._services = self.build_services(self.settings)
        return self._services

    def public_url(self, settings: ProviderSettings | None = None) -> str | None:
        """Return the address at which a browser reaches this server, or ``None`` if it is unknown.

        A sign-in by ``settings`` that comes back here has to start at the host of its redirect URI.
        """
        if settings is not None:
            pinned = [(settings.redirect_uri, settings.name)] if settings.pins_callback else []
        else:
            every = self.settings.providers if self.settings else ()
            pinned = [(one.redirect_uri, one.name) for one in every if pins_callback(one)]
        return self.browser_location.public_url_for(pinned)

    async def reload(self, settings: Settings) -> None:
        """Apply other ``settings``; sessions that they do not concern go on (D9).

        Services that were not built yet are made under the earlier settings, which decide about a stored session's
        access; if those had mistakes, every provider is a new one (ADR 30).
        """
        if self._services is None:
            self._services = self.build_services(self.settings or replace(settings, providers=()))
        self.settings, self.findings, self._report_cache = settings, (), None
        await self._services.reload(settings, self._install)

    def _install(self, services: Services) -> None:
        self._services = services

    def require_local_kernel(self, request: HTTPServerRequest) -> None:
        """Refuse a kernel on another machine, unless the settings allow it; raises ``GrantInvalid`` (Q8.12)."""
        if not self.allow_remote_kernels and not is_on_this_machine(request):
            raise GrantInvalid(
                N_("Kernel grants are for kernels on the Jupyter server's own machine."),
                action=N_(
                    "If kernels of this server run elsewhere, ask your administrator to set "
                    "c.JupyterOIDC.allow_remote_kernels = True."
                ),
                detail="grant.address",
            )

    def require_local_worker(self, request: HTTPServerRequest) -> None:
        """Refuse a worker on another machine, unless the settings allow it; raises ``GrantInvalid``."""
        if not self.allow_remote_workers and not is_on_this_machine(request):
            raise GrantInvalid(
                N_("Worker grants are for workers on the Jupyter server's own machine."),
                action=N_(
                    "If workers run elsewhere, ask your administrator to set c.JupyterOIDC.allow_remote_workers = True."
                ),
                detail="worker.address",
            )

    def allows_host(self, host: str, check: Callable[[], bool]) -> bool:
        """Return the result of Jupyter's ``check`` of ``host``, cached for the first hundred names."""
        known = self._hosts.get(host)
        if known is None:
            known = bool(check())
            if len(self._hosts) < MAX_KNOWN_HOSTS:
                self._hosts[host] = known
        return known

    def is_known_host(self, host: str) -> bool:
        """Return whether ``host`` has been allowed before."""
        return self._hosts.get(host, False)

    async def aclose(self) -> None:
        """Close the services, if they were ever made, and every listener."""
        await self.loopback_listeners.aclose()
        self.streams.close()
        if self._services is not None:
            await self._services.aclose()
        if self.broker is not None:
            await self.broker.aclose()
