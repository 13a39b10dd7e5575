"""``run``: runs a command with the identity of a kernel of a running server, until the command ends."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Final

from traitlets import Dict

from jupyter_oidc.cli.app import ALIASES, paragraphs
from jupyter_oidc.cli.command_identity import held_identity
from jupyter_oidc.cli.running import ServerError
from jupyter_oidc.cli.session import SessionApp
from jupyter_oidc.language import N_, _

if TYPE_CHECKING:
    from typing_extensions import Self

    from jupyter_oidc.cli.running import RunningServer

_NOT_FOUND_CODE: Final = 127
_NOT_EXECUTABLE_CODE: Final = 126
_SIGNAL_CODE_OFFSET: Final = 128
"""The number that a shell adds to the number of the signal that ended a command."""

_WAKE_SECONDS: Final = 0.5


class Run(SessionApp):
    """``jupyter oidc run -- COMMAND``."""

    name = "jupyter-oidc-run"
    description = paragraphs(
        N_("Run a command that may call what a notebook of the running Jupyter server may, until it ends."),
        N_(
            "For papermill, nbconvert, a script or a scheduler on the server's machine: the command, and whatever "
            "it starts, proves itself at that server as a kernel does. No token is handed to it. Ends with the "
            "command's exit code."
        ),
    )
    examples = """
    jupyter oidc run -- papermill in.ipynb out.ipynb
    jupyter oidc run -- python nightly.py
    """
    aliases = Dict({**ALIASES, "server": "Run.server"})

    def work(self, server: RunningServer) -> int:
        """Begin an identity, run the command with it, end it."""
        if not self.extra_args:
            raise ServerError(_("There is no command."), _("Write it behind two dashes: jupyter oidc run -- COMMAND."))
        with _RequestsToEnd() as requests, held_identity(server) as variables:
            return _run([str(part) for part in self.extra_args], {**os.environ, **variables}, requests)


class _RequestsToEnd:
    """Keeps ``SIGTERM`` and ``SIGINT`` from ending this process while the identity exists, so that nothing is left of it.

    One that arrives before the command runs is kept in ``early``. Later ``SIGTERM`` is passed on to the command; the
    terminal itself sends an interruption to the command. A signal that this process ignores stays ignored, also by the
    command, as for what a shell starts in the background.
    """

    def __init__(self) -> None:
        self.early: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on to ``process`` what has arrived, and what arrives from now on."""
        self._process = process
        for number in self.early:
            process.send_signal(number)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self._process is None:
            self.early.append(number)
        elif number == signal.SIGTERM:
            self._process.send_signal(number)


def _run(command: list[str], environment: dict[str, str], requests: _RequestsToEnd) -> int:
    """Run ``command`` and return its exit code as a shell would; ``requests`` to end are passed on to it."""
    if requests.early:
        return _SIGNAL_CODE_OFFSET + requests.early[0]
    process = _started(command, environment)
    requests.pass_on_to(process)
    code = _exit_code(process)
    return code if code >= 0 else _SIGNAL_CODE_OFFSET - code


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, env=environment)  # noqa: S603 - the user's own command
    except FileNotFoundError:
        raise CommandNotRun(_NOT_FOUND_CODE, _("There is no command {command}.", command=repr(command[0]))) from None
    except OSError:
        raise CommandNotRun(
            _NOT_EXECUTABLE_CODE, _("The command {command} cannot be run.", command=repr(command[0]))
        ) from None


def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of ``process``.

    A signal that arrives just before a wait does not end it, and its handler would run when the process has ended. So
    the wait of this thread, which handles signals, is short, and another thread waits without an end.
    """
    waiting = threading.Thread(target=process.wait, daemon=True)
    waiting.start()
    while waiting.is_alive():
        waiting.join(_WAKE_SECONDS)
    return process.wait()


class CommandNotRun(ServerError):
    """The command cannot be started; ``code`` is a shell's exit code for that."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message, _("Check how it is spelt, and where it is installed."))
        self.code = code
