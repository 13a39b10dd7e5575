"""When two things happen at once, the end of a session wins, and a received token is never lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.problems import (
    ConfigurationInvalid,
    IdpUnavailable,
    LogoutTokenInvalid,
    StorageUnavailable,
    TlsUntrusted,
)
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.grant import Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import Entry
from tests.unit.protocol.makers import logout_claims_of, signed
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, settle, text_of

SILENCE = IdpUnavailable(detail="idp.unanswered")
FULL = StorageUnavailable(detail="storage_full")


class MoodyVault(MemoryVault):
    """Refuse to store while ``full``, and wait for ``slow`` before storing."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.slow: asyncio.Event | None = None

    async def save(self, entry: Entry) -> None:
        if self.slow is not None:
            await self.slow.wait()
        if self.full:
            raise FULL
        await super().save(entry)

    async def delete(self) -> None:
        if self.full:
            raise FULL
        await super().delete()


async def stored(fake_environment: FakeEnvironment) -> str | None:
    entry = await fake_environment.vault.load()
    return None if entry is None else text_of(entry.refresh_token)


async def signed_in(vault: MemoryVault | None = None) -> FakeEnvironment:
    fake_environment = FakeEnvironment(vault=vault)
    await fake_environment.sign_in()
    fake_environment.clock.advance(60)
    return fake_environment


async def test_a_token_that_came_with_the_second_attempt_outlives_its_deadline() -> None:
    """B5, B12: the new token is here when the time is up, because UserInfo hangs; the old one is spent by then."""
    fake_environment = await signed_in()
    hanging = asyncio.Event()
    fake_environment.provider.plan("token", SILENCE)
    fake_environment.provider.plan("userinfo", hanging)
    send = fake_environment.provider.send

    async def slow(call: Call) -> Reply:
        if call.url.endswith("/token") and fake_environment.provider.plans["token"]:
            fake_environment.clock.advance(18.95)  # which leaves a twentieth of a second for the second attempt
        return await send(call)

    fake_environment.provider.send = slow  # type: ignore[method-assign]
    assert isinstance(await fake_environment.service.tokens.refresh(), TryLater)
    assert (fake_environment.provider.current, await stored(fake_environment)) == ("CANARY-9d1e7b-rt-2", "rt-2")
    fake_environment.clock.advance(60)
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)


async def test_a_sign_out_wins_over_a_sign_in_that_waits_to_be_stored() -> None:
    """B31: a refresh has the lock, so the sign-in waits for it and the sign-out does not."""
    fake_environment = await signed_in()
    slow = asyncio.Event()
    fake_environment.provider.plan("token", slow)
    refreshing = asyncio.ensure_future(fake_environment.service.tokens.refresh())
    await settle()
    signing_in = asyncio.ensure_future(fake_environment.sign_in())
    await settle()
    await fake_environment.service.sign_outs.sign_out()
    slow.set()
    await asyncio.gather(refreshing, signing_in)
    await settle()
    assert (fake_environment.service.state, await stored(fake_environment)) == (State.SIGNED_OUT, None)


async def test_a_sign_out_that_could_not_wait_is_not_undone_by_the_other_server() -> None:
    """D7: the other server waits for the provider after it has read the old entry."""
    fake_environment = await signed_in()
    other = fake_environment.new_service()
    await other.view.summary()
    await settle()
    fake_environment.clock.advance(60)
    slow = asyncio.Event()
    fake_environment.provider.plan("token", slow)
    refreshing = asyncio.ensure_future(other.tokens.refresh())
    await settle()
    await fake_environment.service.sign_outs.sign_out()
    slow.set()
    assert await refreshing == SignInNeeded("not_signed_in")
    await settle()
    assert (other.state, await stored(fake_environment)) == (State.SIGNED_OUT, None)
    assert fake_environment.provider.revoked == ["rt-2", "rt-3"]


async def test_a_sign_out_wins_over_a_store_that_fails_meanwhile() -> None:
    """B15, B31: a token that could not be stored is not stored after the sign-out either."""
    vault = MoodyVault()
    fake_environment = await signed_in(vault)
    vault.slow = asyncio.Event()
    refreshing = asyncio.ensure_future(fake_environment.service.tokens.refresh())
    await settle()
    signing_out = asyncio.ensure_future(fake_environment.service.sign_outs.sign_out())
    await settle()
    vault.full = True
    vault.slow.set()
    await asyncio.gather(refreshing, signing_out)
    vault.full = False
    await fake_environment.scheduler.pass_time(120)
    assert (fake_environment.service.state, await stored(fake_environment)) == (State.SIGNED_OUT, None)
    assert (await fake_environment.service.view.summary()).storage == "memory"


async def test_a_sign_out_takes_back_the_token_that_could_not_be_stored() -> None:
    """B15, D1: the stored token is spent; the token that works is in memory only."""
    vault = MoodyVault()
    fake_environment = await signed_in(vault)
    vault.full = True
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    vault.full = False
    await fake_environment.service.sign_outs.sign_out()
    assert fake_environment.provider.revoked == ["rt-2"]


async def test_a_token_that_could_not_be_checked_is_revoked_after_a_sign_out() -> None:
    """B31: the refresh token of a late answer works even if its companions fail; the one before it is spent."""
    fake_environment = await signed_in()
    slow = asyncio.Event()
    send = fake_environment.provider.send

    async def untrusted(call: Call) -> Reply:
        if call.url.endswith("/userinfo"):
            await slow.wait()
            raise TlsUntrusted
        return await send(call)

    fake_environment.provider.send = untrusted  # type: ignore[method-assign]
    refreshing = asyncio.ensure_future(fake_environment.service.tokens.refresh())
    await settle()
    await fake_environment.service.sign_outs.sign_out()
    slow.set()
    await refreshing
    await settle()
    assert fake_environment.provider.revoked == ["rt-2"]


async def test_summaries_that_wait_leave_nothing_behind() -> None:
    """A tab that polls a session which never changes costs no memory."""
    fake_environment = FakeEnvironment()
    summary = await fake_environment.service.view.summary()
    before = len(asyncio.all_tasks())
    for _ in range(50):
        await fake_environment.service.view.changed_since(summary.sequence, 0.001)
    await settle()
    assert len(asyncio.all_tasks()) == before


async def test_what_could_not_be_removed_is_removed_later() -> None:
    """A26, B15: the entry of the person before does not come back with the next start."""
    vault = MoodyVault()
    fake_environment = await signed_in(vault)
    fake_environment.provider.issue_refresh_token = False
    vault.full = True
    await fake_environment.sign_in()
    assert await stored(fake_environment) == "rt-1"
    vault.full = False
    await fake_environment.scheduler.pass_time(120)
    assert await stored(fake_environment) is None


async def test_a_service_that_is_closed_stores_nothing_any_more() -> None:
    """D9: after a reload another service owns the entry."""
    vault = MoodyVault()
    fake_environment = await signed_in(vault)
    vault.full = True
    assert isinstance(await fake_environment.service.tokens.refresh(), Granted)
    await fake_environment.service.aclose()
    vault.full = False
    fake_environment.service = fake_environment.new_service()
    await fake_environment.sign_in()
    assert await stored(fake_environment) == "rt-3"
    await fake_environment.scheduler.pass_time(120)
    assert await stored(fake_environment) != "rt-2"


async def replaced_by_somebody_else() -> FakeEnvironment:
    """Replace the entry, as another server does that shares it and has signed in another person."""
    fake_environment = await signed_in()
    entry = await fake_environment.vault.load()
    assert entry is not None
    token = Secret("CANARY-9d1e7b-rt-of-another")
    await fake_environment.vault.save(replace(entry, subject="somebody-else", refresh_token=token))
    return fake_environment


async def test_a_sign_out_takes_back_our_token_and_leaves_the_entry_of_somebody_else() -> None:
    """D7: the stored token is not that of the session which ends."""
    fake_environment = await replaced_by_somebody_else()
    await fake_environment.service.sign_outs.sign_out()
    assert (fake_environment.provider.revoked, await stored(fake_environment)) == (["rt-1"], "rt-of-another")


async def test_a_logout_at_the_provider_leaves_the_entry_of_somebody_else() -> None:
    """B-14: the logout ends the sessions of the person that it names."""
    fake_environment = await replaced_by_somebody_else()
    now = fake_environment.clock.now().wall
    await fake_environment.service.sign_outs.end_by_provider(Secret(signed(logout_claims_of(iat=now, exp=now + 120))))
    assert (fake_environment.service.state, await stored(fake_environment)) == (
        State.SIGNED_OUT_EXPIRED,
        "rt-of-another",
    )


async def test_a_logout_that_the_store_did_not_take_is_finished_later() -> None:
    """B-16: the provider sends the logout again, and by then no session is left here to find the entry by."""
    vault = MoodyVault()
    fake_environment = await signed_in(vault)
    vault.full = True
    now = fake_environment.clock.now().wall
    with pytest.raises(LogoutTokenInvalid):
        await fake_environment.service.sign_outs.end_by_provider(
            Secret(signed(logout_claims_of(iat=now, exp=now + 120)))
        )
    vault.full = False
    await fake_environment.scheduler.pass_time(120)
    assert await stored(fake_environment) is None


async def test_a_removal_that_is_tried_again_leaves_the_next_sign_in_of_another_server() -> None:
    """D3: only the earlier entry is removed."""
    vault = MoodyVault()
    fake_environment = await signed_in(vault)
    vault.full = True
    with pytest.raises(StorageUnavailable):
        await fake_environment.service.sign_outs.sign_out()
    vault.full = False
    fake_environment.service = fake_environment.new_service()
    await fake_environment.sign_in()
    await fake_environment.scheduler.pass_time(120)
    assert (await stored(fake_environment) or "").startswith("rt-")


async def test_another_attempt_after_a_reload_does_not_upset_the_restored_session() -> None:
    """D9: the page of a failed sign-in is older than the service that it leads to."""
    fake_environment = await signed_in()
    failed, _, _ = await fake_environment.begin()
    fake_environment.service.sign_ins.give_up(failed, StorageUnavailable())
    ticket = fake_environment.service.sign_ins.offer_again(failed)
    service = fake_environment.new_service()
    await service.sign_ins.authorization_url(fake_environment.pending.use_ticket(ticket), "http://localhost:8888/cb")
    assert (await service.view.summary()).state is State.ACTIVE


async def test_tokens_of_somebody_else_end_the_session_although_they_cannot_be_taken_back() -> None:
    """F-6: this holds for every answer of the revocation endpoint."""
    fake_environment = await signed_in()
    fake_environment.provider.userinfo = {"sub": "somebody-else"}
    fake_environment.provider.plan("revoke", TlsUntrusted())
    assert await fake_environment.service.tokens.refresh() == SignInNeeded("session_expired")
    assert (await fake_environment.service.view.summary()).reason == "identity_changed"


async def test_tokens_of_a_sign_in_that_could_not_be_finished_are_taken_back() -> None:
    """E-5: no call will ever use them."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("jwks", SILENCE)
    assert (await fake_environment.sign_in()).progress == "failed"
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_a_sign_in_that_is_being_stored_is_not_cancelled_by_halves() -> None:
    """The progress that watchers see is the actual outcome."""
    vault = MoodyVault()
    fake_environment = FakeEnvironment(vault=vault)
    pending, state, binding = await fake_environment.begin()
    vault.slow = asyncio.Event()
    ending = asyncio.ensure_future(
        fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    )
    await settle()
    fake_environment.service.sign_ins.cancel(pending)
    vault.slow.set()
    await ending
    assert (pending.progress, fake_environment.service.state) == ("completed", State.ACTIVE)


async def test_a_client_secret_that_is_gone_delays_a_refresh_and_says_so() -> None:
    """B8: nothing was sent, so no token is spent; the next attempt needs no restart."""
    fake_environment = await signed_in()
    fake_environment.settings = replace(SETTINGS, token_endpoint_auth_method="client_secret_post")
    gone = True

    def secret() -> Secret:
        if gone:
            raise ConfigurationInvalid(detail="client_secret")
        return Secret("CANARY-9d1e7b-client-secret")

    fake_environment.service = service = fake_environment.new_service(secret)
    await service.view.summary()
    await settle()
    summary = await service.view.summary()
    assert (summary.state, summary.reason) == (State.REFRESH_FAILED, "configuration_invalid")
    assert not fake_environment.lock.marked
    gone = False
    await fake_environment.scheduler.pass_time(60)
    assert service.state is State.ACTIVE
