"""A pending sign-in remembers values for its callback, and the current keys verify the callback's tokens."""

from __future__ import annotations

import asyncio
import re

import pytest

from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import StateInvalid
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import PendingSignIns, SignInOptions
from tests.unit.protocol.makers import OTHER_RSA, jwk, reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, HandClock, settle


def test_state_nonce_verifier_and_binding_are_long_url_safe_and_never_repeat() -> None:
    """A-4 (state is random and bound to one browser), A-5 (the nonce is random and always sent)."""
    pending_sign_ins = PendingSignIns(HandClock(), SystemEntropy())
    drawn = []
    for number in range(50):
        pending, ticket = pending_sign_ins.begin(SETTINGS, f"user:{number}", SignInOptions())
        assert len(pending.nonce) == 43
        drawn += [ticket, pending.nonce, pending.flow, *pending_sign_ins.bind(pending, "https://hub.example.com/cb")]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22,128}", value) for value in drawn)
    assert len(set(drawn)) == 250


async def test_a_transaction_holds_what_the_callback_is_compared_with_and_no_state() -> None:
    """A-9: it holds provider, nonce, verifier, redirect URI and time; the state and the binding only as digests."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    assert (pending.provider, pending.redirect_uri, pending.begun) == (
        "corp",
        "http://localhost:8888/cb",
        fake_environment.clock.now(),
    )
    assert pending.nonce == fake_environment.provider.nonce
    kept = repr(pending)
    assert (state in kept, binding in kept, "<secret>" in kept) == (False, False, True)


async def test_a_server_that_was_restarted_meanwhile_knows_nothing_of_the_sign_in() -> None:
    """A28: pending sign-ins are in memory only."""
    fake_environment = FakeEnvironment()
    _, state, binding = await fake_environment.begin()
    fake_environment.pending = PendingSignIns(fake_environment.clock, fake_environment.entropy)
    restarted = fake_environment.new_service()
    with pytest.raises(StateInvalid):
        await restarted.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert fake_environment.provider.calls["token"] == 0


async def test_known_keys_are_good_while_the_key_endpoint_is_down() -> None:
    """A19: known keys serve for a day."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("jwks", *[reply(b"", status=503)] * 5)
    fake_environment.clock.advance(3_600)
    await fake_environment.sign_in()
    assert fake_environment.service.state is State.ACTIVE
    assert fake_environment.provider.calls["jwks"] == 1


async def test_a_new_key_set_replaces_the_old_one_as_a_whole() -> None:
    """K-8: a key that the provider has removed verifies no sign-in."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("jwks", *[reply({"keys": [jwk(OTHER_RSA, kid="k2", use="sig", alg="RS256")]})] * 2)
    fake_environment.clock.advance(90_000)
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert (pending.problem.code, pending.problem.detail) == ("id_token_rejected", "id_token.no_key")


async def test_the_local_session_has_ended_before_the_provider_is_told() -> None:
    """L-4: for every answer of the provider, the user is already signed out here."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    gate = asyncio.Event()
    fake_environment.provider.plan("revoke", gate)
    leaving = asyncio.ensure_future(fake_environment.service.sign_outs.sign_out())
    await settle()
    assert (fake_environment.service.state, await fake_environment.vault.load(), leaving.done()) == (
        State.SIGNED_OUT,
        None,
        False,
    )
    gate.set()
    assert (await leaving).revoked == "done"
