"""A client that costs next to nothing: one socket, one request, bytes counted and thrown away.

A client library would be slower than the measured server. It knows no redirects and no compression; an answer that is
not 200, or that ends early, is an error.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench.proxy.report import NotMeasured

_PATIENCE = 60.0
"""Seconds that a peer may be silent."""

_BUFFER = 1 << 18
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Call:
    """Where a call goes: an absolute URL, and the headers that open it."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    headers: dict[str, str]
    rest: bytes

    @property
    def length(self) -> int | None:
        """Bytes of the body; ``None`` if it is chunked or goes on to the end of the connection."""
        return int(self.headers["content-length"]) if "content-length" in self.headers else None


def connect(call: Call) -> socket.socket:
    """Connect; raises :class:`NotMeasured` if no server listens."""
    parts = urlsplit(call.url)
    try:
        connection = socket.create_connection((parts.hostname or "", parts.port or 80), _PATIENCE)
    except OSError:
        raise NotMeasured(f"Nothing answers at port {parts.port}.") from None
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def request(call: Call, method: str = "GET", **headers: str) -> bytes:
    """Return the head of a request; underscores in names of ``headers`` become hyphens."""
    parts = urlsplit(call.url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    told = {"Host": parts.netloc, **call.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
    lines = "".join(f"{name}: {text}\r\n" for name, text in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def download(call: Call, expected: int, *, rate: float = 0.0, for_seconds: float = 0.0) -> float:
    """Read a body of ``expected`` bytes and return the seconds from the request to its last byte.

    With a ``rate`` it reads at most so many bytes a second, as a slow client does, and leaves after ``for_seconds``.
    """
    with connect(call) as connection:
        began = time.perf_counter()
        connection.sendall(request(call, Connection="close"))
        head = _read_head(connection)
        got = len(head.rest)
        buffer = memoryview(bytearray(_BUFFER))
        while head.length is None or got < head.length:
            size = connection.recv_into(buffer)
            if not size:
                break
            got += size
            taken = time.perf_counter() - began
            if rate:
                if taken >= for_seconds:
                    return taken
                time.sleep(max(0.0, got / rate - taken))
        taken = time.perf_counter() - began
    if (head.length or got) < expected or got < (head.length or expected):
        raise NotMeasured(f"A download ended after {got} of {expected} bytes.")
    return taken


def upload(call: Call, size: int) -> float:
    """Send about ``size`` bytes in chunks of unknown total length; return the seconds until the answer was there.

    The API answers with the number of bytes that reached it (``{"bytes": N}``); fewer are an error.
    """
    piece = b"%x\r\n%b\r\n" % (_BUFFER, bytes(_BUFFER))
    count = size // _BUFFER
    with connect(call) as connection:
        began = time.perf_counter()
        connection.sendall(request(call, "POST", Transfer_Encoding="chunked", Connection="close"))
        # NOTE: a server that has already answered with a reason may not read the rest.
        with contextlib.suppress(ConnectionError):
            for _ in range(count):
                connection.sendall(piece)
            connection.sendall(_LAST_CHUNK)
        arrived = json.loads(_read_body(connection))["bytes"]
        taken = time.perf_counter() - began
    if arrived != count * _BUFFER:
        raise NotMeasured(f"{arrived} of {count * _BUFFER} bytes of an upload arrived.")
    return taken


def exchange(connection: socket.socket, call: Call, sent: bytes = b"") -> bytes:
    """Make one call on a ``connection`` that stays open, a POST if something is ``sent``; return the reply's body.

    The reply has to announce its length.
    """
    connection.sendall((request(call, "POST", Content_Length=str(len(sent))) + sent) if sent else request(call))
    return _read_body(connection)


def events(call: Call) -> Iterator[tuple[int, int]]:
    """Yield for each server-sent event when it was written and when it arrived, in nanoseconds of one clock."""
    with connect(call) as connection:
        connection.sendall(request(call, Accept="text/event-stream", Connection="close"))
        head = _read_head(connection)
        for line, arrived in _lines_of(connection, head.rest):
            if line.startswith(b"data: "):
                yield int(line[6:]), arrived


def _lines_of(connection: socket.socket, rest: bytes) -> Iterator[tuple[bytes, int]]:
    arrived = time.monotonic_ns()
    while True:
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line.strip(), arrived
        piece = connection.recv(_BUFFER)
        arrived = time.monotonic_ns()
        if not piece:
            return
        rest += piece


def _read_body(connection: socket.socket) -> bytes:
    head = _read_head(connection)
    if head.length is None:
        raise NotMeasured("An answer does not say how long it is.")
    body = head.rest
    while len(body) < head.length:
        piece = connection.recv(_BUFFER)
        if not piece:
            raise NotMeasured("A connection ended in the middle of an answer.")
        body += piece
    return body


def _read_head(connection: socket.socket) -> _Head:
    received = b""
    while b"\r\n\r\n" not in received:
        try:
            piece = connection.recv(_BUFFER)
        except OSError:
            piece = b""
        if not piece:
            raise NotMeasured("A connection ended without an answer.")
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    status = int(first.split(" ")[1])
    if status != 200:
        raise NotMeasured(f"A call was answered with {status} {headers.get('x-oidc-error', '')}".rstrip() + ".")
    return _Head(status, headers, rest)
