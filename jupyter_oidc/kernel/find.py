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
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_oidc.kernel.errors import NotAKernel, ServerNotFound

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Server:
    """The server: ``url`` ends with a slash and includes its base URL; ``certificate`` is a PEM file or ``None``."""

    url: str
    certificate: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, so that no corporate proxy may see the calls."""
        return urlsplit(self.url).hostname in _LOOPBACK

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
    url = os.environ.get("JUPYTER_OIDC_URL")
    runtime = _runtime_dir()
    parent = os.environ.get("JPY_PARENT_PID", "")
    if not url:
        url = _read(runtime / f"jpserver-{parent}.json").get("url") if parent.isdigit() else None
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise ServerNotFound(
            "The Jupyter server of this kernel cannot be found.",
            action="Start the kernel from JupyterLab, or set JUPYTER_OIDC_URL to the server's address.",
        )
    certificate = _read(runtime / f"jupyter-oidc-{parent}.json").get("certificate") if parent.isdigit() else None
    return Server(url.rstrip("/") + "/", Path(certificate) if isinstance(certificate, str) else None)


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
