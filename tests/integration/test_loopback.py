"""A listener for one sign-in (RFC 8252, 7.3): the requests that it takes and refuses, and its end (A33)."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from jupyter_oidc.adapters.network.loopback_sockets import listen_on_loopback
from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.server.route_handler import LoopbackHandler
from jupyter_oidc.web.access_rule import access_rule_of
from jupyter_oidc.web.redirects import require_browser_on_this_machine
from tests.support.canary import CANARY
from tests.support.form_sign_in import FormBrowser
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def provider() -> Any:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    config["JupyterOIDC"]["providers"]["corp"]["redirect_uri"] = "http://127.0.0.1/cb"
    return config


async def begin(server_under_test: ServerUnderTest, **wish: Any) -> tuple[str, str]:
    """Return the flow and the start address."""
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json=wish)
    assert reply.status_code == 201, reply.text
    started = reply.json()
    assert started["strategy"] == "loopback"
    return started["flow"], str(httpx.URL(server_under_test.url).join(started["start_url"]))


async def open_(browser: FormBrowser, url: str, **options: Any) -> httpx.Response:
    return await asyncio.to_thread(browser.open, url, **options)


async def listener(server_under_test: ServerUnderTest) -> tuple[str, str]:
    """Begin a sign-in and return the flow and where its listener wants the browser first."""
    flow, start = await begin(server_under_test)
    reply = await open_(server_under_test.provider.browser(), start, stop_at="http://127.0.0.1")
    return flow, reply.headers["location"]


async def fetch(url: str, method: str = "GET", **headers: str) -> int:
    """Return the status, or 0 if no server listens."""
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
        try:
            reply = await client.request(method, url, headers=headers)
        except httpx.TransportError:
            return 0
        CANARY.look_at_reply(reply)
        return reply.status_code


async def gone(url: str) -> bool:
    """Wait a moment for the listener to be gone."""
    for _ in range(40):
        if not await fetch(url):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_the_browser_comes_back_through_a_port_of_its_own_that_is_closed_afterwards(
    server_under_test: ServerUnderTest,
) -> None:
    flow, start = await begin(server_under_test)
    page = await open_(server_under_test.provider.browser(), start)
    assert "You are signed in" in page.text
    assert server_under_test.url in page.text  # the way back leads to JupyterLab, not to the listener
    (asked,) = [one.query for one in server_under_test.provider.received if one.endpoint == "authorize"]
    parts = urlsplit(asked["redirect_uri"])
    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/cb")
    assert parts.port != urlsplit(server_under_test.url).port
    assert (await server_under_test.state())[0] == "active"
    progress = (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{flow}")).json()
    assert progress["state"] == "completed"
    assert await gone(asked["redirect_uri"])
    assert len(server_under_test.context.loopback_listeners) == 0


async def test_nothing_listens_before_a_browser_came(server_under_test: ServerUnderTest) -> None:
    await begin(server_under_test)
    assert len(server_under_test.context.loopback_listeners) == 0


async def test_an_idle_connection_and_a_slow_one_hold_nobody_up(server_under_test: ServerUnderTest) -> None:
    """A33: sign-in completes in less than a second, and both are closed with the listener."""
    _, first = await listener(server_under_test)
    where = ("127.0.0.1", urlsplit(first).port or 0)
    idle, slow = socket.create_connection(where), socket.create_connection(where)
    slow.sendall(b"GET /cb HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    began = time.monotonic()
    page = await open_(server_under_test.provider.browser(), first)
    assert "You are signed in" in page.text
    assert time.monotonic() - began < 1
    assert await gone(first)
    for one in (idle, slow):
        one.settimeout(2)
        assert await asyncio.to_thread(one.recv, 100) == b""
        one.close()


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/", "GET", {}),
        ("/cb/", "GET", {}),
        ("/cb/../lab", "GET", {}),
        ("/api/kernels", "GET", {}),
        ("/lab?token=x", "GET", {}),
        ("/cb?code=c&state=s", "POST", {}),
        ("/cb?code=c&state=s", "HEAD", {}),
        ("/cb?code=c&state=s", "OPTIONS", {}),
        ("/cb?code=c&state=s", "GET", {"Host": "evil.example"}),
        ("/cb?code=c&state=s", "GET", {"Host": "localhost"}),
    ],
)
async def test_the_listener_knows_one_path_under_one_name(
    server_under_test: ServerUnderTest,
    caplog: pytest.LogCaptureFixture,
    path: str,
    method: str,
    headers: dict[str, str],
) -> None:
    """C33: no other host name, no other method, nothing of the Jupyter server, and no word in the log (D13)."""
    _, first = await listener(server_under_test)
    parts = urlsplit(first)
    caplog.clear()
    assert await fetch(f"{parts.scheme}://{parts.netloc}{path}", method, **headers) == 404
    assert "/cb" not in caplog.text
    assert len(server_under_test.context.loopback_listeners) == 1


async def test_the_word_is_good_once_and_for_nobody_who_guesses(server_under_test: ServerUnderTest) -> None:
    _, first = await listener(server_under_test)
    assert await fetch(first.replace("?start=", "?start=x")) == 400
    again = first
    reply = await open_(server_under_test.provider.browser(), first, stop_at=server_under_test.provider.issuer)
    assert reply.status_code == 302
    assert await fetch(again) == 400


async def test_an_answer_needs_the_state_and_the_cookie_of_the_browser_that_began(
    server_under_test: ServerUnderTest,
) -> None:
    """R-2, A4: a page or program that finds the port gets nothing and stops nothing."""
    _, first = await listener(server_under_test)
    browser = server_under_test.provider.browser()
    reply = await open_(browser, first, stop_at=server_under_test.provider.issuer)
    state = parse_qs(urlsplit(reply.headers["location"]).query)["state"][0]
    back = first.partition("?")[0]
    assert await fetch(f"{back}?code=stolen&state={state}") == 400
    assert await fetch(f"{back}?code=stolen&state=guessed") == 400
    assert await fetch(f"{back}?error=access_denied&state={state}") == 400
    assert server_under_test.provider.count("token") == 0
    page = await open_(browser, reply.headers["location"])
    assert "You are signed in" in page.text


async def test_another_page_cannot_close_the_listener_before_the_browser_has_read_its_last_page(
    server_under_test: ServerUnderTest,
) -> None:
    """A33: any page of any site may load an image from here; only the browser that signed in has seen the end."""
    flow, first = await listener(server_under_test)
    back = first.partition("?")[0]
    assert await fetch(f"{back}?flow=x") == 400
    assert await fetch(f"{back}?flow={flow}") == 200
    page = await open_(server_under_test.provider.browser(), first)
    assert "You are signed in" in page.text


async def test_who_begins_again_and_again_leaves_few_listeners_behind(server_under_test: ServerUnderTest) -> None:
    """A27: a sign-in that is dropped for a newer one does not keep its port."""
    for _ in range(40):
        await listener(server_under_test)
    assert len(server_under_test.context.loopback_listeners) <= 25


async def test_an_answer_counts_at_its_own_listener_only(server_under_test: ServerUnderTest) -> None:
    """RFC 9700, 4.4: not at the callback route, and not at the listener of another sign-in."""
    _, first = await listener(server_under_test)
    _, other = await listener(server_under_test)
    browser = server_under_test.provider.browser()
    reply = await open_(browser, first, stop_at=server_under_test.provider.issuer)
    back = await open_(browser, reply.headers["location"], stop_at="http://127.0.0.1")
    answer = urlsplit(back.headers["location"]).query
    for place in (other.partition("?")[0], f"{server_under_test.url}{ROUTE}/callback"):
        refused = await open_(browser, f"{place}?{answer}")
        assert (refused.status_code, refused.headers["X-OIDC-Error"]) == (400, "state_invalid")
    assert server_under_test.provider.count("token") == 0


@pytest.mark.parametrize("mutation", [{"iss": "https://evil.example"}, {"iss": None}])
async def test_another_issuer_is_refused_as_at_the_callback_route(
    server_under_test: ServerUnderTest, mutation: dict[str, Any]
) -> None:
    """A7: An answer from another issuer is not redeemed.

    R-5: An answer must come from the configured issuer.
    """

    def spoiled(answer: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**answer, **mutation}.items() if value is not None}

    server_under_test.provider.plan("authorize", mutate=spoiled)
    _, first = await listener(server_under_test)
    page = await open_(server_under_test.provider.browser(), first)
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (400, "issuer_mismatch")
    assert server_under_test.provider.count("token") == 0
    assert (
        f'href="{server_under_test.url}jupyter-oidc/start/' in page.text
    )  # trying again begins at JupyterLab's own address


async def test_a_cancelled_sign_in_closes_its_listener(server_under_test: ServerUnderTest) -> None:
    flow, first = await listener(server_under_test)
    next(iter(server_under_test.context.loopback_listeners)).last_page_shown.set()
    await server_under_test.ask("DELETE", f"{ROUTE}/sign-in/{flow}")
    assert await gone(first)


async def test_a_listener_that_nobody_uses_closes_by_itself(server_under_test: ServerUnderTest) -> None:
    flow, start = await begin(server_under_test)
    pending = server_under_test.services.pending.find(flow, "corp")
    pending.lifetime = 0.5
    reply = await open_(server_under_test.provider.browser(), start, stop_at="http://127.0.0.1")
    assert await gone(reply.headers["location"])


async def test_a_server_that_stops_closes_every_listener(server_under_test: ServerUnderTest) -> None:
    _, first = await listener(server_under_test)
    await server_under_test.context.aclose()
    assert not await fetch(first)


async def test_a_fixed_port_belongs_to_the_newest_sign_in(server_under_test: ServerUnderTest) -> None:
    """A user who closed the window and clicks again must not wait ten minutes for the port."""
    port = free_port()
    service = server_under_test.services.sessions.of_provider("corp")
    object.__setattr__(service.settings, "redirect_uri", f"http://127.0.0.1:{port}/cb")
    object.__setattr__(service.settings, "redirect_strategy", "loopback")
    old, _ = await listener(server_under_test)
    _, first = await listener(server_under_test)
    assert urlsplit(first).port == port
    progress = (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{old}")).json()
    assert progress["state"] == "cancelled"
    assert "You are signed in" in (await open_(server_under_test.provider.browser(), first)).text


@pytest.mark.parametrize(
    ("host", "peer"),
    [("hub.example.com", "127.0.0.1"), ("localhost:8888", "10.0.0.7"), ("localhost:8888", ""), ("evil", "x")],
)
def test_a_browser_elsewhere_gets_no_listener(host: str, peer: str) -> None:
    """It could not reach it, and something else at that port could take the answer."""
    with pytest.raises(ConfigurationInvalid, match="not on the machine"):
        require_browser_on_this_machine(host, peer)
    require_browser_on_this_machine("127.0.0.1:8888", "127.0.0.1")
    require_browser_on_this_machine("localhost:8888", "::1")


def test_a_port_that_somebody_has_is_not_shared() -> None:
    """Port squatting: neither we beside them, nor they beside us."""
    (ours,), port = listen_on_loopback("127.0.0.1", None)
    try:
        with pytest.raises(ConfigurationInvalid, match=f"Port {port} "):
            listen_on_loopback("127.0.0.1", port)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                other.bind(("127.0.0.1", port))
    finally:
        ours.close()


def test_localhost_is_taken_at_both_of_its_addresses() -> None:
    """A browser tries both, so no other process may listen at the other one."""
    sockets, port = listen_on_loopback("localhost", None)
    try:
        assert {one.getsockname()[0] for one in sockets} <= {"127.0.0.1", "::1"}
        assert len({one.getsockname()[1] for one in sockets}) == 1
        with pytest.raises(ConfigurationInvalid):
            listen_on_loopback("localhost", port)
    finally:
        for one in sockets:
            one.close()


def test_every_verb_of_the_listener_has_a_door() -> None:
    assert access_rule_of(LoopbackHandler.get) is not None
