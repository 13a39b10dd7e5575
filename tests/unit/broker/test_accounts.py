"""What is in memory of the accounts: made at the first request, gone after a while, never what would be lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from jupyter_oidc.background import Background
from jupyter_oidc.broker.accounts import IDLE_SECONDS, MAX_REQUESTS, Accounts
from jupyter_oidc.problems import Overloaded, Problem
from tests.unit.sessions.fake_environment import HandClock


@dataclass
class View:
    is_in_memory_only: bool = False


@dataclass
class Tokens:
    refreshing: dict[str, Any] = field(default_factory=dict)


@dataclass
class Session:
    view: View = field(default_factory=View)
    tokens: Tokens = field(default_factory=Tokens)


@dataclass
class FakeServices:
    name: str
    sessions: list[Session] = field(default_factory=lambda: [Session()])
    closed: int = 0

    async def aclose(self) -> None:
        self.closed += 1


class Made:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.services: list[FakeServices] = []
        self.background = Background(lambda _: None, expected=Problem)
        self.accounts = Accounts(self._make, None, self.clock, self.background)  # type: ignore[arg-type]

    def _make(self, name: str) -> Any:
        self.services.append(FakeServices(name))
        return self.services[-1]

    def use(self, name: str) -> FakeServices:
        with self.accounts.use(name) as account:
            used: Any = account.services
        return used  # type: ignore[no-any-return]

    async def after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.use("another")
        await asyncio.sleep(0)


async def test_an_account_has_its_own_services_for_as_long_as_it_is_used() -> None:
    made = Made()
    assert made.use("uid:1") is made.use("uid:1")
    assert made.use("uid:1") is not made.use("uid:2")
    assert [one.name for one in made.services] == ["uid:1", "uid:2"]


async def test_an_account_without_requests_is_closed_after_a_while() -> None:
    made = Made()
    first = made.use("uid:1")
    await made.after(IDLE_SECONDS - 1)
    assert first.closed == 0
    await made.after(61)
    assert (first.closed, made.use("uid:1") is first) == (1, False)


async def test_what_is_in_memory_only_stays_and_so_does_what_is_in_use() -> None:
    made = Made()
    unsaved, streaming = made.use("uid:1"), made.use("uid:2")
    unsaved.sessions[0].view.is_in_memory_only = True
    with made.accounts.use("uid:2"):
        await made.after(3 * IDLE_SECONDS)
        assert (unsaved.closed, streaming.closed) == (0, 0)
    unsaved.sessions[0].view.is_in_memory_only = False
    unsaved.sessions[0].tokens.refreshing["orders"] = object()
    await made.after(61)
    assert unsaved.closed == 0, "a refresh is under way"
    unsaved.sessions[0].tokens.refreshing.clear()
    await made.after(3 * IDLE_SECONDS)
    assert (unsaved.closed, streaming.closed) == (1, 1)


async def test_an_account_is_idle_from_the_end_of_its_last_request() -> None:
    """A download may last longer than an account may be idle."""
    made = Made()
    with made.accounts.use("uid:1") as account:
        made.clock.advance(3 * IDLE_SECONDS)
    downloading: Any = account.services
    await made.after(61)
    assert downloading.closed == 0
    await made.after(IDLE_SECONDS)
    assert downloading.closed == 1


async def test_an_account_has_so_many_requests_at_once_and_takes_none_of_another() -> None:
    made = Made()
    held = [made.accounts.use("uid:1") for _ in range(MAX_REQUESTS)]
    for one in held:
        one.__enter__()
    with pytest.raises(Overloaded), made.accounts.use("uid:1"):
        pass
    assert made.use("uid:2").name == "uid:2"
    held[0].__exit__(None, None, None)
    assert made.use("uid:1").name == "uid:1"


async def test_a_new_account_takes_the_place_of_the_one_that_was_used_longest_ago() -> None:
    made = Made()
    made.accounts = Accounts(made._make, None, made.clock, made.background, most=3)  # type: ignore[arg-type]
    held, old, new = (made.use(name) for name in ("uid:1", "uid:2", "uid:3"))
    made.clock.advance(1)
    made.use("uid:3")
    with made.accounts.use("uid:1"):
        made.use("uid:4")
        await asyncio.sleep(0)
        assert [held.closed, old.closed, new.closed, len(made.accounts)] == [0, 1, 0, 3]
    for one in made.services:
        one.sessions[0].view.is_in_memory_only = True
    with pytest.raises(Overloaded), made.accounts.use("uid:5"):
        pass


async def test_all_accounts_are_closed_in_the_end() -> None:
    made = Made()
    made.use("uid:1")
    made.use("uid:2")
    await made.accounts.aclose()
    await made.accounts.aclose()
    assert ([one.closed for one in made.services], len(made.accounts)) == ([1, 1], 0)
