"""The Jupyter Server extension: reads its section of the configuration, builds the services, adds the routes.

A mistake in the settings never stops the Jupyter server: it is logged in full, and every route answers
``configuration_invalid`` with the same list (DESIGN 2, D8).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.routing import AnyMatches, Rule
from traitlets import Any as AnyTrait
from traitlets import Bool

from jupyter_oidc.adapters.journal import EventJournal
from jupyter_oidc.adapters.named_files import with_files
from jupyter_oidc.adapters.process import close_to_others
from jupyter_oidc.adapters.storage_key import keys_in, take_storage_key
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.errors import StorageUnavailable
from jupyter_oidc.server.announcement import OwnAnnouncement
from jupyter_oidc.server.config import SECTION, configured
from jupyter_oidc.server.handler import Context
from jupyter_oidc.server.handlers.proxied import Below
from jupyter_oidc.server.handlers.proxy import ProxyHandler
from jupyter_oidc.server.handlers.proxy_socket import ProxySocketHandler
from jupyter_oidc.server.kernel_grants import KernelGrants
from jupyter_oidc.server.kernel_lane import KernelLane
from jupyter_oidc.server.live_kernels import LiveKernels
from jupyter_oidc.server.routes import routes
from jupyter_oidc.server.settings_watch import INTERVAL, SettingsWatch
from jupyter_oidc.server.whereabouts import Whereabouts
from jupyter_oidc.settings import Settings, read_settings

if TYPE_CHECKING:
    import logging

    from jupyter_oidc.compose import Services
    from jupyter_oidc.diagnostics import Surroundings
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.secret import Secret


class JupyterOIDC(ExtensionApp):
    """Signs users in at OpenID Connect providers and keeps every token in this process."""

    name = "jupyter_oidc"
    load_other_extensions = True

    # NOTE: own traits are copied into settings that every extension reads, so none of them ever holds a secret.
    # NOTE: of any type, because traitlets would refuse a wrong one by leaving the extension out, with the value in the log.
    providers: Any = AnyTrait(
        {},
        help="The providers by name; see the reference of settings. Client secrets are references, never values.",
    ).tag(config=True)
    storage: Any = AnyTrait(
        "auto",
        help="Where refresh tokens are stored: 'auto', 'keyring', 'encrypted-file' or 'memory'.",
    ).tag(config=True)

    close_process: Any = Bool(
        True,
        help="Close the server's memory to other processes of the same user where the system can (Linux). Switch it "
        "off to attach a debugger or profiler.",
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Validate the configuration and build the services; report every mistake at once."""
        server = self._server()
        storage_key = take_storage_key(os.environ)  # NOTE: first of all, because kernels inherit what is left
        if self.close_process and not close_to_others():
            server.log.debug("jupyter_oidc: this system cannot close a process to others of the same user")
        clock = SystemClock()
        journal = EventJournal(server.event_logger, server.log, clock)
        journal.register()
        own = {name: getattr(self, name) for name in ("providers", "storage") if name in self.config.get(SECTION, {})}
        read = with_files(read_settings(*configured(own, server.config_file_paths)))
        entropy = SystemEntropy()
        grants = KernelGrants(clock, entropy, LiveKernels(server.kernel_manager))
        settings, findings = (read, ()) if isinstance(read, Settings) else (None, tuple(read))
        self._context = Context(
            lambda now: _services(now, journal, storage_key),
            settings,
            findings,
            grants,
            entropy,
            look=lambda services, address: _surroundings(services, address, storage_key),
            clock=clock,
            proxy_prefix=url_path_join(server.base_url, "jupyter-oidc", "api") + "/",
            whereabouts=Whereabouts.of_server(server.ip, os.environ),
        )
        for finding in findings:
            server.log.error("jupyter_oidc is off until this is corrected: %s", finding)
        if settings is not None:
            _check_key(settings, storage_key, server.log)
        watch = SettingsWatch(server.config_file_paths, own, settings, self._context.reload, server.log)
        self._watching = PeriodicCallback(watch.look, INTERVAL * 1000)
        self._watching.start()
        self._tell_kernels(entropy)

    def initialize_handlers(self) -> None:
        """Add the routes; those of the proxy come first, because they are called most and compared with least."""
        prefix = self._context.proxy_prefix
        given = {"context": self._context}
        rules = [
            Rule(Below(prefix, sockets=False), ProxyHandler, given),
            Rule(Below(prefix, sockets=True), ProxySocketHandler, given),
        ]
        application = self._server().web_app
        application.add_handlers(".*$", rules)
        lane = KernelLane(application, self._context, self._server().log)
        # NOTE: Jupyter's own way takes handlers only; what the lane does not take goes on to them (ADR 24).
        application.default_router.rules.insert(0, Rule(AnyMatches(), lane))
        self.handlers.extend(routes(self._context))

    async def stop_extension(self) -> None:
        """Stop background work, close connections, say no longer where this server is."""
        self._watching.stop()
        self._announcement.withdraw()
        await self._context.aclose()

    def _server(self) -> Any:
        """Return the server that this extension is part of; an extension without one is never initialized."""
        return self.serverapp

    def _tell_kernels(self, entropy: Entropy) -> None:
        """Let kernels and terminals know this server and no other."""
        server = self._server()
        self._announcement = OwnAnnouncement(server, entropy)
        self._announcement.tell_kernels(server.kernel_manager)
        IOLoop.current().add_callback(self._announce)

    def _announce(self) -> None:
        """Write down where this server is, as soon as it listens."""
        self._announcement.write()
        self._announcement.tell_terminals(self._server().web_app.settings)


def _services(settings: Settings, journal: EventJournal, storage_key: Secret | None) -> Services:
    """Make the services; what they need is imported here and not when the server starts."""
    from jupyter_oidc.compose import build, system_parts

    return build(settings, system_parts(settings, journal, storage_key))


def _surroundings(services: Services, address: str, storage_key: Secret | None) -> Surroundings:
    """Say what diagnostics look at."""
    from jupyter_oidc.compose import surroundings

    return surroundings(
        services.settings,
        (),
        environment=os.environ,
        storage_key=storage_key,
        address=address,
        sessions=services.sessions,
    )


def _check_key(settings: Settings, storage_key: Secret | None, log: logging.Logger) -> None:
    """Say at the start, and not only at the first sign-in, that the encrypted file has no key or a wrong one."""
    if settings.storage == "encrypted-file" or (settings.storage == "auto" and storage_key is not None):
        try:
            keys_in(storage_key)
        except StorageUnavailable as problem:
            log.error("jupyter_oidc: %s %s", problem.message, problem.action)  # noqa: TRY400 - no traceback is needed


main = JupyterOIDC.launch_instance
