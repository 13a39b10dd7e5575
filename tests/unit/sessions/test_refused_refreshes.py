"""A provider may refuse a refresh without ending the session: the service is patient first, then asks for a sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.machine import State
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import FakeEnvironment, form_of, settle, text_of

REFUSALS: list[Any] = [
    pytest.param(reply({"error": "invalid_request"}, status=400), "invalid_request", id="invalid_request, as Dex says"),
    pytest.param(reply({"error": "invalid_token"}, status=401), "invalid_token", id="invalid_token 401"),
    pytest.param(reply({"error": "expired_token"}, status=400), "expired_token", id="expired_token"),
    pytest.param(reply({"error": "access_denied"}, status=403), "access_denied", id="access_denied 403"),
    pytest.param(reply({"error": "session_gone"}, status=400), "other", id="a code of their own"),
    pytest.param(reply({"error": "invalid_token"}), "invalid_token", id="200 with an error"),
]


async def signed_in(**provider: object) -> FakeEnvironment:
    fake_environment = FakeEnvironment()
    for name, value in provider.items():
        setattr(fake_environment.provider, name, value)
    await fake_environment.sign_in()
    return fake_environment


def refreshes(fake_environment: FakeEnvironment) -> int:
    forms = [form_of(call) for call in fake_environment.provider.sent if call.url.endswith("/token")]
    return sum(form["grant_type"] == "refresh_token" for form in forms)


@pytest.mark.parametrize(("refusal", "code"), REFUSALS)
async def test_a_refused_refresh_ends_the_session_only_with_its_access_token(refusal: Any, code: str) -> None:
    """Q1.8, Q9.2: calls work meanwhile; afterwards a new sign-in helps, and the summary says so."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", *[refusal] * 50)
    await fake_environment.scheduler.pass_time(241)
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    summary = await fake_environment.service.view.summary()
    assert isinstance(granted, Granted)
    assert (summary.state, summary.reason) == (State.REFRESH_FAILED, "renewal_refused")
    for _ in range(60):
        await fake_environment.scheduler.pass_time(1)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT_EXPIRED, "renewal_refused")
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    assert fake_environment.notes.refusals[-1] == ("renewal_refused", f"token.{code}")


@pytest.mark.parametrize(("refusal", "code"), REFUSALS)
async def test_a_refused_refresh_is_tried_ever_more_rarely(refusal: Any, code: str) -> None:
    """Q1.8: the access token lives for a day, during which the provider was once asked every five seconds."""
    fake_environment = await signed_in(lifetime=86_400)
    fake_environment.provider.plan("token", *[refusal] * 500)
    await fake_environment.service.tokens.refresh()
    for _ in range(60):
        await fake_environment.scheduler.pass_time(60)
    assert fake_environment.service.state is State.REFRESH_FAILED, code
    assert 8 <= refreshes(fake_environment) <= 20


async def test_a_token_that_is_found_dead_after_a_night_is_told_within_seconds() -> None:
    """Q1.8: the service waits for three refusals, because a single one may pass."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(50_000)
    fake_environment.provider.plan("token", *[reply({"error": "invalid_request"}, status=400)] * 50)
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == TryLater(2.0, "renewal_refused")
    await fake_environment.scheduler.pass_time(2)
    assert fake_environment.service.state is State.REFRESH_FAILED
    await fake_environment.scheduler.pass_time(4)
    assert (fake_environment.service.state, refreshes(fake_environment)) == (State.SIGNED_OUT_EXPIRED, 3)


async def test_a_refusal_that_passes_costs_nothing() -> None:
    """Q1.8: the same refresh token works again."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", *[reply({"error": "invalid_request"}, status=400)] * 2)
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), TryLater)
    await fake_environment.scheduler.pass_time(2)
    await fake_environment.scheduler.pass_time(4)
    assert fake_environment.service.state is State.ACTIVE


async def test_refusals_count_only_in_a_row() -> None:
    """Q1.8: a success in between shows that the token lives."""
    fake_environment = await signed_in()
    refusal = reply({"error": "invalid_request"}, status=400)
    for _ in range(4):
        fake_environment.clock.advance(400)
        fake_environment.provider.plan("token", refusal, refusal)
        await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
        await fake_environment.scheduler.pass_time(2)
        await fake_environment.scheduler.pass_time(4)
        assert fake_environment.service.state is State.ACTIVE


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "unsupported_grant_type", "server_error"])
async def test_what_no_sign_in_would_mend_ends_no_session(error: str) -> None:
    """B8, Q1.8: an administrator has to act, or the provider recovers; the token may be good."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", *[reply({"error": error}, status=400)] * 500)
    fake_environment.clock.advance(400)
    await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    for _ in range(60):
        await fake_environment.scheduler.pass_time(60)
    assert fake_environment.service.state is State.REFRESH_FAILED


async def test_a_token_of_unknown_lifetime_lives_until_an_api_refuses_it() -> None:
    """Q1.8, A13: no other sign tells that it has ended."""
    fake_environment = await signed_in(lifetime=None)
    fake_environment.provider.plan("token", *[reply({"error": "invalid_request"}, status=400)] * 500)
    await fake_environment.service.tokens.refresh()
    for _ in range(60):
        await fake_environment.scheduler.pass_time(60)
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    await fake_environment.service.tokens.bearer(SIGN_IN_KEY, rejected=granted.secret)
    for _ in range(6):
        await fake_environment.scheduler.pass_time(60)
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED


async def test_the_refresh_token_stays_until_the_next_sign_in() -> None:
    """Q1.8, B9: the provider did not refuse it for good; a restart tries again, and a sign-out revokes it."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", *[reply({"error": "invalid_request"}, status=400)] * 3)
    await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    await fake_environment.scheduler.pass_time(2)
    await fake_environment.scheduler.pass_time(4)
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED
    entry = await fake_environment.vault.load()
    assert entry is not None
    assert (text_of(entry.refresh_token), fake_environment.lock.marked) == ("rt-1", False)
    again = fake_environment.new_service()
    await again.view.summary()
    await settle()
    assert again.state is State.ACTIVE


async def test_an_error_with_status_200_that_is_definite_is_believed() -> None:
    """Q1.8, B1: ``invalid_grant`` ends the session with any status."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", reply({"error": "invalid_grant"}))
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    assert (await fake_environment.service.view.summary()).reason == "session_ended_by_provider"
