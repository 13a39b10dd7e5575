"""The relay of a WebSocket's messages, without a framework and without a network: who closes whom, and with which code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from jupyter_oidc.adapters.telemetry.call_record import CallRecord
from jupyter_oidc.background import Background, Defect
from jupyter_oidc.problems import Problem, UpstreamUnreachable
from jupyter_oidc.web.socket_relay import SocketRelay


class Closed(Exception):
    """The framework's exception for a closed socket."""


class CallerInMemory:
    """Notes the messages that it gets, and how it is closed."""

    closed_error = Closed

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.cut: Callable[[], None] | None = None
        self.is_watched = True
        self.fails_to_watch = False

    async def write_message(self, message: str | bytes) -> None:
        self.seen.append(message)

    def close(self, code: int, reason: str = "") -> None:
        self.seen.append((code, reason))

    def has_left(self) -> bool:
        return False

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        if self.fails_to_watch:
            raise OSError("no kernel manager")
        self.cut = cut
        return self._unwatch

    def _unwatch(self) -> None:
        self.is_watched = False


class UpstreamInMemory:
    """A socket to an API that sends ``messages`` and closes with ``close_code``, or stays open without one."""

    def __init__(self, messages: list[str | bytes], close_code: int | None, *, is_broken: bool) -> None:
        self.close_code = close_code
        self.received: list[str | bytes] = []
        self._messages = messages
        self._is_broken = is_broken

    async def messages(self) -> AsyncIterator[str | bytes]:
        for message in self._messages:
            yield message
        if self.close_code is None:
            await asyncio.get_running_loop().create_future()

    async def send(self, message: str | bytes) -> None:
        if self._is_broken:
            raise UpstreamUnreachable("The API closed the connection.", detail="upstream.socket")
        self.received.append(message)


class SocketInMemory:
    """An open socket of the proxy, whose session ends when :meth:`end_session` is called."""

    def __init__(self, *messages: str | bytes, close_code: int | None = None, is_broken: bool = False) -> None:
        self.upstream = UpstreamInMemory(list(messages), close_code, is_broken=is_broken)
        self.closed: list[int] = []
        self.end_session: Callable[[], None] = lambda: None

    def on_session_end(self, close_stream: Callable[[], None]) -> None:
        self.end_session = close_stream

    async def close(self, code: int) -> None:
        self.closed.append(code)


class EventsInMemory:
    """Notes the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, str]] = []

    def call(self, **event: Any) -> None:
        self.calls.append((event["status"], event["size"], event["outcome"]))


class Joined:
    """A caller and a socket of an API that a relay has joined."""

    def __init__(self, socket: SocketInMemory, *, start: bool = True) -> None:
        self.caller, self.socket, self.events = CallerInMemory(), socket, EventsInMemory()
        self.defects: list[Defect] = []
        background = Background(self.defects.append, expected=Problem)
        events: Any = self.events
        no_entropy: Any = None
        record = CallRecord(events, no_entropy, "GET", lambda: 0.5, None, "orders")
        joined: Any = socket
        self.relay = SocketRelay(self.caller, joined, background, record)
        if start:
            self.relay.start()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_messages_pass_both_ways_and_are_counted_downwards() -> None:
    joined = Joined(SocketInMemory("one", b"two!"))
    await joined.relay.pass_up("three")
    await settled()
    joined.relay.client_closed(4001)
    await settled()
    assert (joined.caller.seen, joined.socket.upstream.received) == (["one", b"two!"], ["three"])
    assert joined.events.calls == [(101, 7, "websocket")]


@pytest.mark.parametrize(("code", "passed"), [(1000, 1000), (4000, 4000), (1006, 1011), (999, 1011), (5000, 1011)])
async def test_an_api_that_closes_closes_the_caller_with_its_code_or_an_error(code: int, passed: int) -> None:
    """RFC 6455, 7.4.1: some codes report an event locally, and may not be sent."""
    joined = Joined(SocketInMemory(close_code=code))
    await settled()
    assert joined.caller.seen == [(passed, "")]


@pytest.mark.parametrize(("code", "passed"), [(4001, 4001), (None, 1001), (1005, 1011)])
async def test_a_caller_that_closes_closes_the_api_with_its_code(code: int | None, passed: int) -> None:
    """C18: nothing watches for the kernel of a caller that has gone."""
    joined = Joined(SocketInMemory())
    joined.relay.client_closed(code)
    await settled()
    assert (joined.socket.closed, joined.caller.is_watched) == ([passed], False)


async def test_the_end_of_the_session_closes_both_sides() -> None:
    """C27, S-5: the caller reads why."""
    joined = Joined(SocketInMemory())
    joined.socket.end_session()
    await settled()
    assert (joined.caller.seen, joined.socket.closed) == ([(4401, "The session has ended.")], [1001])


async def test_the_end_of_the_kernel_closes_both_sides() -> None:
    """Q8.12: a process that the kernel has started may still hold the socket."""
    joined = Joined(SocketInMemory())
    assert joined.caller.cut is not None
    joined.caller.cut()
    await settled()
    assert (joined.caller.seen, joined.socket.closed) == ([(1001, "The kernel has ended.")], [1001])


async def test_a_message_that_the_api_does_not_take_closes_the_caller() -> None:
    joined = Joined(SocketInMemory(is_broken=True))
    await joined.relay.pass_up("x")
    assert joined.caller.seen == [(1011, "The API closed the connection.")]


async def test_a_socket_whose_kernel_cannot_be_watched_leaves_nothing_open() -> None:
    """C28: the front closes it as any other, so its place at the API is free again."""
    joined = Joined(SocketInMemory("one"), start=False)
    joined.caller.fails_to_watch = True
    with pytest.raises(OSError, match="no kernel manager"):
        joined.relay.start()
    joined.relay.client_closed(None)
    await settled()
    assert joined.socket.closed == [1001]
    assert joined.events.calls == [(101, 0, "websocket")]
