"""Private names of aiohttp's server: the headers that it adds to a reply, and what is made for a new connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from asyncio import BaseTransport
    from collections.abc import Callable

SEEN: Final = ("3.14.0", "3.14.5")


class OwnHeadersResponse(web.StreamResponse):
    """A reply that has the headers it was given, and those of the connection, and no others.

    By itself aiohttp names its version, and calls a body without a type ``application/octet-stream``.
    """

    async def _prepare_headers(self) -> None:
        added = {"Content-Type", "Server", "Date"} - {name.title() for name in self.headers}
        await super()._prepare_headers()
        for name in added:
            self.headers.popall(name, None)


class CountedConnection(web.RequestHandler):
    """A connection that is closed at once if ``admit`` refuses it; see :func:`counted_server`."""

    __slots__ = ("_admit", "_release")

    def __init__(self, server: web.Server, admit: Callable[[BaseTransport], Callable[[], None] | None]) -> None:
        made: Any = server
        super().__init__(server, loop=made._loop, **made._kwargs)
        self._admit = admit
        self._release: Callable[[], None] | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Count the connection."""
        self._release = self._admit(transport)
        super().connection_made(transport)
        if self._release is None:
            self.force_close()
            transport.abort()  # type: ignore[attr-defined]  # NOTE: every transport of a stream has it

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it no more."""
        super().connection_lost(exc)
        release, self._release = self._release, None
        if release is not None:
            release()


def counted_server(
    server: web.Server, admit: Callable[[BaseTransport], Callable[[], None] | None]
) -> Callable[[], CountedConnection]:
    """Return a factory of connections for ``server`` that closes at once each one that ``admit`` refuses.

    ``admit`` returns the function that is called when the connection is lost.
    """
    return lambda: CountedConnection(server, admit)
