"""One session is one object: a refresh says what came of it and changes nothing else, and no session reaches the next."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import dataclass, field

import pytest

from jupyter_oidc.problems import AudienceRefused, IdpUnavailable
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded, TokenKey, TryLater
from jupyter_oidc.sessions.live_session import LiveSession
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import SystemPorts
from jupyter_oidc.sessions.refresh import (
    Delayed,
    Ended,
    LeftElsewhere,
    OverMeanwhile,
    Refresh,
    Refreshed,
    RefreshOutcome,
)
from jupyter_oidc.sessions.revocation import OrphanedToken
from jupyter_oidc.sessions.session_store import Deleted, SessionStore
from jupyter_oidc.sessions.shared_tokens import NoSharedTokens
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, settle, text_of

OWN = TokenKey(audience="https://other.example")
SILENCE = IdpUnavailable(detail="idp.unanswered")


def refusal(error: str) -> Reply:
    return reply({"error": error}, status=400)


@dataclass
class Attempt:
    """One refresh of the session of an environment, by a pipeline that stands beside its service."""

    environment: FakeEnvironment
    current: bool = True
    revoked: list[OrphanedToken] = field(default_factory=list)

    @property
    def session(self) -> LiveSession:
        session = self.environment.service.current.live
        assert session is not None
        return session

    async def outcome(self, key: TokenKey = SIGN_IN_KEY) -> RefreshOutcome:
        environment = self.environment
        refresh = Refresh(
            lambda: SETTINGS,
            environment.service._oidc_client,
            is_current=lambda _: self.current,
            revoke=self.revoked.append,
            system=SystemPorts(environment.clock, environment.scheduler, environment.entropy, environment.notes),
        )
        store = SessionStore(
            environment.vault,
            environment.lock,
            scheduler=environment.scheduler,
            entropy=environment.entropy,
            on_saved_late=lambda: None,
            on_overtaken=lambda: None,
            on_dropped=lambda _: None,
            shared=NoSharedTokens(),
        )
        async with store.transaction() as transaction:
            return await refresh.under_lock(self.session, key, "access_token", transaction)


async def attempt() -> Attempt:
    environment = FakeEnvironment()
    await environment.sign_in()
    environment.clock.advance(60)
    environment.notes.events.clear()
    return Attempt(environment)


async def test_a_refresh_returns_what_the_session_holds_now_and_has_stored_the_successor() -> None:
    one = await attempt()
    before = one.session.data
    outcome = await one.outcome()
    assert isinstance(outcome, Refreshed)
    stored = await one.environment.vault.load()
    assert stored is not None
    assert (text_of(stored.refresh_token), outcome.data.refresh_token) == ("rt-2", stored.refresh_token)
    assert one.session.data.access == before.access  # which is for the caller to put in place
    assert one.environment.notes.events == []


@pytest.mark.parametrize(
    ("answer", "key", "outcome"),
    [
        (refusal("invalid_grant"), SIGN_IN_KEY, Ended("session_ended_by_provider", "token.invalid_grant")),
        (
            refusal("login_required"),
            SIGN_IN_KEY,
            Ended("login_required", "token.login_required", keeps_token=True),
        ),
        (refusal("invalid_client"), SIGN_IN_KEY, Delayed("provider_configuration", 300.0)),
        (refusal("slow_down"), SIGN_IN_KEY, Delayed("provider_error")),
        (IdpUnavailable(detail="idp.unsent"), SIGN_IN_KEY, Delayed("idp_unavailable")),
    ],
    ids=["ended", "person-wanted", "misconfigured", "transient", "unsent"],
)
async def test_a_refresh_that_brings_nothing_returns_why_and_ends_nothing(
    answer: Reply | Exception, key: TokenKey, outcome: RefreshOutcome
) -> None:
    one = await attempt()
    one.environment.provider.plan("token", answer)
    assert await one.outcome(key) == outcome
    assert (one.environment.service.state, one.environment.notes.events) == (State.ACTIVE, [])
    assert await one.environment.vault.load() is not None


async def test_a_token_that_one_api_does_not_get_is_an_outcome_too() -> None:
    one = await attempt()
    one.environment.provider.plan("token", refusal("invalid_target"))
    assert isinstance(await one.outcome(OWN), AudienceRefused)
    assert one.environment.service.state is State.ACTIVE


async def test_an_entry_that_another_server_has_removed_is_told_and_no_token_is_spent() -> None:
    one = await attempt()
    await one.environment.vault.delete()
    assert await one.outcome() == LeftElsewhere(Deleted())
    assert one.environment.provider.calls["token"] == 1
    assert one.environment.service.state is State.ACTIVE


async def test_the_refresh_of_a_session_that_is_over_spends_nothing() -> None:
    one = await attempt()
    one.current = False
    assert await one.outcome() == OverMeanwhile()
    assert one.environment.provider.calls["token"] == 1


async def test_the_successor_of_a_session_that_ends_meanwhile_is_handed_over_to_be_revoked() -> None:
    one = await attempt()
    hanging = asyncio.Event()
    one.environment.provider.plan("token", hanging)
    refreshing = asyncio.ensure_future(one.outcome())
    await settle()
    one.current = False
    hanging.set()
    assert await refreshing == OverMeanwhile()
    assert [text_of(orphan.token) for orphan in one.revoked] == ["rt-2"]


async def test_a_caller_of_a_new_session_does_not_join_a_refresh_of_the_one_before() -> None:
    environment = (await attempt()).environment
    hanging = asyncio.Event()
    environment.clock.advance(400)
    environment.provider.plan("token", hanging)
    late = asyncio.ensure_future(environment.service.tokens.bearer(SIGN_IN_KEY))
    await settle()
    await environment.sign_in()
    hanging.set()
    assert isinstance(await environment.service.tokens.refresh(), Granted)
    assert isinstance(await late, SignInNeeded | TryLater)
    assert environment.service.state is State.ACTIVE


async def test_no_two_sessions_of_a_service_have_the_same_number() -> None:
    environment = FakeEnvironment()
    numbers: set[int] = set()
    for _ in range(3):
        await environment.sign_in()
        granted = environment.service.tokens.ready(SIGN_IN_KEY)
        assert granted is not None
        assert all(not environment.service.current.has_number(number) for number in numbers)
        assert environment.service.current.has_number(granted.session_number)
        numbers.add(granted.session_number)
        await environment.service.sign_outs.sign_out()
        assert not environment.service.current.has_number(granted.session_number)
    assert len(numbers) == 3


async def test_a_session_is_gone_from_memory_when_it_has_ended_without_a_search_for_cycles() -> None:
    environment = FakeEnvironment()
    await environment.sign_in()
    environment.clock.advance(60)
    assert isinstance(await environment.service.tokens.refresh(), Granted)
    await settle()
    session = weakref.ref(environment.service.current.live)
    gc.disable()
    try:
        await environment.service.sign_outs.sign_out()
        await settle()
        assert session() is None
    finally:
        gc.enable()
