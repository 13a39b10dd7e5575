"""Several servers share one stored entry: each one-time refresh token is spent once, by one of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_oidc.adapters.storage.entry_lock import FileEntryLock
from jupyter_oidc.problems import IdpUnavailable, StorageUnavailable
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.delegation import SessionKey
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import Entry
from jupyter_oidc.sessions.retry_later import problem_without_token, retry_later_problem
from jupyter_oidc.sessions.service import SessionService
from tests.unit.protocol.makers import OTHER_RSA, claims_of, reply, signed
from tests.unit.sessions.fake_environment import FakeEnvironment, no_answer, settle, text_of

SILENCE = IdpUnavailable(detail="idp.unanswered")


async def two_servers() -> tuple[FakeEnvironment, SessionService]:
    """Sign one person in at one server; another server restores the entry and refreshes it once."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    other = fake_environment.new_service()
    await other.view.summary()
    await settle()
    return fake_environment, other


async def stored(fake_environment: FakeEnvironment) -> str | None:
    entry = await fake_environment.vault.load()
    return None if entry is None else text_of(entry.refresh_token)


async def test_a_token_that_another_server_has_refreshed_is_adopted() -> None:
    """B2: one more refresh succeeds, and no server signs the user out."""
    fake_environment, other = await two_servers()
    assert other.state is State.ACTIVE
    assert await stored(fake_environment) == "rt-2"
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    assert (fake_environment.service.state, await stored(fake_environment)) == (State.ACTIVE, "rt-3")


async def test_two_servers_that_refresh_in_turn_never_spend_a_token_twice() -> None:
    """B10: the provider accepts each refresh token once."""
    fake_environment, other = await two_servers()
    for _ in range(20):
        fake_environment.clock.advance(10)
        outcomes = await asyncio.gather(fake_environment.service.tokens.refresh(), other.tokens.refresh())
        assert all(isinstance(outcome, Granted) for outcome in outcomes)
    assert fake_environment.provider.issued == 42
    assert fake_environment.provider.current == "CANARY-9d1e7b-rt-42"


async def test_a_sign_out_at_one_server_is_noticed_by_the_other() -> None:
    """D7: the other server signs out with a reason, and the entry does not come back."""
    fake_environment, other = await two_servers()
    await fake_environment.service.sign_outs.sign_out()
    fake_environment.clock.advance(10)
    assert await other.tokens.refresh() == SignInNeeded("not_signed_in")
    summary = await other.view.summary()
    assert (summary.state, summary.reason, summary.user) == (State.SIGNED_OUT, "signed_out_elsewhere", None)
    assert await stored(fake_environment) is None


async def test_a_sign_out_revokes_the_token_that_the_other_server_has_refreshed() -> None:
    fake_environment, _ = await two_servers()
    await fake_environment.service.sign_outs.sign_out()
    assert fake_environment.provider.revoked == ["rt-2"]


async def test_an_entry_of_somebody_else_is_left_alone() -> None:
    fake_environment, other = await two_servers()
    entry = await fake_environment.vault.load()
    assert entry is not None
    await fake_environment.vault.save(
        Entry(entry.issuer, entry.client_id, "somebody-else", (), 1.0, entry.refresh_token)
    )
    fake_environment.clock.advance(10)
    assert await other.tokens.refresh() == SignInNeeded("session_expired")
    assert (await other.view.summary()).reason == "signed_in_elsewhere"
    assert await stored(fake_environment) == "rt-2"


async def test_who_waits_too_long_for_a_turn_serves_the_token_that_still_lives() -> None:
    """B12: the service never spends the token a second time at once."""
    fake_environment, _ = await two_servers()
    fake_environment.lock.stuck = True
    before = fake_environment.provider.calls["token"]
    assert await fake_environment.service.tokens.refresh() == TryLater(1.0, "overloaded")
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    assert fake_environment.provider.calls["token"] == before


async def test_a_server_killed_between_spending_and_storing_leaves_a_reason() -> None:
    """B14: the next start makes one attempt with the stored token, and then names the reason."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.lock.marked = True
    fake_environment.provider.current = "CANARY-9d1e7b-rt-99"
    restarted = fake_environment.new_service()
    await restarted.view.summary()
    await settle()
    summary = await restarted.view.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT_EXPIRED, "rotation_lost")
    assert (fake_environment.provider.calls["token"], fake_environment.lock.marked, await stored(fake_environment)) == (
        2,
        False,
        None,
    )


async def test_a_server_killed_before_the_provider_heard_of_it_goes_on() -> None:
    """B14: the stored token still works."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.lock.marked = True
    restarted = fake_environment.new_service()
    await restarted.view.summary()
    await settle()
    assert (restarted.state, fake_environment.lock.marked) == (State.ACTIVE, False)


async def test_an_attempt_without_an_answer_is_made_once_more_after_a_second() -> None:
    """B5: inside the provider's grace period the same token works again."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", SILENCE)
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    assert fake_environment.scheduler.slept == [1.0]
    assert fake_environment.lock.marked is False


async def test_a_token_that_was_lost_on_the_way_ends_the_session_with_that_reason() -> None:
    """B5: a transient failure comes first, `invalid_grant` later."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", SILENCE, SILENCE)
    assert isinstance(await fake_environment.service.tokens.refresh(), TryLater)
    assert (fake_environment.service.state, fake_environment.lock.marked) == (State.REFRESH_FAILED, True)
    fake_environment.provider.current = "CANARY-9d1e7b-rt-99"
    await fake_environment.scheduler.pass_time(2)
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED
    assert (await fake_environment.service.view.summary()).reason == "rotation_lost"


async def test_tokens_that_cannot_be_checked_now_are_not_used_and_not_lost() -> None:
    """The key endpoint is down after a rotation: the new refresh token is kept, and the next refresh spends it."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    unknown = signed(claims_of(), key=OTHER_RSA, header={"alg": "RS256", "kid": "k9"})
    fake_environment.provider.plan(
        "token",
        reply(
            {
                "access_token": "CANARY-9d1e7b-at-x",
                "token_type": "Bearer",
                "expires_in": 300,
                "refresh_token": "CANARY-9d1e7b-rt-x",
                "id_token": unknown,
            }
        ),
    )
    fake_environment.provider.plan("jwks", reply(b"", status=503))
    assert isinstance(await fake_environment.service.tokens.refresh(), TryLater)
    assert (fake_environment.service.state, await stored(fake_environment)) == (State.REFRESH_FAILED, "rt-x")
    fake_environment.provider.current = "CANARY-9d1e7b-rt-x"
    await fake_environment.scheduler.pass_time(2)
    assert fake_environment.service.state is State.ACTIVE


@pytest.mark.parametrize(
    "weather", [reply(b"<html>portal</html>", media="text/html"), reply(b"", status=403), reply(b"", status=503)]
)
async def test_a_page_instead_of_userinfo_does_not_end_a_session(weather: Reply) -> None:
    """B6, F-9: only UserInfo about another person ends it."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("userinfo", weather)
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.user is None) == (State.ACTIVE, False)


async def test_a_store_that_fails_at_first_is_tried_again_until_it_works() -> None:
    """B15: the summary says `unsaved` meanwhile, and watchers learn when it is over."""
    fake_environment = FakeEnvironment()
    save = fake_environment.vault.saving
    failing = True

    async def sometimes(entry: Entry) -> None:
        if failing:
            raise StorageUnavailable
        await save(entry)

    fake_environment.vault.saving = sometimes
    await fake_environment.sign_in()
    before = await fake_environment.service.view.summary()
    assert (before.state, before.storage) == (State.ACTIVE, "unsaved")
    await fake_environment.scheduler.pass_time(2)
    assert (await fake_environment.service.view.summary()).storage == "unsaved"
    failing = False
    await fake_environment.scheduler.pass_time(60)
    after = await fake_environment.service.view.summary()
    assert (after.storage, after.sequence > before.sequence, await stored(fake_environment)) == ("memory", True, "rt-1")


async def test_a_stored_token_older_than_ours_is_not_taken_for_news() -> None:
    """B15: the token that could not be stored is newer than the stored one."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    save = fake_environment.vault.saving

    fake_environment.vault.saving = no_answer()
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    assert await stored(fake_environment) == "rt-1"
    fake_environment.clock.advance(10)
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    fake_environment.vault.saving = save
    await fake_environment.service.aclose()
    assert await stored(fake_environment) == "rt-3", "the end of the process is the last attempt"


async def test_a_provider_that_is_slow_is_not_asked_twice_in_one_turn() -> None:
    """B12: a waiting server has 30 seconds for the lock; a second attempt would take longer."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    send = fake_environment.provider.send

    async def slow(call: Call) -> Reply:
        if call.url.endswith("/token"):
            fake_environment.clock.advance(19.5)
            raise IdpUnavailable(detail="idp.unanswered")
        return await send(call)

    fake_environment.provider.send = slow  # type: ignore[method-assign]
    before = fake_environment.clock.now().monotonic
    assert isinstance(await fake_environment.service.tokens.refresh(), TryLater)
    assert fake_environment.clock.now().monotonic - before == 19.5


async def signed_in_without_a_lock(folder: Path) -> tuple[FakeEnvironment, Path]:
    """Sign in, then let others write to the folder of the lock, so that none can be had; return that folder, too."""
    fake_environment, shared = FakeEnvironment(), folder / "shared"
    await fake_environment.sign_in()
    shared.mkdir()
    shared.chmod(0o777)
    fake_environment.lock = FileEntryLock(  # type: ignore[assignment]
        lambda: shared,
        provider="corp",
        issuer=fake_environment.settings.issuer,
        client_id=fake_environment.settings.client_id,
        holder="one",
    )
    return fake_environment, shared


@pytest.mark.skipif(os.name != "posix", reason="modes say who may write")
async def test_a_call_that_waits_for_the_storage_names_the_folder(tmp_path: Path) -> None:
    """Q8.8, Q7.5: both the first call and later ones name it, for as long as the trouble lasts."""
    fake_environment, folder = await signed_in_without_a_lock(tmp_path)
    service = fake_environment.new_service()
    told = []
    for _ in range(2):
        later = await service.tokens.bearer(SIGN_IN_KEY, "access_token")
        assert isinstance(later, TryLater)
        told.append(retry_later_problem(later).action)
    assert [str(folder) in action for action in told] == [True, True]
    folder.chmod(0o700)
    fake_environment.clock.advance(600)
    assert isinstance(await service.tokens.bearer(SIGN_IN_KEY, "access_token"), Granted)


@pytest.mark.skipif(os.name != "posix", reason="modes say who may write")
async def test_a_sign_out_removes_the_entry_where_no_lock_can_be_had(tmp_path: Path) -> None:
    """D3: a lock that cannot be trusted keeps no token where it would bring the session back."""
    fake_environment, _ = await signed_in_without_a_lock(tmp_path)
    service = fake_environment.new_service()
    assert await fake_environment.vault.load() is not None
    await service.sign_outs.sign_out()
    assert await fake_environment.vault.load() is None


async def kept_in_memory_only() -> tuple[FakeEnvironment, SessionService, Callable[[], None]]:
    """Refresh at one of two servers while the store takes nothing; the third value lets the store work again."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    other = fake_environment.new_service()
    save = fake_environment.vault.saving

    def works_again() -> None:
        fake_environment.vault.saving = save

    fake_environment.clock.advance(10)
    fake_environment.vault.saving = no_answer()
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    assert (await fake_environment.service.view.summary()).storage == "unsaved"
    return fake_environment, other, works_again


async def signed_out(fake_environment: FakeEnvironment) -> None:
    await fake_environment.vault.delete()


async def signed_in_as_another(fake_environment: FakeEnvironment) -> None:
    entry = await fake_environment.vault.load()
    assert entry is not None
    token = Secret("CANARY-9d1e7b-rt-of-another")
    await fake_environment.vault.save(replace(entry, subject="another", refresh_token=token))


@pytest.mark.parametrize(
    ("elsewhere", "reason", "left"),
    [(signed_out, "signed_out_elsewhere", None), (signed_in_as_another, "signed_in_elsewhere", "rt-of-another")],
)
@pytest.mark.parametrize("noticed_by", ["the write that is repeated", "the next refresh"])
async def test_a_successor_that_was_not_stored_undoes_nothing_that_happened_at_another_server(
    elsewhere: Callable[[FakeEnvironment], Awaitable[None]], reason: str, left: str | None, noticed_by: str
) -> None:
    """B15, D7: the session ends here too, and the token that was in memory only is revoked."""
    fake_environment, _, works_again = await kept_in_memory_only()
    works_again()
    await elsewhere(fake_environment)
    if noticed_by == "the next refresh":
        fake_environment.clock.advance(10)
        assert isinstance(await fake_environment.service.tokens.refresh(), SignInNeeded)
    await fake_environment.scheduler.pass_time(120)
    summary = await fake_environment.service.view.summary()
    assert (summary.user, summary.reason, await stored(fake_environment)) == (None, reason, left)
    assert fake_environment.provider.revoked == ["rt-2"]
    assert fake_environment.provider.calls["token"] == 2


async def test_a_sign_in_at_another_server_is_adopted_in_place_of_an_unsaved_successor() -> None:
    """B15, D7: the same person has signed in again there; the sign-out here revokes what is stored, too."""
    fake_environment, other, works_again = await kept_in_memory_only()
    works_again()
    first, fake_environment.service = fake_environment.service, other
    await fake_environment.sign_in()
    fake_environment.service = first
    assert await stored(fake_environment) == "rt-3"
    await fake_environment.scheduler.pass_time(120)
    assert (fake_environment.service.state, await stored(fake_environment)) == (State.ACTIVE, "rt-4")
    await fake_environment.service.sign_outs.sign_out()
    assert fake_environment.provider.revoked[-1] == "rt-4"


async def test_a_write_that_only_seemed_to_fail_is_no_news_of_another_server() -> None:
    """B15: the answer of the store was lost on its way; the entry that it holds is ours."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    save = fake_environment.vault.saving
    lost = True

    async def without_an_answer(entry: Entry) -> None:
        await save(entry)
        if lost:
            raise StorageUnavailable

    fake_environment.vault.saving = without_an_answer
    for _ in range(3):
        fake_environment.clock.advance(10)
        assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    lost = False
    await fake_environment.scheduler.pass_time(120)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.storage) == (State.ACTIVE, "memory")
    assert await stored(fake_environment) == fake_environment.provider.current.removeprefix("CANARY-9d1e7b-")


@pytest.mark.parametrize("alone", [True, False])
async def test_a_token_whose_entry_cannot_be_read_is_used_only_if_no_other_server_can_have_used_it(
    alone: bool,
) -> None:
    """B10: what was stored meanwhile is unknown, so the refresh waits, unless this server has held the lock last."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.clock.advance(10)

    fake_environment.vault.loading = no_answer("keyring_locked")
    fake_environment.lock.held_last = alone
    answer = await fake_environment.service.tokens.refresh()
    assert isinstance(answer, Granted if alone else TryLater)
    assert fake_environment.provider.calls["token"] == (2 if alone else 1)
    assert fake_environment.lock.marked is False


async def test_a_server_that_waits_for_an_entry_it_cannot_read_does_not_use_the_token_at_its_second_attempt() -> None:
    """B10: at that it has held the lock last itself, and knows no more of the entry than before."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    load = fake_environment.vault.loading

    fake_environment.vault.loading = no_answer("keyring_locked")
    for held_last in (False, True, True):
        fake_environment.clock.advance(100)
        fake_environment.lock.held_last = held_last
        assert isinstance(await fake_environment.service.tokens.refresh(), TryLater)
    assert fake_environment.provider.calls["token"] == 1
    fake_environment.vault.loading = load
    fake_environment.clock.advance(100)
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    fake_environment.vault.loading = no_answer("keyring_locked")
    fake_environment.clock.advance(100)
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)


async def test_a_sign_out_whose_store_is_away_for_long_is_finished_when_it_is_back() -> None:
    """D3, B15: neither the entry nor the removal could be had; the entry goes with the first answer of the store."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    load, delete = fake_environment.vault.loading, fake_environment.vault.deleting

    fake_environment.vault.loading = no_answer()
    fake_environment.vault.deleting = no_answer()
    with pytest.raises(StorageUnavailable):
        await fake_environment.service.sign_outs.sign_out()
    assert fake_environment.service.view.is_in_memory_only, "the removal is known here alone"
    await fake_environment.scheduler.pass_time(120)
    fake_environment.vault.loading, fake_environment.vault.deleting = load, delete
    assert await stored(fake_environment) == "rt-1"
    await fake_environment.scheduler.pass_time(120)
    assert await stored(fake_environment) is None
    assert not fake_environment.service.view.is_in_memory_only


async def test_a_session_that_the_provider_has_ended_does_not_come_back_with_a_store_that_was_away() -> None:
    """B1, B15: its newest token was in memory only."""
    fake_environment, _, works_again = await kept_in_memory_only()
    load, delete = fake_environment.vault.loading, fake_environment.vault.deleting

    fake_environment.vault.deleting = no_answer()
    fake_environment.provider.current = "CANARY-9d1e7b-rt-of-nobody"
    fake_environment.clock.advance(10)
    assert isinstance(await fake_environment.service.tokens.refresh(), SignInNeeded)
    works_again()
    fake_environment.vault.loading, fake_environment.vault.deleting = load, delete
    await fake_environment.scheduler.pass_time(120)
    assert await stored(fake_environment) is None


async def test_a_database_that_was_away_at_the_first_look_is_asked_again() -> None:
    """DESIGN-2, 7: an account whose first request falls into an outage is not signed out for good."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    load = fake_environment.vault.loading

    fake_environment.vault.loading = no_answer("database")
    other = fake_environment.new_service()
    first = await other.view.summary()
    fake_environment.vault.loading = load
    second = await other.view.summary()
    assert (first.state, first.reason) == (State.SIGNED_OUT, "database")
    assert (second.state, second.reason) == (State.ACTIVE, None)


async def test_while_the_database_is_away_nobody_is_taken_for_signed_out() -> None:
    """What may be stored is not known, so a call is to be tried later, and a grant has not ended."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    load, key = fake_environment.vault.loading, fake_environment.service.current.key
    assert key is not None

    fake_environment.vault.loading = no_answer("database")
    other = fake_environment.new_service()
    for answer in (await other.tokens.bearer(SIGN_IN_KEY), await other.tokens.refresh()):
        assert isinstance(answer, TryLater)
        problem = problem_without_token(answer)
        assert (problem.code, problem.retryable, problem.retry_after) == ("storage_unavailable", True, 2.0)
        assert "tried again by itself" in str(problem.action)
    with pytest.raises(StorageUnavailable):
        await other.view.has_session(key)
    fake_environment.vault.loading = load
    assert isinstance(await other.tokens.bearer(SIGN_IN_KEY), Granted)
    assert await other.view.has_session(key)
    assert not await other.view.has_session(SessionKey("another", key.signed_in_at))
    await fake_environment.service.sign_outs.sign_out()
    assert not await fake_environment.service.view.has_session(key)
