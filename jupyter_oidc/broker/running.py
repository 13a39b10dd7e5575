"""A running broker: opens the database, listens, and stops without cutting a call that is under way."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from prometheus_client import REGISTRY, generate_latest

from jupyter_oidc.adapters.storage.database.sqlite import SqliteRows
from jupyter_oidc.adapters.system.process import open_files
from jupyter_oidc.adapters.telemetry.event_lines import EventLines
from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
from jupyter_oidc.adapters.telemetry.named_log import BROKER, NAME
from jupyter_oidc.background import Background
from jupyter_oidc.broker.accounts import Accounts
from jupyter_oidc.broker.application import AtHub, BrokerApplication, Health
from jupyter_oidc.broker.checks import account_context, broker_context
from jupyter_oidc.broker.configuration import database_of, keys_of
from jupyter_oidc.broker.deleted_users import DeletedUsers
from jupyter_oidc.broker.hub_identity import HubIdentity
from jupyter_oidc.broker.hub_login import HubLogin
from jupyter_oidc.broker.hub_pages import HubPages
from jupyter_oidc.broker.hub_place import hub_of
from jupyter_oidc.broker.identity import PeerCredentials
from jupyter_oidc.broker.listener import BACKLOG, ConnectionLimits, Listening, listen_at, listen_behind_proxy, shares_of
from jupyter_oidc.broker.provider_logouts import ProviderLogouts
from jupyter_oidc.broker.readiness import Readiness
from jupyter_oidc.broker.worker_calls import StoredGrantAccounts
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.compat.aiohttp_server import counted_server
from jupyter_oidc.compose import AccountServices
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.adapters.storage.storage_key import StorageKey
    from jupyter_oidc.background import Defect
    from jupyter_oidc.broker.configuration import BrokerConfiguration
    from jupyter_oidc.broker.hub_place import HubPlace

MAX_HEADER_BYTES = 16_384
"""Bytes of one line in the head of a request."""

MAX_HEADERS = 64
"""Lines in the head of a request."""

KEEP_ALIVE_SECONDS = 75.0
"""Seconds for which a connection without a request stays open, also one that has sent a part of a head."""


class RunningBroker:
    """Serves the accounts of ``configuration`` from :meth:`start` to :meth:`stop`."""

    def __init__(self, configuration: BrokerConfiguration) -> None:
        self._configuration = configuration
        self._clock = SystemClock()
        self._entropy = SystemEntropy()
        self._background = Background(_report, expected=Problem)
        # NOTE: events are the audit trail, one JSON object for each line; the log goes elsewhere.
        self._events = EventLines(sys.stdout, self._clock)
        self._rows: Rows | None = None
        self._readiness: Readiness | None = None
        self._services: AccountServices | None = None
        self._accounts: Accounts | None = None
        self._server: web.Server | None = None
        self._listener: asyncio.AbstractServer | None = None
        self._listening: Listening | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the database and listen; raises a :class:`Problem` that says what is missing."""
        configuration, environment = self._configuration, os.environ
        keys = keys_of(configuration.broker, environment)
        self._rows = rows = self.rows()
        if isinstance(rows, SqliteRows):  # NOTE: no other broker can have the file open
            await rows.migrate()
        await rows.open()
        logger = logging.getLogger(NAME)
        register = JupyterEventLog(self._events, logger, self._clock)
        register.register()

        def event_log_of(account: str) -> JupyterEventLog:
            made = JupyterEventLog(self._events, logger, self._clock, account)
            made.includes_person = configuration.audit_person
            return made

        # NOTE: behind a socket, the sign-out page goes through the user's own server.
        shows_id_tokens = configuration.place is not None
        self._services = AccountServices(
            configuration.settings,
            rows,
            keys,
            event_log_of,
            shows_id_tokens=shows_id_tokens,
            max_grant_hours=configuration.broker.max_grant_hours,
        )
        of_broker = broker_context(configuration, environment, rows)
        place, shares = configuration.place, shares_of(open_files())
        self._accounts = accounts = Accounts(
            self._services.make,
            partial(account_context, of_broker),
            self._clock,
            self._background,
            most_requests=shares.of_account,
        )
        identity, at_hub = (
            (PeerCredentials(), None) if place is None else self._at_hub(place, accounts, rows, keys, shares.of_account)
        )
        self._readiness = readiness = Readiness(rows, self._clock)
        application = BrokerApplication(
            accounts,
            identity,
            Health(readiness.is_ready, lambda: generate_latest(REGISTRY)),
            StoredGrantAccounts(rows, self._background, self._clock),
            default_provider=configuration.default_provider,
            at_hub=at_hub,
        )
        limits = ConnectionLimits(identity, shares, behind_proxy=place is not None)
        self._server = server = http_server(application)
        counted, loop = counted_server(server, limits.admit), asyncio.get_running_loop()
        if place is None:
            self._listening = at = listen_at(configuration.path, environment, os.getpid())
            self._listener = await loop.create_unix_server(counted, sock=at.socket, backlog=BACKLOG, **_KEEPS_PATH)
        else:
            self._listener = await listen_behind_proxy(counted, place)
        BROKER.info("jupyter_oidc: the broker listens")

    def _at_hub(
        self, place: HubPlace, accounts: Accounts, rows: Rows, keys: Sequence[StorageKey], most: int
    ) -> tuple[HubIdentity, AtHub]:
        """Return whom the Hub knows, and the pages for their browsers; begin to look for users that it has no more."""
        settings, hub = self._configuration.settings, hub_of(place)
        by_form = any(one.response_mode == "form_post" for one in settings.providers)
        login = HubLogin(hub, place, keys, self._clock, self._entropy, other_sites=by_form)
        pages = HubPages(accounts, place, login, ProviderLogouts(accounts, self._stored), most)
        self._watch = self._background.start(DeletedUsers(hub, rows, accounts).watch())
        return HubIdentity(hub, place), AtHub(place, pages)

    async def _stored(self, name: str, subject: str | None, sid: str | None) -> list[str]:
        provider = next((one for one in self._configuration.settings.providers if one.name == name), None)
        if provider is None or self._services is None:
            return []
        return await self._services.accounts_concerned(provider, subject, sid)

    def rows(self) -> Rows:
        """Return the database of the settings, which is not open yet; raises ``StorageUnavailable`` or ``ConfigurationInvalid``."""
        database = database_of(self._configuration.broker, os.environ)
        if isinstance(database, Path):
            return SqliteRows(database)
        from jupyter_oidc.adapters.storage.database.postgres import PostgresRows

        return PostgresRows(database, os.uname().nodename, self._background, self._entropy)

    async def stop(self) -> None:
        """Stop listening, let the calls under way end, and close everything; a second call does nothing."""
        if self._readiness is not None:
            self._readiness.end()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.remove()
        server, self._server = self._server, None
        if server is not None:
            server.pre_shutdown()
            # NOTE: it waits twice as long, and without an end for 0.
            await server.shutdown(max(self._configuration.broker.drain_seconds / 2, _SHORTEST_SECONDS))
        if self._watch is not None:
            self._watch.cancel()
        accounts, self._accounts = self._accounts, None
        if accounts is not None:
            await accounts.aclose()
        services, self._services = self._services, None
        if services is not None:
            await services.aclose()
        await self._background.settle(CLOSE_SECONDS)  # accounts that were closed a moment ago store what they have
        rows, self._rows = self._rows, None
        if rows is not None:
            await rows.aclose()


_SHORTEST_SECONDS = 0.01
CLOSE_SECONDS = 10.0
"""Seconds for accounts that are being closed when the broker stops."""

# NOTE: by itself the event loop removes the path, which may be systemd's, and the next broker's by then.
_KEEPS_PATH: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}

_SILENT = logging.Logger(  # noqa: LOG001 - known to no configuration, which could let it speak
    f"{BROKER.name}.http", logging.CRITICAL + 1
)


def http_server(application: BrokerApplication) -> web.Server:
    """Return the server of HTTP for ``application``, with the limits of one request."""
    return web.Server(
        application.answer,
        handler_cancellation=True,
        access_log=None,
        logger=_SILENT,  # NOTE: it would write the whole trace of each malformed head
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        max_headers=MAX_HEADERS,
        auto_decompress=False,
        tcp_keepalive=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


def _report(defect: Defect) -> None:
    BROKER.error("jupyter_oidc: a defect in background work: %s at %s", defect.kind, defect.place)
