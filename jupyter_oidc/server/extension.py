"""The Jupyter Server extension: reads its section of the configuration, builds the services, adds the routes.

A mistake in the settings never stops the Jupyter server: it is logged in full, and every route answers
``configuration_invalid`` with the same list (DESIGN 2, D8).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop, PeriodicCallback
from traitlets import Any as AnyTrait
from traitlets import Bool

from jupyter_oidc.adapters.storage.storage_key import keys_in, take_storage_key
from jupyter_oidc.adapters.system.early_imports import EarlyImports
from jupyter_oidc.adapters.system.ownership import owners_here
from jupyter_oidc.adapters.system.process import close_to_others
from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
from jupyter_oidc.adapters.telemetry.named_log import forward_to_server_log
from jupyter_oidc.background import Background
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import Problem, StorageUnavailable
from jupyter_oidc.server.admission import admission_by
from jupyter_oidc.server.announcement import ServerAnnouncement
from jupyter_oidc.server.config import STORAGE_KEYS, TRAITS, Reading, is_under_hub
from jupyter_oidc.server.context import Context
from jupyter_oidc.server.kernel_grants import KernelGrants
from jupyter_oidc.server.late_routes import LateRoutes
from jupyter_oidc.server.live_kernels import LiveKernels
from jupyter_oidc.server.notebook_export import converts_elsewhere, export_routes
from jupyter_oidc.server.settings_file import SECTION
from jupyter_oidc.server.settings_watch import CHECK_INTERVAL_SECONDS, SettingsSource, SettingsWatch
from jupyter_oidc.server.sharing import Sharing
from jupyter_oidc.server.startup_barrier import hold_kernels_back, hold_terminals_back
from jupyter_oidc.sessions.silent import is_silent_sign_in_on
from jupyter_oidc.settings.broker import broker_address
from jupyter_oidc.settings.section import SECTION_KEYS
from jupyter_oidc.web.browser_location import BrowserLocation

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from jupyter_oidc.compose import CreateParts, MakeDiagnosticContext, Services
    from jupyter_oidc.diagnostics import DiagnosticContext
    from jupyter_oidc.diagnostics.context import Admission
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.server.broker import Broker
    from jupyter_oidc.server.config import Configured
    from jupyter_oidc.settings import Settings


def _of_any_type(key: str) -> Any:
    """Return the trait of ``key``, which takes any value: what it may be is judged later, and all mistakes are told."""
    return AnyTrait(SECTION_KEYS[key].default, help=SECTION_KEYS[key].sentence).tag(config=True)


def _switch(key: str) -> Any:
    """Return the trait of the switch ``key``."""
    return Bool(SECTION_KEYS[key].default is True, help=SECTION_KEYS[key].sentence).tag(config=True)


class JupyterOIDC(ExtensionApp):
    """Signs users in at OpenID Connect providers and keeps every token in this process."""

    name = "jupyter_oidc"
    load_other_extensions = True

    # NOTE: own traits are copied into settings that every extension reads, so none of them ever holds a secret.
    # NOTE: of any type, because traitlets would answer a wrong one by leaving the extension out, and log the value.
    providers: Any = _of_any_type("providers")
    default_provider: Any = _of_any_type("default_provider")
    broker: Any = _of_any_type("broker")
    storage: Any = _of_any_type("storage")
    keyring_backend: Any = _of_any_type("keyring_backend")
    storage_folder: Any = _of_any_type("storage_folder")
    settings_sources: Any = _of_any_type("settings_sources")
    reload: Any = _of_any_type("reload")
    close_process: Any = _switch("close_process")
    allow_remote_kernels: Any = _switch("allow_remote_kernels")
    worker_grants: Any = _switch("worker_grants")
    allow_remote_workers: Any = _switch("allow_remote_workers")
    grant_kernels_of_others: Any = _switch("grant_kernels_of_others")
    audit_person: Any = _switch("audit_person")

    create_parts: CreateParts | None = None
    """The parts that do I/O, of a front of its own, such as the one of the tests; no setting reaches this."""

    poll_seconds = CHECK_INTERVAL_SECONDS
    """Seconds between two polls of the settings files; no setting reaches this either."""

    def initialize_settings(self) -> None:
        """Validate the configuration and build the services; report every mistake at once."""
        server = self._server()
        storage_key = take_storage_key(os.environ)  # NOTE: first of all, because kernels inherit the environment
        log = forward_to_server_log(server.log)
        own = {name: getattr(self, name) for name in TRAITS if name in self.config.get(SECTION, {})}
        source = SettingsSource(server.config_file_paths, own, owners_here())
        said = source.now()
        self.context = create_context(server, said, self.create_parts, storage_key=storage_key)
        for trouble in source.troubles:
            log.warning("jupyter_oidc: %s.", trouble)
        watch = SettingsWatch(source, self.context.settings, self._reload, log)
        self._watching = PeriodicCallback(watch.poll, self.poll_seconds * 1000)
        if said.reload and self.context.broker is None:
            self._watching.start()
        self._tell_pages()
        self._imports = EarlyImports(log, more=_named_modules(said), folders=(server.root_dir,))
        self._tell_kernels(self.context.entropy, log)

    def initialize_handlers(self) -> None:
        """Add the conversions in a process of their own, and all other routes as soon as one of them is asked for."""
        server = self._server()
        server.web_app.add_handlers(".*$", export_routes(server.base_url, self._imports.done))
        LateRoutes(server.web_app, self.context, server.base_url)

    async def stop_extension(self) -> None:
        """Stop background work, close connections, withdraw the announcement of this server."""
        self._watching.stop()
        self._announcement.withdraw()
        await self.context.aclose()

    def _server(self) -> Any:
        """Return the server that this extension is part of; an extension without one is never initialized."""
        return self.serverapp

    async def _reload(self, settings: Settings) -> None:
        await self.context.reload(settings)
        self._tell_pages()

    def _tell_pages(self) -> None:
        """Tell a page that opens whether it may try a silent sign-in, so that no other page waits for an answer."""
        providers = self.context.settings.providers if self.context.settings else ()
        wanted = any(is_silent_sign_in_on(one, under_hub=self.context.under_hub) for one in providers)
        wanted = wanted or self.context.broker is not None  # NOTE: the broker says so when the page asks
        self._server().web_app.settings.setdefault("page_config_data", {})["oidcSilentSignIn"] = wanted

    def _tell_kernels(self, entropy: Entropy, log: logging.Logger) -> None:
        """Announce this server, and no other, to kernels and terminals."""
        server = self._server()
        self._announcement = ServerAnnouncement(server, entropy, log)
        self._announcement.set_kernel_environment(server.kernel_manager)
        hold_kernels_back(server.kernel_manager, self._imports)
        IOLoop.current().add_callback(self._announce)

    def _announce(self) -> None:
        """Write the announcement as soon as this server listens; begin the imports, as the start is over."""
        self._announcement.write()
        settings = self._server().web_app.settings
        self._announcement.set_terminal_environment(settings)
        hold_terminals_back(settings, self._imports)
        self._imports.begin()


def create_context(
    server: Any, said: Configured, create_parts: CreateParts | None = None, *, storage_key: Secret | None = None
) -> Context:
    """Create what all routes of ``server`` share, under the configuration ``said``; log every mistake in it.

    ``create_parts`` is the door for another front and for tests: it makes the parts that do I/O, when the first request
    needs them; without it they are the real ones.
    """
    clock, entropy = SystemClock(), SystemEntropy()
    log = forward_to_server_log(server.log)
    event_log = JupyterEventLog(server.event_logger, log, clock)
    if "audit_person" in said.on:
        event_log.includes_person = True
    event_log.register()
    if "close_process" in said.on and not close_to_others():
        log.debug("jupyter_oidc: this system cannot close a process to others of the same user")
    broker = _broker(said.broker, log)
    read = said.read() if broker is None else None
    sharing = _sharing(
        server,
        admits_all="grant_kernels_of_others" in said.on,
        changed=lambda: context.notify_sessions("sharing-changed"),
    )
    admits = (lambda _: True) if sharing is None else sharing.admits
    settings = read.settings if isinstance(read, Reading) else None
    findings = tuple(read) if isinstance(read, list) else ()
    context = Context(
        lambda now: _services(now, event_log, storage_key, create_parts),
        settings,
        findings,
        KernelGrants(clock, entropy, LiveKernels(server.kernel_manager), admits),
        entropy,
        make_diagnostic_context=_diagnostic_context_factory(server, storage_key),
        clock=clock,
        proxy_prefix=url_path_join(server.base_url, "jupyter-oidc", "api") + "/",
        browser_location=BrowserLocation.of_server(server.ip, os.environ, server.base_url),
        allow_remote_kernels="allow_remote_kernels" in said.on,
        allow_remote_workers="allow_remote_workers" in said.on,
        makes_worker_grants="worker_grants" in said.on,
        under_hub=is_under_hub(os.environ),
        default_provider=said.default_provider,
        sharing=sharing,
        broker=broker,
    )
    for finding in findings:
        log.error("jupyter_oidc is off until this is corrected: %s", finding)
    for note in read.log_notes if isinstance(read, Reading) else ():
        log.warning("jupyter_oidc: %s.", note)
    if settings is not None:
        _check_key(settings, storage_key, log)
    return context


def _broker(address: str | None, log: logging.Logger) -> Broker | None:
    """Return the broker of the settings, whose own settings count: those of this server are ignored, and the log says so."""
    at = broker_address(address)
    if at is None:
        return None
    from jupyter_oidc.adapters.broker.broker_client import BrokerClient
    from jupyter_oidc.server.broker import Broker, hub_token

    log.info(
        "jupyter_oidc: sessions are held by the broker at %s; the settings of providers here do not count", address
    )
    return Broker(
        BrokerClient(at, None if at.path is not None else hub_token(os.environ)),
        Background(
            lambda defect: log.error("jupyter_oidc: a defect in background work: %s at %s", defect.kind, defect.place),
            expected=Problem,
        ),
    )


def _services(
    settings: Settings, event_log: JupyterEventLog, storage_key: Secret | None, create_parts: CreateParts | None
) -> Services:
    """Make the services; their modules are imported here and not when the server starts."""
    from jupyter_oidc.compose import build, system_parts

    return build(settings, (create_parts or system_parts)(settings, event_log, storage_key))


def _diagnostic_context_factory(server: Any, storage_key: Secret | None) -> MakeDiagnosticContext:
    """Return the function that makes the context of diagnostics from the services and Jupyter's own settings."""
    application: Any = server.web_app
    nbconvert = url_path_join(server.base_url, "nbconvert", "html", "a.ipynb")

    async def admission(netloc: str) -> Admission:
        return admission_by(application.settings, netloc)

    def make_diagnostic_context(services: Services, address: str, *, seen: bool) -> DiagnosticContext:
        from jupyter_oidc.compose import diagnostic_context

        context = diagnostic_context(
            services.settings,
            (),
            environment=os.environ,
            storage_key=storage_key,
            address=address,
            sessions=services.sessions,
        )
        elsewhere = converts_elsewhere(application, nbconvert)
        return replace(context, address_seen_by_browsers=seen, admission=admission, converts_in_own_process=elsewhere)

    return make_diagnostic_context


def _sharing(server: Any, *, admits_all: bool, changed: Callable[[], None]) -> Sharing | None:
    """Return the tracker of users and kernels, if ``server`` has one owner among many users."""
    owner = os.environ.get("JUPYTERHUB_USER")
    if not owner:
        return None
    sharing = Sharing(owner, admits_all=admits_all, changed=changed)
    sharing.watch(server.kernel_manager)
    return sharing


def _named_modules(said: Configured) -> tuple[str, ...]:
    """Return the modules that the settings name, valid or not; a later change counts from the next start."""
    backend = dict(zip(STORAGE_KEYS, said.choices, strict=True))["keyring_backend"]
    module = backend.rpartition(".")[0] if isinstance(backend, str) else ""
    return (module,) if module else ()


def _check_key(settings: Settings, storage_key: Secret | None, log: logging.Logger) -> None:
    """Log at the start, and not only at the first sign-in, that the encrypted file has no key or a wrong one."""
    if settings.storage == "encrypted-file" or (settings.storage == "auto" and storage_key is not None):
        try:
            keys_in(storage_key)
        except StorageUnavailable as problem:
            log.error("jupyter_oidc: %s %s", problem.message, problem.action)  # noqa: TRY400 - no traceback is needed


main = JupyterOIDC.launch_instance
