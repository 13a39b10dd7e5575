"""One server's sessions without a server: built as production builds them, driven from standard input.

``python -m tests.support.session_child`` reads one JSON line: ``provider`` (settings), ``key`` (of the encrypted
file), ``refreshes`` (how many), ``dies`` (a point at which the process kills itself during the first refresh, or
nothing). It prints one JSON line: how each refresh ended, and the last summary's state and reason.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from jupyter_oidc.clock import Moment, SystemClock
from jupyter_oidc.compose import Parts, Services, build, system_parts
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.ports import Entry, EntryLock, HeldLock, ProviderPort, Vault
from jupyter_oidc.sessions.refresh_policy import MIN_REFRESH_INTERVAL_SECONDS
from jupyter_oidc.settings import Settings, read_settings

POINTS = ("marked", "sent", "answered", "stored", "settled")
"""Where a process can die during a refresh, in the order in which it passes them."""


class Silent:
    """An event log that drops every event."""

    log = logging.getLogger("session_child")

    def session(self, event: object) -> None: ...

    def refusal(self, provider: str, flow: str, refused: str, detail: str) -> None: ...

    def defect(self, about: str, defect: object) -> None: ...

    def call(self, record: object) -> None: ...

    def emit_all(self) -> None: ...


def die() -> None:
    """End as a power cut does."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


@dataclass
class DyingPort:
    port: ProviderPort
    point: str

    async def send(self, call: Call) -> Reply:
        is_refresh = ("grant_type", "refresh_token") in call.form
        if is_refresh and self.point == "sent":
            asyncio.get_running_loop().call_later(0.05, die)
        reply = await self.port.send(call)
        if is_refresh and self.point in ("answered", "sent"):
            die()
        return reply

    async def aclose(self) -> None:
        await self.port.aclose()


@dataclass
class DyingVault:
    vault: Vault
    point: str

    async def kind(self) -> Any:
        return await self.vault.kind()

    async def load(self) -> Entry | None:
        return await self.vault.load()

    async def save(self, entry: Entry) -> None:
        await self.vault.save(entry)
        if self.point == "stored":
            die()

    async def delete(self) -> None:
        await self.vault.delete()


@dataclass
class DyingHeldLock:
    held_lock: HeldLock
    point: str

    @property
    def interrupted(self) -> bool:
        return self.held_lock.interrupted

    @property
    def held_last(self) -> bool:
        return self.held_lock.held_last

    async def mark_in_use(self) -> None:
        await self.held_lock.mark_in_use()
        if self.point == "marked":
            die()

    async def clear_mark(self) -> None:
        await self.held_lock.clear_mark()
        if self.point == "settled":
            die()


@dataclass
class DyingLock:
    lock: EntryLock
    point: str

    @asynccontextmanager
    async def hold(self, *, timeout_seconds: float) -> AsyncIterator[HeldLock]:
        async with self.lock.hold(timeout_seconds=timeout_seconds) as held_lock:
            yield DyingHeldLock(held_lock, self.point)


class HurriedClock:
    """The system's clock, with a monotonic one that can be moved on, so that no test has to wait between refreshes."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> Moment:
        now = SystemClock().now()
        return Moment(now.wall, now.monotonic + self.ahead)


def services_of(provider: dict[str, Any], key: str, *, dies: str = "") -> Services:
    """Build the services of one server whose sessions are in the encrypted file."""
    settings = read_settings({"corp": provider}, "encrypted-file")
    assert isinstance(settings, Settings), settings
    parts: Parts = system_parts(settings, Silent(), Secret(key))  # type: ignore[arg-type]  # NOTE: as silent as it is
    parts = replace(parts, clock=HurriedClock())
    if dies:
        port, vault, lock = parts.provider_port, parts.vault, parts.lock
        parts = replace(
            parts,
            provider_port=lambda one: DyingPort(port(one), dies),
            vault=lambda one: DyingVault(vault(one), dies),
            lock=lambda one: DyingLock(lock(one), dies),
        )
    return build(settings, parts)


def hurry(services: Services) -> None:
    """Let the ten seconds pass that lie between two refreshes (B25)."""
    assert isinstance(services.clock, HurriedClock)
    services.clock.ahead += MIN_REFRESH_INTERVAL_SECONDS


async def drive(document: dict[str, Any]) -> dict[str, Any]:
    """Refresh as often as asked and say how it went."""
    services = services_of(document["provider"], document["key"], dies=document.get("dies", ""))
    session = services.sessions.of_provider("corp")
    outcomes: Counter[str] = Counter()
    await session.view.summary()
    for _ in range(document["refreshes"]):
        hurry(services)
        outcomes[type(await session.tokens.refresh()).__name__] += 1
    summary = await session.view.summary()
    await services.aclose()
    return {"outcomes": outcomes, "state": summary.state.value, "reason": summary.reason, "storage": summary.storage}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(drive(json.loads(sys.stdin.readline())))))
