"""An API of our own with the parts that nginx lacks: paced events, a slow sink, and counting connections.

Run as ``python -m tests.bench.proxy.upstream READY``: it writes its port into the file READY and ends when its
standard input does. It speaks just enough HTTP/1.1 for the proxies before it, and keeps connections alive.

- ``GET /events?count=N&every=SECONDS``: server-sent events; each holds the nanoseconds of the system's monotonic
  clock at which it was written.
- ``POST /sink?rate=BYTES``: reads the body, at most so many bytes a second (0 is as fast as possible), and answers how
  many there were.
- ``GET /held?seconds=S``: answers a little later, so that calls are in flight together.
- ``GET /used``: how many connections have brought a ``/held`` since the last ``/used``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jupyter_oidc.demo.parent_watch import publish, watch_parent

_PIECE = 65_536


class Upstream:
    """Remembers which connections bring calls."""

    def __init__(self) -> None:
        self._used: set[StreamWriter] = set()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer request after request until the peer leaves."""
        try:
            while await self._answer(reader, writer):
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        _, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        parts = urlsplit(target)
        asked = dict(parse_qsl(parts.query))
        if parts.path == "/events":
            await _events(writer, int(asked["count"]), float(asked["every"]))
        elif parts.path == "/sink":
            _tell(writer, {"bytes": await _drain(reader, headers, float(asked["rate"]))})
        elif parts.path == "/held":
            self._used.add(writer)
            await asyncio.sleep(float(asked["seconds"]))
            _tell(writer, {})
        elif parts.path == "/used":
            _tell(writer, {"used": len(self._used)})
            self._used.clear()
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return headers.get("connection", "").lower() != "close"


async def _events(writer: StreamWriter, count: int, every: float) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(count):
        await asyncio.sleep(every)
        event = b"data: %d\n\n" % time.monotonic_ns()
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def _drain(reader: StreamReader, headers: dict[str, str], rate: float) -> int:
    """Read a body at most at ``rate`` bytes a second; the unread part waits with the sender."""
    began, total = time.monotonic(), 0
    async for size in _sizes(reader, headers):
        total += size
        ahead = total / rate - (time.monotonic() - began) if rate else 0.0
        if ahead > 0.001:
            await asyncio.sleep(ahead)
    return total


async def _sizes(reader: StreamReader, headers: dict[str, str]) -> AsyncIterator[int]:
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        async for size in _pieces(reader, int(headers.get("content-length", "0"))):
            yield size
        return
    while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        async for size in _pieces(reader, length):
            yield size
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass


async def _pieces(reader: StreamReader, length: int) -> AsyncIterator[int]:
    while length:
        piece = await reader.read(min(length, _PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(piece)
        yield len(piece)


def _tell(writer: StreamWriter, document: dict[str, int]) -> None:
    body = json.dumps(document).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def _run(ready: Path) -> None:
    server = await asyncio.start_server(Upstream().serve, "127.0.0.1", 0, backlog=1024)
    publish(ready, str(server.sockets[0].getsockname()[1]))
    await server.serve_forever()


if __name__ == "__main__":
    watch_parent()
    asyncio.run(_run(Path(sys.argv[1])))
