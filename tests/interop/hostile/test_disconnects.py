"""A side that leaves, at any point of a call, ends the other side too and harms no other call (C14, C18, C19)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.interop.hostile.real_environment import RealEnvironment, deaf, fill, within
from tests.support.raw_client import NoReply, RawConnection
from tests.support.raw_upstream import (
    RawUpstream,
    Step,
    forever,
    half_close,
    keep_open,
    pause,
    read_body,
    reply,
    reset,
    send,
    silence,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"400\r\n" + b"x" * 1_024 + b"\r\n"
LEAVING = {"politely": RawConnection.close, "with a reset": RawConnection.reset}


Leave = Callable[[RawConnection], None]


@pytest.fixture(params=list(LEAVING.values()), ids=list(LEAVING))
def leave(request: pytest.FixtureRequest) -> Leave:
    way: Leave = request.param
    return way


def closes_upstream(api: RawUpstream, path: str) -> bool:
    """Whether every call of ``path`` is ended within a second from now (the row's promise)."""
    return within(1.0, lambda: api.to(path) and all(call.closed_at for call in api.to(path)))


# -- the client leaves ---------------------------------------------------------------------------------------


def test_a_client_that_leaves_before_the_answer_ends_the_call(
    real_environment: RealEnvironment, api: RawUpstream, leave: Leave
) -> None:
    """C18: A caller that leaves ends the call."""
    api.script("silent", silence())
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/silent")) as connection:
        assert within(5, lambda: api.to("silent"))
        leave(connection)
    assert closes_upstream(api, "silent")


def test_a_client_that_leaves_in_the_middle_of_a_download_ends_it(
    real_environment: RealEnvironment, api: RawUpstream, leave: Leave
) -> None:
    """C18: A caller that leaves ends the call."""
    api.script("download", send(CHUNKED), forever(CHUNK, 0.01))
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/download")) as connection:
        assert connection.some()
        leave(connection)
    assert closes_upstream(api, "download")


def test_a_client_that_leaves_while_nothing_flows_ends_the_download(
    real_environment: RealEnvironment, api: RawUpstream, leave: Leave
) -> None:
    """C18: there is no write that could fail; only the client's end of the connection tells."""
    api.script("pausing", send(CHUNKED + CHUNK), silence())
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/pausing")) as connection:
        assert connection.some()
        leave(connection)
    assert closes_upstream(api, "pausing")


def test_a_client_that_leaves_without_having_read_ends_the_download(
    real_environment: RealEnvironment, api: RawUpstream, leave: Leave
) -> None:
    """C18: the answer is stuck in full buffers when the client goes."""
    api.script("stuck", send(CHUNKED), forever(CHUNK * 64))
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/stuck")) as connection:
        assert within(5, lambda: api.to("stuck"))
        time.sleep(0.5)
        leave(connection)
    assert closes_upstream(api, "stuck")


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_a_client_that_leaves_in_the_middle_of_an_upload_never_finishes_it(
    real_environment: RealEnvironment, api: RawUpstream, leave: Leave, framing: str
) -> None:
    """C18: the API sees an end in the middle, not a short body."""
    api.script("upload", read_body(), reply())
    piece = b"x" * 1_000 if framing.startswith("Content") else b"3e8\r\n" + b"x" * 1_000 + b"\r\n"
    with real_environment.raw.sent(
        real_environment.raw.head("POST", "orders/upload", framing) + piece * 10
    ) as connection:
        assert within(5, lambda: api.to("upload") and api.to("upload")[0].body_bytes == 10_000)
        leave(connection)
    assert closes_upstream(api, "upload")
    assert [call.body_ended for call in api.to("upload")] == [False]


def test_a_client_that_leaves_while_the_api_does_not_read_ends_the_upload(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C18: the connection to the API is closed and its place is free, although nothing could be written to it.

    A client that leaves politely is not noticed behind what it has still to send; see ``timeout_idle`` in test_limits.
    """
    before = real_environment.links(api)
    with deaf(api, "deaf"), real_environment.raw.connect() as connection:
        connection.send(real_environment.raw.head("POST", "orders/deaf", "Content-Length: 100000000"))
        fill(connection)
        connection.reset()
        assert within(2, lambda: real_environment.links(api) <= before)


def test_a_hundred_clients_that_leave_take_nothing_with_them(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C18: their places in the pool are free again at once."""
    api.script("crowd", silence())
    connections = [real_environment.raw.connect() for _ in range(120)]
    for connection in connections:
        connection.send(real_environment.raw.head("GET", "orders/crowd"))
    assert within(5, lambda: len(api.to("crowd")) >= 100)
    for connection in connections:
        connection.reset()
    assert within(3, lambda: all(call.closed_at for call in api.to("crowd")))
    assert real_environment.is_alive()


def test_half_a_close_gets_an_answer_or_ends_the_call(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C18: a server may take it for a whole one, but then the API hears of it."""
    api.script("half", pause(1.5), reply("200 OK", b"late"))
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/half")) as connection:
        assert within(5, lambda: api.to("half"))
        connection.plug.shutdown(socket.SHUT_WR)
        try:
            assert connection.reply().body == b"late"
        except NoReply:
            assert closes_upstream(api, "half")


# -- the API leaves ------------------------------------------------------------------------------------------

ENDS = {
    "a reset": (send(CHUNKED + CHUNK), pause(0.1), reset()),
    "a close inside a chunk": (send(CHUNKED + b"400\r\nhalf"),),
    "a close between chunks": (send(CHUNKED + CHUNK),),
    "a close before the length": (send(HEAD + b"Content-Length: 2048\r\n\r\n" + b"x" * 1_024),),
    "half a close": (send(CHUNKED + CHUNK), half_close(), silence()),
    "a reset before the length": (send(HEAD + b"Content-Length: 2048\r\n\r\nx"), pause(0.1), reset()),
}


def old(request: bytes) -> bytes:
    """Return ``request`` as a client of HTTP/1.0 would send it."""
    return request.replace(b"HTTP/1.1", b"HTTP/1.0", 1)


@pytest.mark.parametrize("steps", ENDS.values(), ids=ENDS)
def test_an_answer_that_breaks_off_never_ends_cleanly(
    real_environment: RealEnvironment, api: RawUpstream, steps: tuple[Step | bytes, ...]
) -> None:
    """C19: the client misses the end of the body."""
    api.script("breaks", *steps)
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/breaks")) as connection:
        try:
            assert connection.reply().whole is False
        except NoReply:
            return
        assert connection.is_closed(patience=2)
    assert real_environment.is_alive()


@pytest.mark.parametrize("kept", [[], ["Connection: keep-alive"]], ids=["closing", "keep-alive"])
@pytest.mark.parametrize("end", ENDS)
def test_an_answer_that_breaks_off_never_ends_politely_for_an_old_client(
    real_environment: RealEnvironment, api: RawUpstream, end: str, kept: list[str]
) -> None:
    """C19: a client of HTTP/1.0 takes the end of the connection for that of the body, unless there is a length."""
    api.script("breaks", *ENDS[end])
    with real_environment.raw.sent(old(real_environment.raw.head("GET", "orders/breaks", *kept))) as connection:
        if not end.endswith("the length"):
            assert connection.is_reset(patience=5)
            return
        try:
            assert connection.reply().whole is False
        except NoReply:
            return
        assert connection.is_closed(patience=2)


@pytest.mark.parametrize("kept", [[], ["Connection: keep-alive"]], ids=["closing", "keep-alive"])
def test_an_old_client_learns_where_an_answer_ends(
    real_environment: RealEnvironment, api: RawUpstream, kept: list[str]
) -> None:
    """RFC 9112, 6.3: without a length it is the end of the connection, also of one that was to be kept."""
    api.script("pieces", send(CHUNKED + CHUNK), pause(0.2), send(CHUNK + b"0\r\n\r\n"), keep_open())
    with real_environment.raw.sent(old(real_environment.raw.head("GET", "orders/pieces", *kept))) as connection:
        assert connection.reply(patience=5).body == b"x" * 2_048


BEFORE_THE_HEAD = {"a reset": (reset(),), "a close": (), "half a head": (send(HEAD), reset())}


@pytest.mark.parametrize("steps", BEFORE_THE_HEAD.values(), ids=BEFORE_THE_HEAD)
def test_an_api_that_goes_before_it_answers_is_unreachable(
    real_environment: RealEnvironment, api: RawUpstream, steps: tuple[Step | bytes, ...]
) -> None:
    """C14: in our words; a GET may be tried once more, since it changes nothing."""
    api.script("gone", *steps)
    answer = real_environment.raw.ask("GET", "orders/gone")
    assert (answer.status, answer.code) == (502, "upstream_unreachable")
    assert len(api.to("gone")) <= 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_call_that_may_have_had_an_effect_is_never_made_twice(
    real_environment: RealEnvironment, api: RawUpstream, method: str
) -> None:
    """C14: not even on a connection that was used before, where a client library likes to try again."""
    api.script("warm", read_body(), reply(), keep_open())
    api.script("dies", read_body(), reset())
    for body in (b"", b"hello"):
        api.forget()
        assert real_environment.raw.ask("GET", "orders/warm").status == 200
        answer = real_environment.raw.ask(method, "orders/dies", body=body)
        assert (answer.status, answer.code, len(api.to("dies"))) == (502, "upstream_unreachable", 1)


@pytest.mark.parametrize("framing", ["Content-Length: 3000", "Transfer-Encoding: chunked"])
def test_an_upload_never_arrives_without_its_beginning(
    real_environment: RealEnvironment, api: RawUpstream, framing: str
) -> None:
    """C14, C30: PUT may be repeated by its nature, but a body that flowed by is gone."""
    api.script("warm", read_body(), reply(), keep_open())
    api.script("dies", pause(0.3), reset())
    assert real_environment.raw.ask("GET", "orders/warm").status == 200
    pieces = [b"1" * 1_000, b"2" * 1_000, b"3" * 1_000]
    with real_environment.raw.sent(real_environment.raw.head("PUT", "orders/dies", framing)) as connection:
        for piece in pieces:
            connection.send(piece if framing.startswith("Content") else b"3e8\r\n" + piece + b"\r\n")
            time.sleep(0.2)
        if not framing.startswith("Content"):
            connection.send(b"0\r\n\r\n")
        assert connection.reply("PUT").code == "upstream_unreachable"
    assert [bytes(call.body[:1]) for call in api.to("dies")] == [b"1"]


def test_an_answer_that_breaks_http_ends_an_upload_that_is_stuck(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C18, C20: with everything that was still to be sent."""
    before = real_environment.links(api)
    broken = HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
    with deaf(api, "broken", pause(2.5), broken), real_environment.raw.connect() as connection:
        connection.send(real_environment.raw.head("POST", "orders/broken", "Content-Length: 100000000"))
        with suppress(ConnectionError):
            fill(connection)
        assert within(5, lambda: real_environment.links(api) <= before)


def test_a_connection_that_went_stale_is_not_the_callers_problem(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C14: the API closed it between two calls, some time ago; at the very same moment no proxy could tell."""
    api.script("stale", read_body(), reply(), keep_open())
    api.script("closing", read_body(), reply())
    for _ in range(5):
        assert real_environment.raw.ask("GET", "orders/closing").status == 200
        time.sleep(0.2)
        assert real_environment.raw.ask("POST", "orders/stale", body=b"x").status == 200


def test_an_answer_before_the_end_of_the_upload_comes_down(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C17: a refusal is no use to a client that first has to send 100 MB."""
    head = real_environment.raw.head("POST", "orders/early", "Content-Length: 100000000")
    with (
        deaf(api, "early", reply("413 Too Large", b"too large")),
        real_environment.raw.sent(head + b"x" * 100_000) as client,
    ):
        assert client.reply("POST", patience=3).status == 413
