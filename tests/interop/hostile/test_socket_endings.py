"""WebSockets whose API does not listen, or does not say goodbye: they end all the same (C18, C27, S-5)."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.interop.hostile.real_environment import RealEnvironment, within
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
def unheard(real_environment: RealEnvironment) -> Iterator[RawConnection]:
    """An open socket whose API does not read, with as many messages on their way as fit in."""
    over = threading.Event()
    real_environment.api.script("socket", accept, wait_for(over), reads=False)
    try:
        with real_environment.raw.connect() as connection:
            assert handshake(real_environment, connection).status == 101
            connection.plug.settimeout(1)
            with suppress(TimeoutError):
                while True:
                    connection.plug.sendall(MESSAGE)
            yield connection
    finally:
        over.set()


def test_a_caller_that_leaves_an_api_that_does_not_listen_leaves_nothing_open(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C18: the API has five seconds to read the rest."""
    before = real_environment.links(api)
    with unheard(real_environment) as connection:
        connection.reset()
        assert within(8, lambda: real_environment.links(api) <= before)


def test_a_sign_out_ends_a_socket_whose_api_does_not_listen(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C27, S-5: the API's side ends, too, for any behaviour of the caller."""
    before = real_environment.links(api)
    try:
        with unheard(real_environment):
            real_environment.post("sign-out")
            assert within(8, lambda: real_environment.links(api) <= before)
    finally:
        real_environment.sign_in()
