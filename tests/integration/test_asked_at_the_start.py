"""A sign-in asks for the hint, the languages and the level that the caller who begins it names (A-8, Q5.14)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

ASKED = {"login_hint": "ada@example.com", "ui_locales": ["de-AT", "en"], "acr_values": ["phr", "phrh"]}


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def signed_in(server_under_test: ServerUnderTest, wish: dict[str, Any]) -> tuple[httpx.Response, dict[str, Any]]:
    """Sign in with ``wish``; return the last page and how the sign-in ended."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json=wish)).json()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    page = await asyncio.to_thread(server_under_test.provider.browser().open, start)
    return page, (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{started['flow']}")).json()


async def test_what_the_request_says_goes_to_the_provider(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """A-8: Optional parameters are sent only if asked for."""
    provider.claims["acr"] = "phrh"
    _, progress = await signed_in(server_under_test, ASKED)
    asked = next(one.query for one in provider.received if one.endpoint == "authorize")
    assert {name: asked[name] for name in ASKED} == {
        "login_hint": "ada@example.com",
        "ui_locales": "de-AT en",
        "acr_values": "phr phrh",
    }
    assert progress["state"] == "completed"


async def test_a_level_that_was_asked_for_and_not_reached_is_told_on_the_page_and_in_the_progress(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q5.14: A level that was asked for is checked."""
    provider.claims["acr"] = "pwd"
    page, progress = await signed_in(server_under_test, ASKED)
    assert "not as strongly as was asked for" in page.text
    assert (progress["state"], progress["error"]["code"]) == ("failed", "sign_in_refused")
    assert await server_under_test.state() == ("signed-out", None)


@pytest.mark.parametrize("wish", [{"acr_values": ["two words"]}, {"login_hint": "a\nb"}, {"ui_locales": "de"}])
async def test_what_cannot_be_sent_is_refused(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, wish: dict[str, Any]
) -> None:
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json=wish)
    assert (reply.status_code, reply.json()["code"]) == (400, "request_invalid")
    assert provider.received == []
