"""The benchmark's client and API, run against each other: a failed call never becomes a number."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.bench.proxy.report import NotMeasured
from tests.bench.proxy.upstream import Upstream
from tests.bench.proxy.wire import Call, connect, download, events, exchange, upload

MIB = 1 << 20


@pytest.fixture
def api() -> Iterator[str]:
    ready: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        over = asyncio.Event()
        server = await asyncio.start_server(Upstream().serve, "127.0.0.1", 0)
        ready.set_result((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), over))
        await over.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    port, loop, over = ready.result(10)
    yield f"http://127.0.0.1:{port}/"
    loop.call_soon_threadsafe(over.set)
    thread.join(10)


@pytest.fixture
def peer() -> Iterator[tuple[Call, list[bytes]]]:
    """Run a server that sends the bytes that a test puts into the list, and closes the connection."""
    answers: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answers[0])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield Call(f"http://127.0.0.1:{listener.getsockname()[1]}/x", {}), answers
    thread.join(10)
    listener.close()


def test_an_upload_arrives_whole(api: str) -> None:
    assert upload(Call(api + "sink?rate=0", {}), 8 * MIB) < 30


def test_a_slow_sink_makes_the_sender_wait(api: str) -> None:
    """The sender has eight MiB, of which a few fit into the sockets; the sink reads twenty MiB a second."""
    began = time.monotonic()
    upload(Call(api + f"sink?rate={20 * MIB}", {}), 8 * MIB)
    assert time.monotonic() - began > 0.35


def test_every_event_says_when_it_was_written(api: str) -> None:
    stamps = list(events(Call(api + "events?count=5&every=0.01", {})))
    delays = [arrived - written for written, arrived in stamps]
    assert (len(stamps), min(delays) >= 0, stamps == sorted(stamps)) == (5, True, True)


def test_connections_that_bring_calls_are_counted_once_each(api: str) -> None:
    held, used = Call(api + "held?seconds=0", {}), Call(api + "used", {})
    with connect(held) as one, connect(held) as two, connect(used) as idle:
        for connection in (one, one, two):
            exchange(connection, held)
        assert [exchange(idle, used), exchange(idle, used)] == [b'{"used": 2}', b'{"used": 0}']


def test_a_body_of_the_announced_length_is_a_download(peer: tuple[Call, list[bytes]]) -> None:
    call, answers = peer
    answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")
    assert download(call, 4) < 30


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo", "A download ended after 2 of 4 bytes."),
        (b"HTTP/1.1 200 OK\r\n\r\nbo", "A download ended after 2 of 4 bytes."),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbo", "A download ended after 2 of 4 bytes."),
        (
            b"HTTP/1.1 502 Bad Gateway\r\nX-OIDC-Error: tls_untrusted\r\nContent-Length: 0\r\n\r\n",
            "A call was answered with 502 tls_untrusted.",
        ),
        (b"", "A connection ended without an answer."),
    ],
)
def test_an_answer_that_is_not_whole_is_no_download(peer: tuple[Call, list[bytes]], answer: bytes, reason: str) -> None:
    call, answers = peer
    answers.append(answer)
    with pytest.raises(NotMeasured) as caught:
        download(call, 4)
    assert str(caught.value) == reason


def test_an_upload_of_which_a_part_is_lost_is_no_upload(peer: tuple[Call, list[bytes]]) -> None:
    call, answers = peer
    answers.append(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"bytes":1}')
    with pytest.raises(NotMeasured):
        upload(call, MIB)


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotMeasured, match=f"Nothing answers at port {port}"):
        connect(Call(f"http://127.0.0.1:{port}/", {}))
