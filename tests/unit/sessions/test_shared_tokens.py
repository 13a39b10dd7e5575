"""Several processes with one session: one of them refreshes, and all call with its access token."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import database_away
from jupyter_oidc.sessions.service import SessionService
from jupyter_oidc.sessions.shared_tokens import SharedAccess
from tests.unit.sessions.fake_environment import FakeEnvironment, text_of


class KeptTokens:
    """The access tokens of one entry, in the memory that the processes of a test share."""

    def __init__(self) -> None:
        self.access: SharedAccess | None = None
        self.is_away = False

    async def load_access(self) -> SharedAccess | None:
        self._answer()
        return self.access

    async def save_access(self, access: SharedAccess) -> None:
        self._answer()
        self.access = access

    def _answer(self) -> None:
        if self.is_away:
            raise database_away()


class Processes(FakeEnvironment):
    """A session that its first process has signed in, and more processes over the same entry."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = KeptTokens()
        self.shared_tokens = self.kept
        self.service = self.new_service()

    @property
    def token_calls(self) -> int:
        return self.provider.calls["token"]


@pytest.fixture
def processes(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Processes:
    made = Processes()
    jp_asyncio_loop.run_until_complete(made.sign_in())
    return made


async def token_of(service: SessionService) -> str:
    granted = await service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted), granted
    return text_of(granted.secret)


async def test_a_process_that_starts_later_calls_with_the_token_that_is_there(processes: Processes) -> None:
    before, token = processes.token_calls, await token_of(processes.service)
    other = processes.new_service()
    assert (await other.view.summary()).state is State.ACTIVE
    assert await token_of(other) == token
    assert processes.token_calls == before


async def test_one_process_refreshes_for_all(processes: Processes) -> None:
    others = [processes.new_service() for _ in range(3)]
    tokens = {await token_of(one) for one in (processes.service, *others)}
    for _ in range(10):
        before = processes.token_calls
        processes.clock.advance(3_600)
        every = await asyncio.gather(*(token_of(one) for one in (*others, processes.service)))
        assert len(set(every)) == 1
        assert processes.token_calls == before + 1
        tokens |= set(every)
    assert len(tokens) == 11


async def test_a_timer_of_another_process_finds_the_new_token(processes: Processes) -> None:
    """Each process plans its refresh by what is left of the token, wherever it came from."""
    other = processes.new_service()
    await token_of(other)
    for _ in range(5):
        before = processes.token_calls
        await processes.scheduler.pass_time(3_600)
        assert processes.token_calls - before <= 2, "and not one for each process and lifetime"
        assert await token_of(other) == await token_of(processes.service)


async def test_a_token_that_an_api_has_refused_is_not_taken_for_a_new_one(processes: Processes) -> None:
    other = processes.new_service()
    granted = await other.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    processes.clock.advance(40)
    again = await other.tokens.bearer(SIGN_IN_KEY, rejected=granted.secret)
    assert isinstance(again, Granted)
    assert again.secret != granted.secret
    later = await processes.service.tokens.bearer(SIGN_IN_KEY, rejected=granted.secret)
    assert isinstance(later, Granted)
    assert later.secret == again.secret


async def test_the_tokens_of_another_session_are_not_taken(processes: Processes) -> None:
    kept = processes.kept.access
    processes.clock.advance(1)
    await processes.sign_in()
    mine = processes.kept.access
    assert kept is not None
    assert mine is not None
    assert kept.session != mine.session
    processes.kept.access = kept
    before = processes.token_calls
    other = processes.new_service()
    await token_of(other)
    assert processes.token_calls == before + 1


@pytest.mark.parametrize("is_away", [True, False])
async def test_without_shared_tokens_each_process_gets_its_own(processes: Processes, *, is_away: bool) -> None:
    processes.kept.is_away, processes.kept.access = is_away, None
    before = processes.token_calls
    other = processes.new_service()
    await token_of(other)
    assert processes.token_calls == before + 1
    await token_of(processes.service)


async def test_nobody_calls_with_a_shared_token_after_the_sign_out(processes: Processes) -> None:
    await processes.service.sign_outs.sign_out()
    other = processes.new_service()
    assert await other.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("not_signed_in")


async def test_a_store_that_is_away_fails_no_refresh(processes: Processes) -> None:
    processes.kept.is_away = True
    processes.clock.advance(3_600)
    await token_of(processes.service)
    with pytest.raises(StorageUnavailable):
        await processes.kept.load_access()
