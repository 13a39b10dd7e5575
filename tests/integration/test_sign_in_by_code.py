"""Signing in by code through routes and sockets, at a provider that is strict, hostile, or gone for a while (A31)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def provider() -> Any:
    with ScriptedProvider() as provider:
        provider.offer_codes()
        yield provider


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def begin(server_under_test: ServerUnderTest, **wish: Any) -> dict[str, Any]:
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={"strategy": "device", **wish})
    assert reply.status_code == 201, reply.text
    started: dict[str, Any] = reply.json()
    return started


async def ended(server_under_test: ServerUnderTest, started: dict[str, Any]) -> tuple[str, str | None]:
    progress = (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{started['flow']}?wait=20")).json()
    return progress["state"], progress["error"] and progress["error"]["code"]


async def test_a_code_is_shown_entered_and_becomes_a_session(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    started = await begin(server_under_test)
    assert (started["strategy"], started["start_url"]) == ("device", None)
    assert started["device"] == {
        "user_code": "WDJB-0000",
        "verification_uri": f"{provider.issuer}/enter",
        "verification_uri_complete": f"{provider.issuer}/enter?user_code=WDJB-0000",
    }
    assert (await server_under_test.state())[0] == "signing-in"
    provider.answer_code("WDJB-0000")
    assert await ended(server_under_test, started) == ("completed", None)
    assert (await server_under_test.session())["user"]["name"] == "Example User"
    assert await server_under_test.call(1) == [200]


async def test_a_declined_code_says_so(server_under_test: ServerUnderTest, provider: ScriptedProvider) -> None:
    started = await begin(server_under_test)
    provider.answer_code("WDJB-0000", agree=False)
    assert await ended(server_under_test, started) == ("failed", "sign_in_declined")
    assert (await server_under_test.state())[0] == "signed-out"


async def test_a_flaky_provider_is_asked_on_and_never_too_soon(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """A31: a connection that is reset, a page in between, 429 with Retry-After, then the tokens."""
    provider.plan("token", drop=True)
    provider.plan("token", status=200, body=b"<html>", headers={"Content-Type": "text/html"})
    provider.plan("token", status=429, headers={"Retry-After": "1"})
    started = await begin(server_under_test)
    provider.answer_code("WDJB-0000")
    (code,) = provider.device_codes.values()
    began = time.monotonic()
    assert await ended(server_under_test, started) == ("completed", None)
    assert (provider.count("token"), code.too_soon) == (4, 0)
    assert time.monotonic() - began > 4


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (
            {"document": {"device_code": "x", "user_code": "y", "verification_uri": "javascript:x", "expires_in": 9}},
            502,
        ),
        ({"status": 200, "body": b"[" * 3_000_000}, 502),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, 502),
        ({"error": "unauthorized_client"}, 409),
        ({"status": 503}, 503),
        ({"drop": True}, 503),
    ],
    ids=["script", "huge", "redirect", "refused", "busy", "gone"],
)
async def test_a_hostile_answer_begins_nothing(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, fault: dict[str, Any], detail: int
) -> None:
    provider.plan("device", **fault)
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={"strategy": "device"})
    assert (reply.status_code, reply.headers["X-OIDC-Error"] != "") == (detail, True)
    assert (await server_under_test.state())[0] == "signed-out"


async def test_a_cancelled_code_is_not_asked_about_any_more(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    started = await begin(server_under_test)
    cancelled = (await server_under_test.ask("DELETE", f"{ROUTE}/sign-in/{started['flow']}")).json()
    provider.answer_code("WDJB-0000")
    await asyncio.sleep(1.5)
    assert (cancelled["state"], provider.count("token"), (await server_under_test.state())[0]) == (
        "cancelled",
        0,
        "signed-out",
    )


async def test_a_browser_on_another_machine_gets_a_code_without_asking(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Nothing says how that browser reaches this server, and the provider offers a code."""
    server_under_test.context.browser_location.seen = "elsewhere"
    begun = await server_under_test.services.sessions.of_provider("corp").sign_ins.begin(
        "kernel:k", browser="elsewhere"
    )
    assert begun[0].strategy == "device"
    here = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    assert here["strategy"] == "server"


async def test_a_provider_without_codes_is_said_to_have_none(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    provider.advertise.clear()
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={"strategy": "device"})
    assert (reply.status_code, reply.json()["code"]) == (400, "request_invalid")
    assert "enable the device authorization grant" in reply.json()["action"]
