"""A running broker: what is left of it once it has stopped."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from jupyter_oidc.broker.configuration import BrokerConfiguration
from jupyter_oidc.broker.running import RunningBroker
from jupyter_oidc.settings import Api, SecretRef
from jupyter_oidc.settings.broker import BrokerSettings
from tests.support.polling import eventually
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream
from tests.unit.adapters.storage.database.replicas import ONE
from tests.unit.broker.raw_requests import send
from tests.unit.broker.real_accounts import real_accounts

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no broker")

ACCOUNT = f"uid:{os.getuid()}" if hasattr(os, "getuid") else ""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for socket and database; NOTE: pytest's have paths that are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="broker") as folder:
        yield Path(folder)


@pytest.fixture
def upstream(provider: ScriptedProvider) -> Iterator[Upstream]:
    with Upstream(provider.accepts) as upstream:
        yield upstream


async def test_a_broker_that_gives_calls_no_time_stops_with_one_under_way(
    folder: Path, provider: ScriptedProvider, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``drain_seconds: 0``: the call is cut, and nothing waits for its end."""
    monkeypatch.setenv("BROKER_KEY", ONE)
    path, database = folder / "socket", folder / "sessions.sqlite"
    async with real_accounts(database, provider, apis=[Api("orders", "corp", upstream.url)]) as made:
        services = made.making.make(ACCOUNT)
        await made.sign_in(services)
        await services.aclose()
    key = SecretRef("env", "BROKER_KEY")
    ours = BrokerSettings(f"unix:{path}", None, f"sqlite:{database}", key, drain_seconds=0.0)
    broker = RunningBroker(BrokerConfiguration(ours, made.making.settings, None, audit_person=False))
    released = threading.Event()

    async def late(_: web.Request) -> web.Response:
        while not released.is_set():
            await asyncio.sleep(0.01)
        return web.Response()

    upstream.plan(late)
    await broker.start()
    try:
        reader, writer = await send(path, "GET", "jupyter-oidc/api/orders/1")
        await eventually(lambda: len(upstream.seen) == 1)
        await asyncio.wait_for(broker.stop(), 30)
        assert not path.exists()
        assert not (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 200")
        writer.close()
    finally:
        released.set()
        await broker.stop()
