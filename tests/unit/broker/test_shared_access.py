"""One session in several processes of a broker: what one of them has got from the provider, the others call with."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_oidc.compose import Services
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from tests.support.scripted_provider import ScriptedProvider
from tests.unit.broker.real_accounts import real_accounts, state_of
from tests.unit.sessions.fake_environment import text_of


async def token_of(services: Services) -> str:
    granted = await services.sessions.of_provider("corp").tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted), granted
    return text_of(granted.secret)


def refreshes(provider: ScriptedProvider) -> int:
    sent = [one.form.get("grant_type") for one in provider.received if one.endpoint == "token"]
    return sent.count("refresh_token")


async def test_an_account_that_comes_back_calls_with_the_token_that_it_had(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    """It leaves the memory after fifteen minutes without a request, and when the broker is started again."""
    async with real_accounts(tmp_path / "sessions.sqlite", provider) as accounts:
        services = accounts.making.make("a")
        await accounts.sign_in(services)
        token = await token_of(services)
        await services.aclose()
        later = accounts.making.make("a")
        assert await state_of(later) == "active"
        assert await token_of(later) == token
        assert refreshes(provider) == 0
        await later.aclose()


async def test_two_processes_refresh_once(tmp_path: Path, provider: ScriptedProvider) -> None:
    async with real_accounts(tmp_path / "sessions.sqlite", provider) as accounts:
        one, two = accounts.making.make("a"), accounts.making.make("a")
        await accounts.sign_in(one)
        assert await token_of(two) == await token_of(one)
        session = one.sessions.of_provider("corp")
        await asyncio.sleep(0.01)
        assert isinstance(
            await session.tokens.bearer(SIGN_IN_KEY, rejected=session.current.data.access[SIGN_IN_KEY].secret), Granted
        )
        assert refreshes(provider) == 1
        other = two.sessions.of_provider("corp")
        rejected = other.current.data.access[SIGN_IN_KEY].secret
        assert isinstance(await other.tokens.bearer(SIGN_IN_KEY, rejected=rejected), Granted)
        assert await token_of(two) == await token_of(one)
        assert refreshes(provider) == 1
        for services in (one, two):
            await services.aclose()


async def test_no_access_token_is_in_the_database_in_the_clear(tmp_path: Path, provider: ScriptedProvider) -> None:
    path = tmp_path / "sessions.sqlite"
    async with real_accounts(path, provider) as accounts:
        services = accounts.making.make("a")
        await accounts.sign_in(services)
        token = (await token_of(services)).encode()
        await services.aclose()
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("sessions.sqlite*"))
    assert token
    assert token not in stored
