"""A broker in this process, between a Jupyter server and services that a test has: what goes to it crosses a Unix socket."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, generate_latest

from jupyter_oidc.adapters.broker.broker_client import BrokerClient
from jupyter_oidc.background import Background
from jupyter_oidc.broker.accounts import Accounts
from jupyter_oidc.broker.application import BrokerApplication, Health
from jupyter_oidc.broker.identity import PeerCredentials
from jupyter_oidc.broker.listener import BACKLOG, ConnectionLimits, listen_at, shares_of
from jupyter_oidc.broker.running import http_server
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.compat.aiohttp_server import counted_server
from jupyter_oidc.problems import Problem
from jupyter_oidc.server.broker import Broker
from jupyter_oidc.settings.broker import BrokerAddress

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from jupyter_oidc.background import Defect
    from jupyter_oidc.compose import Services
    from jupyter_oidc.server.context import Context


class OnlyAccount:
    """Implements ``GrantAccounts`` where every grant is of the user of this process."""

    async def account_of(self, text: str) -> str:
        return f"uid:{os.getuid()}"

    def forget(self, text: str) -> None:
        """Nothing is remembered."""


class BrokerUnderTest:
    """A broker at ``path`` whose accounts have the services that ``make`` returns for their names."""

    def __init__(self, path: Path, make: Callable[[str], Services], make_context: Any = None) -> None:
        self.path = path
        self.defects: list[Defect] = []
        self.background = Background(self.defects.append, expected=Problem)
        self.accounts = Accounts(make, make_context, SystemClock(), self.background)
        self.head_seconds = 10.0

    @asynccontextmanager
    async def serving(self, loop: asyncio.AbstractEventLoop) -> AsyncIterator[BrokerUnderTest]:
        """Serve as long as the block runs."""
        identity = PeerCredentials()

        async def ready() -> bool:
            return True

        health = Health(ready, lambda: generate_latest(REGISTRY))
        application = BrokerApplication(self.accounts, identity, health, OnlyAccount())
        server = http_server(application)
        at = listen_at(str(self.path), {}, os.getpid())
        listener = await loop.create_unix_server(
            counted_server(server, ConnectionLimits(identity, shares_of(65_536)).admit, head_seconds=self.head_seconds),
            sock=at.socket,
            backlog=BACKLOG,
        )
        try:
            yield self
        finally:
            listener.close()
            at.remove()
            await server.shutdown(1.0)

    def client(self) -> BrokerClient:
        """Return a client for a Jupyter server."""
        return BrokerClient(BrokerAddress(str(self.path), "http://broker/"))


@asynccontextmanager
async def through_broker(
    context: Context, path: Path, loop: asyncio.AbstractEventLoop
) -> AsyncIterator[BrokerUnderTest]:
    """Put a broker between the routes of a server and its services; must come before the first request."""

    def services(_: str) -> Services:
        made = context.services
        assert made is not None
        return made

    broker = BrokerUnderTest(path, services, context.make_diagnostic_context)
    async with broker.serving(loop):
        context.broker = Broker(broker.client(), broker.background)
        yield broker
        await context.broker.aclose()
