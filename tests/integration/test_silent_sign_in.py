"""A page that opens signs in without asking, where it may: once, by the way of any sign-in, and back to itself."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import httpx
import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

PERSON_WANTED = ("login_required", "interaction_required", "consent_required", "account_selection_required")
"""OpenID Connect Core 1.0, 3.1.2.6."""


@pytest.fixture
def changes() -> dict[str, Any]:
    """Settings of the provider that a test adds."""
    return {"silent_sign_in": "auto"}


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream, changes: dict[str, Any]) -> dict[str, Any]:
    config = configured(provider, upstream)
    config["JupyterOIDC"]["providers"]["corp"].update(changes)
    return config


def base_of(server_under_test: ServerUnderTest) -> str:
    """The base URL of the server, as it is written."""
    return httpx.URL(server_under_test.url).raw_path.decode("ascii")


async def may_try(server_under_test: ServerUnderTest) -> bool:
    """Whether a page that opens now is told to try."""
    (corp,) = (await server_under_test.ask("GET", "jupyter-oidc/providers")).json()["providers"]
    return "silent_sign_in" in corp


async def begin(server_under_test: ServerUnderTest, **wish: Any) -> httpx.Response:
    return await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={"silent": True, **wish})


async def page_opens(server_under_test: ServerUnderTest, at: str = "lab/tree/a.ipynb?x=1") -> str:
    """Open a page that tries, and return the browser's last address, or the page that it shows."""
    base = base_of(server_under_test)
    started = (await begin(server_under_test, next=base + at)).json()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    page = await asyncio.to_thread(
        lambda: server_under_test.provider.browser().open(start, stop_at=f"{server_under_test.url}lab")
    )
    return str(page.headers.get("location", page.text)).replace(base, "BASE/", 1)


def refuse_next(provider: ScriptedProvider, error: str) -> None:
    """Let the provider send the next browser back with ``error``."""
    provider.plan("authorize", mutate=lambda good: {"error": error, "state": good["state"], "iss": good["iss"]})


async def refusing(server_under_test: ServerUnderTest, error: str) -> str:
    refuse_next(server_under_test.provider, error)
    return await page_opens(server_under_test)


async def test_a_prompt_of_none_is_passed_on(server_under_test: ServerUnderTest, provider: ScriptedProvider) -> None:
    """Q10.3: OpenID Connect Core 1.0, 3.1.2.1."""
    started = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={"prompt": "none"})
    assert started.status_code == 201, started.text
    page = await asyncio.to_thread(
        provider.browser().open, str(httpx.URL(server_under_test.url).join(started.json()["start_url"]))
    )
    (asked,) = [one.query["prompt"] for one in provider.received if one.endpoint == "authorize"]
    assert ("You are signed in" in page.text, asked) == (True, "none")


async def test_whoever_tries_again_after_a_prompt_of_none_is_asked(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q10.3: the link on the page that tells of the failure leads to something that can succeed."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={"prompt": "none"})).json()
    refuse_next(provider, "login_required")
    browser = provider.browser()
    page = await asyncio.to_thread(browser.open, str(httpx.URL(server_under_test.url).join(started["start_url"])))
    assert "log in there" in page.text
    again = page.text.partition('href="')[2].partition('"')[0]
    await asyncio.to_thread(browser.open, str(httpx.URL(server_under_test.url).join(again)))
    assert [one.query.get("prompt") for one in provider.received if one.endpoint == "authorize"] == ["none", "consent"]


async def test_a_page_that_opens_is_signed_in_and_is_where_it_was(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q10.3: no page of ours in between, and nothing of the answer in the address (R-10)."""
    assert await may_try(server_under_test)
    assert await page_opens(server_under_test) == "BASE/lab/tree/a.ipynb?x=1"
    assert await server_under_test.state() == ("active", None)
    (asked,) = [one.query for one in provider.received if one.endpoint == "authorize"]
    assert (asked["prompt"], asked["code_challenge_method"], "nonce" in asked) == ("none", "S256", True)


@pytest.mark.parametrize("error", [*PERSON_WANTED, "server_error", "invalid_scope", "access_denied"])
async def test_a_page_that_is_not_signed_in_is_where_it_was_all_the_same(
    server_under_test: ServerUnderTest, error: str
) -> None:
    """Q10.3: and nothing is told of it; the button is there."""
    before = await server_under_test.session()
    assert await refusing(server_under_test, error) == "BASE/lab/tree/a.ipynb?x=1"
    assert await server_under_test.session() == before


async def test_nobody_tries_twice(server_under_test: ServerUnderTest) -> None:
    """Q10.3: another tab, or a browser that keeps nothing, makes no loop of it."""
    await refusing(server_under_test, "login_required")
    reply = await begin(server_under_test)
    assert (await may_try(server_under_test), reply.status_code) == (False, 400)
    server_under_test.clock.ahead = 601
    assert await may_try(server_under_test)


async def test_an_attempt_that_never_came_back_is_the_last_one(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q10.3: the person stands before the provider's error page, and must not land there each time."""
    provider.plan("authorize", status=400, body=b"unknown redirect_uri")
    assert "unknown redirect_uri" in await page_opens(server_under_test)
    server_under_test.clock.ahead = 3_600
    assert not await may_try(server_under_test)
    server_under_test.clock.ahead = 0
    await server_under_test.sign_in()
    server_under_test.provider.revoke_all()
    await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})
    assert (await server_under_test.state())[0] == "signed-out-expired"
    assert await may_try(server_under_test)


async def test_a_sign_out_is_not_undone_by_the_next_page(server_under_test: ServerUnderTest) -> None:
    """Q10.3: a user who signs out stays signed out until they click."""
    await server_under_test.sign_in()
    await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})
    server_under_test.clock.ahead = 3_600
    assert not await may_try(server_under_test)


@pytest.mark.parametrize(
    "next_path", ["https://evil.example/", "//evil.example/", "/other/place", "lab", "/\\evil.example", None]
)
async def test_a_page_comes_back_to_this_server_only(server_under_test: ServerUnderTest, next_path: str | None) -> None:
    """Q10.3, A29: the page's own ``next`` cannot lead to another server."""
    wish = {} if next_path is None else {"next": next_path}
    started = (await begin(server_under_test, **wish)).json()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    browser = server_under_test.provider.browser()
    left = await asyncio.to_thread(lambda: browser.open(start, stop_at=f"{server_under_test.url}{ROUTE}/callback"))
    end = await asyncio.to_thread(lambda: browser.open(left.headers["location"], stop_at=server_under_test.url))
    assert (end.status_code, end.headers["location"]) == (303, base_of(server_under_test))


async def test_another_browser_cannot_finish_it(server_under_test: ServerUnderTest) -> None:
    """Q10.3, A4: bound to the browser that began, like any sign-in."""
    started = (await begin(server_under_test)).json()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    left = await asyncio.to_thread(
        lambda: server_under_test.provider.browser().open(start, stop_at=f"{server_under_test.url}{ROUTE}/callback")
    )
    answer = left.headers["location"]
    page = await asyncio.to_thread(server_under_test.provider.browser().open, answer)
    assert (page.status_code, (await server_under_test.state())[0]) == (400, "signed-out")


async def test_another_person_than_before_is_asked_for(server_under_test: ServerUnderTest) -> None:
    """Q10.3, A26: also after the end of the session, since no click chooses another person."""
    await server_under_test.sign_in()
    server_under_test.provider.revoke_all()
    await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})
    assert (await server_under_test.state())[0] == "signed-out-expired"
    server_under_test.provider.subject = "eve"
    browser = server_under_test.provider.browser()
    await asyncio.to_thread(browser.open, f"{server_under_test.url}login?token={server_under_test.token}")
    started = (await begin(server_under_test)).json()
    page = await asyncio.to_thread(browser.open, str(httpx.URL(server_under_test.url).join(started["start_url"])))
    assert "You were signed in as" in page.text
    assert (await server_under_test.state())[0] == "signed-out-expired"
    await asyncio.to_thread(lambda: browser.submit(page, {"answer": "change"}, stop_at=server_under_test.url))
    assert (await server_under_test.session())["user"]["sub"] == "eve"


async def test_who_does_not_want_to_be_that_person_stays_out(server_under_test: ServerUnderTest) -> None:
    """Q10.3: A page may sign in silently, once. A26: Another person takes over only after a click."""
    await server_under_test.sign_in()
    server_under_test.provider.revoke_all()
    await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})
    server_under_test.provider.subject = "eve"
    browser = server_under_test.provider.browser()
    await asyncio.to_thread(browser.open, f"{server_under_test.url}login?token={server_under_test.token}")
    started = (await begin(server_under_test)).json()
    page = await asyncio.to_thread(browser.open, str(httpx.URL(server_under_test.url).join(started["start_url"])))
    end = await asyncio.to_thread(lambda: browser.submit(page, {"answer": "keep"}, stop_at=server_under_test.url))
    assert (end.status_code, end.headers["location"]) == (303, base_of(server_under_test))
    assert (await server_under_test.state())[0] == "signed-out-expired"


@pytest.mark.parametrize("more", [{"prompt": "login"}, {"api": "orders"}, {"strategy": "server"}])
async def test_a_silent_sign_in_takes_no_other_wish(server_under_test: ServerUnderTest, more: dict[str, str]) -> None:
    """Q10.3: A page may sign in silently, once."""
    assert (await begin(server_under_test, **more)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="nothing is said, and there is no Hub"),
        pytest.param({"silent_sign_in": "off"}, id="it is off"),
        pytest.param({"silent_sign_in": "auto", "prompt": "login"}, id="everybody has to log in"),
        pytest.param(
            {"silent_sign_in": "auto", "redirect_strategy": "paste", "redirect_uri": "http://127.0.0.1/cb"},
            id="the browser does not come back",
        ),
        pytest.param(
            {
                "silent_sign_in": "auto",
                "redirect_uri": "https://hub.example.com/jupyter-oidc/providers/corp/callback",
            },
            id="the browser comes back elsewhere",
        ),
    ],
)
async def test_no_page_tries_where_it_must_not(server_under_test: ServerUnderTest) -> None:
    """Q10.3: the page is not told to, and is refused."""
    assert (await may_try(server_under_test), (await begin(server_under_test)).status_code) == (False, 400)


async def test_pages_learn_beforehand_whether_there_is_anything_to_try(
    server_under_test: ServerUnderTest, jp_web_app: Any
) -> None:
    """Q10.3: no other page waits for an answer."""
    del server_under_test
    assert jp_web_app.settings["page_config_data"]["oidcSilentSignIn"] is True


async def callback_of(server_under_test: ServerUnderTest, browser: Any) -> str:
    """Begin, and return the address by which the provider sends ``browser`` back."""
    started = (await begin(server_under_test, next=base_of(server_under_test) + "lab/tree/a.ipynb")).json()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    left = await asyncio.to_thread(lambda: browser.open(start, stop_at=f"{server_under_test.url}{ROUTE}/callback"))
    return str(left.headers["location"])


@pytest.mark.parametrize("spoil", ["", "&more=%FF"], ids=["an answer", "no usable answer"])
async def test_a_page_that_comes_back_too_late_is_where_it_was(server_under_test: ServerUnderTest, spoil: str) -> None:
    """Q10.3: no error page stands in its place, and one that did come back is not the last."""
    browser = server_under_test.provider.browser()
    address = await callback_of(server_under_test, browser)
    server_under_test.clock.ahead = 61
    page = await asyncio.to_thread(lambda: browser.open(address + spoil, stop_at=f"{server_under_test.url}lab"))
    assert (page.status_code, page.headers.get("location")) == (303, base_of(server_under_test) + "lab/tree/a.ipynb")
    assert await server_under_test.state() == ("signed-out", None)
    server_under_test.clock.ahead = 700
    assert await may_try(server_under_test)


@pytest.mark.parametrize("changes", [{"silent_sign_in": "auto", "pushed_authorization_requests": "always"}])
async def test_a_page_does_not_leave_under_the_hands_of_somebody_who_works_in_it(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q10.3: it goes on after ten seconds, and a redirect that came then would discard the user's input."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/par"
        provider.advertise["pushed_authorization_request_endpoint"] = address
        began = time.monotonic()
        assert await page_opens(server_under_test) == "BASE/lab/tree/a.ipynb?x=1"
        assert 4 < time.monotonic() - began < 9
    server_under_test.clock.ahead = 601
    assert await may_try(server_under_test), "nobody was sent anywhere"
