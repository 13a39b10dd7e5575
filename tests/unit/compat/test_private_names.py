"""Each private name that ``compat`` uses is where it was: a library that moves one is noticed here, and not by a user."""

from __future__ import annotations

import asyncio
import importlib
import re
import ssl
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import truststore
from aiohttp import web
from aiohttp.test_utils import TestServer
from jupyter_events import EventLogger
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.services.contents.filemanager import AsyncFileContentsManager
from packaging.version import Version
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler, stream_request_body

from jupyter_oidc.compat import aiohttp as of_aiohttp
from jupyter_oidc.compat import event_loop, jupyter_events, jupyter_server
from jupyter_oidc.compat import tornado as of_tornado
from jupyter_oidc.compat import truststore as of_truststore
from tests.support.peers import Peer
from tests.support.polling import eventually

LIBRARIES = ("aiohttp", "jupyter_events", "jupyter_server", "tornado", "truststore")
SCHEMA = {
    "$id": "https://example.com/seen.yaml",
    "version": "1",
    "type": "object",
    "properties": {"n": {"type": "integer"}},
}


def series(number: str) -> tuple[int, ...]:
    """Return the part of a version within which names seldom move: two numbers before 1.0, else one."""
    parts = tuple(int(part) for part in number.split(".")[:2])
    return parts if parts[0] == 0 else parts[:1]


def seen(name: str) -> tuple[str, str]:
    """Return the oldest and the newest version of ``name`` in which its private names were looked at."""
    oldest, newest = importlib.import_module(f"jupyter_oidc.compat.{name}").SEEN
    return oldest, newest


def was_looked_at(number: str, versions: tuple[str, str]) -> bool:
    """Return whether version ``number`` is of a series between those of the oldest and newest of ``versions``."""
    oldest, newest = versions
    return series(oldest) <= series(number) <= series(newest)


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_installed_version_is_of_a_series_that_was_looked_at(name: str) -> None:
    assert was_looked_at(version(name), seen(name))


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_oldest_version_that_is_allowed_was_looked_at(name: str) -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    allowed = re.findall(rf'^  "{name}>=([0-9.]+)', project, re.MULTILINE)
    assert [Version(number) for number in allowed] == [Version(seen(name)[0])]


@pytest.mark.parametrize("number", ["0.10.9", "0.13.0", "1.0"])
def test_another_series_is_noticed(number: str) -> None:
    assert not was_looked_at(number, ("0.11.0", "0.12.1"))


@pytest.mark.parametrize("number", ["0.11.0", "0.11.7", "0.12.9"])
def test_every_version_between_is_allowed(number: str) -> None:
    assert was_looked_at(number, ("0.11.0", "0.12.1"))


async def test_a_reader_says_whether_data_wait_and_takes_a_limit_of_chunks() -> None:
    async with (
        Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody") as peer,
        aiohttp.ClientSession() as session,
        session.get(peer.url) as reply,
    ):
        await eventually(lambda: of_aiohttp.has_buffered_data(reply.content))
        of_aiohttp.limit_chunks(reply.content, 10)
        reader: Any = reply.content
        assert (reader._high_water_chunks, reader._low_water_chunks) == (10, 5)
        assert await reply.read() == b"body"
        assert not of_aiohttp.has_buffered_data(reply.content)


async def test_a_socket_knows_the_reply_that_opened_it() -> None:
    async def greet(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    application = web.Application()
    application.router.add_get("/", greet)
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession() as session,
        session.ws_connect(server.make_url("/")) as socket,
    ):
        handshake = of_aiohttp.handshake_of(socket)
        assert (handshake.status, handshake.connection is not None) == (101, True)


async def test_a_connector_uses_the_protocol_that_it_is_given_which_names_what_it_parses() -> None:
    seen: list[tuple[bool, bool, int | None]] = []

    class Looking(of_aiohttp.observable_protocol()):  # type: ignore[misc]
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            head = self.last_head
            seen.append((self.skips_payload, self.is_upgraded, head.code if head else None))
            self.close_after_reply()

    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    async with Peer(ok, ok + b"ok") as peer:
        connector = aiohttp.TCPConnector()
        of_aiohttp.use_protocol(connector, Looking)
        async with aiohttp.ClientSession(connector=connector) as session:
            await session.head(peer.url)
            await session.get(peer.url)
            assert [skips for skips, _, _ in seen][:1] == [True]
            assert [upgraded for _, upgraded, _ in seen] == [False] * len(seen)
            assert {code for _, _, code in seen} <= {200, None}
            assert 200 in {code for _, _, code in seen}
            assert not connector._conns, "close_after_reply keeps a connection out of the pool"


async def test_idle_connections_to_one_place_are_closed() -> None:
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(str(id(request.transport)).encode())
        if request.path == "/held":
            await release.wait()
        await reply.write_eof()
        return reply

    application = web.Application()
    application.router.add_get("/{name}", answer)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:

        async def get(name: str) -> str:
            async with session.get(server.make_url(name)) as reply:
                return await reply.text()

        async with session.get(server.make_url("/held")) as reply:
            connection = reply.connection
            assert connection is not None
            idle = await get("/next")
            assert await get("/next") == idle
            of_aiohttp.close_idle_connections(connection)
            assert await get("/next") != idle
            release.set()
            await reply.text()


async def test_a_response_is_told_of_each_interim_reply() -> None:
    counted: list[int] = []

    class Counting(of_aiohttp.response_with_interim_hook()):  # type: ignore[misc]
        def on_interim(self) -> None:
            counted.append(1)

    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    async with (
        Peer(early * 3 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as peer,
        aiohttp.ClientSession(response_class=Counting) as session,
        session.get(peer.url) as reply,
    ):
        assert (reply.status, len(counted)) == (200, 3)


@stream_request_body
class Impatient(RequestHandler):
    """Answers before the body is complete."""

    rests: list[Any]

    def initialize(self, rests: list[Any]) -> None:
        self.rests = rests

    def prepare(self) -> None:
        asyncio.get_running_loop().call_later(
            0.05, lambda: self.rests.append(of_tornado.end_body_wait(self.request, None))
        )

    def data_received(self, chunk: bytes) -> None:
        """Throw the body away."""

    async def post(self) -> None:
        of_tornado.close_after_reply(self.request)
        await self.finish("early")


async def test_a_verb_runs_before_its_body_is_complete_and_its_connection_ends() -> None:
    """One wait is ended, and another begins for whatever still arrives."""
    rests: list[Any] = []
    listening, port = bind_unused_port()
    server = HTTPServer(Application([("/", Impatient, {"rests": rests})]))
    server.add_sockets([listening])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nhalf")
    reply = await asyncio.wait_for(reader.readuntil(b"early"), 10)
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert [type(rest) for rest in rests] == [asyncio.Future], "of what would still have arrived"
    assert await asyncio.wait_for(reader.read(), 10) == b"", "the connection ends with the reply"
    writer.close()
    server.stop()


def test_an_event_logger_says_whether_an_event_would_reach_anything() -> None:
    events = EventLogger()
    events.register_event_schema(SCHEMA)
    before = jupyter_events.has_listeners(events, str(SCHEMA["$id"]))

    async def listen(logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        """Hear of nothing."""

    events.add_listener(schema_id=str(SCHEMA["$id"]), listener=listen)
    assert (before, jupyter_events.has_listeners(events, str(SCHEMA["$id"]))) == (False, True)
    assert hasattr(events, "_unmodified_listeners"), "not by the way out"


def test_jupyter_marks_open_verbs_by_the_attribute_that_ours_set() -> None:
    @allow_unauthenticated
    def verb(self: object) -> None:
        """Do nothing."""

    assert getattr(verb, jupyter_server.UNAUTHENTICATED_MARK) is True


def test_the_usual_store_of_notebooks_says_where_a_file_is(tmp_path: Path) -> None:
    contents = AsyncFileContentsManager(root_dir=str(tmp_path))
    assert jupyter_server.path_of_file(contents, "a/b.ipynb") == tmp_path / "a" / "b.ipynb"
    assert jupyter_server.path_of_file(object(), "a/b.ipynb") is None


def test_a_context_of_truststore_holds_one_of_openssl() -> None:
    inner = of_truststore.inner_context(truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert isinstance(inner, ssl.SSLContext)
    assert inner.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.skipif(sys.platform == "win32", reason="the loop of Windows reads in another way")
async def test_a_transport_of_asyncio_says_how_much_it_reads_and_can_be_told() -> None:
    async with Peer() as peer:
        port = int(peer.url.rsplit(":", 1)[1].strip("/"))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        said = [event_loop.read_bytes(writer.transport)]
        event_loop.set_read_bytes(writer.transport, 1_000)
        said.append(event_loop.read_bytes(writer.transport))
        event_loop.reset_read_bytes(writer.transport)
        said.append(event_loop.read_bytes(writer.transport))
        writer.close()
    assert said == [event_loop.DEFAULT_READ_BYTES, 1_000, event_loop.DEFAULT_READ_BYTES]
