"""Checks that a kernel's request comes from this machine (Q8.12).

A leaked connection key or grant is useless at another machine. A server whose kernels run elsewhere has to set
``allow_remote_kernels``, because it cannot tell their requests from an attacker's.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest


def is_on_this_machine(request: HTTPServerRequest) -> bool:
    """Return whether ``request`` came from a loopback address, through a Unix socket, or from an address of its own.

    The address that the server believes counts: behind a proxy that it trusts (``trust_xheaders``) the client's, else
    the other end of the connection.
    """
    address = request.remote_ip or ""
    if _is_loopback(address):
        return True
    sock = getattr(getattr(request.connection, "stream", None), "socket", None)
    own = _own_address(sock)
    return own is None or own == address


@lru_cache(maxsize=100)
def _is_loopback(address: str) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(known, "ipv4_mapped", None)
    return bool((mapped or known).is_loopback)


def _own_address(sock: Any) -> str | None:
    """Return the address of this end of the connection ``sock``; ``None`` for a Unix socket, and ``""`` for none."""
    try:
        name = sock.getsockname()
    except (AttributeError, OSError):
        return ""
    return name[0] if isinstance(name, tuple) else None
