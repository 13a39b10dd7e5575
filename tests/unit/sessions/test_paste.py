"""The caller who began a sign-in finishes it by a pasted address (A32), once, with the callback route's checks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.problems import ResponseMalformed, StateInvalid, StateUsed, UnknownFlow
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import PendingSignIn
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment

URI = "https://landing.example.com/signed-in"
PASTED = replace(SETTINGS, redirect_strategy="paste", redirect_uri=URI)


def answer(state: str, **changes: str) -> Secret:
    parts = {"code": "c-1", "state": state, **changes}
    return Secret(f"{URI}?" + "&".join(f"{name}={value}" for name, value in parts.items()))


async def opened(fake_environment: FakeEnvironment, caller: str = "user:a") -> tuple[PendingSignIn, str]:
    """Begin and open the sign-in page; return the sign-in and its state."""
    pending, ticket = await fake_environment.service.sign_ins.begin(caller)
    assert fake_environment.pending.use_ticket(ticket) is pending
    url, _ = await fake_environment.service.sign_ins.authorization_url(pending, URI)
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == [URI]
    fake_environment.provider.nonce = query["nonce"][0]
    return pending, query["state"][0]


async def test_the_address_of_the_answer_makes_a_session() -> None:
    fake_environment = FakeEnvironment(PASTED)
    pending, state = await opened(fake_environment)
    await fake_environment.service.sign_ins.paste(pending, "user:a", answer(state))
    assert (pending.progress, fake_environment.service.state) == ("completed", State.ACTIVE)


@pytest.mark.parametrize("caller", ["user:b", "kernel:k", "", "token"])
async def test_nobody_else_can_finish_what_somebody_began(caller: str) -> None:
    """An attacker may inject a code by paste, so only the caller who began is asked."""
    fake_environment = FakeEnvironment(PASTED)
    pending, state = await opened(fake_environment)
    with pytest.raises(UnknownFlow):
        await fake_environment.service.sign_ins.paste(pending, caller, answer(state))
    assert (pending.progress, fake_environment.provider.calls["token"]) == ("waiting", 0)


async def test_an_answer_of_another_sign_in_is_refused_and_consumes_nothing() -> None:
    """A32: the state is wrong, or the address is another server's; after that, the right answer still works."""
    fake_environment = FakeEnvironment(PASTED)
    _, foreign = await opened(fake_environment, "user:mallory")
    pending, state = await opened(fake_environment)
    for wrong in (answer(foreign), answer("made-up"), Secret(f"{URI}?code=c-1&state=")):
        with pytest.raises(StateInvalid):
            await fake_environment.service.sign_ins.paste(pending, "user:a", wrong)
    with pytest.raises(StateInvalid):
        await fake_environment.service.sign_ins.paste(pending, "user:a", Secret(f"{URI}?code=c-1"))
    with pytest.raises(ResponseMalformed):
        await fake_environment.service.sign_ins.paste(pending, "user:a", Secret("c-1"))
    assert fake_environment.provider.calls["token"] == 0
    await fake_environment.service.sign_ins.paste(pending, "user:a", answer(state))
    assert pending.progress == "completed"


async def test_an_answer_is_good_once() -> None:
    """R-3: The first callback uses the state up."""
    fake_environment = FakeEnvironment(PASTED)
    pending, state = await opened(fake_environment)
    results = await asyncio.gather(
        *(fake_environment.service.sign_ins.paste(pending, "user:a", answer(state)) for _ in range(3)),
        return_exceptions=True,
    )
    with pytest.raises(StateUsed):
        await fake_environment.service.sign_ins.paste(pending, "user:a", answer(state))
    assert fake_environment.provider.calls["token"] == 1
    assert [type(one) for one in results].count(PendingSignIn) >= 1


async def test_a_sign_in_that_nobody_opened_has_no_answer_yet() -> None:
    fake_environment = FakeEnvironment(PASTED)
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    with pytest.raises(ResponseMalformed, match="Nobody has opened the sign-in page"):
        await fake_environment.service.sign_ins.paste(pending, "user:a", answer("s"))


async def test_a_cancelled_sign_in_takes_nothing() -> None:
    fake_environment = FakeEnvironment(PASTED)
    pending, state = await opened(fake_environment)
    fake_environment.service.sign_ins.cancel(pending)
    with pytest.raises(StateUsed):
        await fake_environment.service.sign_ins.paste(pending, "user:a", answer(state))
    assert fake_environment.provider.calls["token"] == 0


async def test_a_sign_in_that_comes_back_by_itself_takes_no_pasted_answer() -> None:
    """RFC 9700, 4.4: an answer counts only where it was expected."""
    fake_environment = FakeEnvironment()
    pending, state, _ = await fake_environment.begin()
    with pytest.raises(UnknownFlow):
        await fake_environment.service.sign_ins.paste(
            pending, "user:a", Secret(f"http://localhost:8888/cb?code=c&state={state}")
        )


async def test_a_pasted_sign_in_is_not_finished_at_the_callback_route() -> None:
    fake_environment = FakeEnvironment(PASTED)
    pending, ticket = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.pending.use_ticket(ticket)
    url, binding = await fake_environment.service.sign_ins.authorization_url(pending, URI)
    state = parse_qs(urlsplit(url).query)["state"][0]
    with pytest.raises(StateInvalid):
        await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "issuer_mismatch"),
        ({"error": "access_denied"}, "response_malformed"),
        ({"id_token": "x"}, "response_malformed"),
    ],
)
async def test_the_checks_of_the_callback_route_hold(changes: dict[str, Any], code: str) -> None:
    """R-5, R-7, A7, A8: the checks against mix-up are among them."""
    fake_environment = FakeEnvironment(PASTED)
    pending, state = await opened(fake_environment)
    await fake_environment.service.sign_ins.paste(pending, "user:a", answer(state, **changes))
    assert (pending.problem and pending.problem.code, fake_environment.provider.calls["token"]) == (code, 0)


async def test_a_refusal_of_the_person_is_told() -> None:
    """A5: A declined sign-in leaves the old session alone."""
    fake_environment = FakeEnvironment(PASTED)
    pending, state = await opened(fake_environment)
    await fake_environment.service.sign_ins.paste(pending, "user:a", Secret(f"{URI}?error=access_denied&state={state}"))
    assert (pending.problem and pending.problem.code) == "sign_in_declined"
