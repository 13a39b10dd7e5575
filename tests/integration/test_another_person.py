"""Only a browser that is logged in to Jupyter and made this sign-in may answer whether another person takes over."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.form_sign_in import FormBrowser
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def eve(server_under_test: ServerUnderTest, *, logged_in: bool = True) -> tuple[FormBrowser, httpx.Response, str]:
    """Sign in as usual, then come back from the provider as Eve; return browser, page and flow."""
    await server_under_test.sign_in()
    server_under_test.provider.subject = "eve"
    browser = server_under_test.provider.browser()
    if logged_in:
        await asyncio.to_thread(browser.open, f"{server_under_test.url}login?token={server_under_test.token}")
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    return browser, await asyncio.to_thread(browser.open, start), started["flow"]


async def person(server_under_test: ServerUnderTest) -> str:
    sub: str = (await server_under_test.session())["user"]["sub"]
    return sub


async def test_a_click_changes_the_person_and_none_keeps_it(server_under_test: ServerUnderTest) -> None:
    """Q8.9: A kernel cannot replace the signed-in person."""
    before = server_under_test.provider.subject
    browser, page, flow = await eve(server_under_test)
    assert "Sign in as" in page.text, page.text
    # NOTE: without a referrer to its own server, a browser posts the form with `Origin: null`.
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert await person(server_under_test) == before
    end = await asyncio.to_thread(lambda: browser.submit(page, {"answer": "change"}))
    assert "You are signed in" in end.text, end.text
    assert await person(server_under_test) == "eve"
    progress = (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{flow}")).json()
    assert progress["state"] == "completed"


async def test_who_stays_is_told_so(server_under_test: ServerUnderTest) -> None:
    """Q8.9: A kernel cannot replace the signed-in person."""
    before = server_under_test.provider.subject
    browser, page, _ = await eve(server_under_test)
    end = await asyncio.to_thread(lambda: browser.submit(page, {"answer": "keep"}))
    assert ("Nothing was changed" in end.text, await person(server_under_test)) == (True, before)


async def test_a_browser_that_is_not_logged_in_to_jupyter_cannot_answer(server_under_test: ServerUnderTest) -> None:
    """Q8.9: as a kernel is that fetches pages; one that reads pages is led to Jupyter's login (Q5.12)."""
    before = server_under_test.provider.subject
    browser, page, flow = await eve(server_under_test, logged_in=False)
    assert (page.status_code, page.url.path.endswith("/login"), "instead?" in page.text) == (200, True, False)
    here = f"{server_under_test.url}{ROUTE}/callback/person?flow={flow}"
    reply = await asyncio.to_thread(browser._walk, "POST", here, b"answer=change", server_under_test.url, "")
    assert (reply.status_code, await person(server_under_test)) == (403, before)


async def test_the_token_of_jupyter_is_no_login_of_a_browser(server_under_test: ServerUnderTest) -> None:
    """Q8.9: nor is a form without the browser's own XSRF token."""
    before = server_under_test.provider.subject
    browser, _, flow = await eve(server_under_test)
    path = f"{ROUTE}/callback/person?flow={flow}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    cookies = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
    reply = await server_under_test.ask("POST", path, content="answer=change", headers={**form, "Cookie": cookies})
    forged = await asyncio.to_thread(
        browser._walk, "POST", server_under_test.url + path, b"answer=change", server_under_test.url, ""
    )
    assert (reply.status_code, forged.status_code, await person(server_under_test)) == (403, 403, before)


async def test_another_browser_that_is_logged_in_cannot_answer(server_under_test: ServerUnderTest) -> None:
    """Q8.9: the binding cookie is that of the browser that went to the provider."""
    before = server_under_test.provider.subject
    _, _, flow = await eve(server_under_test)
    other = server_under_test.provider.browser()
    await asyncio.to_thread(other.open, f"{server_under_test.url}login?token={server_under_test.token}")
    page = await asyncio.to_thread(other.open, f"{server_under_test.url}{ROUTE}/callback/person?flow={flow}")
    assert (page.status_code, await person(server_under_test)) == (400, before)
