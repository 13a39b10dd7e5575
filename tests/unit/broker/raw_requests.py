"""Requests to a broker as a Jupyter server forwards them, written to its socket byte by byte."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.forwarded_facts import FORWARDED


async def send(
    socket: Path, method: str, path: str, body: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request on a connection of its own, and return that."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    lines = [
        f"{method} /{path} HTTP/1.1",
        "Host: broker",
        f"X-OIDC-Forwarded: {FORWARDED.text()}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    writer.write("\r\n".join([*lines, "", body]).encode())
    await writer.drain()
    return reader, writer
