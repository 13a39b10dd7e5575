"""Another person takes the place of the signed-in one after a click, and not before (A26)."""

from __future__ import annotations

import pytest

from jupyter_oidc.problems import StateUsed
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import PendingSignIn
from tests.unit.protocol.makers import SUBJECT
from tests.unit.sessions.fake_environment import DEVICE, SETTINGS, FakeEnvironment, settle, text_of


async def eve_at_the_door() -> tuple[FakeEnvironment, PendingSignIn]:
    """Sign a person in, and let a sign-in as Eve come back with her tokens."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.claims = {"sub": "eve"}
    fake_environment.provider.userinfo = {"sub": "eve", "name": "Eve"}
    return fake_environment, await fake_environment.sign_in()


async def name(fake_environment: FakeEnvironment) -> str | None:
    summary = await fake_environment.service.view.summary()
    return summary.user.name if summary.user else None


async def test_nothing_is_replaced_before_the_answer() -> None:
    """Q8.9: a cell that begins and finishes a sign-in as another person changes nothing."""
    fake_environment, pending = await eve_at_the_door()
    assert (pending.progress, await name(fake_environment)) == ("waiting", "Example User")
    assert pending.question is not None
    assert (pending.question.now, pending.question.instead) == ("Example User", "Eve")
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    assert (text_of(granted.secret), fake_environment.provider.revoked) == ("at-1", [])


async def test_a_yes_replaces_the_first_person_completely_and_is_told() -> None:
    """Q8.9, S-6: the change has a transition of its own."""
    fake_environment, pending = await eve_at_the_door()
    await fake_environment.service.sign_ins.answer(pending, change=True)
    await settle()
    assert (pending.progress, await name(fake_environment), fake_environment.notes.kinds[-1]) == (
        "completed",
        "Eve",
        "person-changed",
    )
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_a_no_keeps_the_person_and_revokes_what_came() -> None:
    """Q8.9: A kernel cannot replace the signed-in person."""
    fake_environment, pending = await eve_at_the_door()
    await fake_environment.service.sign_ins.answer(pending, change=False)
    await settle()
    assert (pending.progress, await name(fake_environment), fake_environment.provider.revoked) == (
        "failed",
        "Example User",
        ["rt-2"],
    )


async def test_a_token_says_whose_it_is_also_after_somebody_else_has_taken_over() -> None:
    """Q5.10: the audit trail names the person whose token a call carried, not the one signed in when the call ends."""
    fake_environment, pending = await eve_at_the_door()
    before = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    await fake_environment.service.sign_ins.answer(pending, change=True)
    after = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(before, Granted)
    assert isinstance(after, Granted)
    assert (before.subject, after.subject) == (SUBJECT, "eve")


@pytest.mark.parametrize("first", [True, False])
async def test_the_question_is_answered_once(first: bool) -> None:
    """Q8.9: a second click, or another tab, changes nothing any more."""
    fake_environment, pending = await eve_at_the_door()
    await fake_environment.service.sign_ins.answer(pending, change=first)
    with pytest.raises(StateUsed):
        await fake_environment.service.sign_ins.answer(pending, change=not first)


async def test_a_question_that_nobody_answers_ends_after_five_minutes() -> None:
    """Q8.9: the tokens are kept no longer than that."""
    fake_environment, pending = await eve_at_the_door()
    await fake_environment.scheduler.pass_time(300)
    assert (pending.progress, pending.question, fake_environment.provider.revoked) == ("failed", None, ["rt-2"])


@pytest.mark.parametrize("act", ["cancel", "sign out"])
async def test_a_question_ends_with_its_sign_in(act: str) -> None:
    """Q8.9: A kernel cannot replace the signed-in person."""
    fake_environment, pending = await eve_at_the_door()
    if act == "cancel":
        fake_environment.service.sign_ins.cancel(pending)
    else:
        await fake_environment.service.sign_outs.sign_out()
    await settle()
    with pytest.raises(StateUsed):
        await fake_environment.service.sign_ins.answer(pending, change=True)
    assert "rt-2" in fake_environment.provider.revoked
    assert fake_environment.service.state is (State.ACTIVE if act == "cancel" else State.SIGNED_OUT)


async def test_the_same_person_is_not_asked() -> None:
    """Q8.9: A kernel cannot replace the signed-in person."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    assert (await fake_environment.sign_in()).progress == "completed"
    assert fake_environment.notes.kinds[-1] == "signed-in"


async def test_nobody_is_asked_about_a_session_that_has_ended() -> None:
    """Q8.9, Q6.1: after its end, the session has no person to replace."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.issue_refresh_token = False
    await fake_environment.sign_in()
    fake_environment.clock.advance(300)
    fake_environment.provider.claims = {"sub": "eve"}
    fake_environment.provider.userinfo = {"sub": "eve", "name": "Eve"}
    assert (await fake_environment.sign_in()).progress == "completed"


async def test_a_session_that_was_restored_has_a_person_too() -> None:
    """Q8.9, Q9.14: after a restart the stored subject counts."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service = fake_environment.new_service()
    await fake_environment.service.view.summary()
    await settle()
    fake_environment.provider.claims = {"sub": "eve"}
    fake_environment.provider.userinfo = {"sub": "eve", "name": "Eve"}
    assert (await fake_environment.sign_in()).question is not None


async def test_a_code_for_another_person_is_refused_with_what_to_do() -> None:
    """Q8.9: no browser of ours takes part in a sign-in by code, so the question cannot be asked."""
    fake_environment = FakeEnvironment(SETTINGS)
    fake_environment.provider.advertise |= DEVICE
    await fake_environment.sign_in()
    fake_environment.provider.claims = {"sub": "eve"}
    fake_environment.provider.userinfo = {"sub": "eve", "name": "Eve"}
    pending, _ = await fake_environment.service.sign_ins.begin("kernel:k1", strategy="device")
    await fake_environment.scheduler.pass_time(6)
    await settle()
    assert pending.problem is not None
    assert (pending.progress, pending.problem.detail) == ("failed", "sign_in.another_person")
    assert pending.problem.action == "Sign out first, then sign in again."
    assert (await name(fake_environment), fake_environment.provider.revoked) == ("Example User", ["rt-2"])
