"""Long reads for long replies: a gibibyte comes in fourteen hundred pieces instead of four thousand.

asyncio reads a quarter of a mebibyte from a socket at most, and each read wakes up the API, which is most of the work
of a large download. Larger buffers would fragment the memory of a server that answers many calls, so only a reply that
has already brought ``LARGE_READ_THRESHOLD_BYTES`` gets them, until it ends: a longer read, and room for two of those.
asyncio has no public name for this; a loop whose transports have none (another loop, Windows, TLS) reads as usual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.compat.event_loop import DEFAULT_READ_BYTES, read_bytes, reset_read_bytes, set_read_bytes

if TYPE_CHECKING:
    from aiohttp import StreamReader

LARGE_READ_BYTES: Final = 786_432
"""Bytes of a long read; with more of them, other requests wait longer and the download is hardly faster."""

LARGE_READ_THRESHOLD_BYTES: Final = 8_388_608
"""Bytes of a reply that come in usual reads."""


class ReadBuffer:
    """Lengthens the reads of ``transport`` into ``content`` once the reply has brought many bytes."""

    __slots__ = ("_content", "_read", "_transport")

    def __init__(self, transport: Any, content: StreamReader) -> None:
        self._content = content
        self._read = 0
        self._transport = transport if read_bytes(transport) == DEFAULT_READ_BYTES else None

    def count(self, size: int) -> None:
        """Count a piece of ``size`` bytes."""
        self._read += size
        if size >= DEFAULT_READ_BYTES and self._read >= LARGE_READ_THRESHOLD_BYTES and self._transport is not None:
            set_read_bytes(self._transport, LARGE_READ_BYTES)
            self._content.set_read_chunk_size(LARGE_READ_BYTES)

    def reset(self) -> None:
        """Restore the default reads: the connection may belong to another reply by now."""
        if self._transport is not None:
            reset_read_bytes(self._transport)
            self._transport = None
