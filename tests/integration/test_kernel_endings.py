"""Every call of a kernel's grant ends with the kernel's run, and the grant is good at this machine only (Q8.12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from jupyter_oidc.clock import SystemClock
from jupyter_oidc.server.kernel_grants import proof_of
from tests.support.kernels import Kernels, grant_for
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream

EVENTS, LIVE, ITEMS = (f"jupyter-oidc/api/orders/{path}" for path in ("events", "live", "items"))
SECONDS = 8.0
"""Longer than the pause between two looks at the kernels, on a busy machine too."""


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def events(request: web.Request) -> web.StreamResponse:
    """Send server-sent events until the caller has gone."""
    reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await reply.prepare(request)
    with suppress(OSError, RuntimeError):
        while True:
            await reply.write(b"data: tick\n\n")
            await asyncio.sleep(0.02)
    return reply


async def echo(request: web.Request) -> web.StreamResponse:
    """Send every message back."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


async def swallow(request: web.Request) -> web.StreamResponse:
    """Read a body to its end, however long it is."""
    async for _ in request.content.iter_any():
        pass
    return web.Response()


def at(server_under_test: ServerUnderTest, path: str) -> URL:
    return URL(server_under_test.url + path, encoded=True)


def restart(kernels: Kernels) -> None:
    kernels.restart()


def end(kernels: Kernels) -> None:
    kernels.clear()


@asynccontextmanager
async def kernel_of(server_under_test: ServerUnderTest) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with the grant of a live kernel, whose person is signed in."""
    await server_under_test.sign_in()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {grant_for(server_under_test)}"}) as kernel:
        yield kernel


def kernels_of(server_under_test: ServerUnderTest) -> Kernels:
    return server_under_test.kernels


OVER = pytest.mark.parametrize("over", [restart, end])
BY = pytest.mark.parametrize("headers", [{}, {"Content-Length": "0"}], ids=["fast path", "handler"])


@OVER
@BY
async def test_a_stream_ends_with_the_run_of_its_kernel(
    server_under_test: ServerUnderTest,
    upstream: Upstream,
    over: Callable[[Kernels], None],
    headers: dict[str, str],
) -> None:
    """Q8.12: in the middle, so that it never looks complete."""
    upstream.plan(events)
    async with (
        kernel_of(server_under_test) as kernel,
        kernel.get(at(server_under_test, EVENTS), headers=headers) as reply,
    ):
        assert b"tick" in await reply.content.readany()
        over(kernels_of(server_under_test))
        with pytest.raises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(reply.content.read(), SECONDS)


async def test_a_stream_of_a_kernel_that_lives_on_flows_on(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """Q8.12: also when its grant has run out, since a kernel has another one by then."""
    upstream.plan(events)
    async with kernel_of(server_under_test) as kernel, kernel.get(at(server_under_test, EVENTS)) as reply:
        assert b"tick" in await reply.content.readany()
        server_under_test.context.grants._issued.clear()
        until = asyncio.get_running_loop().time() + 5.0
        while asyncio.get_running_loop().time() < until:
            assert b"tick" in await reply.content.readany()


@OVER
async def test_a_socket_ends_with_the_run_of_its_kernel(
    server_under_test: ServerUnderTest, upstream: Upstream, over: Callable[[Kernels], None]
) -> None:
    """Q8.12: a process that the kernel has started may still hold it."""
    upstream.plan(echo)
    async with kernel_of(server_under_test) as kernel, kernel.ws_connect(at(server_under_test, LIVE)) as socket:
        await socket.send_str("hello")
        assert (await socket.receive()).data == "hello"
        over(kernels_of(server_under_test))
        assert (await asyncio.wait_for(socket.receive(), SECONDS)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1001


async def test_an_upload_ends_with_the_run_of_its_kernel(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """Q8.12: an upload that is still being sent uses the grant's authority, too."""
    upstream.plan(swallow)

    async def without_end() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.05)

    async with kernel_of(server_under_test) as kernel:
        sending = asyncio.ensure_future(kernel.post(at(server_under_test, ITEMS), data=without_end()))
        await asyncio.sleep(0.5)
        restart(kernels_of(server_under_test))
        reply = await asyncio.wait_for(sending, SECONDS)
        assert (reply.status, reply.headers["X-OIDC-Error"]) == (401, "grant_invalid")


async def test_nothing_is_looked_at_while_no_kernel_has_anything_open(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    upstream.plan(events)
    async with kernel_of(server_under_test) as kernel:
        async with kernel.get(at(server_under_test, EVENTS)) as reply:
            await reply.content.readany()
            assert server_under_test.context.streams._timer is not None
        while server_under_test.context.streams._open:
            await asyncio.sleep(0.05)
        assert server_under_test.context.streams._timer is None


ELSEWHERE = {"X-Forwarded-For": "203.0.113.7"}


@BY
async def test_a_grant_is_good_at_this_machine_only(
    server_under_test: ServerUnderTest, http_server: Any, headers: dict[str, str]
) -> None:
    """Q8.12: one that has leaked is worth nothing elsewhere, whichever way a call takes."""
    http_server.xheaders = True
    async with kernel_of(server_under_test) as kernel:
        assert (await kernel.get(at(server_under_test, ITEMS), headers=headers)).status == 200
        reply = await kernel.get(at(server_under_test, ITEMS), headers=headers | ELSEWHERE)
        assert (reply.status, reply.headers["X-OIDC-Error"]) == (401, "grant_invalid")
        assert "allow_remote_kernels" in (await reply.json())["action"]


async def test_a_connection_key_is_good_at_this_machine_only(
    server_under_test: ServerUnderTest, http_server: Any
) -> None:
    http_server.xheaders = True
    now, nonce = int(SystemClock().now().wall), "m" * 22
    proof = {"kernel_id": "k1", "issued_at": now, "nonce": nonce}
    body = proof | {"proof": proof_of(b"a connection key", "k1", now, nonce)}
    async with kernel_of(server_under_test) as kernel:
        assert (
            await kernel.post(at(server_under_test, "jupyter-oidc/kernel/grant"), json=body, headers=ELSEWHERE)
        ).status == 401
        assert (await kernel.post(at(server_under_test, "jupyter-oidc/kernel/grant"), json=body)).status == 200


async def test_kernels_elsewhere_are_accepted_where_the_settings_say_so(
    server_under_test: ServerUnderTest, http_server: Any
) -> None:
    http_server.xheaders = True
    server_under_test.context.allow_remote_kernels = True
    async with kernel_of(server_under_test) as kernel:
        assert (await kernel.get(at(server_under_test, ITEMS), headers=ELSEWHERE)).status == 200
