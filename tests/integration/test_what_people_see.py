"""What a person sees of a session, over sockets: when a wait ends, when a session does, and what can be called."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

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
