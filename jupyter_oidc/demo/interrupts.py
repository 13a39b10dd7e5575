"""Requests to stop, by Ctrl-C or a signal: the first one interrupts, and no later one interrupts the stopping.

The clean-up removes processes and private keys, so it must run to its end.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any, Final

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_STILL_STOPPING_TEXT: Final = b"  ... still stopping; the folder with the demo's keys is removed at the end\n"


class StopRequests:
    """The signals that ask this process to stop; call ``listen`` before anything exists that needs a clean-up."""

    def __init__(self) -> None:
        self._interrupts = True
        self._before: dict[int, Any] = {}

    def listen(self) -> None:
        """Raise :class:`KeyboardInterrupt` at the first request, in the main thread, and at no other."""
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                self._before[number] = signal.signal(number, self._on_signal)

    def ignore_further(self) -> None:
        """Let no request interrupt any more: the stop has begun for another reason."""
        self._interrupts = False

    def ignore_until_exit(self) -> None:
        """Let the system ignore requests until this process has ended; call it when nothing is left to clean up.

        Python gives the signals back to the system before it exits, and a request that arrives then would end the
        process by that signal: its exit code would tell of a failure where everything has gone well.
        """
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def restore(self) -> None:
        """Restore the former signal handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        if self._interrupts:
            self._interrupts = False
            raise KeyboardInterrupt
        with suppress(OSError):  # the terminal may have gone
            os.write(2, _STILL_STOPPING_TEXT)  # NOTE: not 'print', which this may have interrupted
