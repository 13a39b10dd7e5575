"""The API of the soak: the caller can check every answer, to the byte."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tests.support.loop_thread import ServedInThread

if TYPE_CHECKING:
    from typing_extensions import Self

EVENTS = 10
PIECE = 65_536


def content(seed: int, size: int) -> bytes:
    """Return ``size`` bytes that belong to ``seed`` alone."""
    block = hashlib.sha256(str(seed).encode()).digest() * (PIECE // 32)
    return (block * (size // len(block) + 1))[:size]


class SoakApi:
    """Context manager. Answers to tokens that ``accepts``; ``stop`` and ``start`` kill and restart it."""

    def __init__(self, accepts: Callable[[str], bool]) -> None:
        self._accepts = accepts
        application = web.Application(client_max_size=1 << 30, middlewares=[self._guard])
        application.router.add_get("/v1/echo/{what}", self._echo)
        application.router.add_get("/v1/bytes/{seed}/{size}", self._bytes)
        application.router.add_post("/v1/digest", self._digest)
        application.router.add_get("/v1/events/{seed}", self._events)
        application.router.add_get("/v1/socket", self._socket)
        self._server = ServedInThread(application)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.__exit__(*reason)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.port}/v1/"

    def stop(self) -> None:
        """Close the port and cut every connection."""
        self._server.stop()

    def start(self) -> None:
        """Listen again, at the same port."""
        self._server.start()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[..., object]) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self._accepts(token):
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return web.json_response({"error": "invalid_token"}, status=401, headers=challenge)
        return await handler(request)  # type: ignore[misc, no-any-return]

    async def _echo(self, request: web.Request) -> web.Response:
        return web.json_response({"what": request.match_info["what"]})

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        seed, size = int(request.match_info["seed"]), int(request.match_info["size"])
        reply = web.StreamResponse(headers={"Content-Length": str(size)})
        await reply.prepare(request)
        body = content(seed, size)
        for start in range(0, size, PIECE):
            await reply.write(body[start : start + PIECE])
        return reply

    async def _digest(self, request: web.Request) -> web.Response:
        digest, size = hashlib.sha256(), 0
        async for piece in request.content.iter_any():
            digest.update(piece)
            size += len(piece)
        return web.json_response({"sha256": digest.hexdigest(), "size": size})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        for number in range(EVENTS):
            await reply.write(f"data: {request.match_info['seed']}-{number}\n\n".encode())
            await asyncio.sleep(0.05)
        return reply

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(f"echo {message.data}")
        return socket
