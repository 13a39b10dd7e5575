"""The timers of one service end with it: a timer keeps alive what it calls, tokens included."""

from __future__ import annotations

from jupyter_oidc.sessions.owned_timers import OwnedTimers
from tests.unit.sessions.fake_environment import FakeEnvironment, HandClock, HandScheduler, settle
from tests.unit.sessions.test_another_person import eve_at_the_door


async def test_a_timer_fires_once_and_is_forgotten() -> None:
    scheduler, fired = HandScheduler(HandClock()), list[str]()
    timers = OwnedTimers(scheduler)
    timers.after(5, lambda: fired.append("now"))
    await scheduler.pass_time(5)
    timers.close()
    assert fired == ["now"]


async def test_a_cancelled_timer_never_fires() -> None:
    scheduler, fired = HandScheduler(HandClock()), list[str]()
    timer = OwnedTimers(scheduler).after(5, lambda: fired.append("now"))
    timer.cancel()
    timer.cancel()
    await scheduler.pass_time(6)
    assert fired == []


async def test_no_timer_is_left_after_the_close_and_none_is_started() -> None:
    scheduler, fired = HandScheduler(HandClock()), list[str]()
    timers = OwnedTimers(scheduler)
    timers.after(5, lambda: fired.append("before"))
    timers.close()
    timers.after(5, lambda: fired.append("afterwards"))
    assert scheduler.due_in == []
    await scheduler.pass_time(6)
    assert fired == []


async def test_a_service_that_closes_leaves_no_timer_of_a_sign_in_under_way() -> None:
    fake_environment = FakeEnvironment()
    await fake_environment.begin()
    assert fake_environment.scheduler.due_in == [601]
    await fake_environment.service.aclose()
    assert fake_environment.scheduler.due_in == []


async def test_the_tokens_behind_an_open_question_are_revoked_when_the_service_closes() -> None:
    """A26: without a service no answer can come, and the tokens of the other person belong to no session."""
    fake_environment, pending = await eve_at_the_door()
    await fake_environment.service.settle()
    await settle()
    assert (pending.progress, pending.question) == ("failed", None)
    assert fake_environment.provider.revoked == ["rt-2"]


async def test_a_service_that_has_closed_asks_no_question_any_more() -> None:
    """A26: an answer of the provider that comes while the service closes is for another person."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.claims = {"sub": "eve"}
    fake_environment.provider.userinfo = {"sub": "eve", "name": "Eve"}
    _, state, binding = await fake_environment.begin()
    fake_environment.service.sign_ins.close()
    late = await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    await settle()
    assert (late.progress, late.question) == ("failed", None)
    assert fake_environment.provider.revoked == ["rt-2"]
