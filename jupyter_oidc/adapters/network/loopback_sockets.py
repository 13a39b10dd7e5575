"""Sockets that listen on this machine only, for a browser that comes back from a provider (RFC 8252, 7.3, 8.3).

No other process may listen at the same address and port, nor, for ``localhost``, at its other address, because a
browser tries both.
"""

from __future__ import annotations

import errno
import socket
import sys
from typing import Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ConfigurationInvalid, Overloaded

_ADDRESSES: Final = {"127.0.0.1": ("127.0.0.1",), "::1": ("::1",), "localhost": ("127.0.0.1", "::1")}
_BACKLOG: Final = 16
"""Connections that may wait to be accepted."""

_MAX_ATTEMPTS: Final = 20
_NO_SUCH_ADDRESS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen_on_loopback(host: str, port: int | None) -> tuple[list[socket.socket], int]:
    """Return listening sockets for every address of ``host``, all on ``port`` or on one free port, and that port.

    Raises ``ConfigurationInvalid`` if ``port`` is taken or not allowed, and ``Overloaded`` if no port is free.
    """
    for _ in range(1 if port else _MAX_ATTEMPTS):
        sockets: list[socket.socket] = []
        try:
            for address in _ADDRESSES[host]:
                found = _listen(address, port or _port_of(sockets))
                sockets.extend([found] if found else [])
        except OSError:
            for one in sockets:
                one.close()
        else:
            if sockets:
                return sockets, _port_of(sockets)
    if port is None:
        raise Overloaded(N_("No port of this machine is free for the sign-in."), detail="loopback.ports")
    raise ConfigurationInvalid(
        sentence(
            "Port {port} of this machine, which redirect_uri names, cannot be used: another program has it.", port=port
        ),
        action=N_("Close that program, or ask your administrator to register a loopback address without a port."),
        detail="loopback.port",
    )


def _listen(address: str, port: int) -> socket.socket | None:
    """Return a socket that listens at ``address``; ``None`` if this machine has no such address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None
    try:
        _make_exclusive(listener, family)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno in _NO_SUCH_ADDRESS:
            return None
        raise
    return listener


def _make_exclusive(listener: socket.socket, family: int) -> None:
    if sys.platform == "win32":
        # Other systems refuse a second listener anyway; Windows would let it share the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        # A configured port can be used again at once after the last sign-in.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _port_of(sockets: list[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1]) if sockets else 0
