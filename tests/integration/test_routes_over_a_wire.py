"""The routes of a real server, with the border of the sessions on a wire (ADR 45).

What a route asks and gets crosses a socket as a line of JSON, as it would if the sessions lived in another process.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_oidc.sessions.api import SessionApi
from jupyter_oidc.sessions.local_api import LocalSessions
from tests.integration.test_another_person import eve, person
from tests.integration.test_sign_out_page import BACK, begin, browser_at, show, sign_out, the_form
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream
from tests.support.wire import ServedApi, sessions_over_wire


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(claims={"sid": "s-1"}) as provider:
        provider.offer_codes()
        yield provider


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    config["JupyterOIDC"]["providers"]["corp"]["post_logout_redirect_uri"] = BACK
    return config


@pytest.fixture
def wire(
    server_under_test: ServerUnderTest, tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[ServedApi]:
    """Put a wire between the routes of the server and its sessions."""
    context: Any = server_under_test.context
    services = context.services
    assert isinstance(services.session_api, LocalSessions)
    served, path = ServedApi(SessionApi, lambda: services.session_api), tmp_path / "border"
    context._services = replace(services, session_api=sessions_over_wire(path))
    serving = served.at(path)
    jp_asyncio_loop.run_until_complete(serving.__aenter__())
    yield served
    jp_asyncio_loop.run_until_complete(serving.__aexit__(None, None, None))


def asked(wire: ServedApi) -> list[str]:
    """Return the names of the methods that were asked, in order."""
    return [json.loads(line)["method"] for line in wire.lines[::2]]


async def test_a_sign_in_by_redirect_ends_in_a_session_that_calls_can_use(
    server_under_test: ServerUnderTest, wire: ServedApi, provider: ScriptedProvider
) -> None:
    """A-9: the browser's cookie is set and judged at one end, and what it binds stays at the other."""
    await server_under_test.sign_in()
    assert [name for name in asked(wire) if name not in ("every_settings", "settings")] == [
        "begin_sign_in",
        "use_ticket",
        "depart",
        "sign_in_of_state",
        "sign_in_of_state",
        "take_answer",
        "ended_sign_in",
    ]
    assert (await server_under_test.session())["user"]["name"] == "Example User"
    assert await server_under_test.call(2) == [200, 200]
    seen = [sum(secret in line for line in wire.lines) for secret in provider.issued()]
    assert sorted(seen)[-2:] == [0, 1], "the code, once, in the browser's answer, and no token"


async def test_an_answer_from_another_browser_is_refused_and_ends_nothing(
    server_under_test: ServerUnderTest, wire: ServedApi
) -> None:
    """R-2: the state alone is worth nothing."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    leaving = await server_under_test.ask("GET", str(httpx.URL(server_under_test.url).join(started["start_url"])))
    state = httpx.URL(leaving.headers["Location"]).params["state"]
    page = await server_under_test.ask("GET", f"{ROUTE}/callback?code=c&state={state}")
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (400, "state_invalid")
    progress = (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{started['flow']}")).json()
    assert (progress["state"], asked(wire)[-1]) == ("waiting", "sign_in")


async def test_a_question_about_another_person_is_put_and_answered(
    server_under_test: ServerUnderTest, wire: ServedApi
) -> None:
    """A26: the tokens of the other person wait at the end of the sessions."""
    browser, page, _ = await eve(server_under_test)
    assert "Sign in as" in page.text, page.text
    end = await asyncio.to_thread(lambda: browser.submit(page, {"answer": "change"}))
    assert "You are signed in" in end.text, end.text
    assert (await person(server_under_test), "question" in asked(wire), "answer_question" in asked(wire)) == (
        "eve",
        True,
        True,
    )


async def test_a_sign_out_leads_through_its_page_and_back(
    server_under_test: ServerUnderTest, wire: ServedApi, provider: ScriptedProvider
) -> None:
    """Q9.8: the ID token crosses the wire once, in the form for the provider."""
    async with browser_at(server_under_test) as tab:
        await begin(server_under_test, tab)
        id_token = next(one for one in reversed(provider.issued()) if one.count(".") == 2)
        address = await sign_out(tab)
        form = the_form(await show(tab, address))
        assert form.values("")["id_token_hint"] == id_token
        assert len([line for line in wire.lines if id_token in line]) == 1
        again = await show(tab, address)
        assert (again.status_code, again.headers["X-OIDC-Error"]) == (400, "state_invalid")
        back = f"{ROUTE}/signed-out?state={form.values('')['state']}"
        assert "You are signed out" in (await tab.get(back)).text
        assert "You are signed out" not in (await tab.get(back)).text


async def test_a_sign_in_by_code_is_shown_and_waited_for(
    server_under_test: ServerUnderTest, wire: ServedApi, provider: ScriptedProvider
) -> None:
    """A31: one call begins it, and one waits for its end."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={"strategy": "device"})).json()
    assert (started["start_url"], started["device"]["user_code"]) == (None, "WDJB-0000")
    waiting = asyncio.ensure_future(server_under_test.ask("GET", f"{ROUTE}/sign-in/{started['flow']}?wait=20"))
    provider.answer_code("WDJB-0000")
    assert (await waiting).json()["state"] == "completed"
    assert asked(wire) == ["begin_sign_in", "sign_in"]


async def test_a_refresh_answers_or_says_why_not(server_under_test: ServerUnderTest, wire: ServedApi) -> None:
    refused = await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})
    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
    await server_under_test.sign_in()
    server_under_test.clock.ahead += 15
    refreshed = await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})
    assert (refreshed.status_code, refreshed.json()["state"], asked(wire)[-1]) == (200, "active", "refresh")


async def test_a_summary_waits_for_a_change_and_has_an_entity_tag(
    server_under_test: ServerUnderTest, wire: ServedApi
) -> None:
    before = await server_under_test.ask("GET", f"{ROUTE}/session")
    path = f"{ROUTE}/session?sequence={before.json()['sequence']}&wait=20"
    same = await server_under_test.ask("GET", f"{ROUTE}/session", headers={"If-None-Match": before.headers["ETag"]})
    waiting = asyncio.ensure_future(server_under_test.ask("GET", path))
    await asyncio.sleep(0.2)
    assert (same.status_code, waiting.done()) == (304, False)
    await server_under_test.sign_in()
    after = await waiting
    assert (after.json()["state"], after.headers["ETag"] == before.headers["ETag"]) == ("signing-in", False)
    assert "summary" in asked(wire)


async def test_a_caller_that_hangs_up_cancels_its_call(
    server_under_test: ServerUnderTest, wire: ServedApi, tmp_path: Path
) -> None:
    """Nobody waits on for a caller that has gone."""
    del server_under_test
    api = sessions_over_wire(tmp_path / "border")
    sequence = (await api.summary("corp")).sequence
    waiting = asyncio.ensure_future(api.summary("corp", since=sequence, wait_seconds=60.0))
    await asyncio.sleep(0.2)
    waiting.cancel()
    await asyncio.sleep(0.2)
    assert wire.cancelled == 1
