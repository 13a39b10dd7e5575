"""Private names of aiohttp: which connection a reply came by, what waits in a reader, how a connection parses."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aiohttp import BaseConnector, ClientResponse, ClientWebSocketResponse, StreamReader
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.http_parser import RawResponseMessage

SEEN: Final = ("3.14.0", "3.14.5")


def has_buffered_data(content: StreamReader) -> bool:
    """Return whether a piece of the body has arrived and is not read yet; aiohttp only says so after a read."""
    reader: Any = content
    return bool(reader._buffer)


def limit_chunks(content: StreamReader, chunks: int) -> None:
    """Let the parser of ``content`` stop after ``chunks`` chunks until they have been read.

    By itself aiohttp stops after one chunk for 16 bytes of its read buffer, and has no parameter for it.
    """
    reader: Any = content
    if getattr(reader, "_high_water_chunks", 0) > chunks:
        reader._high_water_chunks = chunks
        reader._low_water_chunks = chunks // 2


def handshake_of(socket: ClientWebSocketResponse[Any]) -> ClientResponse:
    """Return the reply that opened ``socket``: its headers, and the connection that can be aborted."""
    response: ClientResponse = socket._response
    return response


def use_protocol(connector: BaseConnector, protocol: type[ResponseHandler]) -> None:
    """Let every new connection of ``connector`` be of the class ``protocol``; there is no parameter for it."""
    chosen: Any = connector
    chosen._factory = partial(protocol, loop=chosen._loop)


def close_idle_connections(connection: Any) -> None:
    """Close the idle connections to where ``connection`` leads; aiohttp closes one at a time, or all of a connector."""
    for protocol, _ in connection._connector._conns.pop(connection._key, ()):
        protocol.close()


@cache
def observable_protocol() -> type[Any]:
    """Return the class of connections whose parsing can be looked at; aiohttp is imported at the first call."""
    from aiohttp.client_proto import ResponseHandler

    class ObservableProtocol(ResponseHandler):
        """Names what a subclass has to know of the reply that is being parsed."""

        @property
        def skips_payload(self) -> bool:
            """Whether the reply has no body whatever its head says, as that to HEAD."""
            return bool(self._skip_payload)

        @property
        def is_upgraded(self) -> bool:
            """Whether the connection has changed to another protocol."""
            return bool(self._upgraded)

        @property
        def last_head(self) -> RawResponseMessage | None:
            """The head that was parsed last and not taken yet."""
            if not self._buffer or self._exception is not None:
                return None
            head: RawResponseMessage = self._buffer[-1][0][0]
            return head

        def close_after_reply(self) -> None:
            """Keep the connection out of the pool once this reply is over."""
            self._should_close = True

    return ObservableProtocol


@cache
def response_with_interim_hook() -> type[Any]:
    """Return a response class that calls ``on_interim()`` for each 1xx reply; aiohttp is imported at the first call.

    aiohttp reads interim replies in a loop of its own, and reads one attribute of the response for each of them.
    """
    import aiohttp

    class ResponseWithInterimHook(aiohttp.ClientResponse):
        """A subclass overrides :meth:`on_interim`; what it raises ends the call."""

        _waiting_for_continue: Any = None

        def on_interim(self) -> None:
            """Take note of an interim reply."""

        @property
        def _continue(self) -> Any:
            self.on_interim()
            return self._waiting_for_continue

        @_continue.setter
        def _continue(self, waiting: Any) -> None:
            self._waiting_for_continue = waiting

    return ResponseWithInterimHook
