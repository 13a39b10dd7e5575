"""What one connection to the broker may do: real sockets, with the parts of the real broker."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from jupyter_oidc.compat.aiohttp_server import counted_server
from tests.support.broker_under_test import BrokerUnderTest

HEAD = b"GET /health/live HTTP/1.1\r\nHost: broker\r\n"


@pytest.fixture
def broker(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[BrokerUnderTest]:
    """A broker without accounts; NOTE: the path of its socket has to be short."""

    def none(_: str) -> None:
        raise AssertionError("no request has an account")

    with tempfile.TemporaryDirectory(prefix="broker") as folder:
        made = BrokerUnderTest(Path(folder) / "socket", none)  # type: ignore[arg-type]
        made.head_seconds = 0.5
        serving = made.serving(jp_asyncio_loop)
        jp_asyncio_loop.run_until_complete(serving.__aenter__())
        yield made
        jp_asyncio_loop.run_until_complete(serving.__aexit__(None, None, None))


async def answer_to(broker: BrokerUnderTest, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send ``pieces``; return all that comes back until the connection ends, or a second passes without a byte."""
    reader, writer = await asyncio.open_unix_connection(str(broker.path))
    received = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        while more := await asyncio.wait_for(reader.read(65_536), 2):
            received += more
    except ConnectionError:
        return received + b"<reset>"
    except asyncio.TimeoutError:
        return received + b"<open>"
    finally:
        writer.close()
    return received + b"<end>"


async def test_an_ordinary_request_is_answered_and_the_connection_stays(broker: BrokerUnderTest) -> None:
    assert (await answer_to(broker, HEAD + b"\r\n")).endswith(b"ok\n<open>")


class Wire(asyncio.Transport):
    """The caller's end of a connection, which notes whether it was aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Throw the answer away."""

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True

    def close(self) -> None:
        """Close nothing."""

    def pause_reading(self) -> None:
        """Go on: what is written here comes anyway."""

    def resume_reading(self) -> None:
        """Go on."""


@pytest.mark.parametrize("takes_body", [True, False], ids=["taken", "refused early"])
async def test_a_long_body_is_no_head_whenever_it_comes(
    jp_asyncio_loop: asyncio.AbstractEventLoop, *, takes_body: bool
) -> None:
    """The task that takes a request begins after bytes of its body are there, and may end before the last ones are."""

    async def answer(request: web.BaseRequest) -> web.Response:
        if takes_body:
            await request.read()
        return web.Response()

    server, wire = web.Server(answer), Wire()
    connection = counted_server(server, lambda _: lambda: None)()
    connection.connection_made(wire)
    await asyncio.sleep(0)
    pieces = [b"x" * 60_000] * 12
    connection.data_received(b"POST / HTTP/1.1\r\nHost: b\r\nContent-Length: %d\r\n\r\n" % sum(map(len, pieces)))
    for piece in pieces:
        connection.data_received(piece)
        connection.data_received(b"")
        await asyncio.sleep(0)
        assert not wire.is_aborted
    connection.connection_lost(None)
    await server.shutdown(0.1)


async def test_a_head_that_does_not_end_in_time_ends_the_connection(broker: BrokerUnderTest) -> None:
    assert await answer_to(broker, HEAD) in (b"<end>", b"<reset>")
    assert await answer_to(broker) in (b"<end>", b"<reset>")


async def test_a_head_of_many_long_lines_ends_the_connection(broker: BrokerUnderTest) -> None:
    lines = [b"X-%d: %s\r\n" % (number, b"x" * 8_000) for number in range(30)]
    answer = await answer_to(broker, HEAD, *lines, b"\r\n", pause=0.005)
    assert b"200 OK" not in answer
    assert answer.endswith((b"<end>", b"<reset>"))


async def test_a_connection_may_bring_any_number_of_requests(broker: BrokerUnderTest) -> None:
    """Each head is counted for itself."""
    reader, writer = await asyncio.open_unix_connection(str(broker.path))
    head = HEAD + b"X-Filler: %s\r\n\r\n" % (b"x" * 8_000)
    for _ in range(40):
        writer.write(head)
        await writer.drain()
        answer = await asyncio.wait_for(reader.readuntil(b"ok\n"), 5)
        assert b" 200 " in answer
    writer.close()


async def test_a_head_without_an_end_behind_a_request_that_is_served_ends_the_connection(
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> None:
    """Otherwise one connection could hold as much as it likes while a page waits for a change."""
    served, release = asyncio.Event(), asyncio.Event()

    async def answer(_: web.BaseRequest) -> web.Response:
        served.set()
        await release.wait()
        return web.Response()

    server, wire = web.Server(answer), Wire()
    connection = counted_server(server, lambda _: lambda: None)()
    connection.connection_made(wire)
    connection.data_received(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n")
    await served.wait()
    connection.data_received(b"GET / HTTP/1.1\r\n")
    for number in range(40):
        connection.data_received(b"X-%d: %s\r\n" % (number, b"x" * 4_000))
    assert wire.is_aborted
    release.set()
    connection.connection_lost(None)
    await server.shutdown(0.1)


async def test_heads_that_are_sent_before_their_turn_end_the_connection(broker: BrokerUnderTest) -> None:
    answer = await answer_to(broker, (HEAD + b"\r\n") * 30)
    assert answer.count(b"200 OK") < 30
    assert answer.endswith((b"<end>", b"<reset>"))


async def test_a_head_that_is_no_http_is_refused_and_leaves_no_trace_in_the_log(
    broker: BrokerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    assert b" 400 " in await answer_to(broker, b"\x00\x01nonsense\r\n\r\n")
    assert "Traceback" not in caplog.text


async def test_a_handshake_that_is_no_get_reaches_nothing(broker: BrokerUnderTest) -> None:
    """The method that an API opens is judged by the one that was sent, and a handshake is sent on as a GET."""
    answer = await answer_to(
        broker,
        b"POST /jupyter-oidc/api/orders/x HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
    )
    assert b" 500 " in answer or b" 400 " in answer
    assert b"101" not in answer.split(b"\r\n")[0]
