"""A forward proxy that answers ``CONNECT`` and passes bytes on, on a thread of its own.

It knows the names of a network that does not exist: every host leads to the loopback port that a test names.
One that opens TLS looks the same from outside: its host leads to a server with a certificate of the company.
Requests are recorded; of a password, only whether it is the right one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.loop_thread import LoopThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from typing_extensions import Self

    Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a client: its first line, the names of its headers, whether the password was the right one."""

    line: str
    names: tuple[str, ...]
    authorized: bool


@dataclass
class ConnectProxy:
    """Context manager. ``ports`` says which loopback port a host (and port) leads to.

    With ``password`` (``user:password``) others are answered 407; an ``answer`` is given instead of opening a tunnel.
    """

    ports: Mapping[str, int] = field(default_factory=dict)
    password: str | None = None
    answer: Answer | None = None
    asked: list[Asked] = field(default_factory=list)
    passed: bytearray = field(default_factory=bytearray, repr=False)
    port: int = 0

    def __post_init__(self) -> None:
        self._thread = LoopThread("egress proxy")
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
        """Its address, without a password."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """The first lines of the requests."""
        return [one.line for one in self.asked]

    def cut(self) -> None:
        """Close every tunnel."""
        self._thread.run(self._cut())

    async def _cut(self) -> None:
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        self._server.close()
        await self._cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        over = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*over), contextlib.closing(writer):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            authorized = self._admits(headers.get("proxy-authorization"))
            self.asked.append(Asked(first, tuple(headers), authorized))
            if not authorized:
                writer.write(
                    b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="<b>x</b>"\r\nContent-Length: 0\r\n\r\n'
                )
                await writer.drain()
            elif self.answer is not None:
                await _give(self.answer, writer)
            else:
                await self._tunnel(first.split(" ")[1], reader, writer)

    def _admits(self, header: str | None) -> bool:
        if self.password is None:
            return True
        return header == "Basic " + base64.b64encode(self.password.encode()).decode()

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self.ports.get(target, self.ports.get(target.rpartition(":")[0]))
        if port is None:
            writer.write(b"HTTP/1.1 502 Unknown\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with contextlib.closing(forth):
            await asyncio.wait(
                [asyncio.ensure_future(self._pass(reader, forth)), asyncio.ensure_future(self._pass(back, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(65_536):
                self.passed += piece
                target.write(piece)
                await target.drain()


async def _give(answer: Answer, writer: asyncio.StreamWriter) -> None:
    if isinstance(answer, bytes):
        writer.write(answer)
        await writer.drain()
    else:
        await answer(writer)
