"""Sessions whose tokens are bound to a key: proofs, nonces, and a key that lasts as long as its session (section X)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.problems import ConfigurationInvalid, IdpUnavailable, Problem
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Bearer, Granted, SignInNeeded, TokenKey, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.service import SessionService
from tests.support.canary import CANARY
from tests.support.dpop_proofs import Proof, digest, read_proof
from tests.support.marker import MARKER
from tests.unit.protocol.makers import ISSUER, reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, form_of, settle, text_of

BOUND = replace(SETTINGS, dpop_bound_access_tokens=True)
TOKEN = ISSUER + "/token"
USERINFO = ISSUER + "/userinfo"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


def demand(nonce: str | None = "n-1") -> Reply:
    """Return a token endpoint's demand for a nonce (RFC 9449, 8)."""
    headers = {} if nonce is None else {"dpop-nonce": nonce}
    return reply({"error": "use_dpop_nonce"}, status=400, headers=headers)


def challenge(nonce: str = "r-1") -> Reply:
    """Return a resource server's demand for a nonce (RFC 9449, 9)."""
    return reply(b"", status=401, headers={"dpop-nonce": nonce, "www-authenticate": 'DPoP error="use_dpop_nonce"'})


def calls(fake_environment: FakeEnvironment, url: str) -> list[Call]:
    return [call for call in fake_environment.provider.sent if call.url == url]


def proofs(fake_environment: FakeEnvironment, url: str) -> list[Proof]:
    """Return the proofs of all requests to ``url``, verified."""
    return [read_proof(reveal(call.proof)) for call in calls(fake_environment, url) if call.proof is not None]


def nonces(fake_environment: FakeEnvironment, url: str) -> list[str | None]:
    return [proof.claims.get("nonce") for proof in proofs(fake_environment, url)]


async def signed_in(**provider: Any) -> FakeEnvironment:
    """Make a session with a key, and forget the requests of its sign-in."""
    fake_environment = FakeEnvironment(BOUND)
    for name, value in provider.items():
        setattr(fake_environment.provider, name, value)
    await fake_environment.sign_in()
    entry = await fake_environment.vault.load()
    if entry is not None and entry.dpop_key is not None:
        CANARY.hold(json.loads(reveal(entry.dpop_key))["d"])
    fake_environment.provider.sent.clear()
    return fake_environment


async def refresh_later(fake_environment: FakeEnvironment, service: SessionService | None = None) -> Bearer:
    """Refresh, after the ten seconds in which a new token is good enough (B25)."""
    fake_environment.clock.advance(11)
    return await (service or fake_environment.service).tokens.refresh()


# -- proofs --------------------------------------------------------------------------------------------------------


async def test_without_the_setting_nothing_is_proved_and_no_chance_is_drawn() -> None:
    """X-8: the requests are the same to the byte as before."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    await refresh_later(fake_environment)
    assert [call.proof for call in fake_environment.provider.sent] == [None] * len(fake_environment.provider.sent)
    assert fake_environment.entropy.drawn == 6, "flow, ticket, nonce, verifier, state and binding"
    entry = await fake_environment.vault.load()
    assert entry is not None
    assert entry.dpop_key is None


async def test_one_key_proves_the_code_the_refresh_and_userinfo() -> None:
    """X-1, X-2, X-3: the proof holds the hash of the access token exactly where the token is sent."""
    fake_environment = FakeEnvironment(BOUND)
    pending, state, binding = await fake_environment.begin()
    assert pending.proof_key is not None
    thumbprint = pending.proof_key.thumbprint()
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    await refresh_later(fake_environment)
    code, refresh = proofs(fake_environment, TOKEN)
    first, second = proofs(fake_environment, USERINFO)
    assert {proof.thumbprint for proof in (code, refresh, first, second)} == {thumbprint}
    assert [proof.claims.get("ath") for proof in (code, refresh, first, second)] == [
        None,
        None,
        digest(f"{MARKER}at-1"),
        digest(f"{MARKER}at-2"),
    ]
    assert (code.claims["htm"], code.claims["htu"], code.claims["iat"]) == ("POST", TOKEN, 1_800_000_000)
    assert (first.claims["htm"], first.claims["htu"]) == ("GET", USERINFO)
    assert len({proof.claims["jti"] for proof in (code, refresh, first, second)}) == 4
    assert "nonce" not in code.claims, "X-8"


async def test_the_authorization_request_names_the_key() -> None:
    """RFC 9449, 10: ``dpop_jkt`` is the thumbprint of the key."""
    fake_environment = FakeEnvironment(BOUND)
    pending, ticket = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.pending.use_ticket(ticket)
    url, _ = await fake_environment.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    assert pending.proof_key is not None
    assert parse_qs(urlsplit(url).query)["dpop_jkt"] == [pending.proof_key.thumbprint()]


async def test_every_sign_in_has_a_key_of_its_own_and_keeps_it_no_longer_than_it_waits() -> None:
    """X-1: Each session has a key of its own."""
    fake_environment = FakeEnvironment(BOUND)
    one, state, binding = await fake_environment.begin()
    other, _, _ = await fake_environment.begin()
    assert one.proof_key is not None
    assert other.proof_key is not None
    assert one.proof_key.thumbprint() != other.proof_key.thumbprint()
    fake_environment.service.sign_ins.cancel(other)
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    assert {one.proof_key, other.proof_key} == {None}


async def test_only_the_token_and_userinfo_endpoints_see_a_proof() -> None:
    """X-3: Token requests and uses of tokens carry proofs. H-3: Only named endpoints are contacted."""
    fake_environment = await signed_in()
    await refresh_later(fake_environment)
    await fake_environment.service.sign_outs.sign_out()
    assert {call.url for call in fake_environment.provider.sent if call.proof} == {TOKEN, USERINFO}


async def test_a_provider_that_takes_no_es256_is_refused_before_the_sign_in() -> None:
    """X-1: the refusal is as at a provider without PKCE."""
    fake_environment = FakeEnvironment(BOUND)
    fake_environment.provider.advertise = {"dpop_signing_alg_values_supported": ["RS256"]}
    with pytest.raises(ConfigurationInvalid) as refused:
        await fake_environment.service.sign_ins.begin("user:a")
    assert (refused.value.detail, fake_environment.service.state) == ("discovery.dpop", State.SIGNED_OUT)


async def test_without_the_setting_the_provider_s_algorithms_do_not_matter() -> None:
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"dpop_signing_alg_values_supported": ["RS256"]}
    await fake_environment.sign_in()
    assert fake_environment.service.state is State.ACTIVE


async def test_a_bearer_token_for_a_proof_ends_the_sign_in() -> None:
    """X-4: A bearer token in place of DPoP is refused."""
    fake_environment = FakeEnvironment(BOUND)
    fake_environment.provider.plan(
        "token", reply({"access_token": f"{MARKER}a", "token_type": "Bearer", "id_token": f"{MARKER}i"})
    )
    pending = await fake_environment.sign_in()
    assert isinstance(pending.problem, Problem)
    assert (pending.progress, pending.problem.detail) == ("failed", "token.token_type")
    assert fake_environment.service.state is State.SIGNED_OUT


async def test_what_may_go_out_comes_with_its_key() -> None:
    fake_environment = await signed_in()
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    assert granted.proof_key is not None
    assert MARKER not in repr(granted)
    assert "secret" in repr(granted.proof_key.sealed)


async def test_an_id_token_is_bound_to_nothing_and_goes_out_as_bearer() -> None:
    """RFC 9449, 5: DPoP binds access tokens, and refresh tokens of public clients."""
    fake_environment = await signed_in()
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY, "id_token")
    assert isinstance(granted, Granted)
    assert granted.proof_key is None


async def test_an_exchange_is_proved_with_the_key_of_the_token_that_it_shows() -> None:
    """X-3: Token requests and uses of tokens carry proofs. B30: A refused audience concerns one API only."""
    fake_environment = await signed_in(advertise={"grant_types_supported": ["authorization_code", EXCHANGE]})
    fake_environment.provider.plan("token", reply({"error": "invalid_target"}, status=400))
    own = await fake_environment.service.tokens.bearer(TokenKey(audience="https://other.example"))
    signed = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(own, Granted)
    assert isinstance(signed, Granted)
    assert own.proof_key is signed.proof_key
    assert [form_of(call)["grant_type"] for call in calls(fake_environment, TOKEN)] == ["refresh_token", EXCHANGE]
    assert len(proofs(fake_environment, TOKEN)) == 2


# -- nonces --------------------------------------------------------------------------------------------------------


async def test_a_nonce_that_is_demanded_at_the_sign_in_costs_one_more_request_with_the_same_code() -> None:
    """X-5, T-10: this is the sole exception to "once per code": the same request, with a new proof."""
    fake_environment = FakeEnvironment(BOUND)
    fake_environment.provider.plan("token", demand())
    await fake_environment.sign_in()
    first, second = calls(fake_environment, TOKEN)
    assert fake_environment.service.state is State.ACTIVE
    assert form_of(first) == form_of(second)
    assert nonces(fake_environment, TOKEN) == [None, "n-1"]
    assert len({proof.claims["jti"] for proof in proofs(fake_environment, TOKEN)}) == 2


async def test_a_nonce_that_is_demanded_on_refresh_costs_one_more_request_with_the_same_refresh_token() -> None:
    """B32: A demanded DPoP nonce costs one repetition."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", demand())
    granted = await refresh_later(fake_environment)
    assert isinstance(granted, Granted)
    assert [form_of(call)["refresh_token"] for call in calls(fake_environment, TOKEN)] == [
        f"{MARKER}rt-1",
        f"{MARKER}rt-1",
    ]
    assert nonces(fake_environment, TOKEN) == [None, "n-1"]
    assert (text_of(granted.secret), fake_environment.service.state) == ("at-2", State.ACTIVE)


async def test_a_repeated_demand_is_an_invalid_answer_and_ends_no_session() -> None:
    """B32: the client sends two requests, never a third; the refresh token is kept and works again."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", demand("n-1"), demand("n-2"))
    outcome = await refresh_later(fake_environment)
    assert isinstance(outcome, TryLater)
    assert (outcome.reason, len(calls(fake_environment, TOKEN))) == ("token_response_invalid", 2)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.REFRESH_FAILED, "token_response_invalid")
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted), (
        "calls work while the access token lives"
    )
    await fake_environment.scheduler.pass_time(2)
    assert fake_environment.service.state is State.ACTIVE
    assert nonces(fake_environment, TOKEN) == [None, "n-1", "n-2"]


async def test_a_repeated_demand_at_the_sign_in_is_an_invalid_answer() -> None:
    """B32: A demanded DPoP nonce costs one repetition."""
    fake_environment = FakeEnvironment(BOUND)
    fake_environment.provider.plan("token", demand("n-1"), demand("n-2"))
    pending = await fake_environment.sign_in()
    assert pending.problem is not None
    assert (pending.problem.code, pending.problem.detail) == ("token_response_invalid", "token.dpop_nonce")
    assert fake_environment.provider.calls["token"] == 2


@pytest.mark.parametrize("nonce", [None, "", "two words", "x" * 1025])
async def test_a_demand_without_a_usable_nonce_is_not_tried_again(nonce: str | None) -> None:
    """B32: A demanded DPoP nonce costs one repetition. X-5: A demanded nonce repeats a token request once."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", demand(nonce))
    outcome = await refresh_later(fake_environment)
    assert isinstance(outcome, TryLater)
    assert (outcome.reason, len(calls(fake_environment, TOKEN))) == ("token_response_invalid", 1)


async def test_a_refusal_after_a_repeated_demand_is_not_taken_for_a_lost_token() -> None:
    """B32, B14: a provider that demands a nonce has spent no token."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", demand("n-1"), demand("n-2"), reply({"error": "invalid_grant"}, status=400))
    await refresh_later(fake_environment)
    assert not fake_environment.lock.marked
    fake_environment.clock.advance(400)
    assert await refresh_later(fake_environment) == SignInNeeded("session_expired")
    assert (await fake_environment.service.view.summary()).reason == "session_ended_by_provider"


async def test_a_nonce_is_remembered_for_its_origin() -> None:
    """B32, X-7: any reply may bring the next nonce, and the newest counts."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", demand("n-1"))
    await refresh_later(fake_environment)
    await refresh_later(fake_environment)
    body = {"access_token": f"{MARKER}x", "token_type": "DPoP", "refresh_token": f"{MARKER}rt-3"}
    fake_environment.provider.plan("token", reply(body, headers={"dpop-nonce": "n-2"}))
    await refresh_later(fake_environment)
    fake_environment.provider.current = f"{MARKER}rt-3"
    await refresh_later(fake_environment)
    assert nonces(fake_environment, TOKEN) == [None, "n-1", "n-1", "n-1", "n-2"]


async def test_another_origin_gets_no_nonce_of_the_first() -> None:
    """X-7: The newest nonce counts for each origin. X-8: No nonce is sent unless a server gave one."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", demand("n-1"))
    await refresh_later(fake_environment)
    fake_environment.provider.advertise = {"token_endpoint": "https://new.example.com/token"}
    fake_environment.clock.advance(4_000)
    await refresh_later(fake_environment)
    assert nonces(fake_environment, "https://new.example.com/token") == [None]


async def test_userinfo_has_a_nonce_of_its_own() -> None:
    """X-6, X-7: authorization server and resource server have nonces of their own, even at one origin."""
    fake_environment = FakeEnvironment(BOUND)
    fake_environment.provider.plan("token", demand("n-1"))
    fake_environment.provider.plan("userinfo", challenge("r-1"))
    await fake_environment.sign_in()
    await refresh_later(fake_environment)
    assert nonces(fake_environment, TOKEN) == [None, "n-1", "n-1"]
    assert nonces(fake_environment, USERINFO) == [None, "r-1", "r-1"]
    assert fake_environment.service.state is State.ACTIVE


async def test_userinfo_that_demands_nonces_for_ever_does_not_spoil_a_refresh() -> None:
    """B6, X-6: the new refresh token is kept."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("userinfo", challenge("r-1"), challenge("r-2"))
    assert isinstance(await refresh_later(fake_environment), Granted)
    entry = await fake_environment.vault.load()
    assert entry is not None
    assert (text_of(entry.refresh_token), len(calls(fake_environment, USERINFO))) == ("rt-2", 2)


async def test_a_repetition_that_is_not_answered_is_weather() -> None:
    """B5, B32: the repetition has a new proof."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", demand(), IdpUnavailable(detail="idp.unanswered"))
    assert isinstance(await refresh_later(fake_environment), Granted)
    assert nonces(fake_environment, TOKEN) == [None, "n-1", "n-1"]
    assert len({proof.claims["jti"] for proof in proofs(fake_environment, TOKEN)}) == 3


# -- the key's life ------------------------------------------------------------------------------------------------


async def test_a_key_survives_a_restart_with_the_refresh_token_that_is_bound_to_it() -> None:
    """X-1; RFC 9449, 5: a public client's refresh token is bound to the key."""
    fake_environment = await signed_in()
    await refresh_later(fake_environment)
    (before,) = proofs(fake_environment, TOKEN)
    restarted = fake_environment.new_service()
    await restarted.view.summary()
    await refresh_later(fake_environment, restarted)
    assert {proof.thumbprint for proof in proofs(fake_environment, TOKEN)} == {before.thumbprint}
    assert restarted.state is State.ACTIVE


async def test_a_new_sign_in_at_another_server_brings_its_key_along() -> None:
    """B2, X-1: a token never goes out with another key's proof."""
    fake_environment = await signed_in()
    other, first = fake_environment.service, await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    fake_environment.service = fake_environment.new_service()
    await fake_environment.service.view.summary()
    await settle()
    await fake_environment.sign_in()
    here = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    still = await other.tokens.bearer(SIGN_IN_KEY)
    there = await refresh_later(fake_environment, other)
    assert isinstance(first, Granted)
    assert isinstance(here, Granted)
    assert isinstance(still, Granted)
    assert isinstance(there, Granted)
    thumbprints = [granted.proof_key.thumbprint() for granted in (first, still, here, there) if granted.proof_key]
    assert thumbprints[0] == thumbprints[1]
    assert thumbprints[2] == thumbprints[3] != thumbprints[0]


async def test_a_session_from_before_the_setting_gets_a_key_at_its_next_start() -> None:
    """X-1: its refresh token is bound to no key yet, and the first proved refresh binds its successors."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.settings = BOUND
    restarted = fake_environment.new_service()
    await restarted.view.summary()
    granted = await refresh_later(fake_environment, restarted)
    assert isinstance(granted, Granted)
    entry = await fake_environment.vault.load()
    assert entry is not None
    assert granted.proof_key is not None
    assert entry.dpop_key == granted.proof_key.sealed


async def test_a_session_keeps_its_key_when_the_setting_goes() -> None:
    """X-1: without the key, the provider would refuse the refresh token."""
    fake_environment = await signed_in()
    fake_environment.settings = SETTINGS
    restarted = fake_environment.new_service()
    await restarted.view.summary()
    assert isinstance(await refresh_later(fake_environment, restarted), Granted)
    assert None not in [call.proof for call in calls(fake_environment, TOKEN)]


async def test_a_sign_out_forgets_the_key() -> None:
    fake_environment = await signed_in()
    await fake_environment.service.sign_outs.sign_out()
    assert await fake_environment.vault.load() is None
    assert fake_environment.service.current.data.proof_key is None
