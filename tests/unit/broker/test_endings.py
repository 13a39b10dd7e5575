"""Sessions that end from outside, of whatever account: by a provider's logout token, or with the user at the Hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.background import Background
from jupyter_oidc.broker.accounts import MAX_REQUESTS, Accounts
from jupyter_oidc.broker.deleted_users import DeletedUsers
from jupyter_oidc.broker.provider_logouts import SHARED_ACCOUNT, ProviderLogouts
from jupyter_oidc.problems import BrokerUnavailable, LogoutTokenInvalid, Overloaded, Problem, StorageUnavailable
from tests.integration.test_provider_logout import token
from tests.support.scripted_provider import ScriptedProvider
from tests.unit.broker.real_accounts import RealAccounts, real_accounts, state_of
from tests.unit.sessions.fake_environment import HandClock


@dataclass
class Broker:
    """Accounts over a database, in which some people are signed in."""

    made: RealAccounts
    accounts: Accounts
    clock: HandClock

    async def sign_in(self, *names: str) -> None:
        for name in names:
            with self.accounts.use(name) as account:
                await self.made.sign_in(account.services, name)

    async def states(self, *names: str) -> list[str]:
        found = []
        for name in names:
            with self.accounts.use(name, for_broker=True) as account:
                found.append(await state_of(account.services))
        return found

    async def stored(self, provider: str, subject: str | None, sid: str | None) -> list[str]:
        (settings,) = self.made.making.settings.providers
        assert settings.name == provider
        return await self.made.making.accounts_concerned(settings, subject, sid)

    @property
    def logouts(self) -> ProviderLogouts:
        return ProviderLogouts(self.accounts, self.stored)


@asynccontextmanager
async def broker_of(path: Path, provider: ScriptedProvider) -> AsyncIterator[Broker]:
    background = Background(lambda defect: pytest.fail(str(defect)), expected=Problem)
    async with real_accounts(path / "sessions.sqlite", provider) as made:
        unused: Any = None
        clock = HandClock()
        accounts = Accounts(made.making.make, unused, clock, background)
        yield Broker(made, accounts, clock)
        await accounts.aclose()
        await background.settle(10)


@dataclass
class Hub:
    """A Hub that has these users no more; ``problem`` is what it answers instead."""

    lost: set[str] = field(default_factory=set)
    problem: Problem | None = None
    asked: list[set[str]] = field(default_factory=list)

    async def gone(self, names: Collection[str]) -> frozenset[str]:
        self.asked.append(set(names))
        if self.problem is not None:
            raise self.problem
        return frozenset(self.lost & set(names))


def watch_of(broker: Broker, hub: Hub) -> DeletedUsers:
    return DeletedUsers(hub, broker.made.rows, broker.accounts)  # type: ignore[arg-type]


# -- logout tokens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "in memory only"])
async def test_a_logout_token_ends_the_sessions_of_its_person_and_counts_once(
    tmp_path: Path, provider: ScriptedProvider, *, stored: bool
) -> None:
    """B-12: also those that no entry is stored of, since the provider gives no refresh token."""
    provider.issue_refresh_token = stored
    async with broker_of(tmp_path, provider) as broker:
        await broker.sign_in("hub:ada", "hub:bob")
        said = token(provider)
        await broker.logouts.end("corp", said)
        assert await broker.states("hub:ada", "hub:bob") == ["signed-out-expired"] * 2
        with pytest.raises(LogoutTokenInvalid):
            await broker.logouts.end("corp", said)


async def test_a_logout_token_that_could_not_take_effect_everywhere_may_come_again(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    """B-16: the others end all the same; an entry that could not be removed is removed later."""
    async with broker_of(tmp_path, provider) as broker:
        await broker.sign_in("hub:ada", "hub:bob")
        said, before = token(provider), broker.made.rows.delete
        failing = {"hub:ada"}

        async def delete(name: Any, turn: int | None) -> None:
            if name.account in failing:
                failing.clear()
                raise StorageUnavailable
            await before(name, turn)

        vars(broker.made.rows)["delete"] = delete
        with pytest.raises(LogoutTokenInvalid):
            await broker.logouts.end("corp", said)
        assert await broker.states("hub:ada", "hub:bob") == ["signed-out-expired"] * 2
        await broker.logouts.end("corp", said)
        while await broker.made.rows.accounts():
            await asyncio.sleep(0.05)


async def test_no_request_of_the_account_holds_a_logout_up(tmp_path: Path, provider: ScriptedProvider) -> None:
    """A person who is to be locked out could keep as many open as the broker lets them."""
    async with broker_of(tmp_path, provider) as broker:
        await broker.sign_in("hub:ada")
        with ExitStack() as held:
            for name in ("hub:ada", SHARED_ACCOUNT):
                for _ in range(MAX_REQUESTS):
                    held.enter_context(broker.accounts.use(name))
                with pytest.raises(Overloaded):
                    held.enter_context(broker.accounts.use(name))
            await broker.logouts.end("corp", token(provider))
            assert await broker.states("hub:ada") == ["signed-out-expired"]


# -- users ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "in memory only"])
async def test_the_sessions_of_a_user_who_is_gone_end_and_those_of_others_stay(
    tmp_path: Path, provider: ScriptedProvider, *, stored: bool
) -> None:
    provider.issue_refresh_token = stored
    async with broker_of(tmp_path, provider) as broker:
        await broker.sign_in("hub:ada", "hub:bob", "uid:1000")
        hub = Hub({"bob", "1000"})
        await watch_of(broker, hub).look()
        assert hub.asked == [{"ada", "bob"}], "who is no user of the Hub is no question for it"
        assert await broker.states("hub:ada", "hub:bob", "uid:1000") == ["active", "signed-out", "active"]
        assert provider.count("revoke") == (1 if stored else 0)


async def test_a_user_who_holds_on_keeps_neither_their_session_nor_that_of_another(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    async with broker_of(tmp_path, provider) as broker:
        await broker.sign_in("hub:ada", "hub:bob")
        with ExitStack() as held:
            for _ in range(MAX_REQUESTS):
                held.enter_context(broker.accounts.use("hub:ada"))
            await watch_of(broker, Hub({"ada", "bob"})).look()
            assert await broker.states("hub:ada", "hub:bob") == ["signed-out", "signed-out"]


@pytest.mark.parametrize("detail", ["hub", "hub.users"])
async def test_a_hub_that_does_not_tell_ends_nothing(tmp_path: Path, provider: ScriptedProvider, detail: str) -> None:
    async with broker_of(tmp_path, provider) as broker:
        await broker.sign_in("hub:ada")
        with pytest.raises(BrokerUnavailable):
            await watch_of(broker, Hub({"ada"}, BrokerUnavailable(detail=detail))).look()
        assert await broker.states("hub:ada") == ["active"]
