"""How an upload ends when the API, the caller and we have different ideas of it (C16, C18, C28)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from jupyter_oidc.proxy.headers import Headers
from jupyter_oidc.proxy.ports import UpstreamCall
from jupyter_oidc.server.handlers.upload import MAX_WAITING_PIECES
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream

PLACES = 2


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    orders = config["JupyterOIDC"]["providers"]["corp"]["apis"]["orders"]
    orders |= {"methods": ["GET", "POST"], "timeout_idle": 1.0, "timeout_upload": 1.0}
    orders |= {"max_in_flight": PLACES, "max_queue": 0}
    return config


class Whole:
    """A reply that is there at once."""

    status = 200
    headers: Headers = [("Content-Length", "2")]  # noqa: RUF012
    waiting = False
    ended = True

    def whole(self) -> bytes:
        return b"ok"

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"ok"

    def drop(self) -> None: ...


class FirstThen:
    """An API that takes the call in, does ``first``, and answers."""

    def __init__(self, first: Callable[[UpstreamCall], Any]) -> None:
        self.first = first
        self.calls = 0

    async def open(self, call: UpstreamCall) -> Whole:
        self.calls += 1
        if call.body is not None:
            await self.first(call)
        return Whole()

    async def open_socket(self, call: UpstreamCall, subprotocols: tuple[str, ...]) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None: ...


def behind(server_under_test: ServerUnderTest, api: FirstThen) -> None:
    """Let ``server_under_test`` call ``api`` and no real one."""
    server_under_test.extension.upstream = api


def begun(server_under_test: ServerUnderTest, length: int) -> socket.socket:
    """Begin an upload of ``length`` bytes that announces itself and sends one."""
    host, _, path = server_under_test.url.removeprefix("http://").partition("/")
    name, port = host.split(":")
    lines = [f"POST /{path}jupyter-oidc/api/orders/x HTTP/1.1", "Host: localhost", f"Content-Length: {length}"]
    plug = socket.create_connection((name, int(port)))
    plug.sendall("\r\n".join([*lines, f"Authorization: token {server_under_test.token}", "", "x"]).encode())
    return plug


async def test_an_api_that_stops_reading_before_the_very_end_is_given_up(server_under_test: ServerUnderTest) -> None:
    """C18: its last pieces wait, and only the end does not fit in any more; that is the API's fault and not ours."""

    async def forever(_: UpstreamCall) -> None:
        await asyncio.Event().wait()

    behind(server_under_test, FirstThen(forever))
    await server_under_test.sign_in()
    with begun(server_under_test, MAX_WAITING_PIECES) as plug:
        for _ in range(MAX_WAITING_PIECES - 1):
            await asyncio.sleep(0.1)
            plug.sendall(b"x")
        answer = await asyncio.wait_for(asyncio.to_thread(plug.recv, 4096), 5)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"upstream_timeout" in answer


async def test_an_answer_that_comes_as_the_patience_ends_leaves_no_place_behind(
    server_under_test: ServerUnderTest,
) -> None:
    """C16, C28: the loop is busy for a moment, and finds the answer and the timer at once."""

    async def at_the_last_moment(_: UpstreamCall) -> None:
        loop = asyncio.get_running_loop()
        there = loop.create_future()

        def answer() -> None:
            there.set_result(None)
            time.sleep(0.8)

        loop.call_later(0.5, answer)
        await there

    behind(server_under_test, FirstThen(at_the_last_moment))
    await server_under_test.sign_in()
    for _ in range(PLACES):
        with begun(server_under_test, 2) as plug:
            answer = await asyncio.wait_for(asyncio.to_thread(plug.recv, 4096), 5)
            assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 408 "))
    await asyncio.sleep(0.2)
    assert await server_under_test.call(1) == [200]


async def test_an_answer_that_comes_as_the_caller_leaves_leaves_no_place_behind(
    server_under_test: ServerUnderTest,
) -> None:
    """C18, C28: the loop hears of both in the same round."""
    plugs: list[socket.socket] = []

    async def as_the_caller_leaves(_: UpstreamCall) -> None:
        loop = asyncio.get_running_loop()
        there = loop.create_future()

        def leave() -> None:
            plugs[-1].close()
            loop.call_soon(there.set_result, None)

        loop.call_later(0.3, leave)
        await there

    api = FirstThen(as_the_caller_leaves)
    behind(server_under_test, api)
    await server_under_test.sign_in()
    for _ in range(PLACES):
        plugs.append(begun(server_under_test, 2))
        await asyncio.sleep(0.6)
    assert api.calls == PLACES
    assert await server_under_test.call(1) == [200]


async def test_an_upload_whose_caller_leaves_in_the_middle_is_counted(server_under_test: ServerUnderTest) -> None:
    """Q5.10: the call was made with the person's token, so the audit trail has it, whatever became of its caller."""

    def counted() -> float:
        labels = {"api": "orders", "caller": "browser", "outcome": "client_abort"}
        return REGISTRY.get_sample_value("jupyter_oidc_calls_total", labels) or 0.0

    async def forever(_: UpstreamCall) -> None:
        await asyncio.Event().wait()

    api = FirstThen(forever)
    behind(server_under_test, api)
    await server_under_test.sign_in()
    before = counted()
    with begun(server_under_test, 1_000):
        while not api.calls:
            await asyncio.sleep(0.01)
    while counted() == before:
        await asyncio.sleep(0.01)
    assert counted() == before + 1
