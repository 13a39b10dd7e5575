"""Checks that a kernel's request comes from this machine (Q8.12).

A leaked connection key or grant is useless at another machine. A server whose kernels run elsewhere has to set
``allow_remote_kernels``, because it cannot tell their requests from an attacker's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

_ADDRESSES: Final = ("X-Forwarded-For", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip")
"""Headers with addresses of clients, separated by commas."""

_FORWARDED_FOR: Final = re.compile(r'\bfor=("[^"]*"|[^;,]*)', re.IGNORECASE)
"""The client of one proxy in ``Forwarded`` (RFC 7239, 5.2)."""


def is_on_this_machine(request: HTTPServerRequest) -> bool:
    """Return whether ``request`` came from a loopback address, through a Unix socket, or from an address of its own.

    The address that the server believes counts: behind a proxy that it trusts (``trust_xheaders``) the client's, else
    the other end of the connection. So does every address that a proxy on the way has told, believed or not: a proxy
    on this machine looks like a caller here, and a caller can send such a header itself, with a nearer address in it.
    """
    sock = getattr(getattr(request.connection, "stream", None), "socket", None)
    own = _own_address(sock)
    address = request.remote_ip or ""
    near = _is_loopback(address) or own is None or own == address
    return near and all(_is_loopback(told) or told == own for told in _told_by_proxies(request))


def _told_by_proxies(request: HTTPServerRequest) -> list[str]:
    """Return every address of a client in the headers of proxies, as it is written; an unreadable one is one, too."""
    told = [one for name in _ADDRESSES for line in request.headers.get_list(name) for one in line.split(",")]
    told += [one for line in request.headers.get_list("Forwarded") for one in _FORWARDED_FOR.findall(line)]
    return [one.strip().strip('"').removeprefix("[").removesuffix("]") for one in told]


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
