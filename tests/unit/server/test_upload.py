"""The queue between caller and upstream: the caller waits only while the queue has no room."""

from __future__ import annotations

import asyncio

from jupyter_oidc.problems import Problem
from jupyter_oidc.server.handlers.upload import MAX_WAITING_PIECES, Upload
from jupyter_oidc.settings import Api, Settings, read_settings


def api() -> Api:
    corp = {"issuer": "https://id.example.com", "client_id": "jupyter"}
    read = read_settings({"corp": {**corp, "apis": {"orders": {"base_url": "https://api.example.com/"}}}})
    assert isinstance(read, Settings)
    return read.providers[0].apis[0]


async def test_room_that_is_made_before_anybody_waits_for_it_is_not_missed() -> None:
    """C17: a lost wake-up would cost half a second a piece."""
    given_up: list[Problem] = []
    upload = Upload(api(), given_up.append)
    pieces = upload.pieces()
    offered = [upload.offer(b"piece") for _ in range(MAX_WAITING_PIECES + 1)]
    assert offered == [True] * MAX_WAITING_PIECES + [False]
    room = asyncio.ensure_future(upload.wait_for_room())
    assert await next_of(pieces) == b"piece"
    await asyncio.wait_for(room, 5)
    assert upload.offer(b"piece")
    upload.stop()
    assert given_up == []


async def test_there_is_no_room_before_something_was_taken() -> None:
    upload = Upload(api(), lambda _: None)
    while upload.offer(b"piece"):
        pass
    room = asyncio.ensure_future(upload.wait_for_room())
    done, _ = await asyncio.wait([room], timeout=0.05)
    upload.stop()
    room.cancel()
    assert not done


async def next_of(pieces: object) -> bytes:
    """Take the next piece at once, before anything else that is ready gets to run."""
    piece: bytes = await pieces.__anext__()  # type: ignore[attr-defined]
    return piece
