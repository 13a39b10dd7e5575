"""WebSockets through the proxy, and the end of all that is open at a sign-out (C16, C27, S-5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web
from yarl import URL

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

SOCKET = "jupyter-oidc/api/orders/live"


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    orders = config["JupyterOIDC"]["providers"]["corp"]["apis"]["orders"]
    orders |= {"methods": ["GET", "HEAD", "POST"], "max_message_bytes": 65_536, "timeout_upload": 1.0}
    orders |= {"max_in_flight": 20}
    return config


class Live:
    """An API that answers every message with the same one, and remembers how it was called."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.closed: list[int | None] = []
        self.close_with = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        self.headers.append(dict(request.headers))
        socket = web.WebSocketResponse(protocols=["v2.live", "v1.live"], max_msg_size=0)
        await socket.prepare(request)
        if self.close_with:
            await socket.close(code=self.close_with)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(f"echo {message.data}")
            elif message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data * 2)
        self.closed.append(socket.close_code)
        return socket


@pytest.fixture
def live(upstream: Upstream) -> Live:
    live = Live()
    upstream.plan(*[live] * 10)
    return live


def at(server_under_test: ServerUnderTest, path: str = SOCKET) -> URL:
    return URL(server_under_test.url + path, encoded=True)


@asynccontextmanager
async def connected(
    server_under_test: ServerUnderTest, path: str = SOCKET, **rest: Any
) -> AsyncIterator[aiohttp.ClientWebSocketResponse[bool]]:
    headers = {"Authorization": f"token {server_under_test.token}"} | rest.pop("headers", {})
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(at(server_under_test, path), headers=headers, max_msg_size=0, **rest) as socket,
    ):
        yield socket


async def test_messages_pass_both_ways(
    server_under_test: ServerUnderTest, live: Live, provider: ScriptedProvider
) -> None:
    await server_under_test.sign_in()
    async with connected(server_under_test) as socket:
        for number in range(100):
            await socket.send_str(f"m{number}")
            assert await socket.receive_str() == f"echo m{number}"
        await socket.send_bytes(b"\x00\xff")
        assert await socket.receive_bytes() == b"\x00\xff\x00\xff"
    (token,) = live.tokens
    assert provider.accepts(token)
    sent = {name.lower() for name in live.headers[0]}
    assert not sent & {"cookie", "x-xsrftoken", "origin"}


async def test_the_api_chooses_the_subprotocol(server_under_test: ServerUnderTest, live: Live) -> None:
    await server_under_test.sign_in()
    async with connected(server_under_test, protocols=("v1.live", "v0.live")) as socket:
        assert socket.protocol == "v1.live"


async def refusal(server_under_test: ServerUnderTest, **rest: Any) -> tuple[int, str | None]:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with connected(server_under_test, **rest):
            pass
    assert caught.value.headers is not None
    return caught.value.status, caught.value.headers.get("X-OIDC-Error")


SOUND = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""A handshake (RFC 6455, 1.2)."""


@pytest.mark.parametrize(
    "wrong",
    [
        {"Connection": "keep-alive"},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": ""},
    ],
)
async def test_a_bad_handshake_is_the_callers_fault_and_no_token_goes_out_for_it(
    server_under_test: ServerUnderTest, live: Live, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.10: it was told as a defect of ours, after the API's socket had been opened with the token."""
    await server_under_test.sign_in()
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": f"token {server_under_test.token}", **SOUND, **wrong}
        reply = await client.get(server_under_test.url + SOCKET, headers=headers)
    assert (reply.status_code, reply.headers["X-OIDC-Error"], live.tokens) == (400, "request_invalid", [])
    assert "defect" not in caplog.text


async def test_a_socket_of_another_site_is_refused(server_under_test: ServerUnderTest, live: Live) -> None:
    """C27: 403, although the browser sends the login cookie along."""
    await server_under_test.sign_in()
    async with aiohttp.ClientSession() as session:
        login = await session.get(at(server_under_test, f"tree?token={server_under_test.token}"), allow_redirects=False)
        cookie = "; ".join(f"{one.key}={one.value}" for one in login.cookies.values())
        for headers in (
            {"Cookie": cookie, "Origin": "https://evil.example"},
            {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"},
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(at(server_under_test), headers=headers)
            assert caught.value.status == 403
    assert live.tokens == []


async def test_without_a_session_there_is_no_socket(server_under_test: ServerUnderTest, live: Live) -> None:
    """C27: 401, before anything is opened."""
    assert await refusal(server_under_test) == (401, "not_signed_in")
    assert live.tokens == []


async def test_a_stranger_gets_no_socket(server_under_test: ServerUnderTest, live: Live) -> None:
    await server_under_test.sign_in()
    status, _ = await refusal(server_under_test, headers={"Authorization": "token wrong"})
    assert status == 403
    assert live.tokens == []


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("jupyter-oidc/api/orders/../admin", (400, "bad_path")),
        ("jupyter-oidc/api/orders/%2e%2e/admin", (400, "bad_path")),
        ("jupyter-oidc/api/unknown/live", (404, "unknown_api")),
    ],
)
async def test_the_rules_of_the_proxy_hold_for_sockets(
    server_under_test: ServerUnderTest, live: Live, path: str, answer: tuple[int, str]
) -> None:
    """C1: A path leads to one place however read. C4: Unknown APIs and closed methods are refused here."""
    await server_under_test.sign_in()
    assert await refusal(server_under_test, path=path) == answer
    assert live.tokens == []


async def test_an_expired_token_is_refreshed_before_the_socket_opens(
    server_under_test: ServerUnderTest, live: Live, provider: ScriptedProvider
) -> None:
    """C27: WebSockets obey the rules of calls."""
    await server_under_test.sign_in()
    server_under_test.clock.ahead = 1_000.0
    before = provider.count("token")
    async with connected(server_under_test) as socket:
        await socket.send_str("x")
        assert await socket.receive_str() == "echo x"
    assert provider.count("token") - before == 1


async def test_a_token_that_the_api_refuses_is_refreshed_once(
    server_under_test: ServerUnderTest, upstream: Upstream, provider: ScriptedProvider
) -> None:
    """C11, for sockets; then the API's own status is passed on."""
    await server_under_test.sign_in()

    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})

    before = provider.count("token")
    upstream.plan(refuse, refuse)
    assert await refusal(server_under_test) == (401, None)
    assert provider.count("token") - before == 1


async def test_a_stronger_sign_in_is_asked_for_by_name(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    """C12, for sockets."""
    await server_under_test.sign_in()

    async def step_up(_: web.Request) -> web.StreamResponse:
        challenge = 'Bearer error="insufficient_user_authentication", acr_values="gold"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    upstream.plan(step_up)
    assert await refusal(server_under_test) == (401, "step_up_required")


async def test_a_status_of_the_api_is_passed_on(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    await server_under_test.sign_in()

    async def teapot(_: web.Request) -> web.StreamResponse:
        return web.Response(status=418, text="no socket here", headers={"Set-Cookie": "a=b"})

    upstream.plan(teapot)
    assert await refusal(server_under_test) == (418, None)


async def close_code(socket: aiohttp.ClientWebSocketResponse[bool], seconds: float = 5.0) -> int | None:
    message = await asyncio.wait_for(socket.receive(), seconds)
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
    return socket.close_code


async def test_a_sign_out_closes_open_sockets(server_under_test: ServerUnderTest, live: Live) -> None:
    """C27, S-5: with 4401, within five seconds."""
    await server_under_test.sign_in()
    async with connected(server_under_test) as one, connected(server_under_test) as other:
        await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})
        assert [await close_code(one), await close_code(other)] == [4401, 4401]
    for _ in range(100):
        if len(live.closed) == 2:
            break
        await asyncio.sleep(0.05)
    assert len(live.closed) == 2, "the API's side is closed too"


async def test_a_message_beyond_the_limit_closes_the_socket(server_under_test: ServerUnderTest, live: Live) -> None:
    """C27: 1009."""
    await server_under_test.sign_in()
    async with connected(server_under_test) as socket:
        await socket.send_bytes(b"x" * 65_537)
        assert await close_code(socket) == 1009


async def test_a_huge_message_is_not_read_to_its_end(server_under_test: ServerUnderTest, live: Live) -> None:
    """C27: a client that sends 16 MB without listening sees the connection close in the middle."""
    await server_under_test.sign_in()
    async with connected(server_under_test) as socket:
        with suppress(ConnectionError):
            await socket.send_bytes(b"x" * 16 * 1024 * 1024)
        assert await close_code(socket) in (1009, 1006)


async def test_a_message_of_the_api_beyond_the_limit_closes_the_socket(
    server_under_test: ServerUnderTest, live: Live
) -> None:
    await server_under_test.sign_in()
    async with connected(server_under_test) as socket:
        await socket.send_bytes(b"x" * 60_000)
        assert await close_code(socket) in (1009, 1011)


async def test_the_apis_reason_to_close_is_passed_on(server_under_test: ServerUnderTest, live: Live) -> None:
    live.close_with = 4000
    await server_under_test.sign_in()
    async with connected(server_under_test) as socket:
        assert await close_code(socket) == 4000


async def test_a_caller_that_leaves_closes_the_apis_side(server_under_test: ServerUnderTest, live: Live) -> None:
    """C18, for sockets."""
    await server_under_test.sign_in()
    async with connected(server_under_test) as socket:
        await socket.send_str("x")
        await socket.receive_str()
        await socket.close(code=4001)
    for _ in range(100):
        if live.closed:
            break
        await asyncio.sleep(0.02)
    assert live.closed == [4001]


async def test_only_so_many_sockets_are_open_at_once(
    server_under_test: ServerUnderTest, live: Live, upstream: Upstream
) -> None:
    """C28: 20 by the settings of this test, and closed ones make room."""
    upstream.plan(*[live] * 30)
    await server_under_test.sign_in()
    headers = {"Authorization": f"token {server_under_test.token}"}
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(at(server_under_test), headers=headers) for _ in range(20)]
        assert await refusal(server_under_test) == (503, "overloaded")
        await sockets[0].close()
        await asyncio.sleep(0.2)
        async with connected(server_under_test) as socket:
            await socket.send_str("x")
            assert await socket.receive_str() == "echo x"
        for one in sockets:
            await one.close()


async def test_a_sign_out_cuts_a_stream_that_is_flowing(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    """S-5: server-sent events end with the session, in the middle, so that it never looks complete."""
    await server_under_test.sign_in()

    async def events(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        while True:
            await reply.write(b"data: tick\n\n")
            await asyncio.sleep(0.02)

    upstream.plan(events)
    async with aiohttp.ClientSession(headers={"Authorization": f"token {server_under_test.token}"}) as session:
        reply = await session.get(at(server_under_test, "jupyter-oidc/api/orders/events"))
        for _ in range(5):
            assert b"tick" in await reply.content.readany()
        await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})
        with pytest.raises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(reply.content.read(), 5)


async def test_a_caller_that_stops_sending_is_told_so(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    """C16: 408 after a second, by the settings of this test, and the upstream call has ended."""
    await server_under_test.sign_in()

    async def stalls() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await asyncio.sleep(30)

    async with (
        aiohttp.ClientSession(headers={"Authorization": f"token {server_under_test.token}"}) as session,
        session.post(at(server_under_test, "jupyter-oidc/api/orders/items"), data=stalls()) as reply,
    ):
        assert (reply.status, reply.headers["X-OIDC-Error"]) == (408, "client_too_slow")
