"""An API on a raw socket: its answers are scripted byte by byte for each path, and its requests are recorded.

It speaks no more HTTP than it needs to find the end of a request, so it can break every rule of HTTP. A bearer token is
kept only as its SHA-256 digest, in the recorded head too.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.loop_thread import LoopThread

if TYPE_CHECKING:
    import ssl

    from typing_extensions import Self

BASE = "/v1/"
"""The path of the API; scripts are named by the rest of a path, without the query."""

_KEPT = 65_536
"""Bytes of a body that are kept; all of them are counted."""

_LONGEST_HEAD = 1_048_576
_BEARER = re.compile(rb"(?i)(?<=\nAuthorization: Bearer )[^\r\n]*")
_CHUNK = re.compile(rb"[0-9A-Fa-f]+")
_LINGER = "hh" if sys.platform == "win32" else "ii"


@dataclass
class Received:
    """One request as it arrived: ``head`` is its bytes with the token's digest in place of the token.

    ``body_bytes`` counts the body without its framing, ``body_ended`` says whether it ended as announced.
    ``closed_at`` is when the other side went away (``time.monotonic``), if it did before the script ended.
    """

    connection: int
    head: bytes
    bearer: str | None = None
    body_bytes: int = 0
    body_ended: bool = False
    closed_at: float | None = None
    sent: int = 0
    body: bytearray = field(default_factory=bytearray, repr=False)

    @property
    def line(self) -> str:
        """The request line."""
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    @property
    def target(self) -> str:
        """The raw request target."""
        return self.line.split(" ")[1]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers in order, names as they were sent."""
        lines = self.head.decode("latin-1").rstrip("\r\n").split("\r\n")[1:]
        return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    @property
    def names(self) -> set[str]:
        """The names of the headers in small letters."""
        return {name.lower() for name, _ in self.headers}

    def all(self, name: str) -> list[str]:
        """Every value of the header ``name``."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Conversation:
    """The connection and the request for a step of a script; ``keep`` lets the connection live on after the script.

    ``authorization`` is the header as it came, token and all, for as long as the conversation lasts.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: Received
    body_read: asyncio.Event
    authorization: bytes = field(default=b"", repr=False)
    keep: bool = False

    async def send(self, piece: bytes) -> None:
        """Send ``piece`` and wait until the other side has room for more."""
        self.writer.write(piece)
        await self.writer.drain()
        self.received.sent += len(piece)


Step = Callable[[Conversation], Awaitable[None]]

# -- steps ---------------------------------------------------------------------------------------------------


def send(*pieces: bytes) -> Step:
    """Send ``pieces``."""

    async def step(talk: Conversation) -> None:
        for piece in pieces:
            await talk.send(piece)

    return step


def slowly(data: bytes, pause: float) -> Step:
    """Send ``data`` byte by byte with ``pause`` seconds in between."""

    async def step(talk: Conversation) -> None:
        for number in data:
            await talk.send(bytes([number]))
            await asyncio.sleep(pause)

    return step


def forever(piece: bytes, pause: float = 0.0) -> Step:
    """Send ``piece`` again and again until the other side goes away."""

    async def step(talk: Conversation) -> None:
        while True:
            await talk.send(piece)
            await asyncio.sleep(pause)

    return step


def pause(seconds: float) -> Step:
    """Say nothing for ``seconds``."""

    async def step(_: Conversation) -> None:
        await asyncio.sleep(seconds)

    return step


def silence() -> Step:
    """Say nothing for longer than any test waits."""
    return pause(600)


def wait_for(event: threading.Event) -> Step:
    """Say nothing until the test sets ``event``, a minute at most."""

    async def step(_: Conversation) -> None:
        until = time.monotonic() + 60
        while not event.is_set() and time.monotonic() < until:
            await asyncio.sleep(0.005)

    return step


def read_body() -> Step:
    """Wait for the end of the request's body."""

    async def step(talk: Conversation) -> None:
        await talk.body_read.wait()

    return step


def reset() -> Step:
    """End the connection with a TCP reset."""

    async def step(talk: Conversation) -> None:
        plug = talk.writer.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
        talk.writer.transport.abort()

    return step


def half_close() -> Step:
    """Say that nothing more will be sent, and go on listening."""

    async def step(talk: Conversation) -> None:
        talk.writer.write_eof()

    return step


def keep_open() -> Step:
    """Serve another request on this connection when the script has ended; without this step it is closed."""

    async def step(talk: Conversation) -> None:
        talk.keep = True

    return step


def echo_token(*, header: str = "") -> Step:
    """Answer with the ``Authorization`` header as it came, in the body or in a header."""

    async def step(talk: Conversation) -> None:
        value = talk.authorization
        await talk.send(reply(body=b"ok", more=[header.encode() + b": " + value]) if header else reply(body=value))

    return step


def reply(status: str = "200 OK", body: bytes = b"", *lines: str, more: list[bytes] | None = None) -> bytes:
    """Return a complete reply with its length and these header ``lines``."""
    head = [f"HTTP/1.1 {status}".encode("latin-1"), f"Content-Length: {len(body)}".encode()]
    head += [line.encode("latin-1") for line in lines] + (more or [])
    return b"\r\n".join([*head, b"", b""]) + body


class RawUpstream:
    """Context manager. A path without a script is answered with 200 and ``{"target": ...}``.

    ``calls`` are the requests in the order of arrival, ``connections`` counts accepted connections, even silent ones.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Received] = []
        self.connections = 0
        self.port = 0
        self._tls = tls
        self._scripts: dict[str, tuple[tuple[Step, ...], bool]] = {}
        self._thread = LoopThread("raw upstream")
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.__enter__()
        self._thread.run(self._start())
        return self

    def __exit__(self, *reason: object) -> None:
        self._thread.run(self._stop())
        self._thread.__exit__(*reason)

    @property
    def url(self) -> str:
        """The base URL that goes into the settings."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{BASE}"

    def script(self, path: str, *steps: Step | bytes, reads: bool = True) -> None:
        """Answer calls of ``path`` by ``steps``, bytes being sent; with ``reads=False`` no body is taken in."""
        ready = tuple(send(step) if isinstance(step, bytes) else step for step in steps)
        self._scripts[BASE + path] = (ready, reads)

    def forget(self) -> None:
        """Forget the recorded calls; the scripts stay."""
        self.calls.clear()
        self.connections = 0

    def unscript(self) -> None:
        """Forget the scripts."""
        self._scripts.clear()

    def to(self, path: str) -> list[Received]:
        """Return the calls of ``path``."""
        return [call for call in self.calls if call.target.partition("?")[0] == BASE + path]

    # -- on the loop ---------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=self._tls, limit=_LONGEST_HEAD, backlog=512
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        number = self.connections
        try:
            while await self._converse(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side left, or the test is over
        finally:
            with contextlib.suppress(ConnectionError, RuntimeError):
                writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        """Answer one request; return whether another may follow."""
        head = await reader.readuntil(b"\r\n\r\n")
        token = _BEARER.search(head)
        digest = hashlib.sha256(token.group()).hexdigest() if token else None
        received = Received(number, _BEARER.sub((digest or "").encode(), head), digest)
        self.calls.append(received)
        steps, reads = self._scripts.get(received.target.partition("?")[0], ((_default,), True))
        authorization = b"Bearer " + token.group() if token else b""
        talk = Conversation(reader, writer, received, asyncio.Event(), authorization)
        reading = asyncio.ensure_future(_take_in(talk)) if reads else None
        try:
            await self._play(talk, steps, reading)
            if reads:
                await asyncio.wait_for(talk.body_read.wait(), 10)
        except ConnectionError:
            received.closed_at = received.closed_at or time.monotonic()
            return False
        except asyncio.TimeoutError:
            return False
        finally:
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        return talk.keep and received.closed_at is None

    async def _play(self, talk: Conversation, steps: tuple[Step, ...], reading: asyncio.Future[None] | None) -> None:
        """Play the script until its end, or until the other side goes away."""

        async def playing() -> None:
            for step in steps:
                await step(talk)

        play = asyncio.ensure_future(playing())
        watched = {play} if reading is None else {play, reading}
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not play.done():
                play.cancel()
                await asyncio.gather(play, return_exceptions=True)
        if not play.cancelled():
            await play


async def _default(talk: Conversation) -> None:
    await talk.body_read.wait()
    body = json.dumps({"target": talk.received.target}).encode()
    await talk.send(reply("200 OK", body, "Content-Type: application/json"))
    talk.keep = True


async def _take_in(talk: Conversation) -> None:
    """Read the body as its framing says, then watch for the end of the connection."""
    received = talk.received
    try:
        if received.all("transfer-encoding"):
            await _chunks(talk)
        else:
            await _counted(talk, int((received.all("content-length") or ["0"])[0]))
        received.body_ended = True
        talk.body_read.set()
        # NOTE: looked at, not read: the next byte may be the first of another request.
        while not talk.reader.at_eof() and talk.reader.exception() is None:
            await asyncio.sleep(0.01)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    received.closed_at = time.monotonic()
    talk.body_read.set()


async def _counted(talk: Conversation, length: int) -> None:
    while length:
        piece = await talk.reader.read(min(length, _KEPT))
        if not piece:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(piece)
        _keep(talk.received, piece)


async def _chunks(talk: Conversation) -> None:
    while True:
        size = _CHUNK.match(await talk.reader.readuntil(b"\r\n"))
        length = int(size.group(), 16) if size else 0
        await _counted(talk, length)
        await talk.reader.readexactly(2)
        if not length:
            return


def _keep(received: Received, piece: bytes) -> None:
    received.body_bytes += len(piece)
    received.body += piece[: _KEPT - len(received.body)]
