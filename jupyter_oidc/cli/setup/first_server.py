"""Runs a Jupyter server for the first sign-in, where none runs, and stops it afterwards.

It reads the user's own configuration, listens where that says, and has the redirect URI that was registered.
What it stores (keyring, encrypted file) a later server goes on with; what it keeps in memory ends with it.
It ends with this process in any case, also if that is killed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.cli.running import ServerError, running_server
from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.demo.child import Child, ChildFailed
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_oidc.cli.running import RunningServer

START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.2
_TAKEN: Final = ("already in use", "is not available")


@contextmanager
def first_server(address: str) -> Iterator[RunningServer]:
    """Run a server at ``address``, a loopback one, and yield it; raises :class:`Obstacle` if it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="jupyter-oidc-setup-"))
    child: Child | None = None
    try:
        child = Child.start(
            "The Jupyter server",
            ("-m", "jupyter_oidc.demo.parent_watch", str(folder), "jupyter_server", *_arguments(address, folder)),
            folder / "jupyter.log",
            os.environ,
        )
        yield _started(child, address)
    finally:
        if child is not None:
            child.release()
            child.finish(within=_STOP_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _arguments(address: str, folder: Path) -> tuple[str, ...]:
    """Return the arguments: no browser, no other port than the registered one, and nobody's files."""
    as_root = ("--allow-root",) if sys.platform != "win32" and os.geteuid() == 0 else ()
    return (
        "--no-browser",
        f"--ServerApp.port={urlsplit(address).port or 80}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.log_level=WARN",
        *as_root,
    )


def _started(child: Child, address: str) -> RunningServer:
    """Wait until the server has announced itself and answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            child.check()
            server = running_server(address)
            if server is not None:
                server.call("GET", "jupyter-oidc/providers")
                return server
        except ChildFailed as failed:
            raise _not_started(str(failed), address) from None
        except ServerError:
            pass  # it does not listen yet, or has not loaded every extension
        time.sleep(_POLL_SECONDS)
    raise _not_started("", address)


def _not_started(log: str, address: str) -> Obstacle:
    if any(words in log for words in _TAKEN):
        return Obstacle(
            _(
                "Port {port} is taken by another program, and the redirect URI names it.",
                port=urlsplit(address).port or "",
            ),
            _("Stop that program, or set ServerApp.port, and register the redirect URI with that port."),
        )
    more = f"\n{log}" if log else ""
    return Obstacle(
        _("No Jupyter server could be started for the sign-in.") + more, _("Start JupyterLab, then run this again.")
    )
