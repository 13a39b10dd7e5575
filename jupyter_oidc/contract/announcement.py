"""The announcement of a server's address to its kernels: a file without a secret, and variables that name it (ADR 34).

The server writes the file and gives each kernel the variables; processes that a kernel starts inherit them.
They are references: useless on another machine, and after the kernel's end.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

SERVER_VARIABLE: Final = "JUPYTER_OIDC_SERVER"
"""The variable with the path of the announcement file."""

KERNEL_VARIABLE: Final = "JUPYTER_OIDC_CONNECTION_FILE"
"""The variable with the path of the connection file of the kernel, for its process and those that it starts."""

_BOOT_ID_PATH: Final = Path("/proc/sys/kernel/random/boot_id")
_NETWORK_NAMESPACE_PATH: Final = "/proc/self/ns/net"
_PID_NAMESPACE_PATH: Final = "/proc/self/ns/pid"
_MAX_FILE_BYTES: Final = 65_536
"""Bytes of the file that are read; it has a few hundred."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """The address of a server for processes on its own ``machine``.

    ``url`` includes the base URL and ends with a slash; with a ``socket`` (a path) its host is only a name.
    ``certificate`` is the PEM file with the server's certificate first, ``client_certificate`` whether it demands one.
    ``pid`` is valid only if ``processes`` equals the result of :func:`these_processes`.
    """

    url: str
    socket: str | None
    certificate: str | None
    client_certificate: bool
    machine: str
    pid: int
    processes: str

    def text(self) -> str:
        """Return the content of the file, as JSON."""
        return json.dumps(asdict(self), indent=2, sort_keys=True)


_MEMBERS: Final = frozenset(member.name for member in fields(Announcement))


def file_name(server: str) -> str:
    """Return the name of the file of the ``server`` with that random id, in the folder of runtime files."""
    return f"jupyter-oidc-{server}.json"


def read(path: str | Path) -> Announcement | None:
    """Return the announcement in ``path``; ``None`` if that is absent or damaged.

    Members that this version does not know are ignored: the server may be newer.
    """
    try:
        with Path(path).open("rb") as file:
            told = json.loads(file.read(_MAX_FILE_BYTES))
        announced = Announcement(**{name: told[name] for name in told if name in _MEMBERS})
        parts = urlsplit(announced.url)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    texts = (announced.socket, announced.certificate)
    whole = (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and announced.url.endswith("/")
        and all(text is None or isinstance(text, str) for text in texts)
        and isinstance(announced.client_certificate, bool)
        and isinstance(announced.machine, str)
        and isinstance(announced.pid, int)
        and isinstance(announced.processes, str)
    )
    return announced if whole else None


def announced_in(folder: str | Path) -> list[tuple[Path, Announcement]]:
    """Return every announcement in a folder of runtime files, with its path, in the order of the names."""
    found = ((path, read(path)) for path in sorted(Path(folder).glob(file_name("*"))))
    return [(path, announced) for path, announced in found if announced is not None]


def this_machine() -> str:
    """Return an identifier of this machine's loopback network: of its present boot, and of its container.

    Empty if the system has no such identifier; only Linux has containers.
    """
    try:
        return f"{_BOOT_ID_PATH.read_text(encoding='ascii').strip()} {os.readlink(_NETWORK_NAMESPACE_PATH)}"  # noqa: PTH115 - no path
    except (OSError, ValueError):
        return ""


def these_processes() -> str:
    """Return an identifier of this process namespace: containers of one network may number their processes apart."""
    try:
        return os.readlink(_PID_NAMESPACE_PATH)  # noqa: PTH115 - no path
    except OSError:
        return ""
