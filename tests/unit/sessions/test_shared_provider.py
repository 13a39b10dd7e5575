"""Sessions that share one provider: one of each fetch for all of them, and none of them closes what the others use."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.problems import IdpUnavailable, LogoutTokenInvalid, Overloaded, Problem
from jupyter_oidc.protocol.discovery import Metadata
from jupyter_oidc.protocol.jws import KeysStale
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.pending import PendingSignIn, SignInState
from jupyter_oidc.sessions.service import SessionService
from tests.support.canary import CANARY
from tests.unit.protocol.makers import METADATA, OTHER_RSA, RSA, claims_of, jwk, logout_claims_of, reply, signed
from tests.unit.sessions.fake_environment import FakeEnvironment, settle

OLD = reply({"keys": [jwk(RSA, kid="k1", use="sig", alg="RS256")]})
NEW = reply({"keys": [jwk(OTHER_RSA, kid="k2", use="sig", alg="RS256")]})
BY_NEW_KEY = {"key": OTHER_RSA, "header": {"alg": "RS256", "kid": "k2"}}
COUNTED = ("discovery", "jwks")


class SharingEnvironment(FakeEnvironment):
    """Two sessions at one provider, which share what can be shared."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = self.share_provider()
        self.one, self.other = self.service_over(self.shared), self.service_over(self.shared)

    @property
    def fetches(self) -> list[int]:
        """How often metadata and keys were asked for."""
        return [self.provider.calls[endpoint] for endpoint in COUNTED]

    async def begun(self, service: SessionService, caller: str, **signing: Any) -> tuple[PendingSignIn, str, str]:
        """Begin a sign-in, and let the provider have its answer ready."""
        pending, ticket = await service.sign_ins.begin(caller)
        self.pending.use_ticket(ticket)
        url, binding = await service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
        query = parse_qs(urlsplit(url).query)
        token = signed(claims_of(nonce=query["nonce"][0]), **signing)
        CANARY.hold(token)
        body = {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": token}
        self.provider.plan("token", reply(body))
        return pending, query["state"][0], binding

    async def sign_in_at(self, service: SessionService, caller: str, **signing: Any) -> SignInState:
        return await self.ended(service, *await self.begun(service, caller, **signing))

    async def ended(self, service: SessionService, pending: PendingSignIn, state: str, binding: str) -> SignInState:
        await service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
        return pending.progress


@pytest.fixture
def sharing() -> SharingEnvironment:
    return SharingEnvironment()


async def test_what_one_session_has_fetched_serves_the_other(sharing: SharingEnvironment) -> None:
    """D-10: Metadata are kept for an hour at most."""
    progress = await sharing.sign_in_at(sharing.one, "user:a"), await sharing.sign_in_at(sharing.other, "user:b")
    assert ([*progress], sharing.fetches) == (["completed"] * 2, [1, 1])


async def test_what_two_sessions_want_at_once_is_fetched_once(sharing: SharingEnvironment) -> None:
    await asyncio.gather(sharing.one.sign_ins.begin("user:x"), sharing.other.sign_ins.begin("user:y"))
    one, other = await sharing.begun(sharing.one, "user:a"), await sharing.begun(sharing.other, "user:b")
    progress = await asyncio.gather(sharing.ended(sharing.one, *one), sharing.ended(sharing.other, *other))
    assert ([*progress], sharing.fetches) == (["completed"] * 2, [1, 1])


async def test_hundreds_of_sessions_cost_one_document_and_the_last_one_has_it(sharing: SharingEnvironment) -> None:
    """D-10: callers that wait for the same answer share it."""
    *others, last = (sharing.shared.client() for _ in range(300))
    gate = asyncio.Event()
    sharing.provider.plan("discovery", gate)
    waits = [asyncio.ensure_future(client.metadata()) for client in (*others, last)]
    await settle()
    for client in others:
        await client.aclose()
    gate.set()
    outcomes = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Overloaded] * 299 + [Metadata]
    assert sharing.fetches == [1, 0]


async def test_new_keys_that_one_session_has_met_serve_the_other(sharing: SharingEnvironment) -> None:
    """K-6: Unknown keys are fetched once more per sign-in."""
    await sharing.sign_in_at(sharing.one, "user:a")
    sharing.provider.plan("jwks", NEW)
    assert await sharing.sign_in_at(sharing.one, "user:a", **BY_NEW_KEY) == "completed"
    assert await sharing.sign_in_at(sharing.other, "user:b", **BY_NEW_KEY) == "completed"
    assert sharing.fetches == [1, 2]


async def test_new_keys_that_two_sessions_meet_at_once_are_fetched_once(sharing: SharingEnvironment) -> None:
    """K-6: Unknown keys are fetched once more per sign-in."""
    await sharing.sign_in_at(sharing.one, "user:a")
    sharing.provider.plan("jwks", NEW)
    one = await sharing.begun(sharing.one, "user:a", **BY_NEW_KEY)
    other = await sharing.begun(sharing.other, "user:b", **BY_NEW_KEY)
    progress = await asyncio.gather(sharing.ended(sharing.one, *one), sharing.ended(sharing.other, *other))
    assert ([*progress], sharing.fetches) == (["completed"] * 2, [1, 2])


async def test_keys_that_were_asked_for_before_a_token_came_do_not_refuse_it(sharing: SharingEnvironment) -> None:
    """K-6: the provider may have changed them since; a fetch that begins later is final."""
    gate = asyncio.Event()
    sharing.provider.plan("jwks", gate, NEW)  # NOTE: behind the gate are the old ones
    one = await sharing.begun(sharing.one, "user:a")
    first = asyncio.ensure_future(sharing.ended(sharing.one, *one))
    await settle()
    other = await sharing.begun(sharing.other, "user:b", **BY_NEW_KEY)
    second = asyncio.ensure_future(sharing.ended(sharing.other, *other))
    await settle()
    gate.set()
    assert (await first, await second) == ("completed", "completed")
    assert sharing.fetches == [1, 2]


async def test_keys_that_do_not_fit_are_asked_for_no_third_time(sharing: SharingEnvironment) -> None:
    """K-6: Unknown keys are fetched once more per sign-in."""
    await sharing.sign_in_at(sharing.one, "user:a")
    assert await sharing.sign_in_at(sharing.other, "user:b", **BY_NEW_KEY) == "failed"
    assert sharing.fetches == [1, 2]


async def test_strangers_cause_one_fetch_in_ten_seconds_wherever_their_tokens_arrive(
    sharing: SharingEnvironment,
) -> None:
    """K-7: Tokens from strangers seldom cause key requests."""
    await sharing.sign_in_at(sharing.one, "user:a")
    forged = signed(logout_claims_of(), **BY_NEW_KEY)
    for client in (sharing.shared.client(), sharing.shared.client()):
        with pytest.raises(LogoutTokenInvalid):
            await client.logout_token(Secret(forged))
    assert sharing.fetches == [1, 2]


async def test_a_session_that_is_closed_leaves_the_other_at_work(sharing: SharingEnvironment) -> None:
    await sharing.sign_in_at(sharing.one, "user:a")
    await sharing.one.aclose()
    sharing.clock.advance(2 * 3_600)
    with pytest.raises(Overloaded):
        await sharing.one.sign_ins.begin("user:a")
    pending, _ = await sharing.other.sign_ins.begin("user:b")
    assert (pending.progress, sharing.provider.closed, sharing.fetches) == ("waiting", 0, [2, 1])


async def test_a_session_that_is_closed_gives_up_its_own_waits_only(sharing: SharingEnvironment) -> None:
    """Q9.12: Changed settings cancel a wait with a reason."""
    gate = asyncio.Event()
    sharing.provider.plan("discovery", gate)
    one, other = (asyncio.ensure_future(service.sign_ins.begin("user:a")) for service in (sharing.one, sharing.other))
    await settle()
    await sharing.one.aclose()
    with pytest.raises(Overloaded):
        await one
    gate.set()
    pending, _ = await other
    assert (pending.progress, sharing.fetches) == ("waiting", [1, 0])


async def test_its_maker_closes_what_is_shared_and_every_wait_ends(sharing: SharingEnvironment) -> None:
    """Q9.12: Changed settings cancel a wait with a reason."""
    sharing.provider.plan("discovery", asyncio.Event())
    sharing.provider.plan("jwks", asyncio.Event())

    def judge(keys: object, *, fresh: bool) -> KeysStale:
        raise AssertionError(keys, fresh)

    waits: list[Any] = [
        sharing.one.sign_ins.begin("user:a"),
        sharing.other.sign_ins.begin("user:b"),
        sharing.shared.facts.judge_with_keys(METADATA, judge),
    ]
    waiting = asyncio.gather(*waits, return_exceptions=True)
    await settle()
    await sharing.shared.aclose()
    outcomes = await waiting
    assert [type(outcome) for outcome in outcomes] == [Overloaded, Overloaded, IdpUnavailable]
    details = [outcome.detail for outcome in outcomes if isinstance(outcome, Problem)]
    assert details == ["settings.changed", "settings.changed", "idp.unanswered"]
    assert sharing.provider.closed == 1
