"""Drives the sessions of many people at one provider, outside Jupyter: the way in which a shared service would use them.

The provider is a real one on loopback; sessions, facts, keys and connections are the product's own. Each person signs in
by the code flow, calls with a token, refreshes, and leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakSet

import httpx
import psutil

from jupyter_oidc.adapters.network.network_route import network_route_of
from jupyter_oidc.adapters.provider.provider_http import HttpProvider
from jupyter_oidc.adapters.storage.entry_lock import NoLock
from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.adapters.system.timers import LoopScheduler
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.sessions.credentials import Credentials
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.pending import PendingSignIns, SignInOptions
from jupyter_oidc.sessions.provider_logout import AcceptedLogouts
from jupyter_oidc.sessions.service import SessionService
from jupyter_oidc.sessions.shared_provider import SharedProvider
from jupyter_oidc.sessions.shared_tokens import NoSharedTokens
from jupyter_oidc.sessions.sign_out_pages import SignOutPages
from jupyter_oidc.settings import Provider
from tests.support.scripted_provider import ScriptedProvider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.background import Defect
    from jupyter_oidc.sessions.ports import SessionEvent

PEOPLE = 500
SIDE_BY_SIDE = 50
"""Sign-ins and refreshes under way at the same time."""

TRACED_PEOPLE = 50
"""People whose memory is measured; tracing makes everything slow, so that the others come first, without it."""


@dataclass
class Events:
    """Counts the session events by their kind, and keeps what went wrong."""

    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def session(self, event: SessionEvent) -> None:
        """Count ``event``."""
        self.kinds[event.kind] += 1

    def refusal(self, provider: str, flow: str, refused: str, detail: str) -> None:
        """Keep the reason codes."""
        del provider, flow
        self.wrong.append(f"{refused} ({detail})")

    def defect(self, about: str, defect: Defect) -> None:
        """Keep the type of the exception."""
        self.wrong.append(f"{about}: {defect.kind} in {defect.place}")


@dataclass
class ManySessions:
    """A service for many people at ``provider``, who share what belongs to the provider and nothing else."""

    provider: ScriptedProvider
    people: dict[str, SessionService] = field(default_factory=dict)
    events: Events = field(default_factory=Events)
    made: WeakSet[SessionService] = field(default_factory=WeakSet)

    def __post_init__(self) -> None:
        self.settings = Provider(
            "corp",
            self.provider.issuer,
            "jupyter",
            scopes=("openid", "offline_access"),
            allow_insecure_loopback=True,
        )
        self.clock, self.entropy, self.scheduler = SystemClock(), SystemEntropy(), LoopScheduler()
        port = HttpProvider(timeout=30.0, network_route=network_route_of(self.settings))
        proof = Credentials(self.settings, self.clock, self.entropy, secret=lambda: None, key=lambda: None)
        self.shared = SharedProvider(self.settings, port, self.clock, proof, self.entropy)

    def service(self) -> SessionService:
        """Return a service for one more person; only facts, keys and connections of the provider are shared."""
        service = SessionService(
            self.settings,
            oidc_client=self.shared.client(),
            vault=MemoryVault(),
            lock=NoLock(),
            pending=PendingSignIns(self.clock, self.entropy),
            clock=self.clock,
            entropy=self.entropy,
            scheduler=self.scheduler,
            event_log=self.events,
            logouts=AcceptedLogouts(),
            sign_out_pages=SignOutPages(self.clock, self.entropy, self.scheduler),
            shared_tokens=NoSharedTokens(),
        )
        self.made.add(service)
        return service

    async def sign_in(self, names: Sequence[str]) -> None:
        """Sign in the people ``names``, some side by side."""
        limit = asyncio.Semaphore(SIDE_BY_SIDE)
        async with httpx.AsyncClient(trust_env=False, timeout=60) as browser:
            await asyncio.gather(*(self._sign_in(name, browser, limit) for name in names))

    async def _sign_in(self, name: str, browser: httpx.AsyncClient, limit: asyncio.Semaphore) -> None:
        service = self.people[name] = self.service()
        async with limit:
            pending, _ = await service.sign_ins.begin(name, SignInOptions(login_hint=name))
            url, binding = await service.sign_ins.authorization_url(pending, "http://127.0.0.1:8888/callback")
            answer = (await browser.get(url)).headers["Location"]
            await service.sign_ins.callback(parse_qsl(urlsplit(answer).query), [binding])

    async def refresh(self) -> Counter[str]:
        """Refresh every session, many side by side; return how often each outcome came."""
        limit = asyncio.Semaphore(SIDE_BY_SIDE)

        async def refreshed(service: SessionService) -> str:
            async with limit:
                return type(await service.tokens.refresh()).__name__

        return Counter(await asyncio.gather(*map(refreshed, self.people.values())))

    async def subjects(self) -> dict[str, str]:
        """Return, for each person, the subject whose token a call would carry now."""
        return {name: (await token_of(service)).subject for name, service in self.people.items()}

    async def leave(self, name: str) -> str:
        """End the session of ``name``; return what became of its refresh token at the provider."""
        service = self.people.pop(name)
        revoked = (await service.sign_outs.sign_out()).revoked
        await service.aclose()
        return str(revoked)

    def connections(self) -> int:
        """Return how many connections this process has open to the provider."""
        port = urlsplit(self.provider.issuer).port
        opened = psutil.Process().net_connections("tcp")
        return sum(
            one.status == psutil.CONN_ESTABLISHED and bool(one.raddr) and one.raddr.port == port for one in opened
        )

    async def aclose(self) -> None:
        """Close every session, then what they share."""
        await asyncio.gather(*(service.aclose() for service in self.people.values()))
        self.people.clear()
        await self.shared.aclose()


async def token_of(service: SessionService) -> Granted:
    """Return the token that a call would carry."""
    token = await service.tokens.bearer(SIGN_IN_KEY, "access_token")
    assert isinstance(token, Granted)
    return token


async def measure(count: int) -> dict[str, object]:
    """Make the journey of ``count`` people, and return the figures by name."""
    names = [f"person-{number}" for number in range(count)]
    with ScriptedProvider(subject_by_hint=True, register=lambda _: None) as provider:
        provider.plan("discovery", headers={"Cache-Control": "max-age=3600"})
        many = ManySessions(provider)
        traced = min(TRACED_PEOPLE, count - 1)  # what is loaded and made once belongs to no session
        await many.sign_in(names[:-traced])
        tracemalloc.start()
        await many.sign_in(names[-traced:])
        gc.collect()
        with_sessions, _ = tracemalloc.get_traced_memory()
        for name in names[-traced:]:
            await many.people.pop(name).aclose()
        gc.collect()
        without, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await many.sign_in(names[-traced:])
        mixed_up = sum(name != subject for name, subject in (await many.subjects()).items())
        outcomes = await many.refresh()
        connections = many.connections()
        one_left = await many.leave(names[0])
        others = await many.refresh()
        await many.aclose()
        gc.collect()
    return {
        "people": count,
        "tokens of another person": mixed_up,
        "requests for the metadata": provider.count("discovery"),
        "requests for the keys": provider.count("jwks"),
        "connections to the provider": connections,
        "refreshes": dict(outcomes),
        "refresh token of the one who left": one_left,
        "refreshes of the others afterwards": dict(others),
        "refresh tokens used twice": provider.reuses,
        "refusals and defects": many.events.wrong,
        "session services left after they were closed": len(many.made),
        "KiB that a session holds": round((with_sessions - without) / 1024 / traced, 1),
    }


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.many_sessions", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE, metavar="N", help=f"people who sign in ({PEOPLE})")
    for what, figure in asyncio.run(measure(parser.parse_args().people)).items():
        print(f"{what}: {figure}")
    print("Jupyter was loaded" if "jupyter_server" in sys.modules else "Jupyter was not loaded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
