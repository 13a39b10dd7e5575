"""Starts Jupyter servers as forks of one process that has imported what they need, so that a start takes no imports.

The process is the fork server of :mod:`multiprocessing`, one for each process of pytest, and it starts at the first use.
A fork has what a process of its own would have: its environment, its working folder, its log as standard output and
error, a session of its own, and standard input as the pipe that tells it to stop.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

from jupyter_oidc.demo import parent_watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

IMPORTED = (
    "jupyter_oidc.compose",
    "jupyter_oidc.demo.parent_watch",
    "jupyter_oidc.server.extension",
    "jupyter_server.serverapp",
    "jupyter_server_terminals",
    "jupyterlab.labapp",
    "jupyter_lsp",
    "notebook.app",
    "nbconvert",
    "tests.support.forked",
)
"""What the fork server imports before it forks."""

FORKS = "forkserver" in multiprocessing.get_all_start_methods()
"""Whether this system has the fork server; Windows starts each server as a program."""

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(list(IMPORTED))


@dataclass(frozen=True, slots=True)
class ForkedProcess:
    """A forked process, with the part of the interface of :class:`subprocess.Popen` that a ``Child`` uses."""

    process: ForkServerProcess
    stdin: Connection

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process.pid is not None
        return self.process.pid

    def poll(self) -> int | None:
        """Return the exit code; ``None`` while the process runs."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code; raises ``TimeoutExpired`` after ``timeout`` seconds."""
        self.process.join(timeout)
        code = self.process.exitcode
        if code is None:
            raise TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()


def fork(arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> ForkedProcess:
    """Run ``jupyter_oidc.demo.parent_watch`` with ``arguments`` in a fork that logs to ``log``."""
    told, telling = _FORKING.Pipe(duplex=False)
    process = _FORKING.Process(target=_run, args=(tuple(arguments), str(log), dict(environment), told))
    process.start()
    told.close()
    return ForkedProcess(process, telling)


def _run(arguments: tuple[str, ...], log: str, environment: dict[str, str], told: Connection) -> None:
    """Become the process that ``python -m jupyter_oidc.demo.parent_watch arguments...`` would be."""
    os.setsid()
    os.dup2(told.fileno(), 0)
    told.close()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(Path(log).parent)
    sys.argv = ["parent_watch", *arguments]
    with suppress(KeyboardInterrupt):
        parent_watch.main()
