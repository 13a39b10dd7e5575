"""How a server tells its own kernels where it is: a file without a secret, and the variables that lead to it (ADR 34).

The server writes the file and gives each kernel the variables; what a kernel starts inherits them.
They are references: worth nothing on another machine, nor after the kernel's end.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

SERVER_VARIABLE: Final = "JUPYTER_OIDC_SERVER"
"""Names the file that is described here."""

KERNEL_VARIABLE: Final = "JUPYTER_OIDC_CONNECTION_FILE"
"""Names the connection file of the kernel that a process is, or was started by."""

_BOOT_ID_PATH: Final = Path("/proc/sys/kernel/random/boot_id")
_NETWORK_NAMESPACE_PATH: Final = "/proc/self/ns/net"
_PID_NAMESPACE_PATH: Final = "/proc/self/ns/pid"
_MAX_FILE_BYTES: Final = 65_536
"""Bytes of the file that are read; it has a few hundred."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where a server is, as a process on its own ``machine`` reaches it.

    ``url`` includes the base URL and ends with a slash; with a ``socket`` (a path) its host is only a name.
    ``certificate`` is the PEM file whose first certificate the server shows, ``client_certificate`` whether it demands one.
    ``pid`` means something where ``processes`` is what :func:`these_processes` returns.
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


def file_name(server: str) -> str:
    """Return the name of the file of the ``server`` with that random id, in the folder of runtime files."""
    return f"jupyter-oidc-{server}.json"


def read(path: str | Path) -> Announcement | None:
    """Return the announcement in ``path``; ``None`` if that is absent, damaged, or of another version."""
    try:
        with Path(path).open("rb") as file:
            told = json.loads(file.read(_MAX_FILE_BYTES))
        announced = Announcement(**told)
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
    """Return a mark of what a loopback address leads to here: this boot of this machine, and this container of it.

    Empty where the system has no such mark; containers are Linux's.
    """
    try:
        return f"{_BOOT_ID_PATH.read_text(encoding='ascii').strip()} {os.readlink(_NETWORK_NAMESPACE_PATH)}"  # noqa: PTH115 - no path
    except (OSError, ValueError):
        return ""


def these_processes() -> str:
    """Return a mark of what a process id means here: containers of one network may count their processes apart."""
    try:
        return os.readlink(_PID_NAMESPACE_PATH)  # noqa: PTH115 - no path
    except OSError:
        return ""
