"""Find the Jupyter server that started this kernel, and the kernel's id and key.

The server has written its address into a file that the kernel's environment names; ``JUPYTER_OIDC_URL`` overrides that.
The environment also names the kernel's connection file; a process that a kernel starts inherits both and counts as it.
Nothing is guessed from process ids, host names or other files.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from jupyter_oidc.contract.announcement import KERNEL_VARIABLE, SERVER_VARIABLE, read, this_machine
from jupyter_oidc.kernel.errors import NotAKernel, ServerNotFound
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from jupyter_oidc.contract.announcement import Announcement


@dataclass(frozen=True, slots=True)
class Server:
    """The server: ``url`` ends with a slash and includes its base URL; ``certificate`` is a PEM file or ``None``.

    ``same_machine`` says that the values come from the server's own file; then only that certificate is trusted.
    With a ``socket`` calls go to that Unix socket, and the host in ``url`` is only a name.
    """

    url: str
    certificate: Path | None = None
    same_machine: bool = False
    socket: Path | None = None
    wants_certificate: bool = False

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, so that no forward proxy may see the calls."""
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

    def __reduce__(self) -> NoReturn:
        raise TypeError("A kernel's key stays in its process.")


def find_server() -> Server:
    """Return the server that this process belongs to; raises :class:`ServerNotFound`."""
    path = os.environ.get(SERVER_VARIABLE)
    announced = read(path) if path else None
    named = os.environ.get("JUPYTER_OIDC_URL")
    if named:
        return _named_server(named, announced)
    if path is None:
        raise ServerNotFound(
            _("The Jupyter server of this kernel cannot be found."),
            action=_(
                "Calls come from kernels that a Jupyter server has started with jupyter_oidc in its own environment "
                "(pip install jupyter_oidc there), and from what 'jupyter oidc run -- COMMAND' runs beside one. VS Code "
                "and others can use such a server's kernels; a kernel on another machine needs JUPYTER_OIDC_URL from "
                "your administrator."
            ),
        )
    if announced is None:
        raise ServerNotFound(
            _("The Jupyter server that started this kernel has ended, or is on another machine."),
            action=_("Restart the kernel. If it is on another machine, set JUPYTER_OIDC_URL to the server's address."),
        )
    if announced.machine != this_machine():
        raise ServerNotFound(
            _("This process runs on another machine, or in another container, than the kernel that it comes from."),
            action=_("Make the call in the notebook itself, or in a process on the kernel's own machine."),
        )
    return server_from_announcement(announced)


def server_from_announcement(announced: Announcement) -> Server:
    """Return the server that has announced itself as ``announced``."""
    certificate, socket = (Path(text) if text else None for text in (announced.certificate, announced.socket))
    return Server(
        announced.url, certificate, same_machine=True, socket=socket, wants_certificate=announced.client_certificate
    )


def _named_server(address: str, announced: Announcement | None) -> Server:
    url = base_url(address)
    if url is None:
        raise ServerNotFound(
            _("JUPYTER_OIDC_URL is no address of a Jupyter server."),
            action=_("Set JUPYTER_OIDC_URL to the server's address, as in https://hub.example.com/user/ada/."),
        )
    return Server(url, Path(announced.certificate) if announced and announced.certificate else None)


def find_kernel() -> Kernel:
    """Return this kernel's identity from its connection file; raises :class:`NotAKernel`."""
    path = _connection_file()
    if path is not None:
        # NOTE: a process that this kernel starts counts as this kernel
        os.environ.setdefault(KERNEL_VARIABLE, str(path))
        key = _json(path).get("key")
        name = path.stem.removeprefix("kernel-")
        if isinstance(key, str) and key and name != path.stem:
            return Kernel(name, key.encode())
    raise NotAKernel(
        _("This process is not a Jupyter kernel, so it cannot prove who it is."),
        action=_(
            "Run this in a notebook of a Jupyter server with jupyter_oidc, or beside one with 'jupyter oidc run -- "
            "COMMAND'. For a kernel other than ipykernel on another machine, set JUPYTER_OIDC_CONNECTION_FILE."
        ),
    )


def base_url(text: object) -> str | None:
    """Return scheme, host, port and path of a URL, ending with a slash; ``None`` if it is no web address.

    A query (users paste addresses with the server's token in it), a fragment and a user are left out.
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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_kernel_process() -> bool:
    """Return whether this process is a kernel of ipykernel itself, and not one that a kernel has started."""
    app = sys.modules.get("ipykernel.kernelapp")
    return app is not None and bool(app.IPKernelApp.initialized())


def _connection_file() -> Path | None:
    named = os.environ.get(KERNEL_VARIABLE)
    if named:
        return Path(named)
    if is_kernel_process():
        instance = sys.modules["ipykernel.kernelapp"].IPKernelApp.instance()
        return Path(instance.abs_connection_file)
    return None


def _json(path: Path) -> dict[str, Any]:
    """Return the JSON object in ``path``; a file that is absent or damaged counts as empty."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
