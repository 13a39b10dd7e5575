"""A refusal that concerns one API leaves the session, the provider and the refresh token unharmed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_oidc.problems import AudienceRefused
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded, TokenKey, TryLater, token_key
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.settings import Api
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, text_of

OWN = TokenKey(audience="https://other.example")
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


async def signed_in(**provider: object) -> FakeEnvironment:
    fake_environment = FakeEnvironment()
    for name, value in provider.items():
        setattr(fake_environment.provider, name, value)
    await fake_environment.sign_in()
    return fake_environment


def refusal(error: str) -> Reply:
    return reply({"error": error}, status=400)


async def test_without_a_refresh_token_an_api_with_its_own_token_does_not_end_the_session() -> None:
    """A25, B30: the sign-in's token is good for another hour, and other calls need no more."""
    fake_environment = await signed_in(issue_refresh_token=False, lifetime=3600)
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(OWN)
    assert fake_environment.service.state is State.ACTIVE
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)


async def test_without_a_refresh_token_an_api_may_have_its_own_token_by_exchange() -> None:
    """RFC 8693: an exchange needs the sign-in's access token, not the refresh token."""
    fake_environment = await signed_in(
        issue_refresh_token=False, advertise={"grant_types_supported": ["authorization_code", EXCHANGE]}
    )
    outcome = await fake_environment.service.tokens.bearer(OWN)
    assert isinstance(outcome, Granted)
    assert text_of(outcome.secret) == "at-2"


async def test_without_a_refresh_token_an_expired_id_token_does_not_end_the_session() -> None:
    """A25: only the APIs that want an ID token are affected."""
    fake_environment = await signed_in(issue_refresh_token=False, lifetime=3600)
    fake_environment.clock.advance(700)
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY, "id_token") == SignInNeeded("session_expired")
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)


async def test_an_audience_that_is_refused_is_not_asked_for_with_every_call() -> None:
    """B30, B25: each attempt spends the refresh token."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", *[refusal("invalid_target")] * 5)
    for _ in range(5):
        with pytest.raises(AudienceRefused):
            await fake_environment.service.tokens.bearer(OWN)
    assert fake_environment.provider.calls["token"] == 2
    fake_environment.clock.advance(31)
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(OWN)
    assert fake_environment.provider.calls["token"] == 3


async def test_an_exchange_that_fails_is_not_tried_with_every_call() -> None:
    """B7: the provider named a pause."""
    fake_environment = await signed_in(advertise={"grant_types_supported": ["authorization_code", EXCHANGE]})
    pause = reply(b"", status=503, headers={"retry-after": "20"})
    fake_environment.provider.plan("token", refusal("invalid_target"), pause)
    assert await fake_environment.service.tokens.bearer(OWN) == TryLater(20.0, "idp_unavailable")
    fake_environment.clock.advance(5)
    assert await fake_environment.service.tokens.bearer(OWN) == TryLater(15.0, "idp_unavailable")
    assert fake_environment.provider.calls["token"] == 3


async def test_a_new_sign_in_asks_again_at_once() -> None:
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", refusal("invalid_target"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(OWN)
    await fake_environment.sign_in()
    assert isinstance(await fake_environment.service.tokens.bearer(OWN), Granted)


async def test_scopes_of_one_api_that_are_refused_do_not_delay_the_others() -> None:
    """B8, B30: large providers answer ``invalid_scope`` where RFC 8707 has ``invalid_target``."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", refusal("invalid_scope"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(TokenKey(scopes=("orders.mistyped",)))
    assert fake_environment.service.state is State.ACTIVE
    await fake_environment.scheduler.pass_time(241)
    assert fake_environment.provider.current == "CANARY-9d1e7b-rt-2"


REPORTS = Api("reports", "corp", "https://reports.example.com/", scopes=("reports.read",))
BILLS = Api("bills", "corp", "https://bills.example.com/", scopes=("reports.read",))


async def with_reports() -> FakeEnvironment:
    """Make two APIs that share a token of their own, beside one that takes the sign-in's."""
    fake_environment = FakeEnvironment(replace(SETTINGS, apis=(*SETTINGS.apis, REPORTS, BILLS)))
    await fake_environment.sign_in()
    return fake_environment


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("invalid_scope", 400),
        ("invalid_request", 400),
        ("invalid_target", 400),
        ("access_denied", 403),
        ("scope_unknown", 400),
        ("invalid_scope", 200),
    ],
)
async def test_what_one_api_is_refused_stops_no_other(error: str, status: int) -> None:
    """Q9.3: Dex says ``invalid_request`` for scopes that it does not know; once, every API stopped for five minutes."""
    fake_environment = await with_reports()
    for _ in range(5):
        fake_environment.provider.plan("token", reply({"error": error}, status=status))
        with pytest.raises(AudienceRefused):
            await fake_environment.service.tokens.bearer(token_key(REPORTS))
        fake_environment.clock.advance(31)
    assert (fake_environment.service.state, fake_environment.service.view.token_ready(SIGN_IN_KEY)) == (
        State.ACTIVE,
        True,
    )
    await fake_environment.scheduler.pass_time(300)
    assert fake_environment.service.state is State.ACTIVE


async def test_the_api_that_is_refused_is_named_with_the_code_of_the_provider() -> None:
    """Q9.3: this one line tells an administrator which setting to look at."""
    fake_environment = await with_reports()
    fake_environment.provider.plan("token", refusal("invalid_scope"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(token_key(REPORTS))
    assert (fake_environment.notes.refusals, fake_environment.notes.flows) == (
        [("audience_refused", "token.invalid_scope")],
        ["refresh for reports, bills"],
    )


async def test_a_code_that_is_not_registered_is_not_logged() -> None:
    """Q9.3, E-3: a peer's free text stays out of the log."""
    fake_environment = await with_reports()
    fake_environment.provider.plan("token", refusal("<script>"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(token_key(REPORTS))
    assert fake_environment.notes.refusals == [("audience_refused", "token.other")]


async def test_a_session_that_has_ended_is_not_taken_for_a_refused_api() -> None:
    """Q9.3, B1: ``invalid_grant`` concerns the refresh token, for any audience."""
    fake_environment = await with_reports()
    fake_environment.provider.plan("token", refusal("invalid_grant"))
    assert await fake_environment.service.tokens.bearer(token_key(REPORTS)) == SignInNeeded("session_expired")


async def test_an_exchange_that_is_refused_is_named_too() -> None:
    """Q9.3, RFC 8693, 2.2.2: a sibling: an exchange is the second way to a token of the API's own."""
    fake_environment = FakeEnvironment(replace(SETTINGS, apis=(*SETTINGS.apis, REPORTS)))
    fake_environment.provider.advertise = {"grant_types_supported": ["authorization_code", EXCHANGE]}
    await fake_environment.sign_in()
    fake_environment.provider.plan("token", refusal("invalid_scope"), refusal("unauthorized_client"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(token_key(REPORTS))
    assert (fake_environment.notes.refusals[-1], fake_environment.notes.flows[-1]) == (
        ("audience_refused", "token.unauthorized_client"),
        "exchange for reports",
    )


async def test_an_id_token_that_no_refresh_brings_costs_no_refresh_token_with_every_call() -> None:
    """B25: A clock that jumps causes no refresh storm."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(700)
    for _ in range(5):
        assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY, "id_token"), TryLater)
    assert fake_environment.provider.calls["token"] == 2


async def test_a_provider_whose_tokens_have_always_expired_is_asked_once() -> None:
    """A13: one refresh is tried, then the API decides."""
    fake_environment = await signed_in(lifetime=0)
    outcomes = [await fake_environment.service.tokens.bearer(SIGN_IN_KEY) for _ in range(5)]
    assert [text_of(outcome.secret) for outcome in outcomes if isinstance(outcome, Granted)] == ["at-2"] * 5
    assert fake_environment.provider.calls["token"] == 2
