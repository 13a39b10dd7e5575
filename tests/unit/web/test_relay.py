"""The relay, without a framework and without a network: what a client sees of an answer, and what is recorded of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from jupyter_oidc.problems import NotSignedIn, Overloaded, SessionExpired, UpstreamUnreachable
from jupyter_oidc.web.call_record import CallRecord
from jupyter_oidc.web.relay import Relay

HEADERS = [("Content-Type", "application/json")]


class Closed(Exception):
    """The framework's exception for a closed connection."""


class WrongLength(Exception):
    """The framework's exception for a body of another length than announced."""


class ClientInMemory:
    """Notes what it is told; ``closes_at`` is the first thing that the client does not read."""

    closed_error = Closed
    length_error = WrongLength

    def __init__(self, closes_at: str = "", *, is_slow: bool = False) -> None:
        self.seen: list[Any] = []
        self.room = asyncio.get_running_loop().create_future()
        self.cut: Callable[[], None] | None = None
        self._closes_at = closes_at
        if not is_slow:
            self.room.set_result(None)

    def write_whole(self, status: int, headers: Any, body: bytes | None) -> asyncio.Future[None]:
        self.seen.append((status, body))
        return self.room

    async def write_head(self, status: int, headers: Any) -> None:
        self.seen.append(status)

    async def write(self, piece: bytes) -> None:
        if piece.decode() == self._closes_at:
            raise Closed
        self.seen.append(piece)

    async def finish(self) -> None:
        if self._closes_at == "end":
            raise WrongLength
        self.seen.append("end")

    def abort(self) -> None:
        self.seen.append("abort")
        if not self.room.done():
            self.room.set_exception(Closed())

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        self.cut = cut
        return lambda: self.seen.append("unwatched")


@dataclass
class UpstreamInPieces:
    """A reply whose body comes in ``pieces``, of which an exception is raised; ``None`` waits for ever."""

    pieces: list[bytes | Exception | None]
    is_whole: bool = False

    def whole(self) -> bytes | None:
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes)) if self.is_whole else None

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                await asyncio.get_running_loop().create_future()
            else:
                yield piece


@dataclass
class AnswerInMemory:
    """An answer of the proxy, whose session ends when :meth:`end_session` is called."""

    upstream: UpstreamInPieces
    status: int = 200
    is_over: bool = False
    closed: int = 0
    headers: list[tuple[str, str]] = field(default_factory=lambda: list(HEADERS))
    _close_stream: Callable[[], None] | None = None

    def on_session_end(self, close_stream: Callable[[], None]) -> None:
        self._close_stream = close_stream

    def end_session(self) -> None:
        assert self._close_stream is not None
        self._close_stream()

    def close(self) -> None:
        self.closed += 1


class EventsInMemory:
    """Notes the calls and the refused calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, str]] = []
        self.refused: list[tuple[int, str, str]] = []

    def call(self, **event: Any) -> None:
        self.calls.append((event["status"], event["size"], event["outcome"]))

    def call_refused(self, refused: Any) -> None:
        self.refused.append((refused.status, refused.error_code, refused.detail))


class SameToken:
    """Entropy without any."""

    def token(self, bits: int) -> str:
        return f"token of {bits} bits"


class Journey:
    """One call from its opening to its record."""

    def __init__(self, answer: AnswerInMemory, client: ClientInMemory, method: str = "GET") -> None:
        self.answer, self.client, self.events = answer, client, EventsInMemory()
        record = CallRecord(self.events, SameToken(), method, lambda: 0.5, "k-1", "orders")  # type: ignore[arg-type]
        self.relay = Relay(record)

    async def go(self) -> None:
        async def opened() -> Any:
            return self.answer

        await self.relay.run(self.client, opened())


def answered(*pieces: bytes | Exception | None, is_whole: bool = False, **more: Any) -> AnswerInMemory:
    return AnswerInMemory(UpstreamInPieces(list(pieces), is_whole), **more)


async def test_a_body_that_is_there_goes_out_at_once() -> None:
    journey = Journey(answered(b"{}", is_whole=True), ClientInMemory())
    await journey.go()
    assert journey.client.seen == [(200, b"{}")]
    assert (journey.events.calls, journey.events.refused) == ([(200, 2, "2xx")], [])
    assert journey.answer.closed == 1


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_an_answer_without_a_body_by_its_method_or_status_has_none(method: str, status: int) -> None:
    """RFC 9110, 6.4.1."""
    journey = Journey(answered(b"{}", is_whole=True, status=status), ClientInMemory(), method)
    await journey.go()
    assert journey.client.seen == [(status, None)]
    assert journey.events.calls == [(status, 0, f"{status // 100}xx")]


async def test_any_other_body_goes_out_piece_by_piece() -> None:
    journey = Journey(answered(b"one", b"two", status=404), ClientInMemory())
    await journey.go()
    assert journey.client.seen == [404, b"one", b"two", "end", "unwatched"]
    assert journey.events.calls == [(404, 6, "4xx")]


async def test_an_answer_that_breaks_off_never_looks_complete() -> None:
    """C19: a client can tell it from a whole one."""
    broken = UpstreamUnreachable("The API broke off its answer.", detail="upstream.truncated")
    journey = Journey(answered(b"one", broken), ClientInMemory())
    await journey.go()
    assert journey.client.seen == [200, b"one", "unwatched", "abort"]
    assert journey.events.calls == [(200, 3, "upstream_truncated")]
    assert journey.events.refused == [(200, "upstream_unreachable", "upstream.truncated")]


async def test_a_body_of_another_length_than_announced_never_looks_complete() -> None:
    """C19: the framework's refusal to send it counts as a broken answer."""
    journey = Journey(answered(b"one"), ClientInMemory(closes_at="end"))
    await journey.go()
    assert journey.client.seen == [200, b"one", "unwatched", "abort"]
    assert journey.events.refused == [(200, "upstream_protocol_error", "upstream.length")]


async def test_a_defect_in_the_middle_never_looks_complete(caplog: pytest.LogCaptureFixture) -> None:
    journey = Journey(answered(b"one", ValueError("something that is kept from a log")), ClientInMemory())
    await journey.go()
    assert journey.client.seen == [200, b"one", "unwatched", "abort"]
    assert journey.events.refused == [(200, "defect", "defect")]
    assert "defect ValueError at chunks" in caplog.text
    assert "kept from a log" not in caplog.text


async def test_a_client_that_has_closed_gets_no_more() -> None:
    journey = Journey(answered(b"one", b"two", b"three"), ClientInMemory(closes_at="two"))
    await journey.go()
    assert journey.client.seen == [200, b"one", "unwatched"]
    assert (journey.events.calls, journey.events.refused) == ([(200, 6, "client_abort")], [])
    assert journey.answer.closed == 1


async def test_the_end_of_the_session_or_of_the_kernel_closes_a_stream() -> None:
    """S-5, Q8.12: at once, and not with the next piece."""
    for end in ("session", "kernel"):
        journey = Journey(answered(b"one", None), ClientInMemory())
        flowing = asyncio.ensure_future(journey.go())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if end == "session":
            journey.answer.end_session()
        elif journey.client.cut is not None:
            journey.client.cut()
        assert journey.client.seen == [200, b"one", "abort"]
        flowing.cancel()
        await asyncio.wait([flowing])


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_session_that_ended_while_the_api_answered_is_told_instead_of_the_answer(is_whole: bool) -> None:
    """S-5: nothing of the answer has left, so the caller reads why and sees no broken connection."""
    journey = Journey(answered(b"{}", is_whole=is_whole, is_over=True), ClientInMemory())
    with pytest.raises(SessionExpired) as told:
        await journey.go()
    assert told.value.detail == "answer.withheld"
    assert "may have done" in told.value.message
    assert (journey.client.seen, journey.answer.closed) == ([], 1)
    assert not journey.relay.has_answer
    assert not journey.relay.owns_record, "the front renders and records the refusal"


async def test_a_client_that_left_is_told_nothing_of_a_session_that_ended() -> None:
    """C18, S-5: the call is recorded as one that its client left."""
    journey = Journey(answered(b"{}", is_whole=True, is_over=True), ClientInMemory())
    journey.relay.client_gone()
    await journey.go()
    assert journey.client.seen == []
    assert journey.events.calls == [(200, 0, "client_abort")]
    assert journey.answer.closed == 1


async def test_the_end_of_the_session_closes_a_whole_answer_that_a_slow_client_has_not_taken() -> None:
    """S-5: no byte of it goes out any more."""
    journey = Journey(answered(b"{}", is_whole=True), ClientInMemory(is_slow=True))
    flowing = asyncio.ensure_future(journey.go())
    await asyncio.sleep(0)
    journey.answer.end_session()
    await flowing
    assert journey.client.seen == [(200, b"{}"), "abort"]
    assert journey.events.calls == [(200, 2, "client_abort")]


async def test_a_client_that_leaves_before_the_answer_ends_the_call() -> None:
    """C18: the call to the API is cancelled."""
    journey = Journey(answered(), ClientInMemory())
    never = asyncio.get_running_loop().create_future()
    journey.relay.opening = waiting = asyncio.ensure_future(journey.relay.run(journey.client, never))
    await asyncio.sleep(0)
    journey.relay.client_gone()
    await waiting
    assert (never.cancelled(), journey.client.seen) == (True, [])
    assert (journey.events.calls, journey.relay.owns_record) == ([(200, 0, "client_abort")], True)


async def test_a_client_that_leaves_during_the_answer_closes_the_apis_side() -> None:
    """C18: the rest of the answer is not read."""
    journey = Journey(answered(b"one", None), ClientInMemory())
    flowing = asyncio.ensure_future(journey.go())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    journey.relay.client_gone()
    assert journey.answer.closed == 1
    flowing.cancel()
    await asyncio.wait([flowing])


async def test_a_call_without_an_answer_is_left_to_its_front() -> None:
    journey = Journey(answered(), ClientInMemory())

    async def refused() -> Any:
        raise NotSignedIn

    with pytest.raises(NotSignedIn):
        await journey.relay.run(journey.client, refused())
    assert (journey.client.seen, journey.events.calls, journey.relay.owns_record) == ([], [], False)


async def test_a_call_whose_wait_is_given_up_is_told_to_try_again() -> None:
    """D9: for instance a refresh, while other settings are put in force."""
    journey = Journey(answered(), ClientInMemory())
    given_up = asyncio.get_running_loop().create_future()
    given_up.cancel()
    with pytest.raises(Overloaded):
        await journey.relay.run(journey.client, given_up)
