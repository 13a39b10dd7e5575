"""The session as its user sees it, over sockets: when a wait ends, when a session ends, which APIs can be called."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from aiohttp import web

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def test_a_question_about_a_sign_in_is_answered_when_another_one_succeeds(
    server_under_test: ServerUnderTest,
) -> None:
    """Q6.2: the question is held by the server while the person signs in elsewhere."""
    waiting = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    question = asyncio.ensure_future(server_under_test.ask("GET", f"{ROUTE}/sign-in/{waiting['flow']}?wait=60"))
    await server_under_test.sign_in()
    progress = (await asyncio.wait_for(question, 10)).json()
    assert (progress["state"], progress["error"]) == ("completed", None)


async def test_the_browser_that_comes_too_late_is_told_so(server_under_test: ServerUnderTest) -> None:
    """Q6.2: nothing is redeemed for it."""
    late = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    browser = server_under_test.provider.browser()
    start = str(httpx.URL(server_under_test.url).join(late["start_url"]))
    stopped = await asyncio.to_thread(
        browser.open, start, stop_at=f"{server_under_test.url}jupyter-oidc/providers/corp/callback"
    )
    await server_under_test.sign_in()
    before = server_under_test.provider.count("token")
    page = await asyncio.to_thread(browser.open, stopped.headers["location"])
    assert "You are signed in already" in page.text
    assert server_under_test.provider.count("token") == before


async def test_a_session_without_a_refresh_token_is_over_when_its_token_is(server_under_test: ServerUnderTest) -> None:
    """Q6.1: for every caller, and with any timer late."""
    server_under_test.provider.issue_refresh_token = False
    await server_under_test.sign_in()
    assert (await server_under_test.session())["refreshable"] is False
    server_under_test.clock.ahead += 301
    assert await server_under_test.state() == ("signed-out-expired", "not_refreshable")
    providers = (await server_under_test.ask("GET", "jupyter-oidc/providers")).json()["providers"]
    assert providers[0]["state"] == "signed-out-expired"


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Break off without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def readiness(server_under_test: ServerUnderTest) -> tuple[str, str]:
    """Return the readiness of the API, which both routes must answer alike."""
    (of_session,) = (await server_under_test.session())["apis"]
    (of_list,) = (await server_under_test.ask("GET", "jupyter-oidc/apis")).json()["apis"]
    return of_session["readiness"], of_list["readiness"]


async def test_an_api_that_is_down_is_not_called_ready(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    """Q5.8: after the call that found out, and until one gets through."""
    assert await readiness(server_under_test) == ("sign_in_needed", "sign_in_needed")
    await server_under_test.sign_in()
    assert await readiness(server_under_test) == ("ready", "ready")
    upstream.plan(*[hang_up] * 3)
    assert await server_under_test.call(1) == [502]
    assert await readiness(server_under_test) == ("unreachable", "unreachable")
    upstream.plan_nothing()
    assert await server_under_test.call(1) == [200]
    assert await readiness(server_under_test) == ("ready", "ready")


@pytest.mark.parametrize("more", ["&x=%ff", "&code=another", "&x=1" * 50])
async def test_an_answer_that_cannot_be_used_ends_its_sign_in_at_once(
    server_under_test: ServerUnderTest, more: str
) -> None:
    """Q1.12: the browser that was sent away brings it back with something that spoils it."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    browser = server_under_test.provider.browser()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    stopped = await asyncio.to_thread(browser.open, start, stop_at=f"{server_under_test.url}{ROUTE}/callback")
    page = await asyncio.to_thread(browser.open, stopped.headers["location"] + more)
    assert ("Sign-in did not work" in page.text, "Try again" in page.text) == (True, True)
    progress = (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{started['flow']}")).json()
    assert (progress["state"], progress["error"]["code"]) == ("failed", "response_malformed")
    assert (await server_under_test.state())[0] == "signed-out"
