"""Passes the answer of an API on to a client: the one place that decides how, for every front.

A front (the handler, the kernels' fast path) admits the call, and gives the relay a :class:`Client`, which is its
framework's connection behind six methods. The relay decides what the client sees of the answer:

- no body for a HEAD and for a status that has none, a body that is there already at once, any other piece by piece;
- the end of the session while the API answers is told instead of the answer, of which nothing has left yet (S-5);
- the end of the session or of the caller's kernel after that closes the connection in the middle (S-5, Q8.12);
- an answer that breaks off closes it likewise, so that it never looks complete (C19);
- a client that goes away ends the call to the API (C18).

In the end it records the call, by one of the outcomes ``1xx`` to ``5xx``, ``client_abort`` and ``upstream_truncated``.
It refuses to render an error: a call that led to no answer raises, and its front renders and records the refusal.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from jupyter_oidc.adapters.telemetry.named_log import SERVER
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Overloaded, Problem, SessionExpired, UpstreamProtocolError
from jupyter_oidc.web.problems import defect_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import UpstreamReply

CLIENT_ABORT: Final = "client_abort"
"""The outcome of a call whose client went away, or whose connection was closed because its session or kernel ended."""

UPSTREAM_TRUNCATED: Final = "upstream_truncated"
"""The outcome of a call whose answer broke off after its head."""

REFUSED: Final = "refused"
"""The outcome of a call that led to no answer of the API."""

UNSENT_STATUS: Final = 200
"""The status in the record of a call whose client went away before the API answered."""

PEER_CHECK_INTERVAL_SECONDS: Final = 0.5
"""Seconds between two checks of a caller whose bytes wait for the API."""

_BODILESS: Final = frozenset({204, 304})


class Client(Protocol):
    """The connection of a caller, as a front gives it to the relay."""

    @property
    def closed_error(self) -> type[Exception]:
        """The exception of the front's framework for a connection that the client has closed."""
        ...

    @property
    def length_error(self) -> type[Exception]:
        """The exception of the front's framework for a body of another length than its head announced."""
        ...

    def write_whole(self, status: int, headers: Headers, body: bytes | None) -> asyncio.Future[None]:
        """Send a whole answer, with the length of its ``body``; ``None`` if it has none by its method or status.

        The future is done once nothing waits for the client any more.
        """
        ...

    def write_head(self, status: int, headers: Headers) -> Awaitable[None]:
        """Send the head of an answer whose body follows in pieces."""
        ...

    def write(self, piece: bytes) -> Awaitable[None]:
        """Send a piece of the body; done when there is room for the next one."""
        ...

    def finish(self) -> Awaitable[None]:
        """Send the end of the body: the answer is complete."""
        ...

    def abort(self) -> None:
        """Close the connection in the middle, so that the answer cannot look complete."""
        ...

    def watch_caller(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the caller's kernel is over, or now if it is; return the function that stops this."""
        ...


class Record(Protocol):
    """The record of one call, as :class:`~jupyter_oidc.web.call_record.CallRecord` keeps it."""

    method: str
    sent_bytes: int

    def fail(self, status: int, problem: Problem | None, request_id: str = "") -> None:
        """Log and count that the call ended in ``problem``, a defect if ``None``."""
        ...

    def write(self, status: int, outcome: str) -> None:
        """Add the call to the counters and the audit trail."""
        ...


class RelayedAnswer(Protocol):
    """The answer to one call: of the proxy (:class:`~jupyter_oidc.proxy.service.Answer`), or of a broker."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """The headers for the caller."""
        ...

    @property
    def upstream(self) -> UpstreamReply:
        """The reply whose body has still to be read."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether the session has ended meanwhile."""
        ...

    def on_session_end(self, close_stream: Callable[[], None]) -> None:
        """Call ``close_stream`` when the session ends on purpose, or now if it has."""
        ...

    def close(self) -> None:
        """Release the connection; closing twice is no error."""
        ...


class Relay:
    """The way of one call: the wait for its answer, the answer, and its record.

    It holds no client: the client usually holds it, and a call leaves no cycle behind (ADR 17).
    """

    __slots__ = ("_answer", "_record", "is_client_gone", "opening", "owns_record")

    def __init__(self, record: Record) -> None:
        self._record = record
        self._answer: RelayedAnswer | None = None
        self.is_client_gone = False
        self.opening: asyncio.Task[Any] | None = None
        """The task that makes the call, set by the front; it is cancelled if the client goes away meanwhile."""

        self.owns_record = False
        """``True`` once the relay records the call itself, since it is no refusal."""

    @property
    def has_answer(self) -> bool:
        """``True`` once the API has answered."""
        return self._answer is not None

    def client_gone(self) -> None:
        """End the call, because its client went away (C18); the front calls this once, at any time."""
        self.is_client_gone = True
        if self._answer is not None:
            self._answer.close()
        elif self.opening is not None:
            self.opening.cancel()

    async def run(self, client: Client, opened: Awaitable[RelayedAnswer]) -> None:
        """Pass the answer in ``opened`` on to ``client``; returns when it is sent, or cannot be.

        Raises what ``opened`` raises, ``SessionExpired`` if the session has ended meanwhile, and ``Overloaded`` if the
        call was given up by another reason than its client.
        """
        try:
            answer = await opened
        except asyncio.CancelledError:
            if self.is_client_gone:
                _uncancel(self.opening)
                self._record_unsent()
                return
            if _is_being_cancelled():
                client.abort()
                raise
            raise Overloaded(N_("Something that the call waited for was given up.")) from None
        except Exception:
            if not self.is_client_gone:
                raise
            self._record_unsent()
            return
        finally:
            self.opening = None
        if answer.is_over and not self.is_client_gone:
            answer.close()
            raise SessionExpired(
                N_("The session ended while the API answered; the API may have done what the call asked for."),
                detail="answer.withheld",
            )
        self._answer = answer
        self.owns_record = True
        outcome = CLIENT_ABORT
        try:
            if not self.is_client_gone:
                outcome = await self._pass_on(client, answer)
        finally:
            answer.close()
            self._record.write(answer.status, outcome)

    def _record_unsent(self) -> None:
        self.owns_record = True
        self._record.write(UNSENT_STATUS, CLIENT_ABORT)

    async def _pass_on(self, client: Client, answer: RelayedAnswer) -> str:
        """Send ``answer``; return the outcome."""
        try:
            await self._send(client, answer)
        except client.closed_error:
            return CLIENT_ABORT
        except (Problem, client.length_error) as error:
            client.abort()
            if self.is_client_gone:
                return CLIENT_ABORT
            self._record.fail(answer.status, _cut_short_by(error))
            return UPSTREAM_TRUNCATED
        except BaseException as error:
            client.abort()  # the head may be sent, so no other answer is possible
            if not isinstance(error, Exception):
                raise
            SERVER.error("jupyter_oidc: %s", defect_text(type(error), error.__traceback__))
            self._record.fail(answer.status, None)
            return UPSTREAM_TRUNCATED
        return f"{answer.status // 100}xx"

    async def _send(self, client: Client, answer: RelayedAnswer) -> None:
        status, upstream = answer.status, answer.upstream
        has_body = status not in _BODILESS and self._record.method != "HEAD"
        body = upstream.whole() if has_body else None
        if has_body and body is None:
            await self._send_pieces(client, answer)
        else:
            self._record.sent_bytes = len(body or b"")
            written = client.write_whole(status, answer.headers, body)
            if not written.done():
                answer.on_session_end(client.abort)
            await written

    async def _send_pieces(self, client: Client, answer: RelayedAnswer) -> None:
        answer.on_session_end(client.abort)
        stop_watching = client.watch_caller(client.abort)
        try:
            await client.write_head(answer.status, answer.headers)
            async for piece in answer.upstream.chunks():
                self._record.sent_bytes += len(piece)
                await client.write(piece)
            await client.finish()
        finally:
            stop_watching()


def _cut_short_by(error: Exception) -> Problem:
    """Return the problem for an answer that ended in ``error`` after its head had been sent.

    An error that is no ``Problem`` is the front's refusal to send a body of another length than announced.
    """
    return error if isinstance(error, Problem) else UpstreamProtocolError(detail="upstream.length")


def _is_being_cancelled() -> bool:
    """Return whether the running task itself is being cancelled (Python 3.11; before, that cannot be told)."""
    task: Any = asyncio.current_task()
    return bool(task.cancelling()) if hasattr(task, "cancelling") else False


def _uncancel(cancelled: asyncio.Task[Any] | None) -> None:
    """Let the running task go on after its own cancellation, if it is the ``cancelled`` one (Python 3.11)."""
    uncancel = getattr(cancelled, "uncancel", None) if cancelled is asyncio.current_task() else None
    if uncancel is not None:
        uncancel()
