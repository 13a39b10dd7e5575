"""Answers of an API that break HTTP, or bend it (C19, C20, C21, C22)."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_client import NoReply, RawReply
from tests.support.raw_upstream import RawUpstream, half_close, keep_open, reply, send, silence

OK = b"HTTP/1.1 200 OK\r\n"
EVIL = reply("200 OK", b"evil", "Set-Cookie: evil=1")

BROKEN = {
    "two lengths that differ": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths in one header": OK + b"Content-Length: 2, 3\r\n\r\nabc",
    "a length below zero": OK + b"Content-Length: -1\r\n\r\nabc",
    "a length that is no number": OK + b"Content-Length: abc\r\n\r\nabc",
    "a length with a plus": OK + b"Content-Length: +3\r\n\r\nabc",
    "an empty length": OK + b"Content-Length: \r\n\r\nabc",
    "a length beyond sixty-four bits": OK + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "a header of 100 KB": OK + b"X-Long: " + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "headers of 100 KB": OK + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 90) for n in range(1_200)) + b"\r\n",
    "a name of 100 KB": OK + b"X" * 100_000 + b": 1\r\nContent-Length: 0\r\n\r\n",
    "a reason of 100 KB": b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "a status below zero": b"HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n",
    "no status": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "another protocol": b"ICY 200 OK\r\n\r\n",
    "the protocol of mail": b"220 mail.example ESMTP\r\n",
    "another version": b"HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n",
    "TLS": b"\x15\x03\x03\x00\x02\x02\x46",
    "a page without a head": b"<html><body>hello</body></html>\r\n\r\n",
    "a header without a colon": OK + b"Nonsense\r\nContent-Length: 0\r\n\r\n",
    "a name with a space": OK + b"Bad Name: 1\r\nContent-Length: 0\r\n\r\n",
    "a NUL in a value": OK + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a bare carriage return in a value": OK + b"X-A: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    "a NUL in a name": OK + b"X-\0A: a\r\nContent-Length: 0\r\n\r\n",
    "no name": OK + b": a\r\nContent-Length: 0\r\n\r\n",
    "an encoding that nobody knows": OK + b"Transfer-Encoding: xchunked\r\n\r\nabc",
    "chunks that are not last": OK + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a flood of interim answers": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1_000 + reply(),
    "eleven interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 11 + reply(),
    "an upgrade that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_breaks_http_is_a_protocol_error(
    real_environment: RealEnvironment, api: RawUpstream, name: str
) -> None:
    """C20: within seconds, in our words, and without a trace of the bytes that were sent."""
    api.script("broken", send(BROKEN[name]), half_close(), silence())
    answer = real_environment.raw.ask("GET", "orders/broken", patience=8)
    assert (answer.status, answer.code) == (502, "upstream_protocol_error")
    assert b"Nonsense" not in answer.body
    assert real_environment.is_alive()


def test_ten_interim_answers_are_fine(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C20: the positive control; none of them comes down."""
    api.script("interim", b"HTTP/1.1 102 Processing\r\n\r\n" * 10 + reply("200 OK", b"final"))
    answer = real_environment.raw.ask("GET", "orders/interim")
    assert (answer.status, answer.body) == (200, b"final")


@pytest.mark.parametrize("first", [b"", b"HTTP", OK, OK + b"X-A: 1\r\n"], ids=["nothing", "a word", "a line", "half"])
def test_an_answer_that_ends_before_its_head_does_is_none(
    real_environment: RealEnvironment, api: RawUpstream, first: bytes
) -> None:
    """C14: An unreachable API is reported, and rarely called twice.

    C20: An answer that is no HTTP is refused.
    """
    api.script("early", first)
    answer = real_environment.raw.ask("GET", "orders/early")
    assert (answer.status, answer.code in ("upstream_unreachable", "upstream_protocol_error")) == (502, True)


def test_both_a_length_and_chunks_never_split_into_two_answers(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C20: refused, or read as chunks (RFC 9112, 6.3); the bytes behind it are no answer to the next call."""
    both = OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    api.script("both", both + EVIL, keep_open())
    answer = real_environment.raw.ask("GET", "orders/both")
    assert (answer.status, answer.body) == (200, b"hello") or answer.code == "upstream_protocol_error"
    assert json.loads(real_environment.raw.ask("GET", "orders/next").body) == {"target": "/v1/next"}


POISON = {
    "after a counted body": ("GET", reply("200 OK", b"fine") + EVIL),
    "after chunks": ("GET", OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n" + EVIL),
    "after no content": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL),
    "no content with a length": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n" % len(EVIL) + EVIL),
    "after not modified": ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n' + EVIL),
    "not modified with a length": (
        "GET",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: %d\r\n\r\n" % len(EVIL) + EVIL,
    ),
    "an answer to HEAD with a body": ("HEAD", OK + b"Content-Length: %d\r\n\r\n" % len(EVIL) + EVIL),
    "an answer to HEAD in chunks": ("HEAD", OK + b"Transfer-Encoding: chunked\r\n\r\n" + EVIL),
    "before anybody asked": ("GET", reply("200 OK", b"") + EVIL * 3),
}


@pytest.mark.parametrize(("method", "sent"), POISON.values(), ids=POISON)
def test_what_follows_an_answer_is_no_answer_to_the_next_call(
    real_environment: RealEnvironment, api: RawUpstream, method: str, sent: bytes
) -> None:
    """C20, C22: on a connection that stays open, a left-over must not be taken for another call's answer."""
    api.script("poison", sent, keep_open(), silence())
    for _ in range(3):
        answer = real_environment.raw.ask(method, "orders/poison")
        assert (answer.whole, b"evil" in answer.body) == (True, False)
        assert json.loads(real_environment.raw.ask("GET", "orders/next").body) == {"target": "/v1/next"}


BODILESS = {
    "HEAD": ("HEAD", reply("200 OK", b"", 'ETag: "7"').replace(b"Content-Length: 0", b"Content-Length: 1234")),
    "204": ("GET", b'HTTP/1.1 204 No Content\r\nETag: "7"\r\n\r\n'),
    "304": ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "7"\r\n\r\n'),
}


@pytest.mark.parametrize(("method", "sent"), BODILESS.values(), ids=BODILESS)
def test_an_answer_without_a_body_has_none_here_either(
    real_environment: RealEnvironment, api: RawUpstream, method: str, sent: bytes
) -> None:
    """C22: and the connection to the client is good for another call."""
    api.script("bodiless", sent, keep_open())
    with real_environment.raw.connect() as connection:
        connection.send(real_environment.raw.head(method, "orders/bodiless"))
        answer = connection.reply(method)
        assert (str(answer.status), answer.first("etag")) == (sent.split(b" ")[1].decode(), '"7"')
        connection.send(real_environment.raw.head("GET", "orders/next"))
        assert json.loads(connection.reply().body) == {"target": "/v1/next"}


def test_the_length_of_an_answer_to_head_comes_down(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C22: it says how long the answer to GET would be."""
    api.script("length", reply("200 OK", b"").replace(b"Content-Length: 0", b"Content-Length: 1234"))
    assert real_environment.raw.ask("HEAD", "orders/length").all("content-length") == ["1234"]


def test_ranges_and_conditions_are_the_apis_business(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C22: Bodiless replies, ranges and caching keep their meaning."""
    api.script("part", reply("206 Partial Content", b"0123456789", "Content-Range: bytes 0-9/100", 'ETag: "7"'))
    answer = real_environment.raw.ask("GET", "orders/part", "Range: bytes=0-9", 'If-Range: "7"')
    assert (api.calls[-1].all("range"), api.calls[-1].all("if-range")) == (["bytes=0-9"], ['"7"'])
    assert (answer.status, answer.body, answer.first("content-range")) == (206, b"0123456789", "bytes 0-9/100")


CUT = {
    "a length that is not reached": OK + b"Content-Length: 100\r\n\r\nhalf",
    "a chunk that is not whole": OK + b"Transfer-Encoding: chunked\r\n\r\n64\r\nhalf",
    "no last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "half a last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
    "a size that is no number": OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\nx\r\n0\r\n\r\n",
    "a size below zero": OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n-1\r\nx\r\n0\r\n\r\n",
    "more data than its size": OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalfmore\r\n0\r\n\r\n",
    "a size beyond sixty-four bits": OK
    + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nfffffffffffffffffff\r\nx\r\n",
}


def outcome(real_environment: RealEnvironment, path: str) -> RawReply | None:
    """The reply, or ``None`` if the connection ends before there is one."""
    try:
        return real_environment.raw.ask("GET", path)
    except NoReply:
        return None


@pytest.mark.parametrize("sent", CUT.values(), ids=CUT)
def test_an_answer_that_is_not_whole_never_looks_whole(
    real_environment: RealEnvironment, api: RawUpstream, sent: bytes
) -> None:
    """C19, C20: the client's connection ends in the middle, or we say 502."""
    api.script("cut", sent)
    answer = outcome(real_environment, "orders/cut")
    assert answer is None or not answer.whole or answer.status == 502
    assert real_environment.is_alive()


def test_an_answer_without_any_framing_comes_down_whole(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C20: the end of the connection is the end of the body (RFC 9112, 6.3)."""
    api.script("bare", OK + b"\r\n" + b"x" * 100_000)
    answer = real_environment.raw.ask("GET", "orders/bare")
    assert (answer.status, len(answer.body), answer.whole) == (200, 100_000, True)


def test_trailers_of_an_answer_do_not_come_down(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C23: headers after the body come too late to be checked."""
    trailers = b"Set-Cookie: evil=1\r\nX-OIDC-Error: session_expired\r\n"
    api.script(
        "trailers",
        OK + b"Transfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n2\r\nok\r\n0\r\n" + trailers + b"\r\n",
    )
    with real_environment.raw.sent(
        real_environment.raw.head("GET", "orders/trailers", "Connection: close")
    ) as connection:
        raw = b""
        while piece := connection.some():
            raw += piece
    assert (b"ok" in raw, b"evil" in raw, b"session_expired" in raw) == (True, False, False)


PACKED = {
    "gzip": ("gzip", gzip.compress(b"hello" * 1_000, mtime=0)),
    "a gzip bomb": ("gzip", gzip.compress(b"\0" * 50_000_000, mtime=0)),
    "a bomb in a bomb": ("gzip, gzip", gzip.compress(gzip.compress(b"\0" * 50_000_000, mtime=0), mtime=0)),
    "gzip that is none": ("gzip", b"this is not gzip"),
    "gzip that breaks off": ("gzip", gzip.compress(b"hello" * 1_000, mtime=0)[:40]),
    "deflate": ("deflate", zlib.compress(b"hello" * 1_000)),
    "brotli that is none": ("br", b"\xff" * 100),
    "zstandard that is none": ("zstd", b"(\xb5/\xfd" + b"\xff" * 100),
    "an encoding that nobody knows": ("x-secret", b"\0\1\2\3"),
}


@pytest.mark.parametrize(("encoding", "body"), PACKED.values(), ids=PACKED)
def test_packed_bytes_come_down_as_they_are(
    real_environment: RealEnvironment, api: RawUpstream, encoding: str, body: bytes
) -> None:
    """C21: never decoded, so a bomb does not go off here and bad data is the client's to find."""
    api.script("packed", reply("200 OK", body, f"Content-Encoding: {encoding}"))
    answer = real_environment.raw.ask("GET", "orders/packed", "Accept-Encoding: gzip, br, zstd")
    assert (answer.status, answer.all("content-encoding")) == (200, [encoding])
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()


def test_an_answer_is_not_packed_here(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C21: Compressed bodies pass untouched."""
    body = b"compress me " * 10_000
    api.script("plain", reply("200 OK", body, "Content-Type: application/json"))
    answer = real_environment.raw.ask("GET", "orders/plain", "Accept-Encoding: gzip, deflate, br")
    assert (answer.all("content-encoding"), answer.body == body) == ([], True)


def test_a_space_before_the_colon_hides_no_framing(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C20: refused, or taken away as RFC 9112, 5.1 asks of a proxy; the length is not overlooked."""
    api.script("colon", OK + b"Content-Length : 4\r\n\r\nfine" + EVIL)
    answer = real_environment.raw.ask("GET", "orders/colon")
    assert answer.status == 502 or (answer.body, answer.whole) == (b"fine", True)


@pytest.mark.parametrize("status", ["200", "200 ", "299 Unheard Of", "404 " + "x" * 200, "451 \xdcber", "599 Odd"])
def test_an_odd_but_legal_status_line_passes(real_environment: RealEnvironment, api: RawUpstream, status: str) -> None:
    """C20: the positive control."""
    api.script("odd", f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok".encode("latin-1"))
    answer = real_environment.raw.ask("GET", "orders/odd")
    assert (answer.status, answer.body) == (int(status[:3]), b"ok")
