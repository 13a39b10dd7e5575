"""A page may try to sign in by itself at certain times, and a silent sign-in that fails changes nothing (Q10.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.problems import IdpUnavailable, RequestInvalid
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import PendingSignIn, SignInOptions
from tests.unit.protocol.makers import ISSUER, logout_claims_of, reply, signed
from tests.unit.sessions.fake_environment import DEVICE, SETTINGS, FakeEnvironment, settle

SILENT = SignInOptions(prompt="none", silent=True)


async def begin(fake_environment: FakeEnvironment, options: SignInOptions = SILENT, **how: Any) -> PendingSignIn:
    pending, _ = await fake_environment.service.sign_ins.begin("user:a", options, **how)
    return pending


async def test_a_page_that_tries_is_no_sign_in_under_way() -> None:
    """Q10.3: the panel shows no sign-in, and nothing has to be cancelled."""
    fake_environment = FakeEnvironment()
    pending = await begin(fake_environment)
    assert (fake_environment.service.state, fake_environment.notes.kinds, pending.lifetime) == (
        State.SIGNED_OUT,
        [],
        60,
    )


async def test_a_sign_in_by_a_click_is_over_although_a_page_still_tries() -> None:
    """Q10.3: the panel does not wait for an attempt of another tab."""
    fake_environment = FakeEnvironment()
    clicked, _, _ = await fake_environment.begin()
    fake_environment.service.sign_ins.silent._newest = None
    await begin(fake_environment)
    fake_environment.service.sign_ins.cancel(clicked)
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_a_page_that_tries_while_the_person_gets_in_is_done() -> None:
    """Q10.3, Q6.2: the attempt has no other purpose."""
    fake_environment = FakeEnvironment()
    pending = await begin(fake_environment)
    await fake_environment.sign_in()
    assert (pending.progress, pending.overtaken) == ("completed", True)


async def test_two_pages_that_begin_at_once_are_one_attempt() -> None:
    """Q10.3: the decision falls where the attempt begins."""
    fake_environment = FakeEnvironment()
    await begin(fake_environment)
    with pytest.raises(RequestInvalid) as refused:
        await begin(fake_environment)
    assert refused.value.detail == "silent.not_now"


async def test_a_code_cannot_be_entered_by_nobody() -> None:
    """Q10.3: the refusal names the action."""
    fake_environment = FakeEnvironment(SETTINGS)
    fake_environment.provider.advertise |= DEVICE
    with pytest.raises(RequestInvalid) as refused:
        await begin(fake_environment, SignInOptions(prompt="none"), strategy="device")
    assert (refused.value.detail, refused.value.action) == (
        "prompt.device",
        "Leave 'prompt' out, or choose another strategy.",
    )


async def test_a_page_that_never_went_out_may_try_again_later() -> None:
    """Q10.3: its window may have been closed, which tells nothing about the provider."""
    fake_environment = FakeEnvironment()
    await begin(fake_environment)
    fake_environment.clock.advance(599)
    assert not fake_environment.service.may_sign_in_silently
    fake_environment.clock.advance(1)
    assert fake_environment.service.may_sign_in_silently


async def test_a_session_that_runs_leaves_nothing_to_try() -> None:
    """Q10.3: A page may sign in silently, once."""
    fake_environment = FakeEnvironment()
    assert fake_environment.service.may_sign_in_silently
    await fake_environment.sign_in()
    assert not fake_environment.service.may_sign_in_silently


async def test_settings_that_wait_for_the_person_are_not_put_in_force_by_a_page() -> None:
    """Q10.3, Q8.1: opening a page is no consent."""
    fake_environment = FakeEnvironment()
    fake_environment.service.view.set_settings_pending(True)
    assert not fake_environment.service.may_sign_in_silently


async def test_a_sign_out_is_remembered_by_the_session_under_other_settings() -> None:
    """Q10.3: a cell could write the settings, and have the next page undo the sign-out."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    await fake_environment.service.sign_outs.sign_out()
    successor = fake_environment.new_service()
    successor.continue_from(fake_environment.service)
    await settle()
    assert not successor.may_sign_in_silently


async def test_a_sign_out_at_another_server_is_a_sign_out_here() -> None:
    """Q10.3: the shared entry is gone, and the next page must not bring the person back."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    other = fake_environment.new_service()
    await other.view.summary()
    await settle()
    await fake_environment.service.sign_outs.sign_out()
    fake_environment.clock.advance(10)
    await other.tokens.refresh()
    assert (other.state, other.may_sign_in_silently) == (State.SIGNED_OUT, False)


async def test_a_sign_out_at_the_provider_is_a_sign_out_here() -> None:
    """Q10.3: a logout token means that the user has signed out elsewhere."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    now = fake_environment.clock.now().wall
    await fake_environment.service.sign_outs.end_by_provider(Secret(signed(logout_claims_of(iat=now, exp=now + 120))))
    fake_environment.clock.advance(10_000)
    assert (fake_environment.service.state, fake_environment.service.may_sign_in_silently) == (
        State.SIGNED_OUT_EXPIRED,
        False,
    )


async def test_a_request_that_could_not_be_pushed_has_sent_nobody_anywhere() -> None:
    """Q10.3: one answer of 503 once switched silent sign-in off until the user clicked."""
    fake_environment = FakeEnvironment(replace(SETTINGS, pushed_authorization_requests="always"))
    fake_environment.provider.advertise = {"pushed_authorization_request_endpoint": ISSUER + "/par"}
    fake_environment.provider.plan("push", reply({}, status=503))
    pending = await begin(fake_environment)
    with pytest.raises(IdpUnavailable):
        await fake_environment.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    fake_environment.clock.advance(600)
    assert fake_environment.service.may_sign_in_silently


async def test_one_that_went_out_and_did_not_come_back_is_the_last() -> None:
    """Q10.3: the person stands before a page of the provider."""
    fake_environment = FakeEnvironment()
    pending = await begin(fake_environment)
    await fake_environment.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    fake_environment.clock.advance(10_000)
    assert not fake_environment.service.may_sign_in_silently


async def test_another_person_is_asked_for_after_settings_have_narrowed() -> None:
    """Q10.3, A26: the session under the narrower settings belongs to the person who was signed in when they came."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    await fake_environment.vault.delete()
    narrowed = fake_environment.new_service()
    narrowed.continue_from(fake_environment.service)
    fake_environment.service = narrowed
    await narrowed.view.summary()
    assert narrowed.state is State.SIGNED_OUT
    fake_environment.provider.claims, fake_environment.provider.userinfo = {"sub": "eve"}, {"sub": "eve", "name": "Eve"}
    pending = await begin(fake_environment)
    fake_environment.provider.nonce = pending.nonce
    url, binding = await narrowed.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    state = parse_qs(urlsplit(url).query)["state"][0]
    await narrowed.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    assert pending.question is not None
    assert (pending.question.now, pending.question.is_over) == ("Example User", True)


async def test_a_page_stays_where_the_provider_lists_its_prompts_without_none() -> None:
    """Q10.3: the provider would show the refusal on a page of its own (Initiating User Registration 1.0, 4)."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"prompt_values_supported": ["login", "consent"]}
    with pytest.raises(RequestInvalid) as refused:
        await begin(fake_environment)
    assert refused.value.detail == "prompt.unlisted"


@pytest.mark.parametrize(("prompt", "listed"), [("login", ["none"]), ("select_account", ["login"])])
async def test_a_prompt_that_the_provider_does_not_list_is_found_before_a_page_opens(
    prompt: str, listed: list[str]
) -> None:
    """Q10.3: the check reads the prompt that is sent, and not that of the settings."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"prompt_values_supported": listed}
    with pytest.raises(RequestInvalid, match=f"does not list the prompt '{prompt}'"):
        await begin(fake_environment, SignInOptions(prompt=prompt))


@pytest.mark.parametrize("more", [{}, {"prompt_values_supported": ["none", "login"]}])
async def test_a_prompt_that_is_listed_or_of_which_nothing_is_said_is_sent(more: dict[str, Any]) -> None:
    """Q1.3, Q10.3: an absent member contradicts nothing."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = more
    assert (await begin(fake_environment)).progress == "waiting"
