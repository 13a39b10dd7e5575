"""Who may answer whether another person takes over: a browser that is logged in to Jupyter and made this sign-in."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.desk import ROUTE, Desk, configured
from tests.support.form_sign_in import FormBrowser
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def eve(desk: Desk, *, logged_in: bool = True) -> tuple[FormBrowser, httpx.Response, str]:
    """Sign in as usual, then come back from the provider as Eve; return browser, page and flow."""
    await desk.sign_in()
    desk.provider.subject = "eve"
    browser = desk.provider.browser()
    if logged_in:
        await asyncio.to_thread(browser.open, f"{desk.url}login?token={desk.token}")
    started = (await desk.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    start = str(httpx.URL(desk.url).join(started["start_url"]))
    return browser, await asyncio.to_thread(browser.open, start), started["flow"]


async def person(desk: Desk) -> str:
    sub: str = (await desk.session())["user"]["sub"]
    return sub


async def test_a_click_changes_the_person_and_none_keeps_it(desk: Desk) -> None:
    """Q8.9."""
    before = desk.provider.subject
    browser, page, flow = await eve(desk)
    assert "Sign in as" in page.text, page.text
    assert await person(desk) == before
    end = await asyncio.to_thread(lambda: browser.submit(page, {"answer": "change"}))
    assert "You are signed in" in end.text, end.text
    assert await person(desk) == "eve"
    progress = (await desk.ask("GET", f"{ROUTE}/sign-in/{flow}")).json()
    assert progress["state"] == "completed"


async def test_who_stays_is_told_so(desk: Desk) -> None:
    """Q8.9."""
    before = desk.provider.subject
    browser, page, _ = await eve(desk)
    end = await asyncio.to_thread(lambda: browser.submit(page, {"answer": "keep"}))
    assert ("Nothing was changed" in end.text, await person(desk)) == (True, before)


async def test_a_browser_that_is_not_logged_in_to_jupyter_cannot_answer(desk: Desk) -> None:
    """Q8.9: as a kernel is that fetches pages; one that reads pages is led to Jupyter's login (Q5.12)."""
    before = desk.provider.subject
    browser, page, flow = await eve(desk, logged_in=False)
    assert (page.status_code, page.url.path.endswith("/login"), "instead?" in page.text) == (200, True, False)
    here = f"{desk.url}{ROUTE}/callback/person?flow={flow}"
    reply = await asyncio.to_thread(browser._walk, "POST", here, b"answer=change", desk.url, "")
    assert (reply.status_code, await person(desk)) == (403, before)


async def test_the_token_of_jupyter_is_no_login_of_a_browser(desk: Desk) -> None:
    """Q8.9: nor is a form without the browser's own XSRF token."""
    before = desk.provider.subject
    browser, _, flow = await eve(desk)
    path = f"{ROUTE}/callback/person?flow={flow}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    cookies = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
    reply = await desk.ask("POST", path, content="answer=change", headers={**form, "Cookie": cookies})
    forged = await asyncio.to_thread(browser._walk, "POST", desk.url + path, b"answer=change", desk.url, "")
    assert (reply.status_code, forged.status_code, await person(desk)) == (403, 403, before)


async def test_another_browser_that_is_logged_in_cannot_answer(desk: Desk) -> None:
    """Q8.9: the binding cookie is that of the browser that went to the provider."""
    before = desk.provider.subject
    _, _, flow = await eve(desk)
    other = desk.provider.browser()
    await asyncio.to_thread(other.open, f"{desk.url}login?token={desk.token}")
    page = await asyncio.to_thread(other.open, f"{desk.url}{ROUTE}/callback/person?flow={flow}")
    assert (page.status_code, await person(desk)) == (400, before)
