"""Private names of tornado: ending the wait for a request's body, and the end of a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

SEEN: Final = ("6.5.2", "6.6.1")


def end_body_wait(request: HTTPServerRequest, problem: Exception | None) -> asyncio.Future[None] | None:
    """Let the verb of ``request`` run, or fail by ``problem``, before its body is complete.

    Returns the future of whatever still arrives, or ``None`` if the body was complete, or the wait had ended, already.
    tornado ends the wait in this way itself where a handler that streams its body has answered; it has no method for it.
    """
    private: Any = request
    waiting = private._body_future
    if waiting.done():
        return None
    rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    private._body_future = rest
    if problem is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(problem)
    return rest


def awaits_body(request: HTTPServerRequest) -> bool:
    """Return whether the verb of ``request`` still waits for the end of its body."""
    private: Any = request
    return not private._body_future.done()


def close_after_reply(request: HTTPServerRequest) -> None:
    """End the connection of ``request`` with this reply; tornado would keep it where the caller asked for that."""
    connection: Any = request.connection
    connection._disconnect_on_finish = True
