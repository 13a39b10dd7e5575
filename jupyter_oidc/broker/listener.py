"""The Unix socket of a broker: one that systemd hands over, or one that it makes itself, open to every user of the machine."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ConfigurationInvalid

if TYPE_CHECKING:
    from asyncio import BaseTransport
    from collections.abc import Callable, MutableMapping

    from jupyter_oidc.broker.hub_place import HubPlace
    from jupyter_oidc.broker.identity import Identity

BACKLOG: Final = 1_024
"""Connections that wait to be accepted."""

MAX_CONNECTIONS_OF_PEER: Final = 1_024
"""Connections of one account; each request that is under way has one."""

MAX_CONNECTIONS: Final = 16_384
"""Connections of all accounts together, as far as the system allows so many."""

_SHARE_OF_PEER: Final = 8
"""No account has more than this part of the connections that the system allows."""

_OWN_FILES: Final = 256
"""Files and connections that the broker itself needs, beside those of callers."""

_HANDED_OVER: Final = 3
"""The first descriptor that systemd hands over (sd_listen_fds(3))."""

_EVERY_USER: Final = 0o666


class Listening(NamedTuple):
    """An open ``socket``; ``path`` is where it was made, or ``None`` if systemd keeps it."""

    socket: socket.socket
    path: Path | None

    def remove(self) -> None:
        """Remove what was made."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def listen_at(path: str, environment: MutableMapping[str, str], process: int) -> Listening:
    """Return the socket that systemd has handed to this ``process``, else a new one at ``path``.

    Raises ``ConfigurationInvalid`` if another broker listens there, or nothing can be made there.
    """
    number, meant_for = environment.pop("LISTEN_FDS", ""), environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if number.isdecimal() and int(number) >= 1 and meant_for == str(process):
        handed = socket.socket(fileno=_HANDED_OVER)
        handed.setblocking(False)
        os.set_inheritable(_HANDED_OVER, False)
        return Listening(handed, None)
    return Listening(_made_at(path), Path(path))


def _cannot_listen(path: str, error: OSError, action: str) -> ConfigurationInvalid:
    told = sentence("The broker cannot listen at {path} ({error}).", path=path, error=type(error).__name__)
    return ConfigurationInvalid(told, action=action, detail="broker.listen")


async def listen_behind_proxy(protocol: Callable[[], asyncio.Protocol], place: HubPlace) -> asyncio.AbstractServer:
    """Return the server at the address of ``place``; raises ``ConfigurationInvalid`` if nothing can listen there."""
    try:
        return await asyncio.get_running_loop().create_server(protocol, place.host, place.port, backlog=BACKLOG)
    except OSError as error:
        action = N_("Look whether another program listens there, or change 'listen' in the settings of the broker.")
        raise _cannot_listen(f"{place.host}:{place.port}", error, action) from None


def _made_at(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        made.bind(path)
        Path(path).chmod(_EVERY_USER)  # NOTE: who has connected is asked of the kernel, for each connection
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError as error:
        made.close()
        action = N_("Make the folder, let it belong to the broker's user, and look whether another broker runs.")
        raise _cannot_listen(path, error, action) from None
    return made


def _remove_stale(path: str) -> None:
    """Remove the socket that a broker has left which was killed; raises ``OSError`` if one listens there."""
    try:
        if not stat.S_ISSOCK(Path(path).lstat().st_mode):
            raise FileExistsError
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
    raise FileExistsError


class Shares(NamedTuple):
    """Connections: the ``most`` of all accounts together, and those ``of_account``."""

    most: int
    of_account: int


def shares_of(files: int) -> Shares:
    """Return the shares where the process may have ``files`` open: a call has two, its caller's connection and the API's."""
    most = min(MAX_CONNECTIONS, max(_SHARE_OF_PEER, (files - _OWN_FILES) // 2))
    return Shares(most, min(MAX_CONNECTIONS_OF_PEER, most // _SHARE_OF_PEER))


class ConnectionLimits:
    """Counts the connections of each peer, so that no account takes those of the others.

    A broker ``behind_proxy`` has the connections of all accounts from one peer, and counts their requests instead.
    """

    def __init__(self, identity: Identity, shares: Shares, *, behind_proxy: bool = False) -> None:
        self._identity = identity
        self._open: Counter[str] = Counter()
        self._most = shares.most
        self._most_of_peer = shares.most if behind_proxy else shares.of_account

    def admit(self, transport: BaseTransport) -> Callable[[], None] | None:
        """Count a new connection; return the function for its end, or ``None`` if there are too many or it has no account."""
        peer = self._identity.peer_of(transport)
        if peer is None or self._open[peer] >= self._most_of_peer or self._open.total() >= self._most:
            return None
        self._open[peer] += 1
        return lambda: self._release(peer)

    def _release(self, peer: str) -> None:
        self._open[peer] -= 1
        if not self._open[peer]:
            del self._open[peer]
