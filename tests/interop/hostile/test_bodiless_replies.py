"""Replies that have no body and bring one, statuses that are none, and connections that died unseen (C20, C22)."""

from __future__ import annotations

import re

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_upstream import RawUpstream, keep_open, read_body, reply, send

_CALLS = re.compile(r'jupyter_oidc_calls_total\{api="orders",caller="(\w+)",outcome="(\w+)"\} ([0-9.]+)')

BODY = b"not a reply at all"
NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("rest", [BODY, NEXT], ids=["text", "a reply of its own"])
@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("DELETE", b"HTTP/1.1 204 No Content\r\nX-Total-Count: 1\r\n\r\n"),
        ("DELETE", b"HTTP/1.1 204 No Content\r\nX-Total-Count: 1\r\nContent-Length: 18\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nX-Total-Count: 1\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nX-Total-Count: 1\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nX-Total-Count: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("DELETE", b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\nX-Total-Count: 1\r\n\r\n"),
    ],
)
def test_a_reply_without_a_body_that_brings_one_is_its_head(
    real_environment: RealEnvironment, api: RawUpstream, method: str, head: bytes, rest: bytes
) -> None:
    """Q3.7: a DELETE that succeeded is no 502, and the rest is no reply to any call."""
    api.script("bodiless", head + rest, keep_open())
    answer = real_environment.raw.ask(method, "orders/bodiless")
    assert (answer.status, answer.all("x-total-count"), answer.body) == (
        int(head.rpartition(b"HTTP/1.1 ")[2][:3]),
        ["1"],
        b"",
    )
    api.script("after", reply("200 OK", b"mine"), keep_open())
    after = real_environment.raw.ask("GET", "orders/after")
    assert (after.status, after.body) == (200, b"mine")
    assert (real_environment.links(api) <= 1, api.connections >= 1) == (True, True)


def counted(real_environment: RealEnvironment) -> dict[str, float]:
    """How many calls of this caller ended how, by the server's metrics."""
    own = "kernel" if real_environment.raw.grant else "browser"
    found = _CALLS.findall(real_environment.jupyter.get("metrics").text)
    return {outcome: float(number) for caller, outcome, number in found if caller == own}


def newly_counted(real_environment: RealEnvironment, before: dict[str, float]) -> dict[str, float]:
    """Return the increase of each counter since ``before``."""
    return {
        name: after - before.get(name, 0)
        for name, after in counted(real_environment).items()
        if after != before.get(name, 0)
    }


@pytest.mark.parametrize("method", ["DELETE", "GET"])
def test_a_204_that_announces_a_body_ends_no_connection_of_the_callers(
    real_environment: RealEnvironment, api: RawUpstream, method: str
) -> None:
    """Q8.13, Q3.7: tornado would end it by an ``HTTPOutputError``, for want of the body; a 204 has no length (RFC 9110, 8.6)."""
    api.script("empty", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")
    before = counted(real_environment)
    with real_environment.raw.connect() as connection:
        for _ in range(2):
            connection.send(real_environment.raw.head(method, "orders/empty"))
            answer = connection.reply(method)
            assert (answer.status, answer.all("content-length")) == (204, [])
    assert newly_counted(real_environment, before) == {"2xx": 2}


def test_a_204_to_an_upload_is_its_answer(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """Q8.13: a call with a body takes the handler and not the fast path, for every caller."""
    api.script("empty", read_body(), b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")
    before = counted(real_environment)
    with real_environment.raw.connect() as connection:
        for _ in range(2):
            connection.send(real_environment.raw.head("PUT", "orders/empty", "Content-Length: 3") + b"abc")
            assert connection.reply("PUT").status == 204
    assert newly_counted(real_environment, before) == {"2xx": 2}


@pytest.mark.parametrize("head", ["200 OK", "205 Reset Content", "404 Not Found"])
def test_a_body_that_is_shorter_than_announced_is_cut_and_counted(
    real_environment: RealEnvironment, api: RawUpstream, head: str
) -> None:
    """Q8.13: the caller sees that something is missing, and the counters say whose fault it was."""
    api.script("short", f"HTTP/1.1 {head}\r\nContent-Length: 9\r\n\r\nabcde".encode())
    before = counted(real_environment)
    answer = real_environment.raw.ask("GET", "orders/short")
    assert (answer.status, answer.body, answer.whole) == (int(head[:3]), b"abcde", False)
    assert newly_counted(real_environment, before) == {"upstream_truncated": 1}


@pytest.mark.parametrize("cut", [1, 5, 11, 30])
def test_a_head_in_pieces_is_a_head(real_environment: RealEnvironment, api: RawUpstream, cut: int) -> None:
    """Q3.7: wherever it is cut."""
    head = b"HTTP/1.1 204 No Content\r\nX-Total-Count: 1\r\n\r\n"
    api.script("pieces", send(head[:cut], head[cut:-2], head[-2:] + BODY))
    answer = real_environment.raw.ask("DELETE", "orders/pieces")
    assert (answer.status, answer.all("x-total-count")) == (204, ["1"])


def test_a_connection_with_honest_replies_without_a_body_is_used_again(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """Q3.7: the positive control."""
    api.script("honest", b"HTTP/1.1 204 No Content\r\n\r\n", keep_open())
    for _ in range(3):
        assert real_environment.raw.ask("DELETE", "orders/honest").status == 204
    assert len({call.connection for call in api.to("honest")}) == 1


@pytest.mark.parametrize("status", ["99 Odd", "000 Nothing", "600 More", "999 Most", "101 Switching Protocols"])
def test_a_status_that_is_none_of_a_final_reply_is_refused(
    real_environment: RealEnvironment, api: RawUpstream, status: str
) -> None:
    """Q8.16: RFC 9110, 15."""
    api.script("status", reply(status, b"ok"))
    answer = real_environment.raw.ask("GET", "orders/status")
    assert (answer.status, answer.code) == (502, "upstream_protocol_error")
    assert real_environment.is_alive()


@pytest.mark.parametrize("status", ["200 OK", "299 Odd", "418 Teapot", "599 Last"])
def test_any_status_of_a_final_reply_is_passed_on(
    real_environment: RealEnvironment, api: RawUpstream, status: str
) -> None:
    """Q8.16: the positive control."""
    api.script("status", reply(status, b"ok"))
    assert real_environment.raw.ask("GET", "orders/status").status == int(status[:3])
