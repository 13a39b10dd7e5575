"""Requests to a broker as a Jupyter server forwards them, written to its socket byte by byte."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_oidc.web.forwarded import Forwarded

FORWARDED = Forwarded(
    caller_kind="kernel",
    caller_name="kernel:k1",
    bears_token=False,
    base_url="/user/ada/",
    protocol="https",
    host="hub.example.com",
    browser="elsewhere",
    public_url="https://hub.example.com/user/ada/",
    origin="https://hub.example.com",
    has_own_host=False,
    under_hub=True,
    server_name="",
    has_logins=True,
    sharing_mode="none",
    xsrf_token="",
    request_id="r1",
)


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
