"""Long reads for long replies: asked for when a usual read was full, and taken back."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import aiohttp
import pytest

from jupyter_oidc.adapters import upstream_http
from jupyter_oidc.adapters.read_buffer import A_GOOD_DEAL, LONG, USUAL, LongReads
from tests.unit.adapters.peers import Peer, answer
from tests.unit.adapters.test_upstream_http import call, upstream

ENOUGH = A_GOOD_DEAL // USUAL


class Room(aiohttp.StreamReader):
    """A reader that remembers for how much it was to make room."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def set_read_chunk_size(self, n: int) -> None:
        self.sizes.append(n)


class Asked(socket.socket):
    """A socket that remembers for how many bytes it was asked."""

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
        ([USUAL] * (ENOUGH - 1), USUAL),
        ([USUAL] * ENOUGH, LONG),
        ([USUAL] * ENOUGH + [1], LONG),
        ([USUAL - 1] * 2 * ENOUGH, USUAL),
        ([], USUAL),
    ],
    ids=["not much yet", "a good deal", "a good deal, and slower then", "a good deal slowly", "nothing"],
)
async def test_a_reply_that_has_brought_a_good_deal_is_read_in_long_pieces(seen: list[int], asked: int) -> None:
    """It is asyncio's own transport that is told so; if it no longer listens, this fails."""
    ours, theirs = socket.socketpair()
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    class Reader(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            arrived.put_nowait(data)

    with theirs:
        sock = Asked(ours)
        sock.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(Reader, sock=sock)
        reads = LongReads(transport, Room())
        for size in seen:
            reads.seen(size)
        theirs.send(b"1")
        await arrived.get()
        reads.end()
        reads.end()
        theirs.send(b"2")
        await arrived.get()
        transport.close()
    assert sock.sizes == [asked, USUAL]


def test_a_transport_of_another_kind_is_left_alone() -> None:
    transport = asyncio.Transport()
    room = Room()
    reads = LongReads(transport, room)
    reads.seen(2 * A_GOOD_DEAL)
    reads.end()
    assert not hasattr(transport, "max_size")
    assert room.sizes == []


@pytest.mark.skipif(sys.platform == "win32", reason="the loop of Windows reads into a buffer of its own")
@pytest.mark.parametrize(
    ("size", "room"), [(A_GOOD_DEAL // 2, USUAL), (2 * A_GOOD_DEAL, LONG)], ids=["not much", "a good deal"]
)
async def test_a_long_reply_gets_room_for_two_long_reads(monkeypatch: pytest.MonkeyPatch, size: int, room: int) -> None:
    """With less, every long read would be followed by a pause."""
    replies: list[aiohttp.StreamReader] = []

    class Noting(LongReads):
        def __init__(self, transport: Any, content: aiohttp.StreamReader) -> None:
            replies.append(content)
            super().__init__(transport, content)

    monkeypatch.setattr(upstream_http, "LongReads", Noting)
    async with Peer(answer(body=b"x" * size)) as peer, upstream() as port:
        reply = await port.open(call(peer.url))
        # NOTE: a turn of the loop between two pieces, as a caller who is written to takes, lets full reads pile up.
        async for _ in reply.chunks():
            await asyncio.sleep(0.001)
    assert [content.get_read_buffer_limits() for content in replies] == [(room, 2 * room)]


async def test_a_reply_says_how_much_came_and_when_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int | str] = []

    class Told(LongReads):
        def seen(self, size: int) -> None:
            told.append(size)
            super().seen(size)

        def end(self) -> None:
            told.append("end")
            super().end()

    monkeypatch.setattr(upstream_http, "LongReads", Told)
    async with Peer(answer(body=b"x" * 500_000)) as peer, upstream() as port:
        reply = await port.open(call(peer.url))
        assert sum([len(piece) async for piece in reply.chunks()]) == 500_000
    assert told.pop() == "end"
    assert sum(size for size in told if isinstance(size, int)) == 500_000
