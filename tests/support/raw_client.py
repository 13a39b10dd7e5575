"""A client on a raw socket: it sends bytes that no client library would, and reads replies as strictly as it can.

Every reply is shown to the canary, unless a test says that it may hold a token.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.support.canary import CANARY

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 10.0
"""Seconds to wait for a reply, unless a test says otherwise."""

_LINGER = "hh" if sys.platform == "win32" else "ii"
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\Z")


class NoReply(Exception):
    """The connection ended, or the patience did, before the head of a reply was there."""


@dataclass(frozen=True, slots=True)
class RawReply:
    """One reply. ``whole`` says that the body ended as its framing announced, not because the connection did."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool

    def all(self, name: str) -> list[str]:
        """Every value of the header ``name``."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        """The first value of the header ``name``."""
        return next(iter(self.all(name)), None)

    @property
    def code(self) -> str | None:
        """The code of an error made by us."""
        return self.first("x-oidc-error")

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class RawConnection:
    """One connection, to be closed by the test or by ``with``."""

    plug: socket.socket
    watched: bool = True
    _buffer: bytes = field(default=b"", repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send ``data``."""
        self.plug.sendall(data)

    def slowly(self, data: bytes, pause: float) -> None:
        """Send ``data`` byte by byte with ``pause`` seconds in between."""
        for number in data:
            self.plug.sendall(bytes([number]))
            time.sleep(pause)

    def reply(self, method: str = "GET", *, patience: float = PATIENCE) -> RawReply:
        """Read one reply to a request with ``method``; raises :class:`NoReply` if there is none."""
        until = time.monotonic() + patience
        head = self._until(b"\r\n\r\n", until)
        first, *lines = head.split(b"\r\n")
        status = _STATUS_LINE.match(first)
        if status is None:
            raise NoReply("What came back does not begin like a reply.")
        headers = tuple(
            (name.decode("latin-1"), value.strip().decode("latin-1"))
            for name, _, value in (line.partition(b":") for line in lines if line)
        )
        body, whole = self._body(method, int(status.group(1)), headers, until)
        if self.watched:
            CANARY.look("a raw reply", head + b"\r\n" + body)
        return RawReply(int(status.group(1)), headers, body, whole)

    def some(self, *, patience: float = PATIENCE) -> bytes:
        """Return bytes as soon as some have arrived; ``b""`` at the end of the connection."""
        if self._buffer:
            taken, self._buffer = self._buffer, b""
            return taken
        return self._receive(time.monotonic() + patience)

    def is_closed(self, *, patience: float = PATIENCE) -> bool:
        """Return whether the other side ends the connection in time; bytes that it still sends are thrown away."""
        until = time.monotonic() + patience
        try:
            while self._receive(until):
                pass
        except NoReply:
            return False
        return True

    def is_reset(self, *, patience: float = PATIENCE) -> bool:
        """Return whether the other side ends the connection by a reset, not politely; earlier bytes are dropped."""
        self.plug.settimeout(patience)
        try:
            while self.plug.recv(65_536):
                continue
        except ConnectionResetError:
            return True
        return False

    def close(self) -> None:
        """Leave politely."""
        self.plug.close()

    def reset(self) -> None:
        """Leave with a TCP reset."""
        self.plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
        self.plug.close()

    def _receive(self, until: float) -> bytes:
        self.plug.settimeout(max(0.01, until - time.monotonic()))
        try:
            return self.plug.recv(65_536)
        except TimeoutError:
            raise NoReply("Nothing came back in time.") from None
        except ConnectionError:
            return b""

    def _until(self, mark: bytes, until: float) -> bytes:
        while mark not in self._buffer:
            piece = self._receive(until)
            if not piece:
                raise NoReply("The connection ended before a reply.")
            self._buffer += piece
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _body(self, method: str, status: int, headers: tuple[tuple[str, str], ...], until: float) -> tuple[bytes, bool]:
        """Return the body and whether it is whole (RFC 9112, 6.3)."""
        known = {name.lower(): value for name, value in headers}
        if method == "HEAD" or status < 200 or status in (204, 304):
            return b"", True
        if "chunked" in known.get("transfer-encoding", "").lower():
            return self._chunked(until)
        if "content-length" in known:
            return self._counted(int(known["content-length"]), until)
        body = self._buffer
        self._buffer = b""
        while piece := self._receive(until):
            body += piece
        return body, True

    def _chunked(self, until: float) -> tuple[bytes, bool]:
        body = b""
        try:
            while size := int(self._until(b"\r\n", until).partition(b";")[0], 16):
                piece, whole = self._counted(size, until)
                body += piece
                if not whole:
                    return body, False
                self._until(b"\r\n", until)
            self._until(b"\r\n", until)
        except NoReply:
            return body, False
        return body, True

    def _counted(self, length: int, until: float) -> tuple[bytes, bool]:
        pieces = [self._buffer[:length]]
        self._buffer = self._buffer[length:]
        length -= len(pieces[0])
        while length > 0:
            piece = self._receive(until)
            if not piece:
                return b"".join(pieces), False
            pieces.append(piece[:length])
            self._buffer = piece[length:]
            length -= len(pieces[-1])
        return b"".join(pieces), True


@dataclass(frozen=True)
class RawClient:
    """Speaks to the server at ``url``; ``token`` is Jupyter's and goes into every ``head``.

    With a ``grant`` it is a kernel that calls the APIs.
    """

    url: str
    token: str = field(repr=False)
    watched: bool = True
    grant: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The value of an honest ``Host`` header."""
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """The server's base path, with a slash at the end."""
        return urlsplit(self.url).path

    def head(
        self, method: str, path: str | bytes, *lines: str | bytes, host: str | None = None, login: bool = True
    ) -> bytes:
        """Return a request's head for ``path`` below the proxied API, with these header ``lines`` as they are."""
        raw = path.encode("latin-1") if isinstance(path, str) else path
        target = f"{self.path}jupyter-oidc/api/".encode() + raw
        if login and self.grant:
            return self.head_for(method, target, f"Authorization: Bearer {self.grant}", *lines, host=host, login=False)
        return self.head_for(method, target, *lines, host=host, login=login)

    def head_for(
        self, method: str, target: bytes, *lines: str | bytes, host: str | None = None, login: bool = True
    ) -> bytes:
        """Return a request's head for the whole request ``target``."""
        first = method.encode() + b" " + target + b" HTTP/1.1"
        own = [f"Host: {self.host if host is None else host}"]
        own += [f"Authorization: token {self.token}"] if login else []
        rows = [line.encode("latin-1") if isinstance(line, str) else line for line in (*own, *lines)]
        return b"\r\n".join([first, *rows, b"", b""])

    def connect(self) -> RawConnection:
        """Open a connection."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        plug = socket.create_connection((parts.hostname, parts.port or 80), timeout=PATIENCE)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return RawConnection(plug, self.watched)

    def ask(
        self, method: str, path: str | bytes, *lines: str | bytes, body: bytes = b"", patience: float = PATIENCE
    ) -> RawReply:
        """Send one request on a connection of its own and return the reply."""
        framing = [f"Content-Length: {len(body)}"] if body else []
        with self.connect() as connection:
            connection.send(self.head(method, path, *lines, *framing) + body)
            return connection.reply(method, patience=patience)

    @contextmanager
    def sent(self, request: bytes) -> Iterator[RawConnection]:
        """Send the bytes of a whole ``request`` and lend the connection."""
        with self.connect() as connection:
            connection.send(request)
            yield connection
