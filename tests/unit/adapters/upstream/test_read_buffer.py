"""The read buffer grows for long replies after a read filled it, and shrinks again."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import aiohttp
import pytest

from jupyter_oidc.adapters.upstream.read_buffer import (
    LARGE_READ_BYTES,
    LARGE_READ_THRESHOLD_BYTES,
    ReadBuffer,
)
from jupyter_oidc.compat.event_loop import DEFAULT_READ_BYTES
from tests.support.peers import Peer, answer
from tests.unit.adapters.upstream.test_upstream_http import call, upstream

ENOUGH = LARGE_READ_THRESHOLD_BYTES // DEFAULT_READ_BYTES


class Room(aiohttp.StreamReader):
    """Reader that records how much room it was told to make."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def set_read_chunk_size(self, n: int) -> None:
        self.sizes.append(n)


class Asked(socket.socket):
    """Socket that records how many bytes it was asked for."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(fileno=connected.detach())
        self.sizes: list[int] = []

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        self.sizes.append(size)
        return super().recv(size, flags)


@pytest.mark.skipif(sys.platform == "win32", reason="the loop of Windows reads into a buffer of its own")
@pytest.mark.parametrize(
    ("seen", "asked"),
    [
        ([DEFAULT_READ_BYTES] * (ENOUGH - 1), DEFAULT_READ_BYTES),
        ([DEFAULT_READ_BYTES] * ENOUGH, LARGE_READ_BYTES),
        ([DEFAULT_READ_BYTES] * ENOUGH + [1], LARGE_READ_BYTES),
        ([DEFAULT_READ_BYTES - 1] * 2 * ENOUGH, DEFAULT_READ_BYTES),
        ([], DEFAULT_READ_BYTES),
    ],
    ids=["not much yet", "a good deal", "a good deal, and slower then", "a good deal slowly", "nothing"],
)
async def test_a_reply_that_has_brought_a_good_deal_is_read_in_long_pieces(seen: list[int], asked: int) -> None:
    """The test talks to asyncio's own transport; it fails if the transport no longer reads the value."""
    ours, theirs = socket.socketpair()
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    class Reader(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            arrived.put_nowait(data)

    with theirs:
        sock = Asked(ours)
        sock.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(Reader, sock=sock)
        read_buffer = ReadBuffer(transport, Room())
        for size in seen:
            read_buffer.count(size)
        theirs.send(b"1")
        await arrived.get()
        read_buffer.reset()
        read_buffer.reset()
        theirs.send(b"2")
        await arrived.get()
        transport.close()
    assert sock.sizes == [asked, DEFAULT_READ_BYTES]


def test_a_transport_of_another_kind_is_left_alone() -> None:
    transport = asyncio.Transport()
    room = Room()
    read_buffer = ReadBuffer(transport, room)
    read_buffer.count(2 * LARGE_READ_THRESHOLD_BYTES)
    read_buffer.reset()
    assert not hasattr(transport, "max_size")
    assert room.sizes == []


@pytest.mark.skipif(sys.platform == "win32", reason="the loop of Windows reads into a buffer of its own")
@pytest.mark.parametrize(
    ("size", "room"),
    [(LARGE_READ_THRESHOLD_BYTES // 2, DEFAULT_READ_BYTES), (2 * LARGE_READ_THRESHOLD_BYTES, LARGE_READ_BYTES)],
    ids=["not much", "a good deal"],
)
async def test_a_long_reply_gets_room_for_two_long_reads(size: int, room: int) -> None:
    """With less room, a pause would follow every long read."""
    replies: list[aiohttp.StreamReader] = []

    class Noting(ReadBuffer):
        def __init__(self, transport: Any, content: aiohttp.StreamReader) -> None:
            replies.append(content)
            super().__init__(transport, content)

    async with Peer(answer(body=b"x" * size)) as peer, upstream(Noting) as port:
        reply = await port.open(call(peer.url))
        # NOTE: one pass of the loop between two pieces, as a caller who is written to takes, lets full reads pile up.
        async for _ in reply.chunks():
            await asyncio.sleep(0.001)
    assert [content.get_read_buffer_limits() for content in replies] == [(room, 2 * room)]


async def test_a_reply_says_how_much_came_and_when_it_ended() -> None:
    told: list[int | str] = []

    class Told(ReadBuffer):
        def count(self, size: int) -> None:
            told.append(size)
            super().count(size)

        def reset(self) -> None:
            told.append("end")
            super().reset()

    async with Peer(answer(body=b"x" * 500_000)) as peer, upstream(Told) as port:
        reply = await port.open(call(peer.url))
        assert sum([len(piece) async for piece in reply.chunks()]) == 500_000
    assert told.pop() == "end"
    assert sum(size for size in told if isinstance(size, int)) == 500_000
