"""Bodies that are large, slow, or without end: memory stays, pressure travels back, events travel on (C17, C26)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import time

import pytest

from tests.interop.hostile.real_environment import RealEnvironment, deaf, within
from tests.support.raw_upstream import (
    Conversation,
    RawUpstream,
    Received,
    forever,
    read_body,
    reply,
    send,
    silence,
    slowly,
)

MB = 1_000_000
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
IN_FLIGHT = 32 * MB
"""Bytes that buffers of sockets, the server and the test may hold; a collected body is many times as large."""


def memory(real_environment: RealEnvironment) -> int:
    """Resident bytes of the Jupyter server."""
    return int(real_environment.server.memory_info().rss)


def has_stopped(call: Received) -> bool:
    """Whether the API could send nothing more for half a second."""
    sent = call.sent
    time.sleep(0.5)
    return call.sent == sent > 0


def test_an_upload_waits_for_an_api_that_does_not_read(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C17: the client is slowed down, nothing is collected."""
    before = memory(real_environment)
    sent = 0
    with deaf(api, "deaf"), real_environment.raw.connect() as connection:
        connection.send(real_environment.raw.head("POST", "orders/deaf", "Content-Length: 500000000"))
        connection.plug.settimeout(1)
        try:
            while sent < 200 * MB:
                sent += connection.plug.send(b"x" * 65_536)
        except TimeoutError:
            pass
        assert sent < IN_FLIGHT
        assert memory(real_environment) - before < IN_FLIGHT
        assert real_environment.is_alive()


def test_a_download_waits_for_a_client_that_does_not_read(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C17: the API is slowed down, nothing is collected."""
    api.script("endless", send(b"HTTP/1.1 200 OK\r\n\r\n"), forever(b"x" * 65_536))
    before = memory(real_environment)
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/endless")):
        assert within(5, lambda: api.to("endless"))
        call = api.to("endless")[0]
        assert within(10, lambda: has_stopped(call))
        assert call.sent < IN_FLIGHT
        assert memory(real_environment) - before < IN_FLIGHT
        assert real_environment.is_alive()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_large_upload_arrives_whole_in_little_memory(
    real_environment: RealEnvironment, api: RawUpstream, framing: str
) -> None:
    """C17: Uploads of any size flow in constant memory."""
    api.script("large", read_body(), reply())
    before, piece = memory(real_environment), b"0123456789abcdef" * 4_096
    pieces = 100 * MB // len(piece)
    line = f"Content-Length: {pieces * len(piece)}" if framing == "length" else "Transfer-Encoding: chunked"
    with real_environment.raw.sent(real_environment.raw.head("POST", "orders/large", line)) as connection:
        connection.plug.settimeout(60)
        for _ in range(pieces):
            connection.send(piece if framing == "length" else b"%x\r\n%s\r\n" % (len(piece), piece))
        if framing == "chunks":
            connection.send(b"0\r\n\r\n")
        assert connection.reply("POST", patience=30).status == 200
    (call,) = api.to("large")
    assert (call.body_bytes, call.body_ended) == (pieces * len(piece), True)
    assert memory(real_environment) - before < 40 * MB


def test_a_large_download_arrives_whole_in_little_memory(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C17: Uploads of any size flow in constant memory."""
    piece = hashlib.sha256(b"seed").digest() * 2_048
    body = piece * (100 * MB // len(piece))
    api.script("large", reply("200 OK", body))
    before = memory(real_environment)
    answer = real_environment.raw.ask("GET", "orders/large", patience=60)
    assert (answer.whole, hashlib.sha256(answer.body).digest()) == (True, hashlib.sha256(body).digest())
    assert memory(real_environment) - before < 40 * MB


def test_an_upload_of_single_bytes_arrives_whole(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C7, C17: one chunk a byte, one packet a byte."""
    body = b"slowly but surely"
    with real_environment.raw.sent(
        real_environment.raw.head("POST", "orders/bytes", "Transfer-Encoding: chunked")
    ) as connection:
        for number in body:
            connection.slowly(b"1\r\n" + bytes([number]) + b"\r\n", 0.001)
        connection.send(b"0\r\n\r\n")
        assert connection.reply("POST").status == 200
    assert bytes(api.to("bytes")[0].body) == body


def test_a_request_head_of_single_bytes_is_a_request(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C16: slow is not hostile as long as it goes on."""
    with real_environment.raw.connect() as connection:
        connection.slowly(real_environment.raw.head("GET", "orders/slow"), 0.001)
        assert json.loads(connection.reply().body) == {"target": "/v1/slow"}


def test_an_answer_of_single_bytes_comes_down_as_it_comes(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C15, C26: not at its end."""
    api.script("bytes", send(CHUNKED), slowly(b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n", 0.05), silence())
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/bytes")) as connection:
        seen = b""
        while b"\r\nc\r\n" not in seen:
            seen += connection.some(patience=5)
    assert b"200 OK" in seen


@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson", "application/json"])
def test_each_event_arrives_within_fifty_milliseconds(
    real_environment: RealEnvironment, api: RawUpstream, kind: str
) -> None:
    """C26: the middle one of twenty, since the machine of a test may be busy."""

    async def events(talk: Conversation) -> None:
        for _ in range(20):
            line = b'{"sent": %.6f}\n' % time.monotonic()
            await talk.send(b"%x\r\n%s\r\n" % (len(line), line))
            await asyncio.sleep(0.03)
        await talk.send(b"0\r\n\r\n")

    api.script("events", send(CHUNKED.replace(b"text/event-stream", kind.encode())), events)
    waits, buffer = [], b""
    with real_environment.raw.sent(
        real_environment.raw.head("GET", "orders/events", "Connection: close")
    ) as connection:
        while piece := connection.some():
            now = time.monotonic()
            buffer += piece
            *lines, buffer = buffer.split(b"\n")
            waits += [now - json.loads(line)["sent"] for line in lines if line.startswith(b'{"sent"')]
    assert len(waits) == 20
    assert sorted(waits)[10] < 0.05


def test_a_stream_outlives_the_access_token(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C26: a refresh in the middle does not cut the stream."""
    api.script("stream", send(CHUNKED), forever(b"2\r\nx\n\r\n", 0.05))
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/stream")) as connection:
        assert connection.some()
        assert real_environment.post("refresh").status_code == 200
        assert real_environment.is_alive()
        connection.some()
        assert all(connection.some() for _ in range(10))


def test_many_slow_heads_do_not_keep_others_out(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C16: three hundred clients that never finish their request."""
    slow = [real_environment.raw.connect() for _ in range(300)]
    try:
        for connection in slow:
            connection.send(b"GET / HTTP/1.1\r\nX-Slow: ")
        begun = time.monotonic()
        assert real_environment.is_alive()
        assert time.monotonic() - begun < 2
    finally:
        for connection in slow:
            connection.plug.shutdown(socket.SHUT_RDWR)
            connection.close()
