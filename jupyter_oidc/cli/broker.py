"""``broker``: serve the sessions of many accounts, migrate their database, look at everything a broker needs."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

from traitlets import CaselessStrEnum, Dict, Unicode

from jupyter_oidc.adapters.system.process import close_to_others
from jupyter_oidc.adapters.telemetry.named_log import NAME
from jupyter_oidc.broker.checks import broker_context, check_hub
from jupyter_oidc.broker.configuration import DEFAULT_FILE, BrokerConfiguration, keys_of, read_configuration
from jupyter_oidc.broker.running import RunningBroker
from jupyter_oidc.cli.app import ALIASES, FLAGS, CommandGroup, OidcApp, paragraphs
from jupyter_oidc.cli.findings import told_finding
from jupyter_oidc.diagnostics import Report, examine
from jupyter_oidc.diagnostics.check import Subject
from jupyter_oidc.diagnostics.report import as_text
from jupyter_oidc.language import N_, _, told
from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from jupyter_oidc.settings import Finding

_SETTINGS: Final = N_("The settings file of the broker.")
_CLI: Final = "jupyter_oidc.cli.broker"
FAILED: Final = 1
_OF_JUPYTERHUB: Final = "tornado.application"
"""The logger of JupyterHub's library, which writes whole answers; what they mean is in our own lines."""


class Broker(CommandGroup):
    """``jupyter oidc broker``."""

    name = "jupyter-oidc-broker"
    description = paragraphs(
        N_("A broker holds the sessions of many accounts in a process that no notebook can enter."),
        N_("Jupyter servers hand their calls to it by c.JupyterOIDC.broker, and hold no token themselves."),
    )
    examples = """
    jupyter oidc broker serve --settings=/etc/jupyter-oidc/broker.json
    jupyter oidc broker migrate                 # bring the tables of the database to this version
    jupyter oidc broker doctor                  # is everything there that a broker needs?
    """
    subcommands = Dict(
        {
            "serve": (f"{_CLI}.Serve", N_("Serve the sessions of many accounts.")),
            "migrate": (f"{_CLI}.Migrate", N_("Bring the tables of the database to the version of this program.")),
            "doctor": (f"{_CLI}.BrokerDoctor", N_("Look at everything that a broker needs.")),
        }
    )


class _WithSettings(OidcApp):
    """Base of the commands: reads the settings file, and tells every mistake in it."""

    settings = Unicode(DEFAULT_FILE, help=_SETTINGS).tag(config=True)
    needs_place = True

    def start(self) -> None:
        """Read the settings and do the work; the exit code is 1 for a mistake."""
        super().start()
        user = os.getuid() if hasattr(os, "getuid") else None
        read = read_configuration(str(self.settings), user, os.environ if self.needs_place else None)
        self.exit(self._tell(read) if isinstance(read, list) else self._done(read))

    def _tell(self, findings: list[Finding]) -> int:
        for finding in findings:
            self.write_stderr(told_finding(finding))
        return FAILED

    def _done(self, configuration: BrokerConfiguration) -> int:
        try:
            return self.work(configuration)
        except Problem as problem:
            self.write_stderr(f"{told(problem.message)} {told(problem.action)}")
            return FAILED

    def work(self, configuration: BrokerConfiguration) -> int:
        """Do the work of the command; return its exit code."""
        raise NotImplementedError


class Serve(_WithSettings):
    """``jupyter oidc broker serve``."""

    name = "jupyter-oidc-broker-serve"
    description = paragraphs(
        N_("Serve the sessions of many accounts, until it is asked to stop (SIGTERM, or Ctrl-C)."),
        N_(
            "It listens at a Unix socket, and gives each user of the machine their own sessions and no others. "
            "Without a database of its own it keeps them in one file."
        ),
        N_("Exit code: 0 after a stop, 1 if it cannot serve."),
    )
    examples = """
    jupyter oidc broker serve                                  # with /etc/jupyter-oidc/broker.json
    jupyter oidc broker serve --settings=broker.json --log-format=text
    """
    log_as = CaselessStrEnum(
        ["json", "text"], "json", help=N_("How the log is written: a JSON object on each line, or text.")
    ).tag(config=True)
    aliases = Dict({**ALIASES, "settings": "Serve.settings", "log-format": "Serve.log_as"})
    flags = Dict(FLAGS)

    def work(self, configuration: BrokerConfiguration) -> int:
        """Serve."""
        if configuration.broker.close_process:
            close_to_others()
        _log_to_stderr(str(self.log_as), debug=self.log_level == logging.DEBUG)
        code: int = _in_event_loop(self._serve(configuration))
        return code

    async def _serve(self, configuration: BrokerConfiguration) -> int:
        stop, loop, broker = asyncio.Event(), asyncio.get_running_loop(), RunningBroker(configuration)
        for request in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(request, stop.set)
        try:
            await broker.start()
            place = configuration.place
            at = configuration.path if place is None else place.public_url
            self.write_stderr(_("The broker listens at {path}.", path=at))
            _tell_systemd("READY=1")
            await stop.wait()
            _tell_systemd("STOPPING=1")
        finally:
            await broker.stop()
        return 0


class Migrate(_WithSettings):
    """``jupyter oidc broker migrate``."""

    name = "jupyter-oidc-broker-migrate"
    description = paragraphs(
        N_("Bring the tables of the database to the version of this program."),
        N_("Exit code: 0, or 1 if it did not work."),
    )
    examples = """
    jupyter oidc broker migrate --settings=/etc/jupyter-oidc/broker.json
    """
    aliases = Dict({**ALIASES, "settings": "Migrate.settings"})
    needs_place = False

    def work(self, configuration: BrokerConfiguration) -> int:
        """Migrate."""
        before, after = _in_event_loop(_migrated(configuration))
        if before == after:
            self.write_stdout(_("The tables have this version already ({version}).", version=after))
        else:
            self.write_stdout(
                _("The tables have the version {after} now; before, {before}.", after=after, before=before)
            )
        return 0


class BrokerDoctor(_WithSettings):
    """``jupyter oidc broker doctor``."""

    name = "jupyter-oidc-broker-doctor"
    description = paragraphs(
        N_("Look at everything that a broker needs: its settings, keys and database, and each provider."),
        N_("Exit code: 1 if something is wrong, 0 otherwise."),
    )
    examples = """
    jupyter oidc broker doctor --settings=/etc/jupyter-oidc/broker.json
    """
    aliases = Dict({**ALIASES, "settings": "BrokerDoctor.settings"})

    def work(self, configuration: BrokerConfiguration) -> int:
        """Look at everything, and write one line for each."""
        report: Report = _in_event_loop(_examined(configuration))
        self.write_stdout(as_text(report))
        return 0 if report.ok else FAILED


async def _examined(configuration: BrokerConfiguration) -> Report:
    about, keys = Subject(N_("key")), N_("The keys that seal what is stored can be read.")
    try:
        keys_of(configuration.broker, dict(os.environ))
        found = about.ok(keys)
    except Problem as problem:
        found = about.failed(problem)
    rows, hub = RunningBroker(configuration).rows(), await check_hub(configuration.place)
    try:
        await rows.open()
        report = await examine(broker_context(configuration, os.environ, rows))
    except Problem as problem:
        report = Report((Subject(N_("database")).failed(problem),))
    finally:
        await rows.aclose()
    return Report((found, *hub, *report.checks))


async def _migrated(configuration: BrokerConfiguration) -> tuple[int, int]:
    rows = RunningBroker(configuration).rows()
    try:
        return await rows.migrate()
    finally:
        await rows.aclose()


def _in_event_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of ``work``; the event loop is uvloop's where that is installed."""
    try:
        import uvloop
    except ImportError:
        loop = asyncio.new_event_loop()
    else:
        loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _log_to_stderr(form: str, *, debug: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    if form == "json":
        from pythonjsonlogger.json import JsonFormatter

        named = {"asctime": "time", "levelname": "level", "name": "logger"}
        handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=named))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()  # NOTE: so that what a library has to say is in the same form
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_OF_JUPYTERHUB).setLevel(logging.CRITICAL)
    logging.getLogger(NAME).setLevel(logging.DEBUG if debug else logging.INFO)


def _tell_systemd(state: str) -> None:
    """Tell systemd the ``state`` of this service, if it asks (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        notify.sendall(state.encode())
