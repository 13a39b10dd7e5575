"""A sign-in by code (RFC 8628; A31) is one task that asks, never too often, and ends with its sign-in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.problems import (
    ConfigurationInvalid,
    DiscoveryFailed,
    IdpUnavailable,
    Problem,
    RequestInvalid,
    SignInCancelled,
    SignInRefused,
    TlsUntrusted,
    TokenResponseInvalid,
)
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import PendingSignIn, SignInState
from jupyter_oidc.sessions.step_up import StepUp
from tests.unit.protocol.makers import claims_of, document, reply, signed
from tests.unit.sessions.fake_environment import DEVICE, GIVEN, SETTINGS, FakeEnvironment, form_of, settle

BY_CODE = replace(SETTINGS, redirect_strategy="device")
PENDING = reply({"error": "authorization_pending"}, status=400)
SLOW_DOWN = reply({"error": "slow_down"}, status=400)


def environment_of(settings: Any = BY_CODE) -> FakeEnvironment:
    fake_environment = FakeEnvironment(settings)
    fake_environment.provider.advertise = dict(DEVICE)
    fake_environment.scheduler.sleeping_takes_time = True
    return fake_environment


async def begun(fake_environment: FakeEnvironment, *outcomes: Any) -> PendingSignIn:
    """Begin, with ``outcomes`` planned for the token requests, and let the requests go out."""
    fake_environment.provider.plan("token", *outcomes)
    pending, ticket = await fake_environment.service.sign_ins.begin("user:a")
    assert ticket == ""
    await settle()
    return pending


async def asked_at(fake_environment: FakeEnvironment, *outcomes: Any) -> list[float]:
    """Return the pauses before each token request, in seconds."""
    await begun(fake_environment, *outcomes)
    return fake_environment.scheduler.slept[: fake_environment.provider.calls["token"]]


async def test_a_code_that_was_entered_makes_a_session() -> None:
    fake_environment = environment_of()
    pending = await begun(fake_environment, PENDING, PENDING)
    summary = await fake_environment.service.view.summary()
    assert (pending.progress, summary.state, summary.user and summary.user.name) == (
        "completed",
        State.ACTIVE,
        "Example User",
    )
    assert fake_environment.notes.kinds == ["sign-in-begun", "signed-in"]
    entry = await fake_environment.vault.load()
    assert entry is not None


async def test_the_person_sees_the_code_and_nobody_the_other_one() -> None:
    fake_environment = environment_of()
    pending = await begun(fake_environment, PENDING)
    assert pending.code is not None
    assert pending.code.user_code == "WDJB-MJHT"
    assert str(GIVEN["device_code"]) not in repr(pending)


async def test_the_settings_and_the_step_up_go_into_the_request() -> None:
    """RFC 9470, 4: ``acr_values`` and ``max_age`` go into the request for a code."""
    fake_environment = environment_of(replace(BY_CODE, prompt="consent"))
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",), 60))
    await fake_environment.service.sign_ins.begin("user:a", api="orders")
    await fake_environment.service.aclose()
    (call,) = [call for call in fake_environment.provider.sent if call.url.endswith("/device")]
    form = form_of(call)
    assert (form["prompt"], form["acr_values"], form["max_age"]) == ("consent", "gold", "60")


async def test_an_endpoint_for_codes_that_cannot_be_used_is_named() -> None:
    """Q1.4: the settings ask for codes, so the endpoint decides; otherwise the sign-in takes another way."""
    fake_environment = environment_of()
    fake_environment.provider.advertise = {"device_authorization_endpoint": "/device"}
    with pytest.raises(DiscoveryFailed, match="device_authorization_endpoint is not an https URL"):
        await fake_environment.service.sign_ins.begin("user:a")
    other = environment_of(SETTINGS)
    other.provider.advertise = {"device_authorization_endpoint": "/device"}
    pending, ticket = await other.service.sign_ins.begin("user:a")
    assert (pending.strategy, ticket != "") == ("server", True)


async def test_questions_are_an_interval_apart_and_the_first_waits_too() -> None:
    """RFC 8628, 3.5: the client waits ``interval`` seconds between requests."""
    assert await asked_at(environment_of(), PENDING, PENDING) == [5.0, 5.0, 5.0]


async def forms_of(advertised: dict[str, Any]) -> list[dict[str, str]]:
    """Return the forms sent to the endpoint for codes and with each token request."""
    fake_environment = environment_of()
    fake_environment.provider.advertise = {**DEVICE, **advertised}
    await begun(fake_environment, PENDING)
    return [form_of(call) for call in fake_environment.provider.sent if call.url.endswith(("/device", "/token"))]


async def test_a_code_is_bound_to_who_asked_for_it_where_the_provider_knows_s256() -> None:
    """Q9.4; RFC 7636, 4.3 and 4.5: every token request carries the same verifier."""
    asked, *questions = await forms_of({"code_challenge_methods_supported": ["plain", "S256"]})
    assert asked["code_challenge_method"] == "S256"
    verifiers = {question["code_verifier"] for question in questions}
    assert len(questions) == 2
    assert [challenge_of(Secret(verifier)) for verifier in verifiers] == [asked["code_challenge"]]


async def test_each_code_has_a_verifier_of_its_own() -> None:
    """Q9.4: Device sign-ins use PKCE where it is known.

    A-7: PKCE verifiers are random, single-use and S256 only.
    """
    known = {"code_challenge_methods_supported": ["S256"]}
    fake_environment = environment_of()
    fake_environment.provider.advertise = {**DEVICE, **known}
    await begun(fake_environment, PENDING)
    await begun(fake_environment, PENDING)
    sent = [form_of(call)["code_challenge"] for call in fake_environment.provider.sent if call.url.endswith("/device")]
    assert len(set(sent)) == 2


async def test_a_provider_that_does_not_tell_of_pkce_is_not_surprised_with_it() -> None:
    """Q9.4: the grant itself does not define PKCE (RFC 8628)."""
    asked, *questions = await forms_of({})
    assert [name for form in (asked, *questions) for name in form if name.startswith("code_")] == []


async def test_a_sign_in_by_code_that_a_sign_out_overtakes_shows_no_code() -> None:
    """Q9.4: the sign-in begins before the provider has answered."""
    fake_environment = environment_of()
    gate = asyncio.Event()
    fake_environment.provider.plan("device", gate)
    beginning = asyncio.ensure_future(fake_environment.service.sign_ins.begin("user:a"))
    await settle()
    await fake_environment.service.sign_outs.sign_out()
    gate.set()
    with pytest.raises(SignInCancelled):
        await beginning
    assert fake_environment.provider.calls["token"] == 0


async def test_who_leaves_before_there_is_a_code_leaves_no_sign_in_behind() -> None:
    """Q9.4: Device sign-ins use PKCE where it is known."""
    fake_environment = environment_of()
    fake_environment.provider.plan("device", asyncio.Event())
    beginning = asyncio.ensure_future(fake_environment.service.sign_ins.begin("user:a"))
    await settle()
    beginning.cancel()
    await settle()
    assert (beginning.cancelled(), fake_environment.pending.waiting("corp")) == (True, [])


async def test_questions_may_be_answered_with_status_200() -> None:
    """Q1.11: an error counts as an error with any status."""
    said = [reply({"error": word}) for word in ("authorization_pending", "slow_down", "authorization_pending")]
    assert await asked_at(environment_of(), *said) == [5.0, 5.0, 10.0, 10.0]


async def test_numbers_of_a_code_may_be_written_as_texts() -> None:
    """Q1.11: Device answers may write numbers as text."""
    fake_environment = environment_of()
    fake_environment.provider.plan("device", reply({**GIVEN, "expires_in": "120", "interval": "7"}))
    assert await asked_at(fake_environment, PENDING) == [7.0, 7.0]


async def test_slow_down_makes_every_later_pause_five_seconds_longer() -> None:
    """A31: A device sign-in never asks too often."""
    assert await asked_at(environment_of(), SLOW_DOWN, PENDING, SLOW_DOWN, PENDING) == [5.0, 10.0, 10.0, 15.0, 15.0]


async def test_retry_after_is_obeyed_and_never_shortens_the_interval() -> None:
    """A31: the provider answers 429 with Retry-After."""
    busy = [reply(b"", status=429, headers={"retry-after": seconds}) for seconds in ("42", "1")]
    assert await asked_at(environment_of(), *busy, PENDING) == [5.0, 42.0, 5.0, 5.0]


async def test_silence_makes_pauses_grow_and_an_answer_brings_them_back() -> None:
    """A31: the network fails briefly; RFC 8628, 3.5: the pauses grow exponentially."""
    blip = IdpUnavailable(detail="idp.unanswered")
    assert await asked_at(environment_of(), blip, blip, PENDING) == [5.0, 10.0, 20.0, 5.0]


@pytest.mark.parametrize(
    "weather",
    [
        IdpUnavailable(detail="idp.unsent"),
        TlsUntrusted(),
        reply(b"<html>Log in to the wireless network</html>", media="text/html"),
        reply(b"", status=302, headers={"location": "https://portal.example"}),
        reply(b"", status=503),
    ],
    ids=["unsent", "untrusted", "portal", "redirect", "503"],
)
async def test_weather_ends_no_sign_in(weather: Any) -> None:
    """A31: A device sign-in never asks too often."""
    fake_environment = environment_of()
    pending = await begun(fake_environment, weather, PENDING, weather)
    assert pending.progress == "completed"


async def test_an_outage_of_the_metadata_in_between_is_weather_too() -> None:
    fake_environment = environment_of()
    metadata = reply(document(**DEVICE), headers={"cache-control": "no-store"})
    fake_environment.provider.plan("discovery", metadata)
    fake_environment.provider.plan("token", PENDING)
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.clock.advance(61)
    fake_environment.provider.plan("discovery", IdpUnavailable(), reply(b"<html>", media="text/html"))
    await settle()
    assert pending.progress == "completed"


@pytest.mark.parametrize(
    ("error", "progress", "code"),
    [
        ("access_denied", "failed", "sign_in_declined"),
        ("expired_token", "expired", "unknown_flow"),
        ("invalid_grant", "failed", "sign_in_refused"),
        ("invalid_client", "failed", "sign_in_refused"),
        ("<script>", "failed", "sign_in_refused"),
    ],
)
async def test_a_definite_answer_ends_the_sign_in_with_a_code(error: str, progress: SignInState, code: str) -> None:
    """A31: A device sign-in never asks too often."""
    fake_environment = environment_of()
    pending = await begun(fake_environment, PENDING, reply({"error": error}, status=400))
    assert (pending.progress, pending.problem and pending.problem.code) == (progress, code)
    assert (await fake_environment.service.view.summary()).state is State.SIGNED_OUT
    assert fake_environment.provider.calls["token"] == 2


async def test_endless_pending_ends_with_the_code_and_not_one_question_later() -> None:
    """A31: 300 seconds and an interval of five make 59 requests; the sixtieth would come when the code is over."""
    fake_environment = environment_of()
    fake_environment.provider.plan("token", *[PENDING] * 1000)
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    for _ in range(20):
        await settle()
    assert (pending.progress, fake_environment.provider.calls["token"]) == ("expired", 59)
    assert pending.problem is not None
    assert (pending.problem.code, pending.problem.action) == ("unknown_flow", "Sign in again to get a new code.")
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_a_code_outlives_no_sign_in_whatever_the_provider_says() -> None:
    """A27: a sign-in lives for ten minutes."""
    fake_environment = environment_of()
    fake_environment.provider.plan("device", reply({**GIVEN, "expires_in": 86_400}))
    pending = await begun(fake_environment, PENDING)
    assert pending.lifetime == 600.0


async def test_a_pause_near_the_end_is_not_cut_short_for_one_more_question() -> None:
    """A31: the client never asks faster than the interval."""
    fake_environment = environment_of()
    fake_environment.provider.plan("device", reply({**GIVEN, "expires_in": 12}))
    pending = await begun(fake_environment, *[PENDING] * 5)
    assert (fake_environment.scheduler.slept, fake_environment.provider.calls["token"]) == ([5.0, 5.0, 2.0], 2)
    assert pending.progress == "expired"


async def test_a_cancelled_sign_in_asks_nothing_more() -> None:
    fake_environment = environment_of()
    gate = asyncio.Event()
    fake_environment.scheduler.gate = gate
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    await settle()
    fake_environment.service.sign_ins.cancel(pending)
    await settle()
    assert len(fake_environment.service._background) == 0
    assert fake_environment.provider.calls["token"] == 0
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_tokens_that_arrive_after_the_cancel_are_revoked() -> None:
    fake_environment = environment_of()
    gate = asyncio.Event()
    fake_environment.provider.plan("token", gate)
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    await settle()
    fake_environment.service.sign_ins.cancel(pending)
    gate.set()
    await settle()
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.SIGNED_OUT, ["rt-1"])
    assert await fake_environment.vault.load() is None


async def test_a_sign_out_ends_the_questions() -> None:
    fake_environment = environment_of()
    gate = asyncio.Event()
    fake_environment.scheduler.gate = gate
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    await settle()
    await fake_environment.service.sign_outs.sign_out()
    await settle()
    assert (pending.progress, len(fake_environment.service._background)) == ("cancelled", 0)


async def test_closing_the_service_does_not_wait_for_the_person() -> None:
    """D10: A server that stops waits for its refresh."""
    fake_environment = environment_of()
    gate = asyncio.Event()
    fake_environment.scheduler.gate = gate
    await fake_environment.service.sign_ins.begin("user:a")
    await settle()
    await asyncio.wait_for(fake_environment.service.aclose(), 1)


async def test_one_task_asks_about_one_sign_in() -> None:
    fake_environment = environment_of()
    gate = asyncio.Event()
    fake_environment.scheduler.gate = gate
    flows = [(await fake_environment.service.sign_ins.begin("user:a"))[0] for _ in range(25)]
    await settle()
    assert len(fake_environment.service._background) == 20
    assert [flow.progress for flow in flows[:5]] == ["cancelled"] * 5
    await fake_environment.service.aclose()


async def test_a_sign_in_by_code_has_no_ticket_state_or_binding() -> None:
    fake_environment = environment_of()
    pending = await begun(fake_environment, PENDING)
    assert (pending.ticket_digest, pending.state_digest, pending.binding_digest) == (None, b"", None)


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"azp": "another-client"}, "azp"),
        ({"exp": 1}, "exp"),
        ({"iat": 1}, "iat"),
        ({"sub": ""}, "no_sub"),
        ({"nonce": "of-another-sign-in"}, "nonce"),
        ({"at_hash": "AAAA"}, "at_hash"),
    ],
)
async def test_the_id_token_is_validated_as_strictly_as_after_a_redirect(claims: dict[str, Any], check: str) -> None:
    """V-10: every check of section V applies; no nonce was sent, so a token with a nonce is refused."""
    fake_environment = environment_of()
    fake_environment.provider.claims = claims
    pending = await begun(fake_environment, PENDING)
    assert pending.problem is not None
    assert pending.problem.detail == f"id_token.{check}"
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.SIGNED_OUT, ["rt-1"])


async def test_a_token_of_another_algorithm_or_key_is_refused() -> None:
    """V-2: The header names the pinned algorithm. V-3: The signature verifies with the provider's key."""
    fake_environment = environment_of()
    forged = signed(claims_of(nonce=...), header={"alg": "none"})
    body = {"access_token": "at", "token_type": "Bearer", "id_token": forged}
    pending = await begun(fake_environment, reply(body))
    assert (pending.problem and pending.problem.detail) == "id_token.alg"


async def test_an_age_that_was_asked_for_has_to_be_shown() -> None:
    """V-13: A requested maximum age is proved."""
    fake_environment = environment_of(replace(BY_CODE, max_age=60))
    pending = await begun(fake_environment)
    assert (pending.problem and pending.problem.detail) == "id_token.auth_time"


async def test_userinfo_of_somebody_else_is_refused() -> None:
    """U-5: UserInfo speaks of the ID token's subject."""
    fake_environment = environment_of()
    fake_environment.provider.userinfo = {"sub": "somebody-else"}
    pending = await begun(fake_environment)
    assert (pending.problem and pending.problem.detail) == "userinfo.sub"


async def test_an_answer_without_an_id_token_is_final_and_not_asked_for_again() -> None:
    fake_environment = environment_of()
    pending = await begun(fake_environment, reply({"access_token": "at", "token_type": "Bearer"}))
    assert (pending.problem and pending.problem.detail) == "token.id_token"
    assert fake_environment.provider.calls["token"] == 1


async def test_a_failure_keeps_the_previous_session() -> None:
    """A5: A declined sign-in leaves the old session alone."""
    fake_environment = environment_of()
    await begun(fake_environment)
    await begun(fake_environment, reply({"error": "access_denied"}, status=400))
    assert fake_environment.service.state is State.ACTIVE


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        (reply({"error": "unauthorized_client"}, status=400), SignInRefused, "device.unauthorized_client"),
        (reply(b"<html>", media="text/html"), TokenResponseInvalid, "device.format"),
        (reply({**GIVEN, "verification_uri": "javascript:x"}), TokenResponseInvalid, "device.verification_uri"),
        (reply({**GIVEN, "interval": 10**9}), TokenResponseInvalid, "device.interval"),
        (reply(b"", status=503), IdpUnavailable, "device.status"),
        (IdpUnavailable(detail="idp.unsent"), IdpUnavailable, "idp.unsent"),
    ],
)
async def test_a_provider_that_gives_no_code_is_reported_where_the_sign_in_begins(
    answer: Any, kind: type[Problem], detail: str
) -> None:
    fake_environment = environment_of()
    fake_environment.provider.plan("device", answer)
    with pytest.raises(kind) as caught:
        await fake_environment.service.sign_ins.begin("user:a")
    assert caught.value.detail == detail
    assert (fake_environment.service.state, fake_environment.pending.waiting("corp")) == (State.SIGNED_OUT, [])


async def test_a_provider_that_does_not_offer_codes_is_a_mistake_in_the_settings_or_in_the_request() -> None:
    """H-3: the client guesses no endpoint."""
    fake_environment = environment_of()
    fake_environment.provider.advertise = {}
    with pytest.raises(ConfigurationInvalid, match="does not advertise sign-in by code"):
        await fake_environment.service.sign_ins.begin("user:a")
    other = FakeEnvironment()
    with pytest.raises(RequestInvalid, match="does not advertise sign-in by code"):
        await other.service.sign_ins.begin("user:a", strategy="device")
    assert fake_environment.provider.calls["device"] == other.provider.calls["device"] == 0


async def test_a_bound_session_proves_its_key_in_every_question() -> None:
    """X-3: every request has a new DPoP proof of the same key."""
    fake_environment = environment_of(replace(BY_CODE, dpop_bound_access_tokens=True))
    fake_environment.provider.advertise["dpop_signing_alg_values_supported"] = ["ES256"]
    pending = await begun(fake_environment, PENDING)
    asked = [call for call in fake_environment.provider.sent if call.url.endswith("/token")]
    assert pending.progress == "completed"
    assert [call.proof is not None for call in asked] == [True, True]
    assert asked[0].proof != asked[1].proof
