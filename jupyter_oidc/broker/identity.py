"""Whose sessions a request may use: the port, and its adapter for peers on this machine.

An account is a name that no caller chooses. What a Jupyter server says about a request counts for its own account only.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Forbidden

if TYPE_CHECKING:
    from asyncio import BaseTransport

    from aiohttp.web import BaseRequest

_CREDENTIALS: Final = struct.Struct("3i")
"""``struct ucred``: process, user, group (unix(7), SO_PEERCRED)."""

_OVERFLOW_UID: Final = Path("/proc/sys/kernel/overflowuid")
_USUAL_OVERFLOW_UID: Final = 65_534


class Identity(Protocol):
    """Tells the account of a request."""

    async def account_of(self, request: BaseRequest) -> str:
        """Return the account; raises :class:`~jupyter_oidc.problems.Forbidden` for a caller that has none."""
        ...

    def peer_of(self, transport: BaseTransport) -> str | None:
        """Return a name for the peer of a connection, by which its connections are counted; ``None`` to refuse it."""
        ...


class PeerCredentials:
    """Implements ``Identity`` by the user of the process that has opened the connection, as the kernel reports it.

    A user that this namespace has no number for is refused: all of them share one (user_namespaces(7)). So are the
    numbers of ``subordinate``, which a user may take by the thousand (subuid(5)).
    """

    def __init__(self, subordinate: Path = Path("/etc/subuid")) -> None:
        self._nobody = _overflow_uid()
        self._subordinate = _ranges_in(subordinate)

    async def account_of(self, request: BaseRequest) -> str:
        """Return ``uid:NUMBER``."""
        account = None if request.transport is None else self.peer_of(request.transport)
        if account is None:
            raise Forbidden(N_("The broker does not know the user of this connection."), detail="broker.peer")
        return account

    def peer_of(self, transport: BaseTransport) -> str | None:
        """Return ``uid:NUMBER`` of the process at the other end when it connected."""
        connection = transport.get_extra_info("socket")
        if connection is None or connection.family != getattr(socket, "AF_UNIX", None):
            return None
        read = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        # NOTE: the process is 0 for one in another container, and the user is right all the same.
        _, uid, _ = _CREDENTIALS.unpack(read)
        number = uid & 0xFFFFFFFF
        is_told = uid not in (self._nobody, -1) and not any(number in numbers for numbers in self._subordinate)
        return f"uid:{number}" if is_told else None


def _overflow_uid() -> int:
    try:
        return int(_OVERFLOW_UID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return _USUAL_OVERFLOW_UID


def _ranges_in(file: Path) -> tuple[range, ...]:
    """Return the ranges of numbers in ``file``, whose lines are ``user:first:count``; others are left out."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    fields = (line.split(":") for line in lines)
    return tuple(
        range(int(one[1]), int(one[1]) + int(one[2]))
        for one in fields
        if len(one) == 3 and one[1].isdecimal() and one[2].isdecimal()
    )
