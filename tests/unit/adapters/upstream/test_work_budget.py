"""A flood of data from an API does not keep other work waiting, however small its pieces are (Q8.6, Q8.11).

The tests measure no time: between two steps of another coroutine, only so much of a stream may be handled.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstream, HttpUpstreamSocket
from jupyter_oidc.adapters.upstream.work_budget import MAX_CHUNKS_PER_TURN, MAX_MESSAGES_PER_TURN
from jupyter_oidc.proxy.ports import SocketRefused, UpstreamCall
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Api
from tests.support.raw_upstream import Conversation, RawUpstream, Step, forever, keep_open

ENOUGH = 20_000
"""Number of messages or bytes after which a test has seen enough of a flood."""

EMPTY_TEXT, PING, TEXT = b"\x81\x00", b"\x89\x00", b"\x81\x01x"
ONE_BYTE_CHUNK = b"1\r\nx\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def handshake(talk: Conversation) -> None:
    key = talk.received.all("Sec-WebSocket-Key")[0]
    digest = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    await talk.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    await talk.send(b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n")


def then(*frames: bytes) -> Step:
    async def step(talk: Conversation) -> None:
        for frame in frames:
            await talk.send(frame)

    return step


@pytest.fixture
def flooding() -> Iterator[RawUpstream]:
    with RawUpstream() as raw:
        yield raw


@asynccontextmanager
async def socket_at(raw: RawUpstream) -> AsyncIterator[HttpUpstreamSocket]:
    async with opened() as port:
        socket = await port.open_socket(call_of(raw, "live"), ())
        assert not isinstance(socket, SocketRefused)
        yield socket


@asynccontextmanager
async def opened() -> AsyncIterator[HttpUpstream]:
    port = HttpUpstream()
    try:
        yield port
    finally:
        await port.aclose()


def call_of(raw: RawUpstream, path: str) -> UpstreamCall:
    api = Api("orders", "corp", raw.url, allow_private_network=True)
    return UpstreamCall(api, "GET", raw.url + path, [], Secret("at-1"))


class Turns:
    """Coroutine that always wants to run, and counts how much of a stream was handled in between."""

    def __init__(self) -> None:
        self.handled = 0
        self.most = 0
        self._at_last_turn = 0

    def saw(self, amount: int) -> None:
        self.handled += amount

    async def run(self) -> None:
        while True:
            self.most = max(self.most, self.handled - self._at_last_turn)
            self._at_last_turn = self.handled
            await asyncio.sleep(0)


async def test_small_messages_without_end_leave_every_turn_to_others() -> None:
    """Q8.11: the API sends empty messages as fast as the network carries them."""
    turns = Turns()
    with RawUpstream() as raw:
        raw.script("live", handshake, forever(EMPTY_TEXT * 5_000))
        async with socket_at(raw) as socket:
            other = asyncio.ensure_future(turns.run())
            async for _ in socket.messages():
                turns.saw(1)
                if turns.handled >= ENOUGH:
                    break
            other.cancel()
            await socket.close(1001)
    assert 0 < turns.most <= MAX_MESSAGES_PER_TURN


async def test_pings_without_end_leave_every_turn_to_others(flooding: RawUpstream) -> None:
    """Q8.11: pings never reach the caller, and the budget counts them all the same."""
    flooding.script("live", handshake, forever(PING * 5_000), reads=False)
    async with socket_at(flooding) as socket:
        reading = asyncio.ensure_future(anext(socket.messages()))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        assert not reading.done()
        reading.cancel()
        await socket.close(1001)


async def test_chunks_of_one_byte_leave_every_turn_to_others(flooding: RawUpstream) -> None:
    """Q8.11: the client reads chunks of one byte a few hundred bytes at a time, and not all that has arrived."""
    flooding.script("feed", HEAD, forever(ONE_BYTE_CHUNK * 5_000))
    turns, first = Turns(), True
    async with opened() as port:
        reply = await port.open(call_of(flooding, "feed"))
        other = asyncio.ensure_future(turns.run())
        async for piece in reply.chunks():
            if not first:  # data that came together with the head was parsed before a limit applied
                turns.saw(len(piece))
            first = False
            if turns.handled >= ENOUGH:
                break
        other.cancel()
        reply.drop()
    assert 0 < turns.most <= 2 * MAX_CHUNKS_PER_TURN


@pytest.mark.parametrize("frame", [EMPTY_TEXT, PING, TEXT])
async def test_a_close_does_not_read_on_for_as_long_as_the_api_sends(flooding: RawUpstream, frame: bytes) -> None:
    """Q8.6: the close ends although the API never stops sending, long before its limit of five seconds."""
    flooding.script("live", handshake, forever(frame * 5_000), reads=False)
    async with socket_at(flooding) as socket:
        await anext(socket.messages()) if frame != PING else await asyncio.sleep(0.1)
        turns = 0
        closing = asyncio.ensure_future(socket.close(1001))
        while not closing.done() and turns < 1_000:
            await asyncio.sleep(0)
            turns += 1
        assert closing.done()


async def test_a_close_still_waits_for_the_goodbye_of_an_api_that_was_sending(flooding: RawUpstream) -> None:
    """C18: the client passes over data that was on its way, and reads the API's own close."""
    flooding.script("live", handshake, then(TEXT * 100, b"\x88\x02\x03\xe8"), keep_open())
    async with socket_at(flooding) as socket:
        await asyncio.sleep(0.1)
        await socket.close(1001)
        assert socket.close_code == 1000
