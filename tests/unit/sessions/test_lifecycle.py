"""A session's life after the sign-in: refresh, transient failures, endings and sign-out (table B, section F)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_oidc.problems import AudienceRefused, IdpUnavailable, IssuerMismatch, StorageUnavailable
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded, TokenKey, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import Entry
from tests.unit.protocol.makers import SUBJECT, claims_of, reply, signed
from tests.unit.sessions.fake_environment import FakeEnvironment, form_of, settle, text_of

DENIED = reply({"error": "invalid_grant"}, status=400)


async def signed_in(**provider: object) -> FakeEnvironment:
    fake_environment = FakeEnvironment()
    for name, value in provider.items():
        setattr(fake_environment.provider, name, value)
    await fake_environment.sign_in()
    return fake_environment


async def granted(
    fake_environment: FakeEnvironment, key: TokenKey = SIGN_IN_KEY, rejected: Secret | None = None
) -> Granted:
    answer = await fake_environment.service.tokens.bearer(key, rejected=rejected)
    assert isinstance(answer, Granted), answer
    return answer


async def bearer(fake_environment: FakeEnvironment) -> str:
    return text_of((await granted(fake_environment)).secret)


async def test_nobody_signed_in_means_a_sign_in_is_needed() -> None:
    assert await FakeEnvironment().service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("not_signed_in")


async def test_a_live_token_is_used_without_asking_the_provider() -> None:
    fake_environment = await signed_in()
    assert [await bearer(fake_environment) for _ in range(100)] == ["at-1"] * 100
    assert fake_environment.provider.calls["token"] == 1


async def test_the_timer_refreshes_before_expiry() -> None:
    """F-3: Refreshes follow known expiry, a 401 or demand."""
    fake_environment = await signed_in()
    await fake_environment.scheduler.pass_time(241)
    assert await bearer(fake_environment) == "at-2"
    assert fake_environment.notes.kinds[-1] == "renewed"
    assert 240 in fake_environment.scheduler.due_in


async def test_a_token_of_unknown_lifetime_is_never_refreshed_by_timer() -> None:
    """A13: An odd token lifetime is an unknown one. F-3: Refreshes follow known expiry, a 401 or demand."""
    fake_environment = await signed_in(lifetime=None)
    await fake_environment.scheduler.pass_time(86_400)
    assert await bearer(fake_environment) == "at-1"
    assert fake_environment.provider.calls["token"] == 1


async def test_five_hundred_calls_on_an_expired_token_make_one_request() -> None:
    """F-2: one refresh is in flight per session."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    tokens = await asyncio.gather(*(bearer(fake_environment) for _ in range(500)))
    assert set(tokens) == {"at-2"}
    assert fake_environment.provider.calls["token"] == 2


async def test_a_refusal_reaches_everybody_once() -> None:
    """B1: A refused refresh ends the session once for all."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", DENIED)
    outcomes = await asyncio.gather(*(fake_environment.service.tokens.bearer(SIGN_IN_KEY) for _ in range(200)))
    assert outcomes == [SignInNeeded("session_expired")] * 200
    assert fake_environment.provider.calls["token"] == 2
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT_EXPIRED, "session_ended_by_provider")
    assert await fake_environment.vault.load() is None
    assert summary.user is None


async def test_the_first_caller_may_leave() -> None:
    """B28: A refresh outlives the caller who began it."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    gate = asyncio.Event()
    fake_environment.provider.plan("token", gate)
    first = asyncio.ensure_future(bearer(fake_environment))
    others = [asyncio.ensure_future(bearer(fake_environment)) for _ in range(5)]
    await settle()
    first.cancel()
    gate.set()
    assert await asyncio.gather(*others) == ["at-2"] * 5


@pytest.mark.parametrize("slow", ["token", "userinfo"])
async def test_a_lifetime_counts_from_when_the_token_was_asked_for(slow: str) -> None:
    """RFC 6749, 5.1: a provider that is slow, at the token endpoint or at UserInfo, makes no token live longer."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    gate = asyncio.Event()
    fake_environment.provider.plan(slow, gate)
    refreshing = asyncio.ensure_future(bearer(fake_environment))
    await settle()
    fake_environment.clock.advance(8)
    gate.set()
    assert await refreshing == "at-2"
    assert (await fake_environment.service.view.summary()).expires_in == 292


@pytest.mark.parametrize(
    "weather",
    [
        IdpUnavailable(detail="idp.unsent"),
        IdpUnavailable(detail="idp.unanswered"),
        reply(b"", status=503),
        reply(b"", status=502),
        reply(b"<html>portal</html>", media="text/html"),
    ],
    ids=["refused", "timeout", "503", "502", "portal"],
)
async def test_weather_never_ends_a_session(weather: Reply | Exception) -> None:
    """B6: An outage does not end a session. F-8: Only a definite error ends a session."""
    fake_environment = await signed_in()
    # An attempt without an answer is made twice (B5).
    silent = isinstance(weather, IdpUnavailable) and weather.detail == "idp.unanswered"
    fake_environment.provider.plan("token", *[weather] * (2 if silent else 1))
    await fake_environment.scheduler.pass_time(241)
    before = fake_environment.service.state
    assert await bearer(fake_environment) == "at-1", "the old token is good until it expires"
    summary = await fake_environment.service.view.summary()
    assert summary.retry_at is not None
    await fake_environment.scheduler.pass_time(2)
    assert (before, fake_environment.service.state) == (State.REFRESH_FAILED, State.ACTIVE)
    assert await bearer(fake_environment) == "at-2"


async def test_after_expiry_an_outage_means_later_and_never_sign_in() -> None:
    """B6: An outage does not end a session."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", reply(b"", status=503))
    outcome = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert outcome == TryLater(1.0, "idp_unavailable")
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), TryLater)
    assert fake_environment.provider.calls["token"] == 2, "no request before the wait is over"


async def test_retry_after_is_honoured() -> None:
    """B7: A provider that asks for a pause gets it."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", reply(b"", status=429, headers={"retry-after": "120"}))
    await fake_environment.scheduler.pass_time(241)
    await fake_environment.scheduler.pass_time(100)
    assert fake_environment.provider.calls["token"] == 2
    await fake_environment.scheduler.pass_time(21)
    assert fake_environment.provider.calls["token"] == 3


async def test_a_refused_client_pauses_for_five_minutes() -> None:
    """B8: A mistake in the registration pauses for five minutes."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", reply({"error": "invalid_client"}, status=401))
    await fake_environment.scheduler.pass_time(241)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.REFRESH_FAILED, "provider_configuration")
    assert 300 in fake_environment.scheduler.due_in
    assert summary.refreshable is True


async def test_a_token_response_without_refresh_token_keeps_the_old_one() -> None:
    """B3: A new refresh token is stored before its use.

    F-4: A successor is stored before anything is judged.
    """
    fake_environment = await signed_in(rotate=False)
    await fake_environment.scheduler.pass_time(241)
    await fake_environment.scheduler.pass_time(241)
    assert fake_environment.service.state is State.ACTIVE
    assert fake_environment.provider.calls["token"] == 3


async def test_a_rotated_refresh_token_is_stored_before_anybody_gets_the_access_token() -> None:
    """B3: A new refresh token is stored before its use."""
    fake_environment = FakeEnvironment()
    order: list[str] = []
    save = fake_environment.vault.saving

    async def slow_save(entry: Entry) -> None:
        order.append("saving")
        await settle()
        await save(entry)
        order.append("saved")

    fake_environment.vault.saving = slow_save
    await fake_environment.sign_in()
    order.clear()
    fake_environment.clock.advance(400)

    async def call() -> None:
        await bearer(fake_environment)
        order.append("served")

    await asyncio.gather(call(), call())
    assert order == ["saving", "saved", "served", "served"]
    entry = await fake_environment.stored()
    assert text_of(entry.refresh_token) == "rt-2"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sub": "somebody-else"}, "identity_changed"),
        ({"iss": "https://evil.example"}, "identity_changed"),
        ({"nonce": "other"}, "id_token_rejected"),
        ({"sub": None}, "id_token_rejected"),
        ({"iss": None}, "id_token_rejected"),
        ({"aud": "another-client"}, "id_token_rejected"),
        ({"at_hash": "wrong"}, "id_token_rejected"),
    ],
    ids=str,
)
async def test_a_refreshed_id_token_that_is_refused_ends_the_session_with_its_cause(
    change: dict[str, Any], reason: str
) -> None:
    """B4, F-5, F-6; Q5.3: only another ``sub`` or ``iss`` is another person.

    S-2 (the session remembers what later checks need), and F-7 (a failed identity check is recorded).
    """
    fake_environment = await signed_in()
    claims = claims_of(nonce=..., **{k: v for k, v in change.items() if k != "nonce"})
    claims.update({k: v for k, v in change.items() if k == "nonce"})
    fake_environment.clock.advance(400)
    claims.update(iat=fake_environment.clock.now().wall, exp=fake_environment.clock.now().wall + 60)
    fake_environment.provider.plan(
        "token",
        reply({"access_token": "evil", "token_type": "Bearer", "refresh_token": "rt-evil", "id_token": signed(claims)}),
    )
    userinfo_before = fake_environment.provider.calls["userinfo"]
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    assert (await fake_environment.service.view.summary()).reason == reason
    check = fake_environment.notes.refusals[-1]
    assert check[0] == reason
    assert check[1].startswith("id_token.")
    assert fake_environment.provider.calls["userinfo"] == userinfo_before
    await settle()
    assert fake_environment.provider.revoked == ["rt-evil"]


async def test_a_session_outlives_a_time_of_authentication_that_moves() -> None:
    """Q1.7: each of several refreshes brings the time of the rotation."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.claims = {"auth_time": fake_environment.clock.now().wall - 10}
    await fake_environment.sign_in()
    for turn in range(2, 5):
        fake_environment.clock.advance(400)
        now = fake_environment.clock.now().wall
        claims = claims_of(nonce=..., auth_time=now, iat=now, exp=now + 60)
        body = {"access_token": f"at-{turn}", "token_type": "Bearer", "expires_in": 300, "id_token": signed(claims)}
        fake_environment.provider.plan("token", reply(body))
        assert await bearer(fake_environment) == f"at-{turn}"
    assert fake_environment.service.state is State.ACTIVE


async def test_userinfo_is_read_again_after_a_refresh() -> None:
    """F-9, by U-3 (UserInfo is asked with the newest access token) and U-10 (UserInfo is not read again in between)."""
    fake_environment = await signed_in()
    fake_environment.provider.userinfo = {**fake_environment.provider.userinfo, "roles": ["orders.read"]}
    assert (await fake_environment.service.view.summary()).apis[0].missing == ("orders.read",)
    await fake_environment.scheduler.pass_time(241)
    summary = await fake_environment.service.view.summary()
    assert summary.entitlements == ("orders.read",)
    assert summary.apis[0].allowed is True
    await fake_environment.scheduler.pass_time(100)
    asked_with = [call.bearer for call in fake_environment.provider.sent if call.bearer is not None]
    assert [text_of(token) for token in asked_with] == ["at-1", "at-2"]


async def test_claims_of_a_wrong_type_cost_neither_the_sign_in_nor_the_refresh() -> None:
    """Q1.3: such claims used to end a session as "another person"; A-3 (a requested claim may be missing)."""
    fake_environment = await signed_in(
        userinfo={"sub": SUBJECT, "name": "Ada", "locale": ["en"], "email_verified": "true"}
    )
    fake_environment.provider.userinfo = {"sub": SUBJECT, "name": "Ada", "address": "Example Road 1", "phone_number": 7}
    again = {"access_token": "a2", "token_type": "Bearer", "expires_in": 300}
    claims = claims_of(nonce=..., email_verified="true", zoneinfo=7, iat=fake_environment.clock.now().wall + 241)
    fake_environment.provider.plan(
        "token", reply({**again, "id_token": signed({**claims, "exp": claims["iat"] + 600})})
    )
    await fake_environment.scheduler.pass_time(241)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, fake_environment.notes.kinds[-1]) == (State.ACTIVE, "renewed")
    assert summary.user is not None
    assert (summary.user.name, summary.user.email_verified) == ("Ada", False)


async def test_userinfo_of_somebody_else_after_a_refresh_ends_the_session() -> None:
    """F-9: UserInfo is read again after a refresh. U-6: UserInfo about another person ends the sign-in."""
    fake_environment = await signed_in()
    fake_environment.provider.userinfo = {"sub": "somebody-else"}
    await fake_environment.scheduler.pass_time(241)
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED


@pytest.mark.parametrize(
    ("userinfo", "reason"),
    [({"sub": "somebody-else"}, "identity_changed"), ({"name": "nobody"}, "userinfo_rejected")],
)
async def test_userinfo_that_is_refused_ends_the_session_with_its_cause(userinfo: dict[str, str], reason: str) -> None:
    """F-9, Q5.3: a document without a subject is not a document about another person."""
    fake_environment = await signed_in()
    fake_environment.provider.userinfo = userinfo
    await fake_environment.scheduler.pass_time(241)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT_EXPIRED, reason)


async def test_userinfo_about_nobody_is_refused_at_a_sign_in_as_well() -> None:
    """U-5, U-6, Q5.3: the sign-in must not fall back to the ID token's claims although the refusal has another name."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo = {"name": "nobody"}
    pending = await fake_environment.sign_in()
    assert (pending.problem and pending.problem.detail) == "userinfo.no_sub"


async def test_a_refresh_survives_a_userinfo_endpoint_that_is_down() -> None:
    fake_environment = await signed_in()
    fake_environment.provider.plan("userinfo", reply(b"", status=503))
    await fake_environment.scheduler.pass_time(241)
    summary = await fake_environment.service.view.summary()
    assert summary.state is State.ACTIVE
    assert summary.user is not None


async def test_without_a_refresh_token_the_session_ends_with_its_access_token() -> None:
    """A25: Fewer scopes or no refresh token end nothing."""
    fake_environment = await signed_in(issue_refresh_token=False)
    assert await bearer(fake_environment) == "at-1"
    fake_environment.clock.advance(301)
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    assert (await fake_environment.service.view.summary()).reason == "not_refreshable"


async def test_an_upstream_that_rejects_a_live_token_earns_one_forced_refresh() -> None:
    """B27: A token an API refuses is replaced once."""
    fake_environment = await signed_in()
    first = await granted(fake_environment)
    outcomes = await asyncio.gather(*(granted(fake_environment, rejected=first.secret) for _ in range(50)))
    assert {text_of(outcome.secret) for outcome in outcomes} == {"at-2"}
    second = outcomes[0]
    again = await granted(fake_environment, rejected=second.secret)
    assert text_of(again.secret) == "at-2", "no second forced refresh within 30 seconds"
    assert fake_environment.provider.calls["token"] == 2
    fake_environment.clock.advance(31)
    third = await granted(fake_environment, rejected=second.secret)
    assert text_of(third.secret) == "at-3"


async def test_an_api_with_its_own_audience_gets_its_own_token() -> None:
    """B29: Each API gets the token of its audience."""
    fake_environment = await signed_in()
    own = TokenKey(audience="https://other.example")
    one, two = await asyncio.gather(granted(fake_environment, own), granted(fake_environment))
    assert (text_of(one.secret), text_of(two.secret)) == ("at-2", "at-1")
    form = dict(fake_environment.provider.sent[-2].form)
    assert form["audience"] == "https://other.example"


async def test_a_refused_audience_concerns_that_api_alone() -> None:
    """B30: A refused audience concerns one API only."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", reply({"error": "invalid_target"}, status=400))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(TokenKey(resource="https://other.example"))
    assert fake_environment.service.state is State.ACTIVE
    assert await bearer(fake_environment) == "at-1"


async def test_the_monotonic_clock_holds_when_the_wall_clock_is_set_back() -> None:
    """B25: A clock that jumps causes no refresh storm."""
    fake_environment = await signed_in()
    fake_environment.clock.jump_wall(-86_400)
    assert await bearer(fake_environment) == "at-1"
    fake_environment.clock.advance(301)
    assert await bearer(fake_environment) == "at-2"


async def test_sleep_past_expiry_is_noticed_by_the_wall_clock() -> None:
    """B24: A laptop that wakes refreshes before it calls."""
    fake_environment = await signed_in()
    fake_environment.clock.jump_wall(3600)
    assert await bearer(fake_environment) == "at-2"


async def test_sign_out_clears_everything_and_revokes() -> None:
    fake_environment = await signed_in()
    result = await fake_environment.service.sign_outs.sign_out()
    assert result.revoked == "done"
    assert result.end_session_url == "https://id.example.com/logout?client_id=jupyter"
    assert fake_environment.provider.revoked == ["rt-1"]
    assert await fake_environment.vault.load() is None
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("not_signed_in")
    assert (await fake_environment.service.view.summary()).user is None


async def test_a_second_sign_out_asks_nobody() -> None:
    """D2: Signing out again changes nothing."""
    fake_environment = await signed_in()
    await fake_environment.service.sign_outs.sign_out()
    before = sum(fake_environment.provider.calls.values())
    result = await fake_environment.service.sign_outs.sign_out()
    assert result.revoked == "nothing-to-revoke"
    assert sum(fake_environment.provider.calls.values()) == before


async def test_sign_out_works_here_although_the_provider_fails_there() -> None:
    """D1: Sign-out succeeds here even if the provider fails."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("revoke", *[reply(b"", status=503)] * 4)
    result = await fake_environment.service.sign_outs.sign_out()
    assert result.revoked == "failed"
    assert fake_environment.service.state is State.SIGNED_OUT
    await settle()
    assert fake_environment.provider.calls["revoke"] == 4, "one try at once, three in the background"


async def test_a_refresh_that_comes_back_after_the_sign_out_is_thrown_away() -> None:
    """B31: A sign-out is final for refreshes under way."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    gate = asyncio.Event()
    fake_environment.provider.plan("token", gate)
    call = asyncio.ensure_future(fake_environment.service.tokens.bearer(SIGN_IN_KEY))
    await settle()
    await fake_environment.service.sign_outs.sign_out()
    gate.set()
    assert await call == SignInNeeded("not_signed_in")
    await settle()
    assert fake_environment.service.state is State.SIGNED_OUT
    assert await fake_environment.vault.load() is None
    assert "rt-2" in fake_environment.provider.revoked


async def test_sign_out_cancels_sign_ins_under_way() -> None:
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_outs.sign_out()
    await fake_environment.service.sign_ins.callback(
        [("code", "c"), ("state", state)], [binding]
    ) if not pending.done.is_set() else None
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_a_stored_session_is_restored_by_the_next_process() -> None:
    fake_environment = await signed_in()
    fake_environment.service = fake_environment.new_service()
    summary = await fake_environment.service.view.summary()
    assert summary.state is State.ACTIVE
    await settle()
    assert await bearer(fake_environment) == "at-2"
    user = (await fake_environment.service.view.summary()).user
    assert user is not None
    assert user.name == "Example User"


async def test_a_restored_session_that_was_revoked_ends_cleanly() -> None:
    fake_environment = await signed_in()
    fake_environment.provider.current = "revoked meanwhile"
    fake_environment.service = fake_environment.new_service()
    await fake_environment.service.view.summary()
    await settle()
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED
    assert await fake_environment.vault.load() is None


async def test_storage_that_fails_leaves_the_session_active_and_says_unsaved() -> None:
    """B15; D3: a sign-out that cannot remove the entry raises the error after all its other steps."""

    class Broken:
        async def kind(self) -> str:
            return "keyring"

        async def load(self) -> None:
            return None

        async def save(self, entry: Entry) -> None:
            raise StorageUnavailable

        async def delete(self) -> None:
            raise StorageUnavailable

    fake_environment = FakeEnvironment(vault=Broken())
    await fake_environment.sign_in()
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.storage) == (State.ACTIVE, "unsaved")
    with pytest.raises(StorageUnavailable, match="signed out here"):
        await fake_environment.service.sign_outs.sign_out()
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.SIGNED_OUT, ["rt-1"])


async def test_a_summary_waits_for_a_change() -> None:
    fake_environment = FakeEnvironment()
    before = await fake_environment.service.view.summary()
    waiting = asyncio.ensure_future(fake_environment.service.view.changed_since(before.sequence, 30))
    await settle()
    assert not waiting.done()
    await fake_environment.sign_in()
    after = await waiting
    assert after.sequence > before.sequence


async def test_ten_thousand_summaries_cost_the_provider_nothing() -> None:
    """D16: Looking at a session costs nothing."""
    fake_environment = await signed_in()
    before = sum(fake_environment.provider.calls.values())
    for _ in range(10_000):
        await fake_environment.service.view.summary()
    assert sum(fake_environment.provider.calls.values()) == before


async def test_events_carry_no_more_than_names_and_numbers() -> None:
    fake_environment = await signed_in()
    await fake_environment.scheduler.pass_time(241)
    await fake_environment.service.sign_outs.sign_out()
    assert fake_environment.notes.kinds == ["sign-in-begun", "signed-in", "renewed", "signed-out"]
    assert [event.sequence for event in fake_environment.notes.events] == [1, 2, 3, 4]


async def test_closing_waits_for_a_refresh_under_way() -> None:
    """D10: A server that stops waits for its refresh."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    call = asyncio.ensure_future(bearer(fake_environment))
    await asyncio.sleep(0)
    await fake_environment.service.aclose()
    assert await call == "at-2"
    assert text_of((await fake_environment.stored()).refresh_token) == "rt-2"


async def test_who_waits_for_a_refresh_that_is_given_up_is_told_to_come_again() -> None:
    """D9, D10: a provider hangs while the service is closed, perhaps because the settings have changed."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    call = asyncio.ensure_future(fake_environment.service.tokens.bearer(SIGN_IN_KEY))
    await asyncio.sleep(0)
    fake_environment.service.current.closed = True
    for refreshing in fake_environment.service.tokens.refreshing:
        refreshing.cancel()
    assert await call == TryLater(1.0, "overloaded")


async def test_who_leaves_while_a_refresh_is_under_way_has_left() -> None:
    """B28: the refresh goes on."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    call = asyncio.ensure_future(fake_environment.service.tokens.bearer(SIGN_IN_KEY))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await bearer(fake_environment) == "at-2"


EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
OWN = TokenKey(audience="https://other.example")


async def exchanging(fake_environment: FakeEnvironment) -> list[dict[str, str]]:
    """Ask for a token of ``OWN`` where the refresh token gives none; return the forms of the token requests."""
    await fake_environment.service.tokens.bearer(OWN)
    return [form_of(call) for call in fake_environment.provider.sent if call.url.endswith("/token")]


async def test_an_api_that_a_refresh_cannot_serve_gets_its_token_by_exchange() -> None:
    """B30; RFC 8693, 2.1: only where the provider advertises it, with the sign-in's own access token."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"grant_types_supported": ["authorization_code", "refresh_token", EXCHANGE]}
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", reply({"error": "invalid_target"}, status=400))
    _, _, exchange = await exchanging(fake_environment)
    assert (exchange["grant_type"], exchange["subject_token"], exchange["audience"]) == (
        EXCHANGE,
        "CANARY-9d1e7b-at-1",
        "https://other.example",
    )
    assert "refresh_token" not in exchange
    first = await fake_environment.service.tokens.bearer(OWN)
    assert isinstance(first, Granted)
    assert (text_of(first.secret), await bearer(fake_environment)) == ("at-2", "at-1")


async def test_an_exchanged_token_is_exchanged_again_when_it_expires() -> None:
    """The service does not try the refresh token in vain a second time."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"grant_types_supported": ["authorization_code", EXCHANGE]}
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", reply({"error": "invalid_target"}, status=400))
    await fake_environment.service.tokens.bearer(OWN)
    fake_environment.clock.advance(1_000)
    forms = await exchanging(fake_environment)
    assert [form["grant_type"] for form in forms[3:]] == ["refresh_token", EXCHANGE]
    assert "audience" not in forms[3]


@pytest.mark.parametrize("advertised", [False, True])
async def test_an_api_that_nobody_can_serve_is_refused_alone(advertised: bool) -> None:
    """B30: this API gets 502; the session and all other tokens stay."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = (
        {"grant_types_supported": ["authorization_code", EXCHANGE]} if advertised else {}
    )
    await fake_environment.sign_in()
    refusal = reply({"error": "invalid_target"}, status=400)
    fake_environment.provider.plan("token", refusal, refusal)
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(OWN)
    assert (fake_environment.service.state, await bearer(fake_environment)) == (State.ACTIVE, "at-1")


async def test_an_exchange_that_is_not_answered_is_weather() -> None:
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"grant_types_supported": ["authorization_code", EXCHANGE]}
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", reply({"error": "invalid_target"}, status=400), reply(b"", status=503))
    assert isinstance(await fake_environment.service.tokens.bearer(OWN), TryLater)
    assert fake_environment.service.state is State.ACTIVE


@pytest.mark.parametrize("error", ["interaction_required", "consent_required", "login_required"])
async def test_a_refresh_token_that_is_not_enough_is_kept_until_the_next_sign_in(error: str) -> None:
    """B9: the reason is the provider's error code; the new sign-in replaces the token, and leaves it alone (Q9.1)."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", reply({"error": error}, status=400))
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason, summary.refreshable) == (State.SIGNED_OUT_EXPIRED, error, False)
    assert text_of((await fake_environment.stored()).refresh_token) == "rt-1"
    await fake_environment.sign_in()
    await settle()
    assert text_of((await fake_environment.stored()).refresh_token) == "rt-2"
    assert fake_environment.provider.revoked == []


async def test_a_refresh_token_that_is_not_enough_is_taken_back_by_a_sign_out() -> None:
    """B9: A provider that wants the person keeps the token.

    D1: Sign-out succeeds here even if the provider fails.
    """
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", reply({"error": "login_required"}, status=400))
    await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert (await fake_environment.service.sign_outs.sign_out()).revoked == "done"
    assert (fake_environment.provider.revoked, await fake_environment.vault.load()) == (["rt-1"], None)


async def test_a_wall_clock_that_jumps_to_and_fro_causes_no_storm() -> None:
    """B25: two refreshes that only the wall clock asks for are at least ten seconds apart."""
    fake_environment = await signed_in()
    for _ in range(50):
        fake_environment.clock.jump_wall(86_400)
        await bearer(fake_environment)
        fake_environment.clock.jump_wall(-86_400)
        await bearer(fake_environment)
    assert fake_environment.provider.calls["token"] == 2
    fake_environment.clock.advance(10)
    fake_environment.clock.jump_wall(2 * 86_400)
    assert await bearer(fake_environment) == "at-3"


async def test_who_asks_for_a_refresh_again_and_again_gets_one_in_ten_seconds() -> None:
    """B25: no caller makes this server flood the provider with requests."""
    fake_environment = await signed_in()
    for _ in range(50):
        assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    assert fake_environment.provider.calls["token"] == 2
    fake_environment.clock.advance(10)
    await fake_environment.service.tokens.refresh()
    assert fake_environment.provider.calls["token"] == 3


async def test_a_session_that_ends_meanwhile_does_not_spoil_the_next_sign_in() -> None:
    """A-9: only a cancel or a sign-out undoes a sign-in."""
    fake_environment = await signed_in()
    _, state, binding = await fake_environment.begin()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", DENIED)
    await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    before = fake_environment.service.state
    await fake_environment.service.sign_ins.callback([("code", "c-2"), ("state", state)], [binding])
    assert (before, fake_environment.service.state) == (State.SIGNED_OUT_EXPIRED, State.ACTIVE)


async def test_twenty_who_need_the_metadata_in_an_outage_ask_once_and_each_hears_of_it() -> None:
    """D-10, B6: the callers would otherwise queue, and the last one would wait twenty times as long."""
    fake_environment = FakeEnvironment()
    gate = asyncio.Event()
    fake_environment.provider.plan("discovery", gate)
    beginning = [asyncio.ensure_future(fake_environment.service.sign_ins.begin("user:a")) for _ in range(20)]
    await settle()
    beginning.pop().cancel()
    fake_environment.provider.advertise = {"issuer": "https://other.example"}
    gate.set()
    outcomes = await asyncio.gather(*beginning, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [IssuerMismatch] * 19
    assert fake_environment.provider.calls["discovery"] == 1
    fake_environment.provider.advertise = {}
    assert await fake_environment.service.sign_ins.begin("user:a")
