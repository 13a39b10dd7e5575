"""The raw client and the raw upstream run against each other, as the hostile tests need them."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.marker import MARKER
from tests.support.raw_client import NoReply, RawClient, RawConnection
from tests.support.raw_upstream import (
    BASE,
    RawUpstream,
    echo_token,
    half_close,
    keep_open,
    read_body,
    reply,
    reset,
    send,
    silence,
    slowly,
    wait_for,
)

TOKEN = MARKER + "some-access-token"


@pytest.fixture(scope="module")
def shared() -> Iterator[RawUpstream]:
    with RawUpstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(shared: RawUpstream) -> RawUpstream:
    shared.forget()
    shared.unscript()
    return shared


def connect(upstream: RawUpstream, request: bytes, *, watched: bool = True) -> RawConnection:
    parts = urlsplit(upstream.url)
    client = RawClient(f"{parts.scheme}://{parts.netloc}/", "", watched)
    connection = client.connect()
    connection.send(request)
    return connection


def get(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {BASE}{path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def happens(true: Callable[[], object]) -> bool:
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return bool(true())


def test_a_token_is_kept_as_its_digest_only(upstream: RawUpstream) -> None:
    with connect(upstream, get("x", f"Authorization: Bearer {TOKEN}", "Accept: a")) as connection:
        connection.reply()
    (call,) = upstream.calls
    assert call.bearer == hashlib.sha256(TOKEN.encode()).hexdigest()
    assert (MARKER.encode() in call.head, call.all("accept"), call.target) == (False, ["a"], "/v1/x")


def test_a_connection_serves_several_calls_and_is_counted_once(upstream: RawUpstream) -> None:
    with connect(upstream, get("a")) as connection:
        for path in ("b", "c"):
            connection.reply()
            connection.send(get(path))
        connection.reply()
    assert ([call.target for call in upstream.calls], upstream.connections) == (["/v1/a", "/v1/b", "/v1/c"], 1)


@pytest.mark.parametrize(
    ("framing", "body"),
    [("Content-Length: 5", b"hello"), ("Transfer-Encoding: chunked", b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")],
)
def test_a_body_is_read_as_its_framing_says(upstream: RawUpstream, framing: str, body: bytes) -> None:
    with connect(upstream, get("x", framing) + body) as connection:
        connection.reply()
    (call,) = upstream.calls
    assert (call.body_bytes, bytes(call.body), call.body_ended) == (5, b"hello", True)


def test_a_client_that_leaves_in_the_middle_is_noticed(upstream: RawUpstream) -> None:
    upstream.script("x", read_body(), reply())
    connection = connect(upstream, get("x", "Content-Length: 5") + b"he")
    assert happens(lambda: upstream.calls and upstream.calls[0].body_bytes == 2)
    connection.reset()
    assert happens(lambda: upstream.calls[0].closed_at)
    assert upstream.calls[0].body_ended is False


def test_a_client_that_leaves_a_silent_api_is_noticed(upstream: RawUpstream) -> None:
    upstream.script("x", silence())
    connection = connect(upstream, get("x"))
    assert happens(lambda: upstream.calls)
    connection.close()
    assert happens(lambda: upstream.calls[0].closed_at)


def test_a_script_is_played_byte_by_byte(upstream: RawUpstream) -> None:
    go = threading.Event()
    upstream.script("x", b"HTTP/1.1 200 OK\r\n", wait_for(go), slowly(b"Content-Length: 2\r\n\r\nok", 0.001))
    with connect(upstream, get("x")) as connection:
        assert connection.some() == b"HTTP/1.1 200 OK\r\n"
        go.set()
        assert connection.is_closed()


def test_a_reset_is_no_polite_end(upstream: RawUpstream) -> None:
    upstream.script("x", reset())
    with connect(upstream, get("x")) as connection, pytest.raises(NoReply):
        connection.reply()


def test_half_a_close_leaves_the_other_direction_open(upstream: RawUpstream) -> None:
    upstream.script("x", send(b"HTTP/1.1 200 OK\r\n\r\nall"), half_close(), read_body(), keep_open())
    with connect(upstream, get("x", "Content-Length: 5")) as connection:
        answer = connection.reply()
        connection.send(b"hello")
        assert (answer.body, happens(lambda: upstream.calls[0].body_ended)) == (b"all", True)


@pytest.mark.parametrize(
    ("sent", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", False),
    ],
)
def test_the_client_knows_a_whole_answer_from_half_of_one(upstream: RawUpstream, sent: bytes, whole: bool) -> None:
    upstream.script("x", sent)
    with connect(upstream, get("x")) as connection:
        answer = connection.reply()
    assert (answer.body, answer.whole) == (b"half", whole)


def test_what_comes_after_an_answer_is_the_next_answer(upstream: RawUpstream) -> None:
    upstream.script("x", b"HTTP/1.1 100 Continue\r\n\r\n" + reply("200 OK", b"one") + reply("201 Created", b"two"))
    with connect(upstream, get("x")) as connection:
        told = [(answer.status, answer.body) for answer in (connection.reply(), connection.reply(), connection.reply())]
    assert told == [(100, b""), (200, b"one"), (201, b"two")]


def test_a_token_is_echoed_only_where_a_test_asks_for_it(upstream: RawUpstream) -> None:
    upstream.script("x", echo_token(header="X-Echo"))
    with connect(upstream, get("x", f"Authorization: Bearer {TOKEN}"), watched=False) as connection:
        answer = connection.reply()
    echoed = answer.first("x-echo") == f"Bearer {TOKEN}"
    assert (echoed, MARKER.encode() in b"".join(call.head for call in upstream.calls)) == (True, False)
