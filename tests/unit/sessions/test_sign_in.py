"""A sign-in is single-use, bound to a browser and capped in number; every ending cleans up (table A, section R)."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.problems import (
    DiscoveryFailed,
    IdpUnavailable,
    IssuerMismatch,
    Problem,
    StateInvalid,
    StateUsed,
    UnknownFlow,
)
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import SignInOptions
from tests.unit.protocol.makers import SUBJECT, document, reply
from tests.unit.sessions.fake_environment import FakeEnvironment, settle


async def test_a_sign_in_makes_a_session_with_a_person() -> None:
    fake_environment = FakeEnvironment()
    pending = await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
    assert pending.progress == "completed"
    assert summary.state is State.ACTIVE
    assert summary.user is not None
    assert (summary.user.sub, summary.user.name) == (SUBJECT, "Example User")
    assert summary.expires_in == 300
    assert fake_environment.notes.kinds == ["sign-in-begun", "signed-in"]


async def test_userinfo_is_asked_once_per_sign_in() -> None:
    """U-1 (UserInfo is read once per sign-in), and D-9 (metadata come before every other request)."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    assert list(fake_environment.provider.calls.items()) == [
        ("discovery", 1),
        ("token", 1),
        ("jwks", 1),
        ("userinfo", 1),
    ]


async def test_a_provider_without_userinfo_signs_people_in_by_the_id_token() -> None:
    """Q1.1: the client calls UserInfo only where the provider has an endpoint for it."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"userinfo_endpoint": None}
    fake_environment.provider.claims = {"name": "Token User", "roles": ["orders.read"]}
    await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
    assert summary.user is not None
    assert (summary.user.sub, summary.user.name, summary.entitlements) == (SUBJECT, "Token User", ("orders.read",))
    assert fake_environment.provider.calls["userinfo"] == 0


async def test_a_provider_without_userinfo_refreshes_and_forgets_nobody() -> None:
    """Q1.1, F-9: a refresh without new facts leaves the summary of the person as it was."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"userinfo_endpoint": None}
    fake_environment.provider.claims = {"name": "Token User"}
    await fake_environment.sign_in()
    await fake_environment.scheduler.pass_time(241)
    summary = await fake_environment.service.view.summary()
    assert summary.user is not None
    assert (fake_environment.notes.kinds[-1], summary.user.name, fake_environment.provider.calls["userinfo"]) == (
        "renewed",
        "Token User",
        0,
    )


async def test_an_unknown_state_is_refused_without_a_request() -> None:
    """A1: A callback needs a state that is known here. R-2: State must match a sign-in of this browser."""
    fake_environment = FakeEnvironment()
    await fake_environment.begin()
    with pytest.raises(StateInvalid):
        await fake_environment.service.sign_ins.callback([("code", "c"), ("state", "made-up")], ["made-up"])
    assert fake_environment.provider.calls["token"] == 0


async def test_a_state_of_another_browser_is_refused_and_stays_usable_in_its_own() -> None:
    """A4, A6: login CSRF makes no session, and cancels no other user's sign-in."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    with pytest.raises(StateInvalid):
        await fake_environment.service.sign_ins.callback(
            [("code", "c"), ("state", state)], ["another browser's cookie"]
        )
    before = pending.progress
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert (before, pending.progress) == ("waiting", "completed")


async def test_a_replayed_callback_redeems_nothing() -> None:
    """A2: A repeated callback spends no code again. R-3: The first callback uses the state up."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    first = await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    again = await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert first is again is pending
    assert fake_environment.provider.calls["token"] == 1


async def test_two_callbacks_at_once_redeem_once_and_see_the_same_result() -> None:
    """A3: Of two simultaneous callbacks, one redeems the code."""
    fake_environment = FakeEnvironment()
    _, state, binding = await fake_environment.begin()
    parameters = [("code", "c"), ("state", state)]
    results = await asyncio.gather(
        *(fake_environment.service.sign_ins.callback(parameters, [binding]) for _ in range(5))
    )
    assert {result.progress for result in results} == {"completed"}
    assert fake_environment.provider.calls["token"] == 1


async def test_a_callback_goes_on_when_its_browser_leaves() -> None:
    """T-10: a code can be spent only once, so a closed window must not lose it."""
    fake_environment = FakeEnvironment()
    gate = asyncio.Event()
    fake_environment.provider.plan("token", gate)
    pending, state, binding = await fake_environment.begin()
    request = asyncio.ensure_future(
        fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    )
    await settle()
    request.cancel()
    gate.set()
    await settle()
    assert pending.progress == "completed"
    assert fake_environment.service.state is State.ACTIVE


async def test_a_declined_sign_in_keeps_the_previous_session() -> None:
    """A5: A declined sign-in leaves the old session alone.

    R-7: An error ends the sign-in without further requests.
    """
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("error", "access_denied"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.code == "sign_in_declined"
    assert fake_environment.service.state is State.ACTIVE
    assert fake_environment.provider.calls["token"] == 1


async def test_a_declined_first_sign_in_leaves_nobody_signed_in() -> None:
    fake_environment = FakeEnvironment()
    _, state, binding = await fake_environment.begin()
    before = fake_environment.service.state
    await fake_environment.service.sign_ins.callback([("error", "access_denied"), ("state", state)], [binding])
    assert (before, fake_environment.service.state) == (State.SIGNING_IN, State.SIGNED_OUT)


async def test_the_offer_to_try_again_begins_only_when_somebody_follows_it() -> None:
    """E-1: an error page shows a link; until the user follows it, no sign-in is under way."""
    fake_environment = FakeEnvironment()
    failed, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("error", "access_denied"), ("state", state)], [binding])
    ticket = fake_environment.service.sign_ins.offer_again(failed)
    before = fake_environment.service.state
    again = fake_environment.pending.use_ticket(ticket)
    await fake_environment.service.sign_ins.authorization_url(again, failed.redirect_uri)
    assert (before, fake_environment.service.state) == (State.SIGNED_OUT, State.SIGNING_IN)
    assert (again.flow != failed.flow, again.caller) == (True, "user:a")


@pytest.mark.parametrize(
    ("prompt", "error", "detail", "again"),
    [
        ("select_account", "invalid_request", "authorization.no_choice_of_accounts", "login"),
        ("select_account", "server_error", "authorization.server_error", "select_account"),
        ("login", "invalid_request", "authorization.invalid_request", "login"),
    ],
)
async def test_where_a_provider_offers_no_choice_of_accounts_the_next_attempt_asks_for_a_login(
    prompt: str, error: str, detail: str, again: str
) -> None:
    """OpenID Connect Core 1.0, 3.1.2.6: a provider that does not know a prompt may call the request invalid."""
    fake_environment = FakeEnvironment()
    failed, state, binding = await fake_environment.begin(options=SignInOptions(prompt=prompt))
    await fake_environment.service.sign_ins.callback([("error", error), ("state", state)], [binding])
    assert failed.problem is not None
    assert failed.problem.detail == detail
    retried = fake_environment.pending.use_ticket(fake_environment.service.sign_ins.offer_again(failed))
    assert retried.options.prompt == again


async def test_an_offer_made_before_a_sign_out_still_works_after_it() -> None:
    """The attempt begins when the user follows the link."""
    fake_environment = FakeEnvironment()
    failed, _, _ = await fake_environment.begin()
    fake_environment.service.sign_ins.cancel(failed)
    ticket = fake_environment.service.sign_ins.offer_again(failed)
    await fake_environment.service.sign_outs.sign_out()
    again = fake_environment.pending.use_ticket(ticket)
    url, binding = await fake_environment.service.sign_ins.authorization_url(again, "https://hub.example.com/cb")
    query = parse_qs(urlsplit(url).query)
    fake_environment.provider.nonce = query["nonce"][0]
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", query["state"][0])], [binding])
    assert fake_environment.service.state is State.ACTIVE


async def test_a_wrong_iss_is_refused_before_the_code_is_sent_anywhere() -> None:
    """A7: An answer from another issuer is not redeemed.

    R-5: An answer must come from the configured issuer.
    """
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback(
        [("code", "c"), ("state", state), ("iss", "https://evil.example")], [binding]
    )
    assert pending.problem is not None
    assert pending.problem.code == "issuer_mismatch"
    assert fake_environment.provider.calls["token"] == 0


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
async def test_a_useless_token_response_stores_nothing(fault: Reply | Exception, code: str) -> None:
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("token", fault)
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.code == code
    assert fake_environment.service.state is State.SIGNED_OUT
    assert await fake_environment.vault.load() is None
    assert fake_environment.provider.calls["token"] == 1, "a code is sent at most once (T-10)"


@pytest.mark.parametrize(
    ("claims", "detail"),
    [({"aud": "another"}, "id_token.aud"), ({"iss": "https://evil.example"}, "id_token.iss")],
)
async def test_a_refused_id_token_ends_the_sign_in_and_its_tokens(claims: dict[str, str], detail: str) -> None:
    """A16, A17: no UserInfo request follows, and the refresh token is revoked."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.claims = claims
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert (pending.problem.code, pending.problem.detail) == ("id_token_rejected", detail)
    assert fake_environment.provider.calls["userinfo"] == 0
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_a_nonce_of_another_sign_in_is_refused() -> None:
    """A17, V-10, Q5.5: most often the tab is stale, so the error asks the person to begin again."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    fake_environment.provider.nonce = "of-another-sign-in"
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.detail == "id_token.nonce"
    assert "begin again in JupyterLab" in pending.problem.action


async def test_userinfo_of_somebody_else_refuses_the_sign_in() -> None:
    """U-5: UserInfo speaks of the ID token's subject. U-6: UserInfo about another person ends the sign-in."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo = {"sub": "somebody-else", "name": "Mallory"}
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert pending.problem.code == "userinfo_rejected"
    assert (await fake_environment.service.view.summary()).user is None


async def test_an_unreachable_provider_is_reported_before_a_window_is_sent_away() -> None:
    """A23: The server starts while the provider is down."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", IdpUnavailable())
    with pytest.raises(IdpUnavailable):
        await fake_environment.service.sign_ins.begin("user:a")
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_a_provider_that_comes_back_is_asked_again() -> None:
    """A23: the service does not remember a failure."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", IdpUnavailable())
    with pytest.raises(IdpUnavailable):
        await fake_environment.service.sign_ins.begin("user:a")
    await fake_environment.sign_in()
    assert fake_environment.service.state is State.ACTIVE


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"issuer": "https://id.example.com/"}, IssuerMismatch),  # A22, D-5
        ({"token_endpoint": "http://id.example.com/token"}, DiscoveryFailed),  # A24, D-7
        ({"code_challenge_methods_supported": ["plain"]}, DiscoveryFailed),  # D-11
    ],
)
async def test_metadata_that_cannot_be_trusted_starts_nothing(change: dict[str, Any], problem: type[Problem]) -> None:
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", reply(document(**change)))
    with pytest.raises(problem):
        await fake_environment.service.sign_ins.begin("user:a")


async def test_a_ticket_works_once() -> None:
    fake_environment = FakeEnvironment()
    _, ticket = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.pending.use_ticket(ticket)
    with pytest.raises(StateInvalid):
        fake_environment.pending.use_ticket(ticket)


async def test_a_ticket_expires_after_five_minutes() -> None:
    fake_environment = FakeEnvironment()
    _, ticket = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.clock.advance(301)
    with pytest.raises(StateInvalid):
        fake_environment.pending.use_ticket(ticket)


async def test_a_sign_in_expires_after_ten_minutes() -> None:
    """A27: Unfinished sign-ins are few and short."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    await fake_environment.scheduler.pass_time(601.5)
    assert pending.progress == "expired"
    assert fake_environment.service.state is State.SIGNED_OUT
    with pytest.raises(StateUsed):
        await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])


async def test_a_finished_sign_in_is_forgotten_after_five_minutes() -> None:
    """A2: A repeated callback spends no code again."""
    fake_environment = FakeEnvironment()
    pending = await fake_environment.sign_in()
    assert fake_environment.pending.find(pending.flow, "corp") is pending
    fake_environment.clock.advance(301)
    with pytest.raises(UnknownFlow):
        fake_environment.pending.find(pending.flow, "corp")


async def test_unfinished_sign_ins_are_counted_per_caller_and_in_all() -> None:
    """A27: Unfinished sign-ins are few and short."""
    fake_environment = FakeEnvironment()
    flows = [(await fake_environment.service.sign_ins.begin("user:a"))[0] for _ in range(25)]
    assert len(fake_environment.pending.waiting("corp")) == 20
    assert flows[0].progress == "cancelled"
    for number in range(1000):
        await fake_environment.service.sign_ins.begin(f"user:{number}")
    assert len(fake_environment.pending.waiting("corp")) == 200


async def test_a_sign_in_of_one_provider_is_unknown_at_another() -> None:
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    with pytest.raises(UnknownFlow):
        fake_environment.pending.find(pending.flow, "other")
    with pytest.raises(StateInvalid):
        fake_environment.pending.of_state("other", state, [binding])


async def test_a_cancelled_sign_in_does_not_become_a_session_later() -> None:
    fake_environment = FakeEnvironment()
    gate = asyncio.Event()
    fake_environment.provider.plan("token", gate)
    pending, state, binding = await fake_environment.begin()
    request = asyncio.ensure_future(
        fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    )
    await settle()
    fake_environment.service.sign_ins.cancel(pending)
    gate.set()
    await request
    await settle()
    assert fake_environment.service.state is State.SIGNED_OUT
    assert fake_environment.provider.revoked == ["rt-1"]
    assert await fake_environment.vault.load() is None


async def test_a_second_sign_in_replaces_the_first_completely() -> None:
    """S-6: A new sign-in replaces the session completely.

    A26: Another person takes over only after a click.
    """
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.claims = {"sub": "second-user"}
    fake_environment.provider.userinfo = {"sub": "second-user", "name": "Second User"}
    await fake_environment.service.sign_ins.answer(await fake_environment.sign_in(), change=True)
    await settle()
    summary = await fake_environment.service.view.summary()
    assert summary.user is not None
    assert summary.user.sub == "second-user"
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_missing_scopes_and_a_missing_refresh_token_are_reported() -> None:
    """A25: Fewer scopes or no refresh token end nothing."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.issue_refresh_token = False
    fake_environment.provider.scope = "openid profile"
    await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
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
async def test_a_provider_whose_clock_is_more_than_five_minutes_off_is_refused_by_that_name(
    date: str, code: str | None
) -> None:
    """A21: Clocks may differ by five minutes at most."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.date = date
    pending = await fake_environment.sign_in()
    assert (pending.problem and pending.problem.code) == code
    if code:
        assert pending.problem is not None
        assert "401 seconds" in pending.problem.message
