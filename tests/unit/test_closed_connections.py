"""Who made the connections to a provider closes them: with the last session that uses them, and each once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from jupyter_oidc.compose import Services
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.sessions.ports import ProviderPort
from jupyter_oidc.settings import Provider, Settings
from tests.unit.sessions.fake_environment import settle
from tests.unit.test_two_providers import World


@dataclass
class CountedPort:
    """The connections of one session, by the name and the scopes of its settings."""

    of: str
    port: ProviderPort
    closed: int = 0
    calls_after_end: list[str] = field(default_factory=list)

    async def send(self, call: Call) -> Reply:
        if self.closed:
            self.calls_after_end.append(call.url)
        return await self.port.send(call)

    async def aclose(self) -> None:
        self.closed += 1


class CountingWorld(World):
    """A world that remembers every connection."""

    def __init__(self) -> None:
        self.opened: list[CountedPort] = []
        super().__init__()

    def provider_port(self, provider: Provider) -> ProviderPort:
        self.opened.append(
            CountedPort(f"{provider.name}, {len(provider.scopes)} scopes", super().provider_port(provider))
        )
        return self.opened[-1]

    async def reload(self, *providers: Provider) -> None:
        def install(services: Services) -> None:
            self.services = services

        await self.services.reload(Settings(providers, "memory"), install)

    @property
    def providers(self) -> list[Provider]:
        return list(self.services.given.providers)

    @property
    def closings(self) -> list[tuple[str, int]]:
        assert [port.calls_after_end for port in self.opened] == [[]] * len(self.opened)
        return [(port.of, port.closed) for port in self.opened]


@pytest.fixture
def world() -> CountingWorld:
    return CountingWorld()


A, B, WIDE, NARROW = "a, 4 scopes", "b, 4 scopes", "a, 5 scopes", "a, 3 scopes"


def widened(provider: Provider) -> Provider:
    return replace(provider, scopes=(*provider.scopes, "more"))


async def test_a_server_that_stops_closes_every_connection_once(world: CountingWorld) -> None:
    await world.sign_in("a")
    await world.services.aclose()
    assert world.closings == [(A, 1), (B, 1)]


async def test_a_provider_that_is_removed_is_closed_after_its_token_was_taken_back(world: CountingWorld) -> None:
    await world.sign_in("a")
    await world.reload(world.providers[1])
    assert world.closings == [(A, 1), (B, 0)]
    await world.services.aclose()
    assert world.closings == [(A, 1), (B, 1)]


async def test_settings_that_are_taken_back_while_they_wait_close_what_waited(world: CountingWorld) -> None:
    a, b = world.providers
    await world.sign_in("a")
    await world.reload(widened(a), b)
    await world.reload(a, b)
    assert world.closings == [(A, 0), (B, 0), (WIDE, 1)]
    await world.services.aclose()
    assert world.closings == [(A, 1), (B, 1), (WIDE, 1)]


async def test_a_session_that_gives_way_is_closed_when_it_has_done_its_last_call(world: CountingWorld) -> None:
    a, b = world.providers
    await world.sign_in("a")
    await world.reload(widened(a), b)
    await world.sign_in("a")
    await settle()
    assert world.closings == [(A, 1), (B, 0), (WIDE, 0)]
    await world.services.aclose()
    assert world.closings == [(A, 1), (B, 1), (WIDE, 1)]


async def test_a_narrower_session_has_connections_of_its_own(world: CountingWorld) -> None:
    a, b = world.providers
    await world.sign_in("a")
    await world.reload(replace(a, scopes=a.scopes[:-1]), b)
    assert world.closings == [(A, 1), (B, 0), (NARROW, 0)]
    await world.services.aclose()
    assert [closed for _, closed in world.closings] == [1, 1, 1]


async def test_apis_that_go_leave_the_connections_open(world: CountingWorld) -> None:
    a, b = world.providers
    await world.sign_in("a")
    await world.reload(replace(a, apis=a.apis[:1]), b)
    assert world.closings == [(A, 0), (B, 0)]
    await world.services.aclose()
    assert world.closings == [(A, 1), (B, 1)]
