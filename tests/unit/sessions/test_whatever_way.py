"""Every caller that waits for a sign-in returns as soon as the user is signed in, by any way."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_oidc.problems import IdpUnavailable
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import SignInOptions
from jupyter_oidc.sessions.step_up import StepUp
from tests.unit.sessions.fake_environment import DEVICE, FakeEnvironment, settle, text_of


async def test_a_cell_that_waits_is_done_when_the_person_signs_in_by_the_panel() -> None:
    """Q6.2: A waiting cell returns after any sign-in."""
    fake_environment = FakeEnvironment()
    cell, _, _ = await fake_environment.begin("kernel:k1")
    await fake_environment.sign_in()
    assert (cell.progress, cell.done.is_set()) == ("completed", True)


async def test_everybody_who_waits_is_done() -> None:
    """Q6.2: several notebooks and a terminal wait."""
    fake_environment = FakeEnvironment()
    waiting = [(await fake_environment.begin(f"kernel:k{number}"))[0] for number in range(5)]
    await fake_environment.sign_in()
    assert {one.progress for one in waiting} == {"completed"}


async def test_a_sign_in_by_code_is_done_too_and_what_comes_of_its_code_is_not_used() -> None:
    """Q6.2: another strategy's last request is under way. Q9.1: its tokens may be of the same provider session."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise |= DEVICE
    asked = asyncio.Event()
    fake_environment.provider.plan("token", asked)
    by_code, _ = await fake_environment.service.sign_ins.begin("kernel:k1", strategy="device")
    await settle()
    await fake_environment.sign_in()
    assert by_code.progress == "completed"
    asked.set()
    await settle()
    assert fake_environment.provider.calls["token"] == 2
    assert fake_environment.provider.revoked == []
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    assert text_of(granted.secret) == "at-1"


async def test_a_redirect_is_done_when_a_code_was_entered_elsewhere() -> None:
    """Q6.2: the reverse case of the test before."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise |= DEVICE
    cell, _, _ = await fake_environment.begin("kernel:k1")
    by_code, _ = await fake_environment.service.sign_ins.begin("user:a", strategy="device")
    await fake_environment.scheduler.pass_time(6)
    await settle()
    assert (by_code.progress, cell.progress) == ("completed", "completed")


async def test_a_session_that_can_be_refreshed_again_ends_the_wait_too() -> None:
    """Q6.2: the cell began because calls failed; the provider is back, and calls work."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", *[IdpUnavailable(detail="idp.unsent")] * 2)
    await fake_environment.scheduler.pass_time(400)
    assert fake_environment.service.state is State.REFRESH_FAILED
    cell, _, _ = await fake_environment.begin("kernel:k1")
    for _ in range(4):
        await fake_environment.scheduler.pass_time(60)
    assert (fake_environment.service.state, cell.progress) == (State.ACTIVE, "completed")


async def test_a_refresh_of_a_session_that_works_ends_no_sign_in() -> None:
    """Q6.2: the user wants another account, which the refresh does not answer."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    other, _, _ = await fake_environment.begin()
    await fake_environment.scheduler.pass_time(241)
    assert (fake_environment.notes.kinds[-1], other.progress) == ("renewed", "waiting")


async def test_a_stronger_sign_in_is_not_done_by_a_weaker_one() -> None:
    """Q6.2, C12: the API would refuse the next call again."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    weak, state, binding = await fake_environment.begin()
    nonce = fake_environment.provider.nonce
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",)))
    strong, _, _ = await fake_environment.begin("kernel:k1")
    fake_environment.provider.nonce = nonce
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    assert (weak.progress, strong.progress) == ("completed", "waiting")


async def test_who_wants_to_choose_an_account_still_may() -> None:
    """Q6.2: a sign-in with a ``prompt`` of its own asks for more than to be signed in."""
    fake_environment = FakeEnvironment()
    wish = SignInOptions(prompt="select_account")
    choosing, _ = await fake_environment.service.sign_ins.begin("user:a", wish)
    await fake_environment.sign_in()
    assert choosing.progress == "waiting"


@pytest.mark.parametrize("subject", ["248289761001", "somebody-else"])
async def test_the_answer_to_a_sign_in_that_is_done_already_changes_nothing(subject: str) -> None:
    """Q6.2, R-3: the code is not redeemed, for the same person or another."""
    fake_environment = FakeEnvironment()
    cell, state, binding = await fake_environment.begin("kernel:k1")
    await fake_environment.sign_in()
    before = fake_environment.provider.calls["token"]
    fake_environment.provider.claims = {"sub": subject}
    answered = await fake_environment.service.sign_ins.callback([("code", "c-2"), ("state", state)], [binding])
    assert (answered is cell, answered.overtaken, fake_environment.provider.calls["token"]) == (True, True, before)


async def test_a_link_that_nobody_has_followed_stays_good() -> None:
    """Q6.2: an offer does not wait for a sign-in."""
    fake_environment = FakeEnvironment()
    ticket = fake_environment.service.sign_ins.offer("user:a", SignInOptions())
    assert ticket is not None
    await fake_environment.sign_in()
    assert fake_environment.pending.use_ticket(ticket).progress == "waiting"
