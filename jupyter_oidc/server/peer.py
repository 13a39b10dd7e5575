"""Asks the operating system whether the peer of a connection has closed it.

While an upload waits for a slow API this server does not read from the caller, and would not notice its closing.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from typing import Any, Final

_LINGER_ZERO: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

_TCP_INFO: Final = getattr(socket, "TCP_INFO", None)
_CLOSED_STATES: Final = frozenset({7, 8, 9, 11})
"""Linux: CLOSE, CLOSE_WAIT, LAST_ACK, CLOSING: the peer has sent its last byte, or nothing is left to send it on."""


def is_half_closed(stream: Any) -> bool:
    """Return whether the peer of ``stream`` (an ``IOStream``) has closed; ``False`` if the system cannot tell."""
    sock = getattr(stream, "socket", None)
    if sock is None or stream.closed():
        return True
    if _TCP_INFO is None:
        return False
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 1)[0] in _CLOSED_STATES
    except OSError:
        return False  # a Unix socket has no such state


def reset_on_close(stream: Any) -> None:
    """Make the close of ``stream`` a TCP reset: after an orderly close the answer would look complete."""
    sock = getattr(stream, "socket", None)
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
