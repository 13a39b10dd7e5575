"""What the accounts of a broker share, and what each has for itself: calls, readers, logout tokens, stored sessions."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.background import Background
from jupyter_oidc.broker.accounts import IDLE_SECONDS, Accounts
from jupyter_oidc.compose import MAX_READERS, SharedDocumentAccess
from jupyter_oidc.problems import LogoutTokenInvalid, Problem
from tests.integration.test_provider_logout import token
from tests.support.polling import eventually
from tests.support.scripted_provider import ScriptedProvider
from tests.unit.broker.real_accounts import real_accounts, state_of
from tests.unit.sessions.fake_environment import HandClock

SIX = ("corp", "two", "three", "four", "five", "six")


async def test_an_account_makes_four_calls_to_providers_at_once_and_another_goes_on(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    """DESIGN-2: the connections to a provider are for all accounts, so that none may take them."""
    async with real_accounts(tmp_path / "sessions.sqlite", provider, SIX) as accounts:
        many, other = accounts.making.make("a"), accounts.making.make("b")
        answers = [await accounts.leave(many, "a", name) for name in SIX]
        release = threading.Event()
        provider.plan("token", times=4, hold=release)
        signing_in = [
            asyncio.ensure_future(accounts.take(many, answer, name)) for answer, name in zip(answers, SIX, strict=True)
        ]
        try:
            await eventually(lambda: accounts.token_requests("a") >= 4)
            await asyncio.wait_for(accounts.sign_in(other, "b"), 8)
            assert await state_of(other) == "active"
            assert accounts.token_requests("a") == 4
        finally:
            release.set()
            await asyncio.gather(*signing_in, return_exceptions=True)
        assert [await state_of(many, name) for name in SIX] == ["active"] * 6
        for services in (many, other):
            await services.aclose()


async def test_a_logout_token_of_one_account_is_not_used_up_for_another(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    """B-12: a person may have two accounts of a machine, and the provider ends the sessions of both."""
    async with real_accounts(tmp_path / "sessions.sqlite", provider) as accounts:
        first, second = accounts.making.make("a"), accounts.making.make("b")
        for services in (first, second):
            await accounts.sign_in(services)
        ends_both = token(provider)
        await first.session_api.end_by_provider("corp", ends_both)
        assert [await state_of(first), await state_of(second)] == ["signed-out-expired", "active"]
        with pytest.raises(LogoutTokenInvalid):
            await first.session_api.end_by_provider("corp", ends_both)
        await second.session_api.end_by_provider("corp", ends_both)
        assert await state_of(second) == "signed-out-expired"
        for services in (first, second):
            await services.aclose()


async def test_an_account_that_was_closed_has_its_session_back_at_its_next_request(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    """What is stored does not end with the services that were made for it."""
    clock, background = HandClock(), Background(lambda defect: pytest.fail(str(defect)), expected=Problem)
    async with real_accounts(tmp_path / "sessions.sqlite", provider) as made:
        unused: Any = None
        accounts = Accounts(made.making.make, unused, clock, background)
        with accounts.use("a") as account:
            before = account.services
            await made.sign_in(before)
        clock.advance(IDLE_SECONDS)
        with accounts.use("b") as another:
            await background.settle(10)
            assert await state_of(another.services) == "signed-out"
        with accounts.use("a") as account:
            assert account.services is not before
            assert await state_of(account.services) == "active"
        assert provider.count("revoke") == 0
        await accounts.aclose()


async def test_the_readers_of_documents_take_turns_over_all_accounts() -> None:
    """Each may take a processor, so that many accounts would take them all."""
    running = most = 0

    async def read(*_: object) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return "read"

    shared = SharedDocumentAccess(read)
    found = await asyncio.gather(*(shared.read_document(b"", "", "", lambda document: document) for _ in range(9)))
    assert (len(found), most) == (9, MAX_READERS)
