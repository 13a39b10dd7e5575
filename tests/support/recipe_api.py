"""Two APIs to try recipes on: orders (JSON, CSV, a large file in ranges, uploads, a feed), and chat completions.

The second is a stand-in for the API of that name which the ``openai`` SDK speaks: enough of it for a streamed answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.support.loop_thread import ServedInThread

if TYPE_CHECKING:
    from typing_extensions import Self

ITEMS = [{"id": 1, "title": "a book"}, {"id": 2, "title": "a lamp"}]
CSV = "id,title,price\n1,a book,12.5\n2,a lamp,40\n"
FILE = bytes(range(251)) * 16_000
"""About four megabytes in which every place looks different from its neighbours."""

WORDS = ("Hel", "lo ", "the", "re.")
PACE = 0.3
"""Seconds between two words of a streamed answer."""


@dataclass
class RecipeApi:
    """Context manager. Answers 401 to a token that ``accepts`` does not take; ``seen`` and ``sent`` are its accounts."""

    accepts: Callable[[str], bool]
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and ``Range`` of each request that was let in."""
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of chat completions."""
    sent: int = 0
    """Bytes of the large file."""

    def __post_init__(self) -> None:
        application = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._admit])
        application.router.add_get("/orders/items", self._items)
        application.router.add_get("/orders/orders.csv", self._csv)
        application.router.add_get("/orders/files/measurements.bin", self._file)
        application.router.add_get("/orders/files/part-{number}.csv", self._csv)
        application.router.add_put("/orders/files/{name}", self._upload)
        application.router.add_get("/orders/feed", self._feed)
        application.router.add_post("/models/chat/completions", self._chat)
        self._server = ServedInThread(application)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.__exit__(*reason)

    def url(self, name: str) -> str:
        """The base URL of ``orders`` or ``models`` for the settings."""
        return f"http://127.0.0.1:{self._server.port}/{name}/"

    @web.middleware
    async def _admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self.accepts(token):
            return web.json_response({"error": {"message": "No."}}, status=401)
        self.seen.append((request.method, request.path, request.headers.get("Range")))
        return await handler(request)

    async def _items(self, _: web.Request) -> web.Response:
        return web.json_response(ITEMS)

    async def _csv(self, _: web.Request) -> web.Response:
        return web.Response(text=CSV, content_type="text/csv")

    async def _file(self, request: web.Request) -> web.Response:
        """RFC 9110, 14.2: one range."""
        asked = request.http_range
        begin, end, _ = asked.indices(len(FILE))
        piece = FILE[begin:end]
        headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if asked.start is not None or asked.stop is not None:
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(FILE)}"
        if request.method != "HEAD":
            self.sent += len(piece)
        return web.Response(status=206 if "Content-Range" in headers else 200, body=piece, headers=headers)

    async def _upload(self, request: web.Request) -> web.Response:
        self.uploads[request.match_info["name"]] = await request.read()
        return web.Response(status=201)

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        feed = web.WebSocketResponse()
        await feed.prepare(request)
        await feed.send_str("order 1")
        await feed.close()
        return feed

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.asked.append(asked)
        if not asked.get("stream"):
            return web.json_response(_completion("chat.completion", message={"role": "assistant", "content": "Hello."}))
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        for word in WORDS:
            event = _completion("chat.completion.chunk", delta={"role": "assistant", "content": word})
            await reply.write(f"data: {json.dumps(event)}\n\n".encode())
            await asyncio.sleep(PACE)
        await reply.write(b"data: [DONE]\n\n")
        return reply


def _completion(kind: str, **choice: Any) -> dict[str, Any]:
    choices = [{"index": 0, "finish_reason": None, **choice}]
    return {"id": "chat-1", "object": kind, "created": 1_800_000_000, "model": "small", "choices": choices}
