"""A refused caller can read the reason: no connection closes while a small request is arriving (RFC 9112, 9.6)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer

from tests.integration.test_access_rules import GUARDED, PROVIDERS, WRITES
from tests.support.server_under_test import EXTENSION, extension_of

STRANGER = "Authorization: Bearer jog.nobody-knows-this-one-at-all\r\n"


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {EXTENSION: True}},
        "JupyterOIDC": {"providers": PROVIDERS, "storage": "memory"},
    }


async def reply_from(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_a_refused_caller_may_go_on_with_the_same_connection(
    http_server: HTTPServer, jp_http_port: int, jp_base_url: str, verb: str, path: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    length = 2 if (verb, path) in WRITES else 0
    head = f"{verb} {jp_base_url.rstrip('/')}{path} HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\n{STRANGER}"
    head += f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    for _ in range(2):
        writer.write(head.encode())
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(b"{}"[:length])
        if verb == "HEAD":
            answer = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode("latin-1")
            assert answer.startswith("HTTP/1.1 401")
        else:
            status, headers, body = await reply_from(reader)
            assert (status, json.loads(body)["code"]) == (401, "grant_invalid")
            assert headers.get("connection", "keep-alive") == "keep-alive"
    writer.close()


async def test_a_large_body_is_refused_at_once(http_server: HTTPServer, jp_http_port: int, jp_base_url: str) -> None:
    """D13: the server does not wait for a body that it is not going to read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    path = f"{jp_base_url}jupyter-oidc/providers/corp/refresh"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\n{STRANGER}Content-Length: 1000000\r\n\r\n"
    writer.write(head.encode())
    status, _, body = await reply_from(reader)
    assert (status, json.loads(body)["code"]) == (401, "grant_invalid")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000], ids=["a digit of another script", "more than a number"])
@pytest.mark.parametrize("path", ["jupyter-oidc/providers/corp/refresh", "jupyter-oidc/api/orders/items"])
async def test_a_length_that_is_none_changes_no_refusal(
    http_server: HTTPServer,
    jp_http_port: int,
    jp_base_url: str,
    caplog: pytest.LogCaptureFixture,
    path: str,
    length: str,
) -> None:
    """D14: a caller without login reads the refusal, and its malformed length raises no error in our code."""
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    head = f"POST {jp_base_url}{path} HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\n{STRANGER}"
    writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode("latin-1"))
    status, _, body = await reply_from(reader)
    assert (status, json.loads(body)["code"]) == (401, "grant_invalid")
    assert "defect" not in caplog.text
    writer.close()


@pytest.mark.parametrize("path", ["jupyter-oidc/providers/corp/refresh", "jupyter-oidc/api/orders/items"])
async def test_a_refused_caller_who_sends_no_body_is_not_waited_for(
    http_server: HTTPServer, jp_http_port: int, jp_base_url: str, jp_serverapp: ServerApp, path: str
) -> None:
    """C16: a caller without login holds no connection for longer than one with."""
    extension_of(jp_serverapp).context.max_drain_seconds = 0.3
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    head = f"POST {jp_base_url}{path} HTTP/1.1\r\nHost: 127.0.0.1:{jp_http_port}\r\n{STRANGER}"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{{".encode())
    status, _, body = await asyncio.wait_for(reply_from(reader), 3)
    assert (status, json.loads(body)["code"]) == (401, "grant_invalid")
    assert await asyncio.wait_for(reader.read(), 3) == b""
    writer.close()
