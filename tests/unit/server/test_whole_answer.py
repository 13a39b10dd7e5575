"""A whole answer in one piece: the same bytes as tornado writes, the same refusals, the same back-pressure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.testing import bind_unused_port

from jupyter_oidc.server.whole_answer import write_whole_answer

LONG = b"x" * 30_000_000
"""More than the buffers of both sides of a connection hold."""


class Server:
    """Answers ``/tornado`` by tornado's own writing and ``/whole`` by ours, and counts the requests."""

    def __init__(self, status: int, reason: str, headers: list[tuple[str, str]], body: bytes | None) -> None:
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.left: list[object] = []
        self._answer = (status, headers, body)
        self._reason = reason

    def __call__(self, request: HTTPServerRequest) -> None:
        self.asked.append(request.path)
        connection: Any = request.connection
        status, headers, body = self._answer
        if request.path == "/tornado":
            head = HTTPHeaders()
            for name, value in headers:
                head.add(name, value)
            if body is not None and "Content-Length" not in head:
                head["Content-Length"] = str(len(body))
            connection.write_headers(ResponseStartLine("", status, self._reason), head, body)
            connection.finish()
            return
        try:
            if write_whole_answer(connection, status, headers, body) is None:
                self.left.append(request.path)
                connection.stream.close()
        except ValueError as error:
            self.errors.append(str(error))
            connection.stream.close()


@asynccontextmanager
async def served(server: Server) -> AsyncIterator[int]:
    listener, port = bind_unused_port()
    http = HTTPServer(server)
    http.add_socket(listener)
    try:
        yield port
    finally:
        http.stop()
        await http.close_all_connections()


async def received(port: int, path: str, method: str = "GET") -> bytes:
    """All bytes that come back for one request, up to a second one that asks for the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    first = await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.05)
    writer.write_eof()
    rest = await reader.read()
    writer.close()
    return first + rest


@pytest.mark.parametrize(
    ("method", "status", "reason", "headers", "body"),
    [
        ("GET", 200, "OK", [("Content-Type", "application/json"), ("ETag", '"a"'), ("X-OIDC-Held-Back", "X-A")], b"{}"),
        ("GET", 200, "OK", [("Content-Length", "2"), ("WWW-Authenticate", "Bearer"), ("x_odd-NAME", "1")], b"{}"),
        ("GET", 404, "Not Found", [("Content-Type", "text/plain"), ("X-Latin", "caf\xe9")], b""),
        ("GET", 299, "Unknown", [], b"{}"),
        ("GET", 204, "No Content", [("Date", "today")], None),
        ("GET", 304, "Not Modified", [("ETag", '"a"')], None),
        ("HEAD", 200, "OK", [("Content-Length", "17"), ("Content-Type", "text/plain")], None),
    ],
)
async def test_the_bytes_are_those_of_tornado(
    method: str, status: int, reason: str, headers: list[tuple[str, str]], body: bytes | None
) -> None:
    async with served(Server(status, reason, headers, body)) as port:
        assert await received(port, "/whole", method) == await received(port, "/tornado", method)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("Link", "</a>"), ("Link", "</b>")], b"{}"),
        ([("X-Page", "1"), ("x-page", "2")], b"{}"),
        ([("Content-Length", "3")], b"{}"),
        ([("Content-Length", "02")], b"{}"),
    ],
    ids=["a name that comes twice", "a name in two spellings", "another length", "an unusual length"],
)
async def test_what_is_unusual_is_left_to_tornado(headers: list[tuple[str, str]], body: bytes) -> None:
    """C19, C20: tornado refuses a body of another length than announced."""
    server = Server(200, "OK", headers, body)
    async with served(server) as port:
        with pytest.raises(asyncio.IncompleteReadError) as nothing:
            await received(port, "/whole")
    assert (server.left, nothing.value.partial) == (["/whole"], b"")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\r\n\r\n<html>"])
@pytest.mark.parametrize("where", ["name", "value"])
async def test_a_line_break_in_a_header_goes_nowhere(value: str, where: str) -> None:
    """C20: a caller gets the head of one answer, and none that an API has smuggled into it."""
    header = ("X-Page", value) if where == "value" else (value, "1")
    server = Server(200, "OK", [header], b"{}")
    async with served(server) as port:
        with pytest.raises(asyncio.IncompleteReadError) as nothing:
            await received(port, "/whole")
    assert (server.errors, nothing.value.partial) == (["a line break in a header"], b"")


async def test_the_next_request_waits_until_its_client_has_read_this_answer() -> None:
    """A client that asks and never reads would fill the memory of the server."""
    server = Server(200, "OK", [], LONG)
    async with served(server) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /whole HTTP/1.1\r\nHost: h\r\n\r\n" * 3)
        await asyncio.sleep(0.5)
        assert server.asked == ["/whole"]
        for number in (1, 2, 3):
            await reader.readuntil(b"\r\n\r\n")
            assert len(await reader.readexactly(len(LONG))) == 30_000_000
            assert len(server.asked) >= number
        writer.close()
    assert server.asked == ["/whole"] * 3


@pytest.mark.parametrize("path", ["/whole", "/tornado"])
async def test_a_client_that_leaves_before_it_has_read_ends_the_answer(path: str) -> None:
    """C18: nothing is raised where no code waits for it, and the call ends."""
    server = Server(200, "OK", [], LONG)
    async with served(server) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        await asyncio.sleep(0.2)
        writer.transport.abort()
        await asyncio.sleep(0.2)
    assert server.asked == [path]
