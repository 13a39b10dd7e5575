"""WebSockets through the proxy: the callers that may open one, and its end (C27)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import struct

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_client import RawConnection, RawReply
from tests.support.raw_upstream import Conversation, RawUpstream, Step, reply

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]
TEXT, BINARY, CLOSE = 1, 2, 8


def frame(opcode: int, payload: bytes, *, mask: bool) -> bytes:
    """One whole frame (RFC 6455, 5.2)."""
    size = len(payload)
    marked = 0x80 if mask else 0
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([marked | size])
    elif size < 65_536:
        head += bytes([marked | 126]) + struct.pack(">H", size)
    else:
        head += bytes([marked | 127]) + struct.pack(">Q", size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))


def accepting(*lines: str) -> Step:
    """Answer the handshake with these header ``lines`` and send every message back; refuse a call without a handshake."""

    async def step(talk: Conversation) -> None:
        key = talk.received.all("sec-websocket-key")
        if not key or "upgrade" not in talk.received.names:
            await talk.send(reply("426 Upgrade Required"))
            return
        accept = base64.b64encode(hashlib.sha1((key[0] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        await talk.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        for line in lines:
            await talk.send(line.encode("latin-1") + b"\r\n")
        await talk.send(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        while True:
            opcode, payload = await _message(talk.reader)
            await talk.send(frame(opcode, payload, mask=False))

    return step


echo = accepting()


async def _message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        size = struct.unpack(">H", await reader.readexactly(2))[0]
    elif size == 127:
        size = struct.unpack(">Q", await reader.readexactly(8))[0]
    key = await reader.readexactly(4) if second & 0x80 else b"\0\0\0\0"
    payload = await reader.readexactly(size)
    return first & 0x0F, bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))


def handshake(
    real_environment: RealEnvironment, connection: RawConnection, *lines: str, login: bool = True
) -> RawReply:
    connection.send(real_environment.raw.head("GET", "orders/socket", *HANDSHAKE, *lines, login=login))
    return connection.reply()


def login_cookie(real_environment: RealEnvironment) -> str:
    """The headers of a browser that is logged in to Jupyter, for a page of any origin."""
    with real_environment.process.stranger() as browser:
        browser.get(f"api/status?token={real_environment.raw.token}")
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)


def received(connection: RawConnection, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := connection.some(patience=6)):
        data += piece
    return data


@pytest.fixture
def socketed(real_environment: RealEnvironment) -> RealEnvironment:
    real_environment.api.script("socket", echo, reads=False)
    return real_environment


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_a_handshake_from_another_site_is_refused(socketed: RealEnvironment, api: RawUpstream, origin: str) -> None:
    """C27: no CORS protects a WebSocket; only the origin does."""
    cookie = f"Cookie: {login_cookie(socketed)}"
    with socketed.raw.connect() as connection:
        assert handshake(socketed, connection, f"Origin: {origin}", cookie, login=False).status == 403
    assert api.calls == []


def test_a_handshake_without_a_session_is_refused(socketed: RealEnvironment, api: RawUpstream) -> None:
    """C27: WebSockets obey the rules of calls."""
    socketed.post("sign-out")
    try:
        with socketed.raw.connect() as connection:
            answer = handshake(socketed, connection)
            assert (answer.status, answer.code, api.calls) == (401, "not_signed_in", [])
    finally:
        socketed.sign_in()


def test_messages_travel_both_ways(socketed: RealEnvironment) -> None:
    """C27: the positive control."""
    with socketed.raw.connect() as connection:
        assert handshake(socketed, connection).status == 101
        connection.send(frame(TEXT, b"hello", mask=True))
        assert received(connection, 7) == frame(TEXT, b"hello", mask=False)


def test_a_token_that_the_api_refuses_is_renewed_before_the_socket_opens(
    socketed: RealEnvironment, api: RawUpstream
) -> None:
    """C27: WebSockets obey the rules of calls."""

    async def refuse_once(talk: Conversation) -> None:
        if len(api.to("socket")) == 1:
            await talk.send(reply("401 Unauthorized", b"", 'WWW-Authenticate: Bearer error="invalid_token"'))
        else:
            await echo(talk)

    api.script("socket", refuse_once, reads=False)
    with socketed.raw.connect() as connection:
        assert handshake(socketed, connection).status == 101


def test_a_sign_out_closes_the_socket(socketed: RealEnvironment) -> None:
    """C27: 4401 within five seconds."""
    with socketed.raw.connect() as connection:
        assert handshake(socketed, connection).status == 101
        socketed.post("sign-out")
        try:
            closing = received(connection, 4)
            assert (closing[0], closing[2:4]) == (0x80 | CLOSE, b"\x11\x31")
        finally:
            socketed.sign_in()


def test_a_message_of_sixteen_megabytes_is_too_large(socketed: RealEnvironment) -> None:
    """C27: 1009 (RFC 6455, 7.4.1)."""
    head = bytes([0x80 | BINARY, 0x80 | 127]) + struct.pack(">Q", 16 * 1024 * 1024 + 1) + b"\0\0\0\0"
    with socketed.raw.connect() as connection:
        assert handshake(socketed, connection).status == 101
        connection.send(head + b"x" * 65_536)
        closing = received(connection, 4)
        assert (closing[0], closing[2:4]) == (0x80 | CLOSE, b"\x03\xf1")
