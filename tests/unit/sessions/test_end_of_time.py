"""A session ends by the clock: by a timer, and in every look at it, since timers are late after a sleep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.settings import Api
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, settle, text_of

BY_ID_TOKEN = replace(
    SETTINGS,
    apis=(*SETTINGS.apis, Api("cluster", "corp", "https://k8s.example.com/", bearer_token_source="id_token")),
)


async def not_refreshable(lifetime: float | None = 300, settings: object = SETTINGS) -> FakeEnvironment:
    """Sign in at a provider that gives no refresh token; the ID token lives for 600 seconds."""
    fake_environment = FakeEnvironment(settings)  # type: ignore[arg-type]
    fake_environment.provider.issue_refresh_token = False
    fake_environment.provider.lifetime = lifetime
    await fake_environment.sign_in()
    return fake_environment


async def shown(fake_environment: FakeEnvironment) -> tuple[str, str | None]:
    summary = await fake_environment.service.view.summary()
    return summary.state.value, summary.reason


async def test_a_session_that_cannot_be_refreshed_ends_by_timer_when_its_token_does() -> None:
    """Q6.1: every caller that waits for a change learns of the end at that second."""
    fake_environment = await not_refreshable()
    await fake_environment.scheduler.pass_time(299)
    assert fake_environment.notes.kinds[-1] == "signed-in"
    await fake_environment.scheduler.pass_time(1)
    assert (fake_environment.notes.kinds[-1], fake_environment.notes.events[-1].reason) == ("ended", "not_refreshable")
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED


async def test_a_summary_tells_the_end_although_no_timer_rang() -> None:
    """Q6.1: a laptop slept, and its timers stood still."""
    fake_environment = await not_refreshable()
    fake_environment.clock.jump_wall(300)
    assert await shown(fake_environment) == ("signed-out-expired", "not_refreshable")


async def test_a_question_that_waits_for_a_change_is_answered_at_once_after_the_end() -> None:
    """Q6.1: the client's sequence number is that of a session which has ended."""
    fake_environment = await not_refreshable()
    known = (await fake_environment.service.view.summary()).sequence
    fake_environment.clock.advance(300)
    summary = await fake_environment.service.view.changed_since(known, 30.0)
    assert (summary.state, summary.sequence) == (State.SIGNED_OUT_EXPIRED, known + 1)


@pytest.mark.parametrize("look", ["state", "ready", "bearer", "refresh"])
async def test_every_look_at_the_session_sees_the_end(look: str) -> None:
    """Q6.1: A session without refresh token ends on time."""
    fake_environment = await not_refreshable()
    fake_environment.clock.advance(300)
    match look:
        case "state":
            assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED
        case "ready":
            assert fake_environment.service.tokens.ready(SIGN_IN_KEY) is None
        case "bearer":
            assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
        case "refresh":
            assert await fake_environment.service.tokens.refresh() == SignInNeeded("session_expired")
    assert await shown(fake_environment) == ("signed-out-expired", "not_refreshable")


async def test_nothing_of_the_person_is_shown_after_the_end() -> None:
    """Q6.1: the summary is as after any other end."""
    fake_environment = await not_refreshable()
    fake_environment.clock.advance(300)
    summary = await fake_environment.service.view.summary()
    assert (summary.user, summary.scopes, summary.expires_in) == (None, (), None)


async def test_the_end_is_told_once() -> None:
    """Q6.1: this holds for several looks, and for a timer that runs after them."""
    fake_environment = await not_refreshable()
    fake_environment.clock.jump_wall(300)
    await fake_environment.service.view.summary()
    await fake_environment.service.view.summary()
    await fake_environment.scheduler.pass_time(300)
    assert fake_environment.notes.kinds.count("ended") == 1


async def test_streams_that_flow_may_go_on_after_such_an_end() -> None:
    """Q6.1, B1: the session ended by itself; only a sign-out or a new sign-in cuts streams off."""
    fake_environment = await not_refreshable()
    cut: list[str] = []
    fake_environment.service.current.on_session_end(lambda: cut.append("cut"))
    await fake_environment.scheduler.pass_time(300)
    assert (fake_environment.service.state, cut) == (State.SIGNED_OUT_EXPIRED, [])


async def test_a_token_of_unknown_lifetime_ends_by_no_clock() -> None:
    """Q6.1, A13: the lifetime is unknown, so the API decides."""
    fake_environment = await not_refreshable(lifetime=None)
    await fake_environment.scheduler.pass_time(86_400)
    assert await shown(fake_environment) == ("active", None)


async def test_a_token_without_any_lifetime_is_judged_by_the_api() -> None:
    """Q6.1, A13: ``expires_in: 0`` without a refresh token does not tell when the token ends."""
    fake_environment = await not_refreshable(lifetime=0)
    assert await shown(fake_environment) == ("active", None)
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)


async def test_a_session_that_can_be_refreshed_does_not_end_by_a_clock() -> None:
    """Q6.1: a refresh decides, however late its timer runs."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.clock.jump_wall(86_400)
    assert await shown(fake_environment) == ("active", None)


async def test_a_session_lasts_as_long_as_an_id_token_that_calls_use() -> None:
    """Q6.1: the API 'cluster' wants the ID token, which outlives the access token; its calls still work."""
    fake_environment = await not_refreshable(settings=BY_ID_TOKEN)
    assert (await fake_environment.service.view.summary()).expires_in == 600
    await fake_environment.scheduler.pass_time(599)
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY, "id_token")
    assert isinstance(granted, Granted)
    assert await shown(fake_environment) == ("active", None)
    await fake_environment.scheduler.pass_time(1)
    assert await shown(fake_environment) == ("signed-out-expired", "not_refreshable")


async def test_a_call_for_an_ended_token_leaves_what_still_works() -> None:
    """Q6.1: the access token has ended, and the ID token of another API has not."""
    fake_environment = await not_refreshable(settings=BY_ID_TOKEN)
    fake_environment.clock.advance(300)
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    assert await shown(fake_environment) == ("active", None)


async def test_an_id_token_that_no_api_uses_keeps_no_session() -> None:
    """Q6.1: the ID token lives for 600 seconds here, and no call could carry it."""
    fake_environment = await not_refreshable()
    await fake_environment.scheduler.pass_time(300)
    assert await shown(fake_environment) == ("signed-out-expired", "not_refreshable")


async def test_a_sign_in_after_the_end_begins_a_session_with_a_time_of_its_own() -> None:
    """Q6.1: the timer of the earlier session is gone."""
    fake_environment = await not_refreshable()
    await fake_environment.scheduler.pass_time(200)
    await fake_environment.sign_in()
    await fake_environment.scheduler.pass_time(299)
    assert await shown(fake_environment) == ("active", None)
    await fake_environment.scheduler.pass_time(1)
    assert await shown(fake_environment) == ("signed-out-expired", "not_refreshable")


async def test_a_closed_service_ends_nothing_any_more() -> None:
    """Q6.1: the service's timer is stopped; another service has the session."""
    fake_environment = await not_refreshable()
    await fake_environment.service.aclose()
    assert fake_environment.scheduler.due_in == []


async def test_a_sign_in_that_nobody_finished_is_no_longer_under_way_in_a_summary() -> None:
    """Q6.1: a pending sign-in ends by the clock too."""
    fake_environment = FakeEnvironment()
    pending, _, _ = await fake_environment.begin()
    fake_environment.clock.advance(600)
    assert await shown(fake_environment) == ("signed-out", None)
    assert pending.progress == "expired"


async def test_the_next_attempt_is_never_told_to_be_in_the_past() -> None:
    """Q6.1: a timer is late after a sleep; the attempt is then due, and not overdue."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", *[reply(b"", status=503)] * 2)
    await fake_environment.scheduler.pass_time(241)
    await settle()
    fake_environment.clock.jump_wall(86_400)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.retry_at) == (State.REFRESH_FAILED, fake_environment.clock.now().wall)


async def test_the_token_of_the_earlier_session_is_not_shown_after_the_end() -> None:
    """Q6.1, B31: the token belongs to a session that is over."""
    fake_environment = await not_refreshable()
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    assert text_of(granted.secret) == "at-1"
    await fake_environment.scheduler.pass_time(300)
    assert not fake_environment.service.current.has_number(granted.session_number)
