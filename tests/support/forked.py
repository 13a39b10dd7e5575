"""Starts Jupyter servers and ``jupyter oidc`` as forks of a process that has imported what they need.

The process is the fork server of :mod:`multiprocessing`, one for each process of pytest, and it starts at the first use.
A fork has what a process of its own would have: its environment, its working folder, standard input, output and error.
A server also has a session of its own, and its standard input is the pipe that tells it to stop.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

from jupyter_oidc.cli import app as command
from jupyter_oidc.demo import parent_watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

IMPORTED = (
    *(
        f"jupyter_oidc.cli.{name}"
        for name in ("config", "doctor", "forget", "grants", "session", "setup.command", "sign_in")
    ),
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


def run_command(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], within: float
) -> tuple[int, str, str]:
    """Run ``jupyter oidc arguments...`` in a fork that works in ``folder``; return its exit code, output and errors.

    Raises ``TimeoutExpired`` if it has not ended ``within`` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="command-") as kept:
        out, err = Path(kept, "out"), Path(kept, "err")
        told = (tuple(arguments), str(folder), dict(environment), str(out), str(err))
        process = _FORKING.Process(target=_command, args=told)
        process.start()
        process.join(within)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
            raise TimeoutExpired(["jupyter", "oidc", *arguments], within, out.read_bytes(), err.read_bytes())
        return code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


def _run(arguments: tuple[str, ...], log: str, environment: dict[str, str], told: Connection) -> None:
    """Become the process that ``python -m jupyter_oidc.demo.parent_watch arguments...`` would be."""
    os.setsid()
    os.dup2(told.fileno(), 0)
    told.close()
    _write_to(1, log)
    os.dup2(1, 2)
    _become("parent_watch", arguments, str(Path(log).parent), environment)
    with suppress(KeyboardInterrupt):
        parent_watch.main()


def _command(arguments: tuple[str, ...], folder: str, environment: dict[str, str], out: str, err: str) -> None:
    """Become the process that ``python -m jupyter_oidc.cli arguments...`` would be."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    _write_to(1, out)
    _write_to(2, err)
    _become(command.__file__, arguments, folder, environment)
    command.main()


def _write_to(descriptor: int, path: str) -> None:
    """Let what is written to ``descriptor`` go to the file at ``path``."""
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, descriptor)
    os.close(output)


def _become(program: str, arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> None:
    """Take over what a program gets from the one that starts it; the three standard descriptors are open."""
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [program, *arguments]
