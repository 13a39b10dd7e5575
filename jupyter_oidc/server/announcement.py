"""Announces the server's address and certificate to its kernels, in a file (ADR 34).

The file is written when the server listens, and again for each kernel, because only then all its values are known.
It refuses to hold a secret: its readers learn an address.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_core.paths import secure_write
from jupyter_server.utils import check_pid

from jupyter_oidc.contract.announcement import (
    KERNEL_VARIABLE,
    SERVER_VARIABLE,
    Announcement,
    announced_in,
    file_name,
    these_processes,
    this_machine,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import MutableMapping

    from jupyter_oidc.entropy import Entropy

_WILDCARD_ADDRESSES: Final = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not bound
"""Wildcard listening address -> the address at which the server's own machine reaches it."""


class ServerAnnouncement:
    """The announcement of ``server``, in a file whose name no other server can have."""

    def __init__(self, server: Any, entropy: Entropy, log: logging.Logger) -> None:
        self._server = server
        self._log = log
        self._is_withdrawn = False
        self.path = Path(server.runtime_dir).absolute() / file_name(entropy.token(96))

    def write(self) -> None:
        """Write the file; remove those of servers on this machine that ended without removing theirs."""
        if self._is_withdrawn:
            return
        try:
            self._write()
        except OSError as error:
            self._log.error("jupyter_oidc: kernels cannot be told where this server is: %s", error)

    def _write(self) -> None:
        for path, other in announced_in(self.path.parent):
            here = (other.machine, other.processes) == (this_machine(), these_processes())
            if here and path != self.path and not check_pid(other.pid):
                path.unlink(missing_ok=True)
        with secure_write(str(self.path)) as file:
            file.write(self._announcement().text())

    def withdraw(self) -> None:
        """Remove the file; it is not written again."""
        self._is_withdrawn = True
        self.path.unlink(missing_ok=True)

    def set_kernel_environment(self, manager: Any) -> None:
        """Let every kernel that ``manager`` starts or restarts have the variables in its environment.

        NOTE: ``pre_start_kernel`` of jupyter_client decides a kernel's id, and documents that its arguments may be
        changed there; they are kept for restarts. A gateway's kernels run elsewhere and are not started this way.
        """
        decide = manager.pre_start_kernel

        def pre_start_kernel(kernel_name: str | None, arguments: dict[str, Any]) -> tuple[Any, str, str]:
            kernel, name, kernel_id = decide(kernel_name, arguments)
            self.write()
            given = arguments.get("env")
            arguments["env"] = {**(os.environ if given is None else given), **self.variables(kernel.connection_file)}
            return kernel, name, kernel_id

        manager.pre_start_kernel = pre_start_kernel

    def set_terminal_environment(self, settings: MutableMapping[str, Any]) -> None:
        """Put the announcement into the environment of every new terminal; only a kernel gets more variables."""
        environment = getattr(settings.get("terminal_manager"), "extra_env", None)
        if isinstance(environment, dict):
            environment[SERVER_VARIABLE] = str(self.path)

    def variables(self, connection_file: str) -> dict[str, str]:
        """Return the environment variables for the kernel with that connection file."""
        return {SERVER_VARIABLE: str(self.path), KERNEL_VARIABLE: str(Path(connection_file).absolute())}

    def _announcement(self) -> Announcement:
        server = self._server
        tls = server.ssl_options or {}
        certificate = tls.get("certfile")
        host = "localhost" if server.sock else _WILDCARD_ADDRESSES.get(server.ip, server.ip)
        named = f"[{host}]" if ":" in host and not host.startswith("[") else host
        port = "" if server.sock else f":{server.port}"
        return Announcement(
            url=f"{'https' if tls else 'http'}://{named}{port}{server.base_url}",
            socket=str(Path(server.sock).absolute()) if server.sock else None,
            certificate=str(Path(certificate).absolute()) if certificate else None,
            client_certificate=tls.get("cert_reqs") == ssl.CERT_REQUIRED,
            machine=this_machine(),
            pid=os.getpid(),
            processes=these_processes(),
        )
