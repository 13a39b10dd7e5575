"""Find the Jupyter server that started this kernel, and what this kernel can prove itself with.

The server's URL comes from ``JUPYTER_OIDC_URL``, or from the runtime file that the server wrote for its own
process id.
That file also holds the server's token; it is never read here, because a kernel grant is all we need.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_oidc.kernel.errors import NotAKernel, ServerNotFound

_EVERYWHERE = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not bound
"""What a server that listens everywhere is called -> the address at which its own machine reaches it."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server: ``url`` ends with a slash and includes its base URL; ``certificate`` is a PEM file or ``None``."""

    url: str
    certificate: Path | None = None
    same_machine: bool = False

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, so that no corporate proxy may see the calls."""
        return self.same_machine or _is_loopback(urlsplit(self.url).hostname or "")

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Kernel:
    """This kernel's id and the key of its connection file."""

    id: str
    key: bytes = field(repr=False)


def find_server() -> Server:
    """Return the server that this process belongs to; raises :class:`ServerNotFound`."""
    folder = _runtime_dir()
    process, described = _runtime_file(folder)
    named = os.environ.get("JUPYTER_OIDC_URL")
    url = _base(named) if named else _reachable(described)
    if url is None:
        raise ServerNotFound(
            "The Jupyter server of this kernel cannot be found.",
            action="Start the kernel from JupyterLab, or set JUPYTER_OIDC_URL to the server's address.",
        )
    certificate = _read(folder / f"jupyter-oidc-{process}.json").get("certificate")
    return Server(url, Path(certificate) if isinstance(certificate, str) else None, same_machine=not named)


def find_kernel() -> Kernel:
    """Return this kernel's identity from its connection file; raises :class:`NotAKernel`."""
    path = _connection_file()
    if path is not None:
        key = _read(path).get("key")
        name = path.stem.removeprefix("kernel-")
        if isinstance(key, str) and key and name != path.stem:
            return Kernel(name, key.encode())
    raise NotAKernel(
        "This process is not a Jupyter kernel, so it cannot prove who it is.",
        action="Run this in a notebook, or set JUPYTER_OIDC_CONNECTION_FILE to a kernel's connection file.",
    )


def _base(text: object) -> str | None:
    """Return scheme, host, port and path of a URL, ending with a slash; ``None`` if it is no web address.

    A query (people paste addresses that hold the server's token), a fragment and a user are left out.
    """
    if not isinstance(text, str):
        return None
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}/"


def _reachable(described: dict[str, Any]) -> str | None:
    """Return the URL in a runtime file, on the loopback address if the server listens everywhere.

    NOTE: for such a server the file names the machine, which need not resolve (containers); with HTTPS the
    name stays, because the certificate is for that name.
    """
    url = _base(described.get("url"))
    here = _EVERYWHERE.get(str(described.get("hostname")))
    if url is None or here is None or url.startswith("https:"):
        return url
    parts = urlsplit(url)
    return f"http://{here}{'' if parts.port is None else f':{parts.port}'}{parts.path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _runtime_file(folder: Path, *, by_handle: bool = os.name == "nt") -> tuple[str, dict[str, Any]]:
    """Return the server's process id and the content of its runtime file; the latter is empty if there is none.

    NOTE: on Windows ``JPY_PARENT_PID`` is a handle (``by_handle``), not a process id: there the server is our
    parent process or, behind the launcher of a virtual environment, the only server with a runtime file.
    """
    process = str(os.getppid()) if by_handle else os.environ.get("JPY_PARENT_PID", "")
    described = _read(folder / f"jpserver-{process}.json") if process.isdigit() else {}
    if by_handle and not described and len(only := list(folder.glob("jpserver-*.json"))) == 1:
        process = only[0].stem.removeprefix("jpserver-")
        described = _read(only[0])
    return process, described


def _connection_file() -> Path | None:
    named = os.environ.get("JUPYTER_OIDC_CONNECTION_FILE")
    if named:
        return Path(named)
    app = sys.modules.get("ipykernel.kernelapp")
    if app is not None and app.IPKernelApp.initialized():
        instance = app.IPKernelApp.instance()
        return Path(instance.abs_connection_file)
    return None


def _runtime_dir() -> Path:
    """Return the folder of runtime files: where the connection file lies, unless the environment says otherwise."""
    named = os.environ.get("JUPYTER_RUNTIME_DIR")
    if named:
        return Path(named)
    connection_file = _connection_file()
    if connection_file is not None:
        return connection_file.parent
    data = os.environ.get("JUPYTER_DATA_DIR")
    if data:
        return Path(data) / "runtime"
    if sys.platform == "darwin":
        return Path.home() / "Library/Jupyter/runtime"
    if os.name == "nt":
        return Path(os.environ.get("APPDATA", Path.home())) / "jupyter/runtime"
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(share) / "jupyter/runtime"


def _read(path: Path) -> dict[str, Any]:
    """Return the JSON object in ``path``; a file that is absent or damaged counts as empty."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
