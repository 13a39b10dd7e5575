"""What a person sees of a session, over sockets: when a wait ends, when a session does, and what can be called."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from aiohttp import web

from tests.support.desk import ROUTE, Desk, configured
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def test_a_question_about_a_sign_in_is_answered_when_another_one_succeeds(desk: Desk) -> None:
    """Q6.2: the question is held by the server while the person signs in elsewhere."""
    waiting = (await desk.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    question = asyncio.ensure_future(desk.ask("GET", f"{ROUTE}/sign-in/{waiting['flow']}?wait=60"))
    await desk.sign_in()
    progress = (await asyncio.wait_for(question, 10)).json()
    assert (progress["state"], progress["error"]) == ("completed", None)


async def test_the_browser_that_comes_too_late_is_told_so(desk: Desk) -> None:
    """Q6.2: nothing is redeemed for it."""
    late = (await desk.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    browser = desk.provider.browser()
    start = str(httpx.URL(desk.url).join(late["start_url"]))
    stopped = await asyncio.to_thread(browser.open, start, stop_at=f"{desk.url}jupyter-oidc/providers/corp/callback")
    await desk.sign_in()
    before = desk.provider.count("token")
    page = await asyncio.to_thread(browser.open, stopped.headers["location"])
    assert "You are signed in already" in page.text
    assert desk.provider.count("token") == before


async def test_a_session_without_a_refresh_token_is_over_when_its_token_is(desk: Desk) -> None:
    """Q6.1: whoever asks, and whichever timer is late."""
    desk.provider.issue_refresh_token = False
    await desk.sign_in()
    assert (await desk.session())["refreshable"] is False
    desk.clock.ahead += 301
    assert await desk.state() == ("signed-out-expired", "not_refreshable")
    providers = (await desk.ask("GET", "jupyter-oidc/providers")).json()["providers"]
    assert providers[0]["state"] == "signed-out-expired"


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Break off without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def readiness(desk: Desk) -> tuple[str, str]:
    """Return what both routes say of the API, which is the same."""
    (of_session,) = (await desk.session())["apis"]
    (of_list,) = (await desk.ask("GET", "jupyter-oidc/apis")).json()["apis"]
    return of_session["readiness"], of_list["readiness"]


async def test_an_api_that_is_down_is_not_called_ready(desk: Desk, upstream: Upstream) -> None:
    """Q5.8: after the call that found out, and until one gets through."""
    assert await readiness(desk) == ("sign_in_needed", "sign_in_needed")
    await desk.sign_in()
    assert await readiness(desk) == ("ready", "ready")
    upstream.plan(*[hang_up] * 3)
    assert await desk.call(1) == [502]
    assert await readiness(desk) == ("unreachable", "unreachable")
    upstream.plan_nothing()
    assert await desk.call(1) == [200]
    assert await readiness(desk) == ("ready", "ready")


@pytest.mark.parametrize("more", ["&x=%ff", "&code=another", "&x=1" * 50])
async def test_an_answer_that_cannot_be_used_ends_its_sign_in_at_once(desk: Desk, more: str) -> None:
    """Q1.12: the browser that was sent away brings it back with something that spoils it."""
    started = (await desk.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    browser = desk.provider.browser()
    start = str(httpx.URL(desk.url).join(started["start_url"]))
    stopped = await asyncio.to_thread(browser.open, start, stop_at=f"{desk.url}{ROUTE}/callback")
    page = await asyncio.to_thread(browser.open, stopped.headers["location"] + more)
    assert ("Sign-in did not work" in page.text, "Try again" in page.text) == (True, True)
    progress = (await desk.ask("GET", f"{ROUTE}/sign-in/{started['flow']}")).json()
    assert (progress["state"], progress["error"]["code"]) == ("failed", "response_malformed")
    assert (await desk.state())[0] == "signed-out"
