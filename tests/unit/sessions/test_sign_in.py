"""Signing in: single use, browser-bound, capped, and what every kind of ending leaves behind (table A, section R)."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.errors import (
    DiscoveryFailed,
    IdpUnavailable,
    IssuerMismatch,
    StateInvalid,
    StateUsed,
    UnknownFlow,
)
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import Progress
from tests.unit.protocol.makers import SUBJECT, document, reply
from tests.unit.sessions.stage import Stage, settle


async def test_a_sign_in_makes_a_session_with_a_person():
    stage = Stage()
    pending = await stage.sign_in()
    summary = await stage.service.summary()
    assert pending.progress is Progress.COMPLETED
    assert summary.state is State.ACTIVE
    assert summary.user is not None
    assert (summary.user.sub, summary.user.name) == (SUBJECT, "Example User")
    assert summary.expires_in == 300
    assert stage.notes.kinds == ["sign-in-begun", "signed-in"]


async def test_userinfo_is_asked_once_per_sign_in():
    """U-1 (UserInfo is read once per sign-in), and D-9 (metadata come before every other request)."""
    stage = Stage()
    await stage.sign_in()
    assert list(stage.provider.calls.items()) == [("discovery", 1), ("token", 1), ("jwks", 1), ("userinfo", 1)]


async def test_a_provider_without_userinfo_signs_people_in_by_the_id_token():
    """Q1.1: whoever asks for UserInfo where there is some does not ask for it where there is none."""
    stage = Stage()
    stage.provider.advertise = {"userinfo_endpoint": None}
    stage.provider.claims = {"name": "Token User", "roles": ["orders.read"]}
    await stage.sign_in()
    summary = await stage.service.summary()
    assert summary.user is not None
    assert (summary.user.sub, summary.user.name, summary.entitlements) == (SUBJECT, "Token User", ("orders.read",))
    assert stage.provider.calls["userinfo"] == 0


async def test_a_provider_without_userinfo_refreshes_and_forgets_nobody():
    """Q1.1, F-9: a refresh that tells nothing new leaves the person as they were."""
    stage = Stage()
    stage.provider.advertise = {"userinfo_endpoint": None}
    stage.provider.claims = {"name": "Token User"}
    await stage.sign_in()
    await stage.scheduler.pass_time(241)
    summary = await stage.service.summary()
    assert summary.user is not None
    assert (stage.notes.kinds[-1], summary.user.name, stage.provider.calls["userinfo"]) == ("renewed", "Token User", 0)


async def test_an_unknown_state_is_refused_without_a_request():
    """A1, R-2."""
    stage = Stage()
    await stage.begin()
    with pytest.raises(StateInvalid):
        await stage.service.sign_ins.callback([("code", "c"), ("state", "made-up")], ["made-up"])
    assert stage.provider.calls["token"] == 0


async def test_a_state_of_another_browser_is_refused_and_stays_usable_in_its_own():
    """A4, A6: login CSRF makes no session, and cancels nobody's sign-in."""
    stage = Stage()
    pending, state, binding = await stage.begin()
    with pytest.raises(StateInvalid):
        await stage.service.sign_ins.callback([("code", "c"), ("state", state)], ["another browser's cookie"])
    assert pending.progress is Progress.WAITING
    await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.progress is Progress.COMPLETED


async def test_a_replayed_callback_redeems_nothing():
    """A2, R-3."""
    stage = Stage()
    pending, state, binding = await stage.begin()
    first = await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    again = await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert first is again is pending
    assert stage.provider.calls["token"] == 1


async def test_two_callbacks_at_once_redeem_once_and_see_the_same_result():
    """A3."""
    stage = Stage()
    _, state, binding = await stage.begin()
    parameters = [("code", "c"), ("state", state)]
    results = await asyncio.gather(*(stage.service.sign_ins.callback(parameters, [binding]) for _ in range(5)))
    assert {result.progress for result in results} == {Progress.COMPLETED}
    assert stage.provider.calls["token"] == 1


async def test_a_callback_goes_on_when_its_browser_leaves():
    """T-10: a code can be spent only once, so a closed window must not lose it."""
    stage = Stage()
    gate = asyncio.Event()
    stage.provider.plan("token", gate)
    pending, state, binding = await stage.begin()
    request = asyncio.ensure_future(stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding]))
    await settle()
    request.cancel()
    gate.set()
    await settle()
    assert pending.progress is Progress.COMPLETED
    assert stage.service.state is State.ACTIVE


async def test_a_declined_sign_in_keeps_the_previous_session():
    """A5, R-7."""
    stage = Stage()
    await stage.sign_in()
    pending, state, binding = await stage.begin()
    await stage.service.sign_ins.callback([("error", "access_denied"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.code == "sign_in_declined"
    assert stage.service.state is State.ACTIVE
    assert stage.provider.calls["token"] == 1


async def test_a_declined_first_sign_in_leaves_nobody_signed_in():
    stage = Stage()
    _, state, binding = await stage.begin()
    assert stage.service.state is State.SIGNING_IN
    await stage.service.sign_ins.callback([("error", "access_denied"), ("state", state)], [binding])
    assert stage.service.state is State.SIGNED_OUT


async def test_the_offer_to_try_again_begins_only_when_somebody_follows_it():
    """E-1: an error page shows a link; until it is followed, nobody is signing in."""
    stage = Stage()
    failed, state, binding = await stage.begin()
    await stage.service.sign_ins.callback([("error", "access_denied"), ("state", state)], [binding])
    ticket = stage.service.sign_ins.offer_again(failed)
    assert stage.service.state is State.SIGNED_OUT
    again = stage.pending.use_ticket(ticket)
    await stage.service.sign_ins.authorization_url(again, failed.redirect_uri)
    assert stage.service.state is State.SIGNING_IN
    assert (again.flow != failed.flow, again.caller) == (True, "user:a")


async def test_an_offer_made_before_a_sign_out_still_works_after_it():
    """The attempt belongs to the time at which it is followed."""
    stage = Stage()
    failed, _, _ = await stage.begin()
    stage.service.sign_ins.cancel(failed)
    ticket = stage.service.sign_ins.offer_again(failed)
    await stage.service.sign_out()
    again = stage.pending.use_ticket(ticket)
    url, binding = await stage.service.sign_ins.authorization_url(again, "https://hub.example.com/cb")
    query = parse_qs(urlsplit(url).query)
    stage.provider.nonce = query["nonce"][0]
    await stage.service.sign_ins.callback([("code", "c"), ("state", query["state"][0])], [binding])
    assert stage.service.state is State.ACTIVE


async def test_a_wrong_iss_is_refused_before_the_code_is_sent_anywhere():
    """A7, R-5."""
    stage = Stage()
    pending, state, binding = await stage.begin()
    await stage.service.sign_ins.callback([("code", "c"), ("state", state), ("iss", "https://evil.example")], [binding])
    assert pending.problem is not None
    assert pending.problem.code == "issuer_mismatch"
    assert stage.provider.calls["token"] == 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (reply(b"<html>portal</html>", media="text/html"), "token_response_invalid"),  # A10
        (reply({"token_type": "Bearer"}), "token_response_invalid"),  # A11
        (reply({"access_token": "x", "token_type": "mac", "id_token": "a.b.c"}), "token_response_invalid"),  # A11
        (reply(b"", status=302, headers={"location": "https://evil.example"}), "token_response_invalid"),  # A14
        (reply({"error": "invalid_grant"}, status=400), "sign_in_refused"),
        (reply(b"", status=503), "idp_unavailable"),
        (IdpUnavailable(detail="idp.unanswered"), "idp_unavailable"),
    ],
)
async def test_a_useless_token_response_stores_nothing(fault, code):
    stage = Stage()
    stage.provider.plan("token", fault)
    pending, state, binding = await stage.begin()
    await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.code == code
    assert stage.service.state is State.SIGNED_OUT
    assert await stage.vault.load() is None
    assert stage.provider.calls["token"] == 1, "a code is sent at most once (T-10)"


@pytest.mark.parametrize(
    ("claims", "detail"),
    [({"aud": "another"}, "id_token.aud"), ({"iss": "https://evil.example"}, "id_token.iss")],
)
async def test_a_refused_id_token_ends_the_sign_in_and_its_tokens(claims, detail):
    """A16, A17: no UserInfo request follows, and the refresh token is revoked."""
    stage = Stage()
    stage.provider.claims = claims
    pending, state, binding = await stage.begin()
    await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert (pending.problem.code, pending.problem.detail) == ("id_token_rejected", detail)
    assert stage.provider.calls["userinfo"] == 0
    assert stage.provider.revoked == ["rt-1"]


async def test_a_nonce_of_another_sign_in_is_refused():
    """A17, V-10, Q5.5: most often a stale tab, so the person is asked to begin again."""
    stage = Stage()
    pending, state, binding = await stage.begin()
    stage.provider.nonce = "of-another-sign-in"
    await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.detail == "id_token.nonce"
    assert "begin again in JupyterLab" in pending.problem.action


async def test_userinfo_of_somebody_else_refuses_the_sign_in():
    """U-5, U-6."""
    stage = Stage()
    stage.provider.userinfo = {"sub": "somebody-else", "name": "Mallory"}
    pending, state, binding = await stage.begin()
    await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.code == "userinfo_rejected"
    assert (await stage.service.summary()).user is None


async def test_an_unreachable_provider_is_reported_before_a_window_is_sent_away():
    """A23."""
    stage = Stage()
    stage.provider.plan("discovery", IdpUnavailable())
    with pytest.raises(IdpUnavailable):
        await stage.service.sign_ins.begin("user:a")
    assert stage.service.state is State.SIGNED_OUT


async def test_a_provider_that_comes_back_is_asked_again():
    """A23: a failure is not remembered."""
    stage = Stage()
    stage.provider.plan("discovery", IdpUnavailable())
    with pytest.raises(IdpUnavailable):
        await stage.service.sign_ins.begin("user:a")
    await stage.sign_in()
    assert stage.service.state is State.ACTIVE


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"issuer": "https://id.example.com/"}, IssuerMismatch),  # A22, D-5
        ({"token_endpoint": "http://id.example.com/token"}, DiscoveryFailed),  # A24, D-7
        ({"code_challenge_methods_supported": ["plain"]}, DiscoveryFailed),  # D-11
    ],
)
async def test_metadata_that_cannot_be_trusted_starts_nothing(change, problem):
    stage = Stage()
    stage.provider.plan("discovery", reply(document(**change)))
    with pytest.raises(problem):
        await stage.service.sign_ins.begin("user:a")


async def test_a_ticket_works_once():
    stage = Stage()
    _, ticket = await stage.service.sign_ins.begin("user:a")
    stage.pending.use_ticket(ticket)
    with pytest.raises(StateInvalid):
        stage.pending.use_ticket(ticket)


async def test_a_ticket_expires_after_five_minutes():
    stage = Stage()
    _, ticket = await stage.service.sign_ins.begin("user:a")
    stage.clock.advance(301)
    with pytest.raises(StateInvalid):
        stage.pending.use_ticket(ticket)


async def test_a_sign_in_expires_after_ten_minutes():
    """A27."""
    stage = Stage()
    pending, state, binding = await stage.begin()
    await stage.scheduler.pass_time(601.5)
    assert pending.progress is Progress.EXPIRED
    assert stage.service.state is State.SIGNED_OUT
    with pytest.raises(StateUsed):
        await stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])


async def test_a_finished_sign_in_is_forgotten_after_five_minutes():
    """A2."""
    stage = Stage()
    pending = await stage.sign_in()
    assert stage.pending.find(pending.flow, "corp") is pending
    stage.clock.advance(301)
    with pytest.raises(UnknownFlow):
        stage.pending.find(pending.flow, "corp")


async def test_unfinished_sign_ins_are_counted_per_caller_and_in_all():
    """A27."""
    stage = Stage()
    flows = [(await stage.service.sign_ins.begin("user:a"))[0] for _ in range(25)]
    assert len(stage.pending.waiting("corp")) == 20
    assert flows[0].progress is Progress.CANCELLED
    for number in range(1000):
        await stage.service.sign_ins.begin(f"user:{number}")
    assert len(stage.pending.waiting("corp")) == 200


async def test_a_sign_in_of_one_provider_is_unknown_at_another():
    stage = Stage()
    pending, state, binding = await stage.begin()
    with pytest.raises(UnknownFlow):
        stage.pending.find(pending.flow, "other")
    with pytest.raises(StateInvalid):
        stage.pending.of_state("other", state, [binding])


async def test_a_cancelled_sign_in_does_not_become_a_session_later():
    stage = Stage()
    gate = asyncio.Event()
    stage.provider.plan("token", gate)
    pending, state, binding = await stage.begin()
    request = asyncio.ensure_future(stage.service.sign_ins.callback([("code", "c"), ("state", state)], [binding]))
    await settle()
    stage.service.sign_ins.cancel(pending)
    gate.set()
    await request
    await settle()
    assert stage.service.state is State.SIGNED_OUT
    assert stage.provider.revoked == ["rt-1"]
    assert await stage.vault.load() is None


async def test_a_second_sign_in_replaces_the_first_completely():
    """S-6, A26."""
    stage = Stage()
    await stage.sign_in()
    stage.provider.claims = {"sub": "second-user"}
    stage.provider.userinfo = {"sub": "second-user", "name": "Second User"}
    await stage.service.sign_ins.answer(await stage.sign_in(), change=True)
    await settle()
    summary = await stage.service.summary()
    assert summary.user is not None
    assert summary.user.sub == "second-user"
    assert stage.provider.revoked == ["rt-1"]


async def test_missing_scopes_and_a_missing_refresh_token_are_reported():
    """A25."""
    stage = Stage()
    stage.provider.issue_refresh_token = False
    stage.provider.scope = "openid profile"
    await stage.sign_in()
    summary = await stage.service.summary()
    assert summary.refreshable is False
    assert summary.missing_scopes == ("offline_access",)


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("Fri, 15 Jan 2027 08:06:41 GMT", "clock_skew"),
        ("Fri, 15 Jan 2027 07:53:19 GMT", "clock_skew"),
        ("Fri, 15 Jan 2027 08:03:00 GMT", None),
        ("nonsense", None),
    ],
)
async def test_a_provider_whose_clock_is_more_than_five_minutes_off_is_refused_by_that_name(date, code):
    """A21."""
    stage = Stage()
    stage.provider.date = date
    pending = await stage.sign_in()
    assert (pending.problem and pending.problem.code) == code
    if code:
        assert "401 seconds" in pending.problem.message
