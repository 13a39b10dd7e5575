"""One process of the demo: starts it with a watch on its parent, waits for it, and stops it with its children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_POLL_SECONDS: Final = 0.1
_MAX_LOG_LINES: Final = 15


class ChildFailed(Exception):
    """A process of the demo ended or did not become ready; the text holds the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process, its display name, and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls,
        name: str,
        arguments: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        descriptors: Sequence[int] = (),
    ) -> Child:
        """Run ``python arguments...`` in a process group of its own, so that Ctrl-C reaches only the parent.

        It inherits the open ``descriptors``.
        """
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=log.parent,
                start_new_session=True,
                pass_fds=tuple(descriptors),
            )
        return cls(name, process, log)

    def published(self, ready: Path, *, within: float) -> str:
        """Return the text that the process writes to ``ready``.

        Raises :class:`ChildFailed` after ``within`` seconds.
        """
        until = time.monotonic() + within
        while time.monotonic() < until:
            self.check()
            if ready.exists():
                return ready.read_text(encoding="utf-8")
            time.sleep(_POLL_SECONDS)
        raise ChildFailed(f"{self.name} did not become ready in {within:.0f} seconds.\n{self.last_lines()}")

    def check(self) -> None:
        """Raise :class:`ChildFailed` if the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise ChildFailed(f"{self.name} ended by itself (exit code {code}).\n{self.last_lines()}")

    def last_lines(self) -> str:
        """Return the end of the log, indented."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_MAX_LOG_LINES:]
        return "\n".join(f"    | {line}" for line in lines) or "    | (its log is empty)"

    def release(self) -> None:
        """Ask the process to stop: its standard input ends."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    def finish(self, *, within: float) -> None:
        """Wait for the end; after ``within`` seconds kill the process and its process group."""
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
            self.process.wait()
