"""The provider's own logout call, over HTTP: B-1 to B-4, B-15 to B-17, fault D6."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from jupyter_oidc import contract
from tests.support.canary import CANARY
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

EVENT = "http://schemas.openid.net/event/backchannel-logout"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(params=[True, False], ids=["lenient", "strict"])
def jp_server_config(provider: ScriptedProvider, upstream: Upstream, request: Any) -> dict[str, Any]:
    return configured(provider, upstream, allow_unauthenticated_access=request.param)


async def call(
    server_under_test: ServerUnderTest, body: str | bytes, kind: str = FORM, verb: str = "POST"
) -> httpx.Response:
    """Call as the provider does: with no cookie and no token of Jupyter's."""
    async with httpx.AsyncClient(base_url=server_under_test.url, trust_env=False, verify=PLAIN) as client:
        return await client.request(
            verb, f"{ROUTE}/backchannel-logout", content=body, headers={"Content-Type": kind} if body else {}
        )


def form(*tokens: str, **others: str) -> str:
    return urlencode([*[("logout_token", token) for token in tokens], *others.items()])


def token(provider: ScriptedProvider, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": provider.issuer,
        "aud": "jupyter",
        "iat": now,
        "exp": now + 120,
        "jti": "l-1",
        "events": {EVENT: {}},
        "sid": "s-1",
        **changes,
    }
    key = provider.keys[0]
    raw = key.sign(claims, {"alg": key.alg, "kid": key.kid, "typ": "logout+jwt"})
    CANARY.hold(raw)
    return raw


def refused(reply: httpx.Response) -> bool:
    body = contract.check("error", reply.json())
    return (reply.status_code, body["code"], reply.headers["Cache-Control"]) == (
        400,
        "logout_token_invalid",
        "no-store",
    )


async def test_the_provider_ends_a_session(server_under_test: ServerUnderTest, provider: ScriptedProvider) -> None:
    """B-1: The logout route takes forms without any login.

    B-3: Replies to a logout call are never stored.
    B-4: A logout is confirmed by an empty 200.
    B-14: A logout ends the session that it names.
    """
    await server_under_test.sign_in()
    reply = await call(server_under_test, form(token(provider), other="ignored"))
    assert (reply.status_code, reply.content, reply.headers["Cache-Control"]) == (200, b"", "no-store")
    assert await server_under_test.state() == ("signed-out-expired", "signed_out_at_provider")
    assert await server_under_test.call(1) == [401]


async def test_an_accepted_token_is_known_after_other_settings_came_into_force(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B-12, D6, D9: the session is another object then, and the token still good for two minutes."""
    again = token(provider)
    assert (await call(server_under_test, form(again))).status_code == 200
    await server_under_test.sign_in()
    settings = server_under_test.settings
    assert settings is not None
    await server_under_test.context.reload(
        replace(settings, providers=tuple(replace(one, clock_skew=30) for one in settings.providers))
    )
    assert refused(await call(server_under_test, form(again)))
    assert await server_under_test.state() == ("active", None)


async def test_an_unknown_session_is_a_success(server_under_test: ServerUnderTest, provider: ScriptedProvider) -> None:
    """B-15: No matching session is a success. D6: Only a sound logout token ends a session."""
    await server_under_test.sign_in()
    assert (await call(server_under_test, form(token(provider, sid="another")))).status_code == 200
    assert await server_under_test.state() == ("active", None)


async def test_a_token_is_refused_the_second_time(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B-12: A logout token works once. D6: Only a sound logout token ends a session."""
    await server_under_test.sign_in()
    body = form(token(provider))
    assert (await call(server_under_test, body)).status_code == 200
    assert refused(await call(server_under_test, body))


async def test_what_is_no_single_good_logout_token_is_refused(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B-1: The logout route takes forms without any login.

    B-2: There is exactly one logout token.
    B-16: A failed logout is 400 and changes nothing.
    D6: Only a sound logout token ends a session.
    """
    await server_under_test.sign_in()
    good = token(provider)
    assert refused(await call(server_under_test, b""))
    assert refused(await call(server_under_test, form(good, good)))
    assert refused(await call(server_under_test, form(good), kind="application/json"))
    assert refused(await call(server_under_test, form(good), kind="text/plain"))
    assert refused(await call(server_under_test, b"logout_token=%ff%fe"))
    assert refused(await call(server_under_test, form(token(provider, nonce="n"))))
    assert await server_under_test.state() == ("active", None)


async def test_only_a_post_is_answered(server_under_test: ServerUnderTest) -> None:
    """B-1; a server that wants authentication everywhere refuses another verb before our handler sees it."""
    assert (await call(server_under_test, b"", verb="GET")).status_code in (405, 403)


async def test_a_huge_body_is_refused_and_not_kept(server_under_test: ServerUnderTest) -> None:
    """B-17: Logout calls are limited in size."""
    reply = await call(server_under_test, "logout_token=" + "x" * 5_000_000)
    assert (reply.status_code, reply.headers["X-OIDC-Error"]) == (413, "body_too_large")
