"""An answer that cannot be used ends its own sign-in at once, and no other."""

from __future__ import annotations

import pytest

from jupyter_oidc.problems import ResponseMalformed
from jupyter_oidc.sessions.machine import State
from tests.unit.sessions.fake_environment import FakeEnvironment


async def test_a_foreign_parameter_twice_costs_no_sign_in() -> None:
    """Q1.12: A refused callback ends its own sign-in."""
    fake_environment = FakeEnvironment()
    _, state, binding = await fake_environment.begin()
    answer = [("code", "c-1"), ("state", state), ("utm", "a"), ("utm", "b")]
    assert (await fake_environment.service.sign_ins.callback(answer, [binding])).progress == "completed"


@pytest.mark.parametrize(
    ("more", "detail"),
    [
        ([("code", "a"), ("code", "b")], "callback.duplicate"),
        ([("response", "eyJ.eyJ.x")], "callback.response_mode"),
        ([("state", "another")], "callback.duplicate"),
    ],
)
async def test_a_refused_answer_ends_its_sign_in_at_once(more: list[tuple[str, str]], detail: str) -> None:
    """Q1.12: the caller does not wait ten minutes for it."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    answered = await fake_environment.service.sign_ins.callback([*more, ("state", state)], [binding])
    assert (answered is pending, pending.progress, pending.done.is_set()) == (True, "failed", True)
    assert (pending.problem and pending.problem.detail) == detail
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_a_refused_answer_of_another_browser_ends_nothing() -> None:
    """Q1.12, A6: the state alone does not suffice."""
    fake_environment = FakeEnvironment()
    pending, state, _ = await fake_environment.begin()
    with pytest.raises(ResponseMalformed):
        await fake_environment.service.sign_ins.callback([("code", "a"), ("code", "b"), ("state", state)], ["wrong"])
    assert pending.progress == "waiting"


async def test_a_refused_answer_with_an_unknown_state_ends_nothing() -> None:
    """Q1.12: A refused callback ends its own sign-in."""
    fake_environment = FakeEnvironment()
    pending, _, binding = await fake_environment.begin()
    with pytest.raises(ResponseMalformed):
        await fake_environment.service.sign_ins.callback([("code", "a"), ("code", "b"), ("state", "guess")], [binding])
    assert pending.progress == "waiting"


async def test_a_refused_answer_after_the_end_changes_nothing() -> None:
    """Q1.12: A refused callback ends its own sign-in. R-3: The first callback uses the state up."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    with pytest.raises(ResponseMalformed):
        await fake_environment.service.sign_ins.callback([("code", "a"), ("code", "b"), ("state", state)], [binding])
    assert (pending.progress, fake_environment.service.state) == ("completed", State.ACTIVE)
