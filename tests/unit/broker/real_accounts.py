"""Services of accounts as a broker makes them: over one database, at one provider that asks nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jupyter_events import EventLogger

from jupyter_oidc.adapters.storage.database.rows import RowName
from jupyter_oidc.adapters.storage.database.sqlite import SqliteRows
from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
from jupyter_oidc.adapters.telemetry.named_log import NAME
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.compose import AccountServices, Services
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Api, Provider, Settings
from tests.support.scripted_provider import ScriptedProvider
from tests.unit.adapters.storage.database.replicas import ONE

CALLBACK = "http://localhost:8888"
"""The beginning of every redirect URI; nothing listens there."""


class GatedRows(SqliteRows):
    """Rows whose loads wait while the ``gate`` is closed; ``asked`` counts them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0

    async def load(self, name: RowName) -> bytes | None:
        self.asked += 1
        await self.gate.wait()
        return await super().load(name)


@dataclass
class Answer:
    """What the provider has sent a browser back with."""

    parameters: list[tuple[str, str]]
    binding: str


@dataclass
class RealAccounts:
    """Makes the services of accounts; ``provider`` is the one of each."""

    making: AccountServices
    rows: GatedRows
    provider: ScriptedProvider

    async def sign_in(self, services: Services, account: str = "a", name: str = "corp") -> None:
        """Sign in at the provider ``name``."""
        await self.take(services, await self.leave(services, account, name), name)

    async def leave(self, services: Services, account: str, name: str) -> Answer:
        """Go to the provider; return what it answers. The redirect URI names account and provider."""
        sign_ins = services.sessions.of_provider(name).sign_ins
        pending, ticket = await sign_ins.begin(f"user:{account}")
        services.pending.use_ticket(ticket)
        url, binding = await sign_ins.authorization_url(pending, f"{CALLBACK}/{account}/{name}")
        sent = await asyncio.to_thread(self.provider.browser().open, url, stop_at=CALLBACK)
        return Answer(parse_qsl(urlsplit(sent.headers["Location"]).query), binding)

    async def take(self, services: Services, answer: Answer, name: str) -> None:
        """End the sign-in by the provider's ``answer``."""
        done = await services.sessions.of_provider(name).sign_ins.callback(answer.parameters, [answer.binding])
        assert done.progress == "completed"

    def token_requests(self, account: str) -> int:
        """Return how many codes of ``account`` the provider was asked to redeem."""
        begins = f"{CALLBACK}/{account}/"
        redeemed = [one.form.get("redirect_uri", "") for one in self.provider.received if one.endpoint == "token"]
        return sum(uri.startswith(begins) for uri in redeemed)


async def state_of(services: Services, name: str = "corp") -> str:
    """Return the state of the session as a client sees it."""
    return (await services.session_api.summary(name)).state.value


@asynccontextmanager
async def real_accounts(
    path: Path, provider: ScriptedProvider, names: Sequence[str] = ("corp",), apis: Sequence[Api] = ()
) -> AsyncIterator[RealAccounts]:
    """Open the database at ``path``; the settings have ``provider`` under each of ``names``, with its ``apis``."""

    def event_log_of(account: str) -> JupyterEventLog:
        made = JupyterEventLog(EventLogger(), logging.getLogger(NAME), SystemClock(), account)
        made.register()
        return made

    def provider_named(name: str) -> Provider:
        ours = tuple(api for api in apis if api.provider == name)
        return Provider(name, provider.issuer, provider.client_id, allow_insecure_loopback=True, apis=ours)

    settings = Settings(tuple(map(provider_named, names)))
    rows = GatedRows(path)
    await rows.migrate()
    await rows.open()
    making = AccountServices(
        settings, rows, keys_in(Secret(ONE)), event_log_of, shows_id_tokens=False, max_grant_hours=720.0
    )
    try:
        yield RealAccounts(making, rows, provider)
    finally:
        await making.aclose()
        await rows.aclose()
