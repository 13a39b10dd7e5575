"""A token is revoked only if that can harm no live session."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.problems import IdpUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, SignInNeeded
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.revocation import Origin, may_be_revoked
from tests.unit.protocol.makers import CLIENT, ISSUER, claims_of, reply, signed
from tests.unit.sessions.fake_environment import FakeEnvironment, settle, text_of

ADA = Origin(ISSUER, CLIENT, "ada", "s-1")


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        (ADA, False),
        (replace(ADA, sid="s-2"), True),
        (replace(ADA, sid=None), False),
        (replace(ADA, subject="bob"), True),
        (replace(ADA, subject="bob", sid=None), True),
        (replace(ADA, subject=None), False),
        (replace(ADA, subject="", sid=""), False),
        (Origin(ISSUER, CLIENT), False),
        (replace(ADA, issuer="https://other.example"), True),
        (replace(ADA, client_id="other"), True),
    ],
)
def test_a_token_may_be_revoked_if_it_is_certainly_of_another_grant(origin: Origin, may: bool) -> None:
    """Q9.1: the grant is of another person, another provider session, another client or another issuer."""
    assert may_be_revoked(origin, [ADA]) is may


def test_where_nobody_is_signed_in_any_token_may_be_revoked() -> None:
    """Q9.1: A token is revoked only where certainly harmless."""
    assert may_be_revoked(Origin(ISSUER, CLIENT), [])


def test_every_living_session_counts() -> None:
    """Q9.1: A token is revoked only where certainly harmless."""
    assert not may_be_revoked(ADA, [replace(ADA, subject="bob"), replace(ADA, sid=None)])


async def signed_in(**claims: Any) -> FakeEnvironment:
    fake_environment = FakeEnvironment()
    fake_environment.provider.claims = claims
    await fake_environment.sign_in()
    return fake_environment


@pytest.mark.parametrize(
    ("first", "second", "revoked"),
    [
        ({}, {}, []),
        ({"sid": "s-1"}, {"sid": "s-1"}, []),
        ({"sid": "s-1"}, {}, []),
        ({"sid": "s-1"}, {"sid": "s-2"}, ["rt-1"]),
    ],
    ids=["no sid", "the same sid", "one sid", "another sid"],
)
async def test_signing_in_again_revokes_the_token_of_another_provider_session_only(
    first: dict[str, Any], second: dict[str, Any], revoked: list[str]
) -> None:
    """Q9.1: at Keycloak a second sign-in in the same browser continues the session of the first."""
    fake_environment = await signed_in(**first)
    fake_environment.provider.claims = second
    await fake_environment.sign_in()
    await settle()
    assert fake_environment.provider.revoked == revoked


async def test_signing_in_as_somebody_else_revokes_the_token_of_the_person_before() -> None:
    """A26: Another person takes over only after a click.

    Q9.1: A token is revoked only where certainly harmless.
    """
    fake_environment = await signed_in()
    fake_environment.provider.claims = {"sub": "somebody-else"}
    fake_environment.provider.userinfo = {"sub": "somebody-else"}
    await fake_environment.service.sign_ins.answer(await fake_environment.sign_in(), change=True)
    await settle()
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_a_sign_out_revokes_the_token_of_the_session() -> None:
    """Q9.1: a sign-out exists to end that grant."""
    fake_environment = await signed_in(sid="s-1")
    assert (await fake_environment.service.sign_outs.sign_out()).revoked == "done"
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_a_sign_in_whose_answer_is_refused_leaves_the_session_that_lives() -> None:
    """Q9.1, A17: the owner of these tokens is unknown, so they may be of the same provider session."""
    fake_environment = await signed_in()
    fake_environment.provider.claims = {"aud": "another-client"}
    await fake_environment.sign_in()
    await settle()
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.ACTIVE, [])


async def test_a_sign_in_whose_userinfo_is_of_somebody_else_leaves_the_session_that_lives() -> None:
    """Q9.1, U-6: the ID token was good, and names the provider session of the live one."""
    fake_environment = await signed_in(sid="s-1")
    fake_environment.provider.userinfo = {"sub": "somebody-else"}
    await fake_environment.sign_in()
    await settle()
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.ACTIVE, [])


async def test_a_sign_in_that_was_cancelled_leaves_the_session_that_lives() -> None:
    """Q9.1: the code was redeemed already when the user pressed cancel."""
    fake_environment = await signed_in()
    pending, state, binding = await fake_environment.begin()
    slow = asyncio.Event()
    fake_environment.provider.plan("userinfo", slow)
    ending = asyncio.ensure_future(
        fake_environment.service.sign_ins.callback([("code", "c-2"), ("state", state)], [binding])
    )
    await settle()
    fake_environment.service.sign_ins.cancel(pending)
    slow.set()
    await ending
    await settle()
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.ACTIVE, [])


async def test_a_first_sign_in_that_was_cancelled_is_taken_back() -> None:
    """Q9.1: there is no other session."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    slow = asyncio.Event()
    fake_environment.provider.plan("userinfo", slow)
    ending = asyncio.ensure_future(
        fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    )
    await settle()
    fake_environment.service.sign_ins.cancel(pending)
    slow.set()
    await ending
    await settle()
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_a_refresh_that_comes_back_after_the_next_sign_in_is_left_alone() -> None:
    """Q9.1, B31: it belongs to the session before, which may be the same one at the provider."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    slow = asyncio.Event()
    fake_environment.provider.plan("token", slow)
    renewing = asyncio.ensure_future(fake_environment.service.tokens.bearer(SIGN_IN_KEY))
    await settle()
    await fake_environment.sign_in()
    slow.set()
    await renewing
    await settle()
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.ACTIVE, [])


async def test_a_revocation_that_is_tried_again_gives_way_to_the_next_sign_in() -> None:
    """Q9.1, D1: the second attempt comes seconds later, when the person may be back in the same provider session."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("revoke", reply(b"", status=503), reply(b"", status=503))
    waiting = asyncio.Event()
    sleep = fake_environment.scheduler.sleep

    async def sleep_long(seconds: float) -> None:
        await waiting.wait()
        await sleep(seconds)

    fake_environment.scheduler.sleep = sleep_long  # type: ignore[method-assign]
    assert (await fake_environment.service.sign_outs.sign_out()).revoked == "failed"
    await settle()
    await fake_environment.sign_in()
    waiting.set()
    await settle()
    assert (
        fake_environment.service.state,
        fake_environment.provider.revoked,
        fake_environment.provider.calls["revoke"],
    ) == (State.ACTIVE, [], 2)


async def test_a_token_that_was_kept_for_the_next_sign_in_is_left_alone_by_it() -> None:
    """Q9.1, B9: the provider wanted the person back, in the same session."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", reply({"error": "login_required"}, status=400))
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    await fake_environment.sign_in()
    await settle()
    assert fake_environment.provider.revoked == []


async def test_tokens_of_somebody_else_are_taken_back_once_the_session_has_ended() -> None:
    """Q9.1, B4: the tokens are certainly of another grant."""
    fake_environment = await signed_in()
    fake_environment.clock.advance(400)
    now = fake_environment.clock.now().wall
    claims = claims_of(nonce=..., sub="somebody-else", iat=now, exp=now + 60)
    body = {"access_token": "a", "token_type": "Bearer", "refresh_token": "rt-evil", "id_token": signed(claims)}
    fake_environment.provider.plan("token", reply(body))
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    await settle()
    assert fake_environment.provider.revoked == ["rt-evil"]


async def test_a_sign_in_at_another_server_is_not_ended_by_our_late_refresh() -> None:
    """Q9.1, B2: the same person signed in again there, without waiting for our lock."""
    fake_environment = await signed_in()
    entry = await fake_environment.vault.load()
    assert entry is not None
    fake_environment.clock.advance(400)
    slow = asyncio.Event()
    fake_environment.provider.plan("token", slow)
    renewing = asyncio.ensure_future(fake_environment.service.tokens.bearer(SIGN_IN_KEY))
    await settle()
    await fake_environment.vault.save(replace(entry, refresh_token=Secret("CANARY-9d1e7b-rt-of-there")))
    slow.set()
    await renewing
    await settle()
    kept = await fake_environment.stored()
    assert (fake_environment.provider.revoked, text_of(kept.refresh_token)) == ([], "rt-of-there")


async def test_a_provider_that_leaves_the_settings_gives_way_to_another_name_for_it() -> None:
    """Q9.1, D9: the settings have two names for one client at one provider, and perhaps for one session there."""
    fake_environment = await signed_in(sid="s-1")
    spared = Origin(ISSUER, CLIENT, "248289761001", "s-1")
    assert (await fake_environment.service.sign_outs.sign_out(spared=(spared,))).revoked == "nothing-to-revoke"
    assert fake_environment.provider.revoked == []


async def test_silence_of_the_revocation_endpoint_is_a_failure_and_no_permission() -> None:
    """D1: Sign-out succeeds here even if the provider fails."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("revoke", *[IdpUnavailable(detail="idp.unanswered")] * 4)
    assert (await fake_environment.service.sign_outs.sign_out()).revoked == "failed"
