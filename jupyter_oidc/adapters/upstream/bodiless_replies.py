"""A connection that discards a body after a reply that must not have one (RFC 9112, 6.3).

The reply to HEAD, 204 and 304 ends with its head. If an API sends a body all the same, it would be read as the next
reply: a call that succeeded would fail, or the next one would get an answer that is not its own.
So the head is passed on, the rest is discarded, and such a connection is not used again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.compat.aiohttp import observable_protocol

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler

_BODILESS_STATUSES: Final = (204, 304)
_END_OF_HEAD: Final = b"\r\n\r\n"
_STATUS_POSITION: Final = slice(9, 12)
"""The position of the status in a status line (RFC 9112, 4)."""

_SPECIAL_STATUS_PREFIXES: Final = (b"1", b"204", b"304")
_STATUS_LINE_PREFIX: Final = b"HTTP/"


@cache
def bodiless_aware_protocol() -> type[ResponseHandler]:  # noqa: C901 - a class is in it
    """Return the class; aiohttp is imported at the first call."""

    class BodilessAwareProtocol(observable_protocol()):  # type: ignore[misc]  # NOTE: made when aiohttp is imported
        """Feeds the head of such a reply to the parser and discards what follows it."""

        _awaits_first_data = False
        _feeds_heads_only = False
        _discards_input = False
        _tail = b""
        uses = 0
        """The number of calls over this connection."""

        has_begun = False
        """Whether the answer to the last of them has begun, if only with the first letter of a status line."""

        def set_response_params(self, **params: Any) -> None:
            self.uses += 1
            self._awaits_first_data = True
            self.has_begun = False
            self._feeds_heads_only = False
            super().set_response_params(**params)

        def data_received(self, data: bytes) -> None:
            if self._awaits_first_data and data:
                self._awaits_first_data = False
                self.has_begun = _STATUS_LINE_PREFIX.startswith(data[: len(_STATUS_LINE_PREFIX)])
                plain = len(data) >= _STATUS_POSITION.stop and not data[_STATUS_POSITION].startswith(
                    _SPECIAL_STATUS_PREFIXES
                )
                self._feeds_heads_only = self.skips_payload or not plain
                self._tail = b""
            if self._discards_input:
                return
            if self._feeds_heads_only and not self.is_upgraded:
                self._feed_heads(data)
            else:
                super().data_received(data)

        def _feed_heads(self, data: bytes) -> None:
            """Feed one head after the other, up to the final one."""
            while data and self._feeds_heads_only:
                found = (self._tail + data).find(_END_OF_HEAD)
                if found < 0:
                    self._tail = (self._tail + data)[-3:]
                    super().data_received(data)
                    return
                end = found + len(_END_OF_HEAD) - len(self._tail)
                head, data, self._tail = data[:end], data[end:], b""
                super().data_received(head)
                self._check_head(data)
            if data and not self._discards_input:
                super().data_received(data)

        def _check_head(self, rest: bytes) -> None:
            """Check the head that was read last; ``rest`` are the bytes behind it."""
            message = self.last_head
            if message is None or self.is_upgraded:
                self._feeds_heads_only = False
            elif message.code >= 200:
                self._feeds_heads_only = False
                if self.skips_payload or message.code in _BODILESS_STATUSES:
                    announced = message.headers.get("Content-Length", "0").strip("0") or message.chunked
                    if rest or announced:
                        self._discards_input = True
                        self.close_after_reply()

    return BodilessAwareProtocol
