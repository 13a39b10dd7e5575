"""Writes a whole answer onto a connection of tornado's in one piece: the cheap way for almost every call (ADR 17).

``HTTP1Connection.write_headers`` converts, copies and checks each line of a head by itself, which costs a tenth of a
call. Here the head is joined first and checked once, by the same rules: no line break in a line, ISO 8859-1, and a body
of the announced length.
It refuses what is unusual, and leaves that to ``write_headers``: a name that comes twice, another length, a connection
that closes behind the answer.
"""

from __future__ import annotations

from functools import lru_cache
from http.client import responses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from jupyter_oidc.proxy.headers import Headers


def stays_open(connection: Any, asked: str | None) -> bool:
    """Return whether ``connection``, of HTTP/1.1, stays open behind an answer without a header about that.

    ``asked`` is the ``Connection`` header of the request, or ``None``.
    """
    return asked in (None, "keep-alive") and not connection.no_keep_alive


def write_whole_answer(
    connection: Any, status: int, headers: Headers, body: bytes | None
) -> asyncio.Future[None] | None:
    """Send the answer and finish it, or return ``None`` for one that is unusual; then nothing is sent.

    A ``body`` of ``None`` has no length of its own. ``connection`` stays open for the next request.
    Raises ``ValueError`` for a line break in a header, and tornado's ``StreamClosedError``.
    """
    head = _head(status, headers, body)
    if head is None:
        return None
    written: asyncio.Future[None] = connection.stream.write(head + body if body else head)
    if written.done():
        _finish(connection, written)
    else:  # NOTE: a request that comes before its client has read this answer waits, as with tornado's own writing
        written.add_done_callback(lambda written: _finish(connection, written))
    return written


def _finish(connection: Any, written: asyncio.Future[None]) -> None:
    """Finish the answer; if it was not taken, the connection is closed, and tornado has noticed that itself."""
    if not written.cancelled() and written.exception() is None:
        connection.finish()


def _head(status: int, headers: Headers, body: bytes | None) -> bytes | None:
    lines = {_spelling(name): value for name, value in headers}
    if len(lines) < len(headers):
        return None
    if body is not None:
        length = str(len(body))
        if lines.setdefault("Content-Length", length) != length:
            return None
    head = "\r\n".join([_status_line(status), *[f"{name}: {value}" for name, value in lines.items()], "\r\n"])
    breaks = len(lines) + 2
    if head.count("\r") != breaks or head.count("\n") != breaks:
        raise ValueError("a line break in a header")
    return head.encode("latin-1")


@lru_cache(maxsize=1_000)
def _spelling(name: str) -> str:
    """Return ``name`` as tornado spells the names of headers."""
    return "-".join([word.capitalize() for word in name.split("-")])


@lru_cache(maxsize=512)
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}"
