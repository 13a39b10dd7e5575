"""Private names of tornado: the wait for a request's body, the end of an answer and that of a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest
    from tornado.web import RequestHandler

HandlerT = TypeVar("HandlerT", bound="type[RequestHandler]")

SEEN: Final = ("6.5.2", "6.6.1")


def awaits_no_body(handler: HandlerT) -> HandlerT:
    """Let ``handler``, whose base streams bodies, serve requests without one: at once, and not two steps later.

    A decorator, as tornado's ``stream_request_body``, whose opposite it is.
    """
    private: Any = handler
    private._stream_request_body = False
    return handler


def end_body_wait(request: HTTPServerRequest, problem: Exception | None) -> asyncio.Future[None] | None:
    """Let the verb of ``request`` run, or fail by ``problem``, before its body is complete.

    Returns the future of whatever still arrives, or ``None`` if the body was complete, or the wait had ended, already.
    tornado ends the wait in this way itself where a handler that streams its body has answered; it has no method for it.
    """
    private: Any = request
    if not awaits_body(request):
        return None
    waiting = private._body_future
    rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    private._body_future = rest
    if problem is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(problem)
    return rest


def awaits_body(request: HTTPServerRequest) -> bool:
    """Return whether the verb of ``request`` still waits for the end of its body."""
    waiting = getattr(request, "_body_future", None)
    return waiting is not None and not waiting.done()


def end_written_answer(handler: RequestHandler) -> None:
    """Finish ``handler``, whose answer has been written to its connection past it."""
    private: Any = handler
    handler._log()
    private._headers_written = private._finished = True
    handler.on_finish()
    private._break_cycles()


def close_after_reply(request: HTTPServerRequest) -> None:
    """End the connection of ``request`` with this reply; tornado would keep it where the caller asked for that."""
    connection: Any = request.connection
    connection._disconnect_on_finish = True
