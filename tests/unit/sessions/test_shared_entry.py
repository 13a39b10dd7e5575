"""Several servers, one stored entry: tokens that work once are spent once, whoever spends them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from jupyter_oidc.adapters.entry_lock import FileEntryLock
from jupyter_oidc.errors import IdpUnavailable, StorageUnavailable
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import Entry
from jupyter_oidc.sessions.retry_later import retry_later_problem
from jupyter_oidc.sessions.service import SessionService
from tests.unit.protocol.makers import OTHER_RSA, claims_of, reply, signed
from tests.unit.sessions.stage import Stage, settle, text_of

SILENCE = IdpUnavailable(detail="idp.unanswered")


async def two_servers() -> tuple[Stage, SessionService]:
    """One person, signed in at one server; another server has restored the entry and renewed it once."""
    stage = Stage()
    await stage.sign_in()
    other = stage.new_service()
    await other.summary()
    await settle()
    return stage, other


async def stored(stage: Stage) -> str | None:
    entry = await stage.vault.load()
    return None if entry is None else text_of(entry.refresh_token)


async def test_a_token_that_another_server_has_refreshed_is_adopted() -> None:
    """B2: one more refresh, and nobody is signed out."""
    stage, other = await two_servers()
    assert other.state is State.ACTIVE
    assert await stored(stage) == "rt-2"
    assert isinstance(await stage.service.refresh(), Granted)
    assert (stage.service.state, await stored(stage)) == (State.ACTIVE, "rt-3")


async def test_two_servers_that_refresh_in_turn_never_spend_a_token_twice() -> None:
    """B10: the provider takes each refresh token once."""
    stage, other = await two_servers()
    for _ in range(20):
        stage.clock.advance(10)
        outcomes = await asyncio.gather(stage.service.refresh(), other.refresh())
        assert all(isinstance(outcome, Granted) for outcome in outcomes)
    assert stage.provider.issued == 42
    assert stage.provider.current == "CANARY-9d1e7b-rt-42"


async def test_a_sign_out_at_one_server_is_noticed_by_the_other() -> None:
    """D7: signed out, with a reason, and the entry does not come back."""
    stage, other = await two_servers()
    await stage.service.sign_out()
    stage.clock.advance(10)
    assert await other.refresh() == SignInNeeded("not_signed_in")
    summary = await other.summary()
    assert (summary.state, summary.reason, summary.user) == (State.SIGNED_OUT, "signed_out_elsewhere", None)
    assert await stored(stage) is None


async def test_a_sign_out_revokes_the_token_that_the_other_server_has_refreshed() -> None:
    stage, _ = await two_servers()
    await stage.service.sign_out()
    assert stage.provider.revoked == ["rt-2"]


async def test_an_entry_of_somebody_else_is_left_alone() -> None:
    stage, other = await two_servers()
    entry = await stage.vault.load()
    assert entry is not None
    await stage.vault.save(Entry(entry.issuer, entry.client_id, "somebody-else", (), 1.0, entry.refresh_token))
    stage.clock.advance(10)
    assert await other.refresh() == SignInNeeded("session_expired")
    assert (await other.summary()).reason == "signed_in_elsewhere"
    assert await stored(stage) == "rt-2"


async def test_who_waits_too_long_for_a_turn_serves_the_token_that_still_lives() -> None:
    """B12: never a second spend at the same time."""
    stage, _ = await two_servers()
    stage.lock.stuck = True
    before = stage.provider.calls["token"]
    assert await stage.service.refresh() == TryLater(1.0, "overloaded")
    granted = await stage.service.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    assert stage.provider.calls["token"] == before


async def test_a_server_killed_between_spending_and_storing_leaves_a_reason() -> None:
    """B14: the next start makes one attempt with what is stored, and then says what happened."""
    stage = Stage()
    await stage.sign_in()
    stage.lock.marked = True
    stage.provider.current = "CANARY-9d1e7b-rt-99"
    restarted = stage.new_service()
    await restarted.summary()
    await settle()
    summary = await restarted.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT_EXPIRED, "rotation_lost")
    assert (stage.provider.calls["token"], stage.lock.marked, await stored(stage)) == (2, False, None)


async def test_a_server_killed_before_the_provider_heard_of_it_goes_on() -> None:
    """B14: the stored token still works."""
    stage = Stage()
    await stage.sign_in()
    stage.lock.marked = True
    restarted = stage.new_service()
    await restarted.summary()
    await settle()
    assert (restarted.state, stage.lock.marked) == (State.ACTIVE, False)


async def test_an_attempt_without_an_answer_is_made_once_more_after_a_second() -> None:
    """B5: inside the provider's grace period the same token works again."""
    stage = Stage()
    await stage.sign_in()
    stage.provider.plan("token", SILENCE)
    assert isinstance(await stage.service.refresh(), Granted)
    assert stage.scheduler.slept == [1.0]
    assert stage.lock.marked is False


async def test_a_token_that_was_lost_on_the_way_ends_the_session_with_that_reason() -> None:
    """B5: weather first, `invalid_grant` later."""
    stage = Stage()
    await stage.sign_in()
    stage.provider.plan("token", SILENCE, SILENCE)
    assert isinstance(await stage.service.refresh(), TryLater)
    assert (stage.service.state, stage.lock.marked) == (State.REFRESH_FAILED, True)
    stage.provider.current = "CANARY-9d1e7b-rt-99"
    await stage.scheduler.pass_time(2)
    assert stage.service.state is State.SIGNED_OUT_EXPIRED
    assert (await stage.service.summary()).reason == "rotation_lost"


async def test_tokens_that_cannot_be_checked_now_are_not_used_and_not_lost() -> None:
    """The key endpoint is down after a rotation: the new refresh token is kept, and the next renewal spends it."""
    stage = Stage()
    await stage.sign_in()
    unknown = signed(claims_of(), key=OTHER_RSA, header={"alg": "RS256", "kid": "k9"})
    stage.provider.plan(
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
    stage.provider.plan("jwks", reply(b"", status=503))
    assert isinstance(await stage.service.refresh(), TryLater)
    assert (stage.service.state, await stored(stage)) == (State.REFRESH_FAILED, "rt-x")
    stage.provider.current = "CANARY-9d1e7b-rt-x"
    await stage.scheduler.pass_time(2)
    assert stage.service.state is State.ACTIVE


@pytest.mark.parametrize(
    "weather", [reply(b"<html>portal</html>", media="text/html"), reply(b"", status=403), reply(b"", status=503)]
)
async def test_a_page_instead_of_userinfo_does_not_end_a_session(weather: object) -> None:
    """B6, F-9: only UserInfo about somebody else does."""
    stage = Stage()
    await stage.sign_in()
    stage.provider.plan("userinfo", weather)
    assert isinstance(await stage.service.refresh(), Granted)
    summary = await stage.service.summary()
    assert (summary.state, summary.user is None) == (State.ACTIVE, False)


async def test_a_store_that_fails_at_first_is_tried_again_until_it_works() -> None:
    """B15: the summary says `unsaved` meanwhile, and watchers hear when it is over."""
    stage = Stage()
    save = stage.vault.save
    failing = True

    async def sometimes(entry: Entry) -> None:
        if failing:
            raise StorageUnavailable
        await save(entry)

    stage.vault.save = sometimes
    await stage.sign_in()
    before = await stage.service.summary()
    assert (before.state, before.storage) == (State.ACTIVE, "unsaved")
    await stage.scheduler.pass_time(2)
    assert (await stage.service.summary()).storage == "unsaved"
    failing = False
    await stage.scheduler.pass_time(60)
    after = await stage.service.summary()
    assert (after.storage, after.sequence > before.sequence, await stored(stage)) == ("memory", True, "rt-1")


async def test_a_stored_token_older_than_ours_is_not_taken_for_news() -> None:
    """B15: what could not be stored is newer than what is."""
    stage = Stage()
    await stage.sign_in()
    save = stage.vault.save

    async def fail(_: Entry) -> None:
        raise StorageUnavailable

    stage.vault.save = fail
    assert isinstance(await stage.service.refresh(), Granted)
    assert await stored(stage) == "rt-1"
    stage.clock.advance(10)
    assert isinstance(await stage.service.refresh(), Granted)
    stage.vault.save = save
    await stage.service.aclose()
    assert await stored(stage) == "rt-3", "the end of the process is the last attempt"


async def test_a_provider_that_is_slow_is_not_asked_twice_in_one_turn() -> None:
    """B12: who waits for the turn waits 30 seconds; a second attempt would take longer."""
    stage = Stage()
    await stage.sign_in()
    send = stage.provider.send

    async def slow(call: Call) -> Reply:
        if call.url.endswith("/token"):
            stage.clock.advance(19.5)
            raise IdpUnavailable(detail="idp.unanswered")
        return await send(call)

    stage.provider.send = slow  # type: ignore[method-assign]
    before = stage.clock.now().monotonic
    assert isinstance(await stage.service.refresh(), TryLater)
    assert stage.clock.now().monotonic - before == 19.5


@pytest.mark.skipif(os.name != "posix", reason="modes say who may write")
async def test_a_call_that_waits_for_the_storage_names_the_folder(tmp_path: Path) -> None:
    """Q8.8, Q7.5: at the first call and at those that wait for the next attempt, and no longer than the trouble lasts."""
    stage = Stage()
    await stage.sign_in()
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    stage.lock = FileEntryLock(  # type: ignore[assignment]
        lambda: folder, provider="corp", issuer=stage.settings.issuer, client_id=stage.settings.client_id
    )
    service = stage.new_service()
    told = []
    for _ in range(2):
        later = await service.bearer(SIGN_IN_KEY, "access_token")
        assert isinstance(later, TryLater)
        told.append(retry_later_problem(later).action)
    assert [str(folder) in action for action in told] == [True, True]
    folder.chmod(0o700)
    stage.clock.advance(600)
    assert isinstance(await service.bearer(SIGN_IN_KEY, "access_token"), Granted)
