"""Faults of a refresh, over sockets: table B against a provider that misbehaves by plan."""

from __future__ import annotations

import asyncio
import email.utils
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiohttp import web

from tests.support.fault_plan import EVERYWHERE, FOREVER
from tests.support.polling import eventually
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

if TYPE_CHECKING:
    from typing_extensions import Self

EXPIRED = 1_000.0
"""Seconds after which the access token of 300 seconds is gone."""

ORDERS = "jupyter-oidc/api/orders/items"


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def after_expiry(server_under_test: ServerUnderTest, seconds: float = EXPIRED) -> httpx.Response:
    """Let the access token expire, and make one call."""
    server_under_test.clock.ahead += seconds
    server_under_test.provider.clock_offset = server_under_test.clock.ahead
    return await server_under_test.ask("GET", ORDERS)


def http_date(seconds: float) -> str:
    return email.utils.formatdate(time.time() + EXPIRED + seconds, usegmt=True)


IN_3000_SECONDS = "a date"
"""Stands for a date that counts from the test, and not from the beginning of the run."""

WEATHER: list[Any] = [
    pytest.param({"drop": True, "times": 2}, "idp_unavailable", (1, 1), id="B6 the connection is reset"),
    pytest.param({"status": 502}, "idp_unavailable", (1, 1), id="B6 502"),
    pytest.param({"status": 503}, "idp_unavailable", (1, 1), id="B6 503"),
    pytest.param({"status": 504}, "idp_unavailable", (1, 1), id="B6 504"),
    pytest.param(
        {"status": 200, "body": b"<html>portal</html>", "headers": {"Content-Type": "text/html"}},
        "token_response_invalid",
        (1, 1),
        id="B6 a page of HTML",
    ),
    pytest.param({"status": 200, "document": {}}, "token_response_invalid", (1, 1), id="A11 no access token"),
    pytest.param({"status": 302, "headers": {"Location": "/"}}, "token_response_invalid", (1, 1), id="A14 a redirect"),
    pytest.param({"status": 429, "headers": {"Retry-After": "120"}}, "idp_unavailable", (119, 120), id="B7 seconds"),
    pytest.param(
        {"status": 429, "headers": {"Retry-After": "99999"}}, "idp_unavailable", (3599, 3600), id="B7 an hour at most"
    ),
    pytest.param({"status": 429, "headers": {"Retry-After": "soon"}}, "idp_unavailable", (4, 5), id="B7 garbage"),
    pytest.param(
        {"status": 429, "headers": {"Retry-After": IN_3000_SECONDS}}, "idp_unavailable", (1_500, 3_001), id="B7 a date"
    ),
    pytest.param({"error": "invalid_client", "status": 401}, "provider_configuration", (299, 300), id="B8 client"),
    pytest.param({"error": "unauthorized_client"}, "provider_configuration", (299, 300), id="B8 unauthorized"),
    pytest.param({"error": "invalid_scope"}, "provider_configuration", (299, 300), id="B8 scope"),
]


@pytest.mark.parametrize(("fault", "reason", "pause"), WEATHER)
async def test_weather_keeps_the_session_and_says_when_to_try_again(
    server_under_test: ServerUnderTest,
    provider: ScriptedProvider,
    fault: dict[str, Any],
    reason: str,
    pause: tuple[int, int],
) -> None:
    """B6, B7, B8: 503 with ``Retry-After``, no request before then, and the same refresh token afterwards."""
    await server_under_test.sign_in()
    (kept,) = provider.ledger.refresh
    if fault.get("headers") == {"Retry-After": IN_3000_SECONDS}:
        fault = {**fault, "headers": {"Retry-After": http_date(3_000)}}
    provider.plan("token", **fault)
    reply = await after_expiry(server_under_test)
    assert (reply.status_code, reply.json()["code"], reply.json()["retryable"]) == (503, "idp_unavailable", True)
    assert pause[0] <= int(reply.headers["Retry-After"]) <= pause[1]
    assert await server_under_test.state() == ("refresh-failed", reason)
    longest = pause[1]
    while longest < 4:  # so that twenty calls are over before the pause is, on a slow machine, too
        provider.plan("token", **fault)
        assert (await after_expiry(server_under_test, longest + 1)).status_code == 503
        longest *= 2
    before = provider.count("token")
    assert await server_under_test.call(20) == [503] * 20
    assert provider.count("token") == before, "nobody asks before the time is over"
    reply = await after_expiry(server_under_test, longest + 1)
    assert reply.status_code == 200
    assert await server_under_test.state() == ("active", None)
    assert provider.received[-2].form["refresh_token"] == kept


ENDINGS = [
    pytest.param({"error": "invalid_grant"}, "session_ended_by_provider", id="B1 invalid_grant"),
    pytest.param({"error": "interaction_required"}, "interaction_required", id="B9 interaction"),
    pytest.param({"error": "consent_required"}, "consent_required", id="B9 consent"),
    pytest.param({"error": "login_required"}, "login_required", id="B9 login"),
    pytest.param(
        {"status": 400, "document": {"error": "invalid_grant", "suberror": "basic_action"}},
        "interaction_required",
        id="B9 a second factor, in the words of Entra",
    ),
]


@pytest.mark.parametrize(("fault", "reason"), ENDINGS)
async def test_a_definite_refusal_ends_the_session_with_its_reason(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, fault: dict[str, Any], reason: str
) -> None:
    """B1, B9, F-8: one request, and none after it; the way back is a sign-in."""
    await server_under_test.sign_in()
    provider.plan("token", **fault)
    before = provider.count("token")
    reply = await after_expiry(server_under_test)
    assert (reply.status_code, reply.json()["code"], reply.json()["action"]) == (
        401,
        "session_expired",
        "Sign in at 'corp' again.",
    )
    assert await server_under_test.call(5) == [401] * 5
    assert provider.count("token") - before == 1
    assert await server_under_test.state() == ("signed-out-expired", reason)
    provider.clock_offset = 0.0
    server_under_test.clock.ahead = 0.0
    await server_under_test.sign_in()
    assert await server_under_test.call(1) == [200]


IDENTITIES = [
    pytest.param(lambda claims: claims.update(sub="somebody-else"), "identity_changed", id="B4 another subject"),
    pytest.param(lambda claims: claims.update(iss="https://evil.example"), "identity_changed", id="B4 another issuer"),
    pytest.param(lambda claims: claims.update(aud="another-client"), "id_token_rejected", id="F-5 another audience"),
    pytest.param(lambda claims: claims.update(nonce="another"), "id_token_rejected", id="F-5 another nonce"),
    pytest.param(lambda claims: claims.update(exp=1), "id_token_rejected", id="V-7 over"),
]


@pytest.mark.parametrize(("change", "reason"), IDENTITIES)
async def test_tokens_of_somebody_else_are_dropped_and_taken_back(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, change: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    """B4, F-6, Q5.3: nothing of the answer is used, not even for UserInfo, and its refresh token is revoked."""
    provider.id_token_on_refresh = True
    await server_under_test.sign_in()
    asked = provider.count("userinfo")
    provider.plan("token", claims=change)
    assert (await after_expiry(server_under_test)).status_code == 401
    assert await server_under_test.state() == ("signed-out-expired", reason)
    assert provider.count("userinfo") == asked
    await eventually(lambda: (provider.count("revoke"), provider.ledger.refresh) == (1, {}))


async def test_a_refreshed_id_token_of_the_same_person_is_fine_and_so_is_none(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B4: A refresh about another person ends the session."""
    await server_under_test.sign_in()
    assert (await after_expiry(server_under_test)).status_code == 200
    provider.id_token_on_refresh = True
    assert (await after_expiry(server_under_test)).status_code == 200
    assert await server_under_test.state() == ("active", None)


@pytest.mark.parametrize("kind", ["none", "same", "new"])
async def test_a_refresh_token_is_kept_or_replaced(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, kind: str
) -> None:
    """B3, F-4: without one the old one stays, with a new one the old one is never sent again."""
    provider.rotate = kind == "new"
    await server_under_test.sign_in()
    (first,) = provider.ledger.refresh
    if kind == "same":
        provider.plan("token", times=3, mutate=lambda answer: answer.update(refresh_token=first))
    for _ in range(3):
        assert (await after_expiry(server_under_test)).status_code == 200
    sent = [one.form["refresh_token"] for one in provider.received if one.form.get("grant_type") == "refresh_token"]
    assert (len(sent), len(set(sent)), sent[0]) == (3, 3 if kind == "new" else 1, first)
    assert provider.reuses == 0


@pytest.mark.parametrize("forgiving", [True, False], ids=["with a grace period", "without"])
async def test_an_answer_that_is_lost_is_asked_for_once_more(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, forgiving: bool
) -> None:
    """B5: after a second, with the same token; a provider without a grace period ends it, and the reason says why."""
    provider.forgive_reuse = forgiving
    await server_under_test.sign_in()
    (first,) = provider.ledger.refresh
    provider.plan("token", drop=True, after=True)
    reply = await after_expiry(server_under_test)
    assert provider.count("token", refresh_token=first) == 2
    assert reply.status_code == (200 if forgiving else 401)
    # NOTE: without a grace period the second answer is ``invalid_grant``, right after an attempt without an answer.
    assert await server_under_test.state() == (
        ("active", None) if forgiving else ("signed-out-expired", "rotation_lost")
    )


async def test_the_first_caller_may_hang_up(server_under_test: ServerUnderTest, provider: ScriptedProvider) -> None:
    """B28: the refresh goes on, and the others succeed."""
    await server_under_test.sign_in()
    before = provider.count("token")
    hold = threading.Event()
    provider.plan("token", hold=hold)
    server_under_test.clock.ahead = EXPIRED
    first = asyncio.ensure_future(server_under_test.ask("GET", ORDERS))
    while provider.count("token") == before:
        await asyncio.sleep(0.01)
    first.cancel()
    others = asyncio.ensure_future(server_under_test.call(20))
    await asyncio.sleep(0.2)
    hold.set()
    assert await others == [200] * 20
    assert provider.count("token") - before == 1


async def test_a_refresh_that_answers_after_the_sign_out_brings_nothing_back(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B31: the late answer is thrown away, and its refresh token revoked."""
    await server_under_test.sign_in()
    before = provider.count("token")
    hold = threading.Event()
    provider.plan("token", hold=hold)
    server_under_test.clock.ahead = EXPIRED
    call = asyncio.ensure_future(server_under_test.ask("GET", ORDERS))
    while provider.count("token") == before:
        await asyncio.sleep(0.01)
    assert (await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})).json()["local"] == "done"
    hold.set()
    assert (await call).status_code == 401
    for _ in range(100):
        if not provider.ledger.refresh:
            break
        await asyncio.sleep(0.05)
    assert provider.ledger.refresh == {}, "both tokens were taken back"
    assert await server_under_test.state() == ("signed-out", None)


async def test_an_outage_costs_nothing_while_the_token_lives_and_ends_by_itself(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B6: every call succeeds, then 503 with ``Retry-After``, then everything works again by itself."""
    await server_under_test.sign_in()
    provider.plan(EVERYWHERE, drop=True, times=FOREVER)
    assert await server_under_test.call(100) == [200] * 100
    reply = await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})
    assert (reply.status_code, reply.json()["code"]) == (503, "idp_unavailable")
    assert (await server_under_test.state())[0] == "refresh-failed"
    assert await server_under_test.call(100) == [200] * 100
    server_under_test.clock.ahead = EXPIRED
    reply = await server_under_test.ask("GET", ORDERS)
    assert (reply.status_code, reply.json()["code"]) == (503, "idp_unavailable")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    assert await server_under_test.call(50) == [503] * 50
    provider.faults.clear()
    server_under_test.clock.ahead += 61.0
    assert await server_under_test.call(50) == [200] * 50
    assert await server_under_test.state() == ("active", None)


async def test_a_token_that_expires_on_its_way_is_our_business_and_not_the_apis(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, upstream: Upstream
) -> None:
    """B6: while the provider is down the API's 401 becomes our 503, for it says nothing about the person."""

    async def late(_: web.Request) -> web.Response:
        server_under_test.clock.ahead = EXPIRED
        return web.json_response({}, status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})

    await server_under_test.sign_in()
    provider.plan("token", status=503, times=FOREVER)
    upstream.plan(late)
    reply = await server_under_test.ask("GET", ORDERS)
    assert (reply.status_code, reply.headers["X-OIDC-Error"]) == (503, "idp_unavailable")
    provider.faults.clear()
    server_under_test.clock.ahead += 61.0
    upstream.plan(late)
    assert (await server_under_test.ask("GET", ORDERS)).status_code == 200


async def test_a_session_without_a_refresh_token_says_so_before_it_ends(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """A25: ``refreshable`` is false from the start."""
    provider.issue_refresh_token = False
    await server_under_test.sign_in()
    assert (await server_under_test.session())["refreshable"] is False
    assert await server_under_test.call(1) == [200]
    assert (await after_expiry(server_under_test)).status_code == 401
    assert await server_under_test.state() == ("signed-out-expired", "not_refreshable")


async def test_a_sign_out_is_complete_here_although_the_provider_is_down(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """D1: the result names the outcome of each step."""
    await server_under_test.sign_in()
    provider.plan("revoke", status=503, body=b"<html>down</html>", times=FOREVER)
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})
    assert reply.status_code == 200
    assert (reply.json()["local"], reply.json()["revoked"]) == ("done", "failed")
    assert await server_under_test.state() == ("signed-out", None)
    assert await server_under_test.call(3) == [401] * 3
    again = await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})
    assert (again.status_code, again.json()["revoked"]) == (200, "nothing-to-revoke")


class TwoApis:
    """Two APIs with audiences of their own, each of which takes only its own tokens."""

    def __init__(self, provider: ScriptedProvider) -> None:
        def takes(audience: str) -> Callable[[str], bool]:
            return lambda token: provider.accepts(token) and provider.audience_of(token) == audience

        provider.resources = {"https://a.example/": "a", "https://b.example/": "b"}
        self.a, self.b = Upstream(takes("a")), Upstream(takes("b"))

    def __enter__(self) -> Self:
        self.a.__enter__()
        self.b.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self.b.__exit__(*reason)
        self.a.__exit__(*reason)


class TestSeveralApis:
    """One sign-in, several access tokens (B29, B30)."""

    @pytest.fixture
    def two(self, provider: ScriptedProvider) -> Iterator[TwoApis]:
        with TwoApis(provider) as two:
            yield two

    @pytest.fixture
    def jp_server_config(self, provider: ScriptedProvider, upstream: Upstream, two: TwoApis) -> dict[str, Any]:
        config = configured(provider, upstream)
        apis = config["JupyterOIDC"]["providers"]["corp"]["apis"]
        apis["a"] = {"base_url": two.a.url, "resource": "https://a.example/"}
        apis["b"] = {"base_url": two.b.url, "resource": "https://b.example/"}
        apis["refused"] = {"base_url": two.b.url, "resource": "https://unknown.example/"}
        return config

    async def test_each_api_gets_the_token_of_its_own_audience(
        self, server_under_test: ServerUnderTest, provider: ScriptedProvider, two: TwoApis
    ) -> None:
        """B29: asked for at once, one after the other at the provider, and never mixed up."""
        await server_under_test.sign_in()
        before = provider.count("token")
        async with server_under_test.client() as client:
            replies = await asyncio.gather(
                *[client.get(f"jupyter-oidc/api/{name}/x") for name in ("a", "b", "orders") * 20]
            )
        assert [reply.status_code for reply in replies] == [200] * 60
        assert provider.count("token") - before == 2
        assert provider.reuses == 0

    async def test_an_audience_that_is_refused_concerns_its_api_alone(
        self, server_under_test: ServerUnderTest, provider: ScriptedProvider
    ) -> None:
        """B30: A refused audience concerns one API only."""
        await server_under_test.sign_in()
        reply = await server_under_test.ask("GET", "jupyter-oidc/api/refused/x")
        assert (reply.status_code, reply.json()["code"]) == (502, "audience_refused")
        assert (await server_under_test.ask("GET", "jupyter-oidc/api/a/x")).status_code == 200
        assert await server_under_test.call(1) == [200]
        assert await server_under_test.state() == ("active", None)
