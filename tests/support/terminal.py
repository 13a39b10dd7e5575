"""A real terminal with ``jupyter oidc`` in it, for tests that type."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time

from tests.support.canary import CANARY
from tests.support.command import Command


class Terminal:
    """A terminal with a command in it; ``shown`` is what its screen has shown so far."""

    def __init__(self, command: Command, *arguments: str) -> None:
        self.shown = ""
        self._child, self._end = pty.fork()
        if self._child == 0:  # pragma: no cover - another process
            os.chdir(command.folder / "home")
            program = [sys.executable, "-m", "jupyter_oidc.cli", *arguments]
            os.execve(sys.executable, program, command._environment())

    def until(self, pattern: str, within: float = 60.0) -> re.Match[str]:
        """Read until the screen shows ``pattern``."""
        deadline = time.monotonic() + within
        while (found := re.search(pattern, self.shown)) is None:
            if not select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))[0]:
                os.kill(self._child, signal.SIGKILL)
                raise AssertionError(f"the screen does not show {pattern}:\n{self.shown}")
            self._read()
        return found

    def type(self, text: str) -> None:
        """Press the keys of ``text``."""
        os.write(self._end, text.encode())

    def answer(self, prompt: str, text: str) -> None:
        """Wait for ``prompt``, and type a line."""
        self.until(prompt)
        self.type(f"{text}\n")

    def end(self) -> int:
        """Read to the end, and return the exit code."""
        try:
            while True:
                self._read()
        except OSError:
            _, status = os.waitpid(self._child, 0)
            os.close(self._end)
            CANARY.look("a terminal", self.shown)
            return os.waitstatus_to_exitcode(status)

    def _read(self) -> None:
        read = os.read(self._end, 4_096)
        if not read:
            raise OSError
        self.shown += read.decode().replace("\r\n", "\n")
