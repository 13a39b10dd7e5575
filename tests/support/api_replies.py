"""Answers of an API of every shape, and the parts of a reply that do not depend on the way of its call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from aiohttp import web

from tests.support.upstream import Answer, refused

OF_ONE_CALL = ("date", "server", "content-length", "transfer-encoding", "x-oidc-request-id")
"""Headers that may differ between two replies to the same call."""


def says(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


def repeats() -> Answer:
    async def answer(_: web.Request) -> web.Response:
        reply = web.Response(text="x")
        for value in ("<a>; rel=next", "<b>; rel=prev"):
            reply.headers.add("Link", value)
        reply.headers.add("x-total", "1")
        reply.headers.add("X-TOTAL", "2")
        return reply

    return answer


def streams(*pieces: bytes, pause: float = 0.02) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        for piece in pieces:
            await asyncio.sleep(pause)
            await reply.write(piece)
        await reply.write_eof()
        return reply

    return answer


def breaks_off() -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "1000"})
        await reply.prepare(request)
        if request.method != "HEAD":
            await reply.write(b"half")
        await asyncio.sleep(0.05)
        assert request.transport is not None
        request.transport.abort()
        return reply

    return answer


REPLIES: dict[str, Callable[[], Answer]] = {
    "a small one": says,
    "nothing": lambda: says(body=b""),
    "no content": lambda: says(204, b""),
    "not modified": lambda: says(304, b"", ETag='"a"'),
    "created": lambda: says(201, Location="items/7"),
    "a redirect": lambda: says(302, Location="/v1/items/7"),
    "a redirect to elsewhere": lambda: says(302, Location="https://elsewhere.example.com/"),
    "forbidden": lambda: says(403, WWW_Authenticate='Bearer error="insufficient_scope", scope="orders.write"'),
    "a password prompt": lambda: says(403, WWW_Authenticate='Basic realm="x"'),
    "a fault of the API": lambda: says(500, b"oh"),
    "an unknown status": lambda: says(599, b"oh"),
    "what stays here": lambda: says(Set_Cookie="a=1", Server="x", X_OIDC_Error="none", Access_Control_Allow_Origin="*"),
    "repeated headers": repeats,
    "a compressed one": lambda: says(body=b"\x1f\x8b", Content_Encoding="gzip"),
    "pieces": lambda: streams(b"a", b"b" * 100_000, b"c"),
    "a large one": lambda: says(body=b"x" * 3_000_000),
    "a broken one": breaks_off,
    "a refused token": lambda: refuses_token,
}


async def refuses_token(_: web.Request) -> web.Response:
    """A 401 that no refresh mends."""
    return refused("Bearer", "invalid_token")


def told(reply: httpx.Response | Exception) -> object:
    """Return the parts of a reply that every way of a call must answer alike."""
    if isinstance(reply, Exception):
        return type(reply)
    headers = sorted((name, value) for name, value in reply.headers.multi_items() if name not in OF_ONE_CALL)
    body: Any = reply.content
    if "x-oidc-error" in reply.headers and body:
        body = {name: value for name, value in reply.json().items() if name != "request_id"}
    return reply.status_code, headers, body
