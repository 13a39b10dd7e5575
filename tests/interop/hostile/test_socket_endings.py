"""WebSockets whose API does not listen, or does not say goodbye: they end all the same (C18, C27, S-5)."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.interop.hostile.stage import Stage, within
from tests.interop.hostile.test_websockets import BINARY, frame, handshake
from tests.support.raw_client import RawConnection
from tests.support.raw_upstream import Conversation, RawUpstream, wait_for

MESSAGE = frame(BINARY, b"x" * 60_000, mask=True)


async def accept(talk: Conversation) -> None:
    """Answer the handshake."""
    (key,) = talk.received.all("sec-websocket-key")
    digest = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    await talk.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    await talk.send(b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n")


@contextmanager
def unheard(stage: Stage) -> Iterator[RawConnection]:
    """An open socket whose API does not read, with as many messages on their way as fit in."""
    over = threading.Event()
    stage.api.script("socket", accept, wait_for(over), reads=False)
    try:
        with stage.raw.connect() as connection:
            assert handshake(stage, connection).status == 101
            connection.plug.settimeout(1)
            with suppress(TimeoutError):
                while True:
                    connection.plug.sendall(MESSAGE)
            yield connection
    finally:
        over.set()


def test_a_caller_that_leaves_an_api_that_does_not_listen_leaves_nothing_open(stage: Stage, api: RawUpstream) -> None:
    """C18: the API has five seconds to read what is left."""
    before = stage.links(api)
    with unheard(stage) as connection:
        connection.reset()
        assert within(8, lambda: stage.links(api) <= before)


def test_a_sign_out_ends_a_socket_whose_api_does_not_listen(stage: Stage, api: RawUpstream) -> None:
    """C27, S-5: the API's side, too, whatever the caller does."""
    before = stage.links(api)
    try:
        with unheard(stage):
            stage.post("sign-out")
            assert within(8, lambda: stage.links(api) <= before)
    finally:
        stage.sign_in()
