"""Gives a process that no Jupyter server has started the identity of a kernel, for as long as it runs.

The identity ends with the process that holds it, or within its lease where that process was killed. The folder that
such a process leaves behind is removed by the next one that needs an identity; the key in it is good for nothing then.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from jupyter_oidc.cli.running import ServerError
from jupyter_oidc.contract.announcement import KERNEL_VARIABLE, SERVER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_oidc.cli.running import RunningServer

_REFRESHES_PER_LEASE: Final = 4
_PREFIX: Final = "jupyter-oidc-run-"
_FORSAKEN_SECONDS: Final = 600.0
"""Seconds after its last refresh for which the folder of an identity is left alone: many leases."""


@contextmanager
def held_identity(server: RunningServer) -> Iterator[dict[str, str]]:
    """Hold the identity of a kernel at ``server`` and yield its environment variables; raises :class:`ServerError`.

    The key is in a file that only this user can read. At the end the file is removed and the identity ends.
    """
    begun = server.call("POST", "jupyter-oidc/commands")
    route = f"jupyter-oidc/commands/{quote(begun['command_id'], safe='')}"
    _remove_forsaken(server.announced.parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=server.announced.parent))
    ended = threading.Event()
    lease_refresher = threading.Thread(
        target=_refresh_lease, args=(server, route, folder, float(begun["expires_in"]), ended), daemon=True
    )
    try:
        connection_file = folder / f"kernel-{begun['command_id']}.json"
        descriptor = os.open(connection_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"key": begun["key"]}, file)
        lease_refresher.start()
        yield {SERVER_VARIABLE: str(server.announced), KERNEL_VARIABLE: str(connection_file)}
    finally:
        ended.set()
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(ServerError):  # NOTE: the lease ends it, too
            server.call("DELETE", route)


def _refresh_lease(server: RunningServer, route: str, folder: Path, lease: float, ended: threading.Event) -> None:
    """Extend the lease until it is ``ended``; a request without an answer is repeated."""
    while not ended.wait(lease / _REFRESHES_PER_LEASE):
        with suppress(OSError):
            os.utime(folder)
        with suppress(ServerError):
            server.call("POST", route)


def _remove_forsaken(runtime: Path) -> None:
    """Remove the folders of processes that were killed; machines that share ``runtime`` have theirs refreshed there."""
    for folder in runtime.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _FORSAKEN_SECONDS:
                shutil.rmtree(folder)
