"""A reply that limits interim answers, and whose connection is aborted when the caller gives it up (C18, C20).

aiohttp reads 1xx answers until a final one comes; an API that sends them for ever would keep it busy.
It follows the redirects of a WebSocket handshake, too, with no option against it, so such an answer is an error.
And it repeats a lost call on any connection, by the method alone. Here a call is repeated once, on a new connection, if
it has no body and an idempotent method, and if the connection was used before and died before the answer began: then
only the connection was at fault (RFC 9110, 9.2.2; RFC 9112, 9.3.1).
A call with a DPoP proof is never repeated here: it would carry the same proof, which is good for one call
(RFC 9449, 11.1). The caller is told that the connection ended, and may call again with a new proof.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.compat.aiohttp import close_idle_connections, response_with_interim_hook

if TYPE_CHECKING:
    import aiohttp

MAX_INTERIM_RESPONSES: Final = 10
"""Interim (1xx) answers that an API may send before the final one."""


_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class HandshakeRefused(Exception):
    """The API answered a WebSocket handshake with another status than 101; the headers are as received."""

    def __init__(self, status: int, raw_headers: tuple[tuple[bytes, bytes], ...]) -> None:
        super().__init__(status)
        self.status = status
        self.raw_headers = raw_headers


@cache
def limited_response() -> type[aiohttp.ClientResponse]:  # noqa: C901 - a class is in it
    """Return the class; aiohttp is imported at the first call."""
    import aiohttp

    class _IdleTooLong(aiohttp.ClientConnectionError):
        """The API closed an idle connection while the call was on its way (RFC 9110, 15.5.9)."""

    class LimitedResponse(response_with_interim_hook()):  # type: ignore[misc]  # NOTE: made when aiohttp is imported
        """Counts interim answers, and repeats what may be repeated."""

        _interim = 0

        async def start(self, connection: Any) -> aiohttp.ClientResponse:
            transport, protocol = connection.transport, connection.protocol
            try:
                await super().start(connection)
                if self.status == 408 and protocol.uses > 1 and self._may_be_repeated:
                    raise _IdleTooLong
                if self.status != 101 and "Sec-WebSocket-Key" in self.request_info.headers:
                    raise HandshakeRefused(self.status, self.raw_headers)
            except BaseException as error:
                # NOTE: a plain close waits until the API has read the rest of the request, perhaps for ever (C18).
                if transport is not None:
                    transport.abort()
                if not isinstance(error, (aiohttp.ClientConnectionError, aiohttp.ClientResponseError)):
                    raise
                was_dead = protocol.uses > 1 and not protocol.has_begun
                if protocol.uses > 1:
                    # NOTE: one that was dead does not die alone, and aiohttp would take the next for its repetition.
                    close_idle_connections(connection)
                if (was_dead or isinstance(error, _IdleTooLong)) and self._may_be_repeated:
                    raise aiohttp.ServerDisconnectedError from None  # which aiohttp repeats once, on a new connection
                if isinstance(error, (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
                    # NOTE: aiohttp repeats the call for both; the cause may be a TLS alert of the API (tls_problems).
                    raise aiohttp.ClientConnectionError("the API ended the connection") from error
                raise
            return self

        @property
        def _may_be_repeated(self) -> bool:
            """Whether the call has no body and no DPoP proof, and an idempotent method."""
            sent = self.request_info.headers
            has_body = sent.get("Content-Length", "0") != "0" or "Transfer-Encoding" in sent
            return self.method in _IDEMPOTENT and not has_body and "DPoP" not in sent

        def on_interim(self) -> None:
            self._interim += 1
            if self._interim > MAX_INTERIM_RESPONSES:
                raise aiohttp.ClientPayloadError("too many interim answers")

    return LimitedResponse
