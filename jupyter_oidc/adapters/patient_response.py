"""A reply whose interim answers are counted, and whose connection ends at once when it is given up (C18, C20).

aiohttp reads 1xx answers until a final one comes; an API that sends them for ever would keep it busy until the deadline.
It follows the redirects of a WebSocket handshake, too, and cannot be told not to; so such an answer is an error at once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import aiohttp

MOST_INTERIM: Final = 10
"""Interim answers before the final one."""


class HandshakeRefused(Exception):
    """The API answered a WebSocket handshake with something else than a switch; the headers are as received."""

    def __init__(self, status: int, raw_headers: tuple[tuple[bytes, bytes], ...]) -> None:
        super().__init__(status)
        self.status = status
        self.raw_headers = raw_headers


@cache
def patient_response() -> type[aiohttp.ClientResponse]:
    """Return the class; aiohttp is imported at the first call."""
    import aiohttp

    class PatientResponse(aiohttp.ClientResponse):
        """Looks at each interim answer through the one attribute that aiohttp reads for each of them."""

        _interim = 0
        _waiting: Any = None

        async def start(self, connection: Any) -> aiohttp.ClientResponse:
            transport = connection.transport
            try:
                await super().start(connection)
                if self.status != 101 and "Sec-WebSocket-Key" in self.request_info.headers:
                    raise HandshakeRefused(self.status, self.raw_headers)
            except BaseException:
                # NOTE: a plain close waits until the API has read what is still to be sent, perhaps for ever (C18).
                if transport is not None:
                    transport.abort()
                raise
            return self

        @property
        def _continue(self) -> Any:
            self._interim += 1
            if self._interim > MOST_INTERIM:
                raise aiohttp.ClientPayloadError("too many interim answers")
            return self._waiting

        @_continue.setter
        def _continue(self, waiting: Any) -> None:
            self._waiting = waiting

    return PatientResponse
