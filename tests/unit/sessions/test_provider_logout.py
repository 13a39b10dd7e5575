"""A logout token of the provider ends the session that it names: B-12, B-14 to B-16, K-7, fault D6."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_oidc.problems import IdpUnavailable, LogoutTokenInvalid, StorageUnavailable
from jupyter_oidc.protocol.logout_token import LogoutToken
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, SignInNeeded
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.provider_logout import MAX_REMEMBERED, AcceptedLogouts, concerns
from tests.unit.protocol.makers import OTHER_RSA, SUBJECT, logout_claims_of, signed
from tests.unit.sessions.fake_environment import FakeEnvironment, settle


def token(fake_environment: FakeEnvironment, **changes: object) -> Secret:
    now = fake_environment.clock.now().wall
    return Secret(signed(logout_claims_of(**{"iat": now, "exp": now + 120, **changes})))


async def signed_in(**claims: object) -> FakeEnvironment:
    fake_environment = FakeEnvironment()
    fake_environment.provider.claims = {"sid": "s-1", **claims}
    await fake_environment.sign_in()
    return fake_environment


@pytest.mark.parametrize(
    "named",
    [{"sid": "s-1"}, {"sid": ...}, {"sub": ...}, {"sid": "another-session"}],
    ids=["both", "subject", "session", "subject, session unknown"],
)
async def test_the_named_session_ends_with_a_reason(named: dict[str, object]) -> None:
    """B-14: A logout ends the session that it names. D6: Only a sound logout token ends a session."""
    fake_environment = await signed_in()
    await fake_environment.service.sign_outs.end_by_provider(token(fake_environment, **named))
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason, summary.user) == (State.SIGNED_OUT_EXPIRED, "signed_out_at_provider", None)
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    assert await fake_environment.vault.load() is None


@pytest.mark.parametrize(
    "named",
    [{"sub": "somebody-else", "sid": ...}, {"sub": ..., "sid": "another-session"}, {"sub": "somebody-else"}],
    ids=["another subject", "another session", "our session, another subject"],
)
async def test_a_logout_of_somebody_else_is_a_success_and_changes_nothing(named: dict[str, object]) -> None:
    """B-15, D6: the ``sid`` is unknown."""
    fake_environment = await signed_in()
    await fake_environment.service.sign_outs.end_by_provider(token(fake_environment, **named))
    assert fake_environment.service.state is State.ACTIVE


async def test_nobody_signed_in_is_a_success() -> None:
    """B-15: No matching session is a success."""
    fake_environment = FakeEnvironment()
    await fake_environment.service.sign_outs.end_by_provider(token(fake_environment))
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_a_token_is_good_once() -> None:
    """B-12, D6: the ``jti`` is replayed."""
    fake_environment = await signed_in()
    again = token(fake_environment)
    await fake_environment.service.sign_outs.end_by_provider(again)
    await fake_environment.sign_in()
    with pytest.raises(LogoutTokenInvalid):
        await fake_environment.service.sign_outs.end_by_provider(again)
    assert fake_environment.service.state is State.ACTIVE


async def test_a_refused_token_changes_nothing() -> None:
    """B-16: A failed logout is 400 and changes nothing. D6: Only a sound logout token ends a session."""
    fake_environment = await signed_in()
    for refused in (
        token(fake_environment, aud="another-client"),
        token(fake_environment, iss="https://evil.example"),
        token(fake_environment, nonce="n"),
        token(fake_environment, events={}),
        Secret(signed(logout_claims_of(), key=OTHER_RSA)),
    ):
        with pytest.raises(LogoutTokenInvalid):
            await fake_environment.service.sign_outs.end_by_provider(refused)
    assert fake_environment.service.state is State.ACTIVE


async def test_a_stored_session_that_nobody_has_asked_for_yet_ends_too() -> None:
    """S-2: the entry holds subject and ``sid`` for later checks, so a restart forgets nothing."""
    fake_environment = await signed_in()
    fake_environment.service = fake_environment.new_service()
    await fake_environment.service.sign_outs.end_by_provider(token(fake_environment, sub=...))
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED
    assert await fake_environment.vault.load() is None


async def test_a_refresh_under_way_does_not_bring_the_session_back() -> None:
    """B31: A sign-out is final for refreshes under way. B-14: A logout ends the session that it names."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    gate = asyncio.Event()
    fake_environment.provider.plan("token", gate)
    call = asyncio.ensure_future(fake_environment.service.tokens.bearer(SIGN_IN_KEY))
    await settle()
    await fake_environment.service.sign_outs.end_by_provider(token(fake_environment))
    gate.set()
    assert await call == SignInNeeded("session_expired")
    await settle()
    assert await fake_environment.vault.load() is None


async def test_strangers_cost_the_provider_one_key_request_in_ten_seconds() -> None:
    """K-7: Tokens from strangers seldom cause key requests."""
    fake_environment = await signed_in()
    asked = fake_environment.provider.calls["jwks"]
    for number in range(50):
        with pytest.raises(LogoutTokenInvalid):
            await fake_environment.service.sign_outs.end_by_provider(
                Secret(
                    signed(logout_claims_of(jti=f"l-{number}", iat=fake_environment.clock.now().wall), key=OTHER_RSA)
                )
            )
    assert fake_environment.provider.calls["jwks"] == asked + 1
    fake_environment.clock.advance(10)
    await fake_environment.service.sign_outs.end_by_provider(token(fake_environment))
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED


async def test_a_provider_whose_keys_are_not_to_be_had_hears_that_it_failed() -> None:
    """B-16: a failure of ours is a 400 as well, and the token stays good for another attempt."""
    fake_environment = await signed_in()
    fake_environment.service = fake_environment.new_service()
    fake_environment.provider.plan("jwks", IdpUnavailable(detail="idp.unsent"))
    again = token(fake_environment)
    with pytest.raises(LogoutTokenInvalid):
        await fake_environment.service.sign_outs.end_by_provider(again)
    fake_environment.clock.advance(10)
    await fake_environment.service.sign_outs.end_by_provider(again)
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED


async def test_a_store_that_fails_is_a_failure_and_the_session_is_over_here() -> None:
    """B-16: A failed logout is 400 and changes nothing.

    D3: A stored entry that resists deletion is overwritten.
    """
    fake_environment = await signed_in()

    async def broken() -> None:
        raise StorageUnavailable

    fake_environment.vault.deleting = broken
    with pytest.raises(LogoutTokenInvalid):
        await fake_environment.service.sign_outs.end_by_provider(token(fake_environment))
    assert fake_environment.service.state is State.SIGNED_OUT_EXPIRED


async def test_a_sign_in_under_way_goes_on() -> None:
    """A user who changes the account at the provider signs out there first."""
    fake_environment = await signed_in()
    _, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_outs.end_by_provider(token(fake_environment))
    await fake_environment.service.sign_ins.callback([("code", "c-2"), ("state", state)], [binding])
    assert fake_environment.service.state is State.ACTIVE


def test_a_session_is_named_by_its_sid_and_else_by_its_subject() -> None:
    """B-14, S-3: a logout finds sessions by subject or session id."""
    both = LogoutToken(SUBJECT, "s-1", "l", 0.0)
    assert concerns(both, SUBJECT, "s-1")
    assert concerns(both, SUBJECT, None)
    assert not concerns(both, "somebody-else", "s-1")
    assert not concerns(LogoutToken(None, "s-1", "l", 0.0), SUBJECT, None)


def test_what_is_remembered_is_bounded_and_forgotten_in_time() -> None:
    accepted = AcceptedLogouts()
    for number in range(MAX_REMEMBERED + 5):
        accepted.remember(LogoutToken(SUBJECT, None, f"l-{number}", 100.0), 0.0, 60.0)
    assert not accepted.knows(LogoutToken(SUBJECT, None, "l-4", 100.0))
    assert accepted.knows(LogoutToken(SUBJECT, None, "l-5", 100.0))
    accepted.remember(LogoutToken(SUBJECT, None, "later", 500.0), 161.0, 60.0)
    assert not accepted.knows(LogoutToken(SUBJECT, None, "l-5", 100.0))
