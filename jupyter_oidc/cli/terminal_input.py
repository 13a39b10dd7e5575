"""Reads one line at a terminal, shown or hidden; without a terminal the line comes from standard input.

``getpass`` leaves a hidden line to the terminal driver, which keeps 4,095 characters on Linux and 1,023 on macOS: a
pasted callback address can be longer, and would be cut off without a word. So this module reads the characters itself.
It refuses a terminal whose echo cannot be switched off, and keeps nothing of the input.

A signal interrupts a wait for input, but not one that begins just after the signal: the handler would run when the
next line has come. So every wait here ends after half a second and begins again.
"""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE_BYTES: Final = 65_536
"""Bytes of one line that are kept; the rest is read and dropped."""

_READ_BYTES: Final = 4_096
_WAKE_SECONDS: Final = 0.5
_END_OF_LINE: Final = b"\r\n"
_ERASE: Final = b"\x7f\x08"
_ERASE_LINE: Final = 0x15
_END_OF_INPUT: Final = 0x04


def read_line(prompt: str) -> str:
    """Write ``prompt`` to standard output and return the line of standard input, without its end.

    Raises ``EOFError`` if there is no input.
    """
    sys.stdout.write(prompt)
    sys.stdout.flush()
    if sys.platform != "win32" and sys.stdin is not None and sys.stdin.isatty():
        # NOTE: a terminal gives one line at a time, so none of it waits in a buffer of Python.
        while not _has_input(sys.stdin.fileno(), _WAKE_SECONDS):
            continue
    return _line_of_standard_input()


def read_hidden(prompt: str, timeout_seconds: float) -> str:
    """Write ``prompt`` and return the line, without its end.

    Raises ``EOFError`` if there is no input, and ``TimeoutError`` after ``timeout_seconds`` at a terminal.
    """
    if sys.platform == "win32":
        import getpass

        return getpass.getpass(prompt)
    with _terminal() as terminal:
        if terminal is None:
            return _line_of_standard_input()
        with _without_echo(terminal):
            _write(terminal, prompt)
            try:
                return _line_of(terminal, time.monotonic() + timeout_seconds)
            finally:
                _write(terminal, "\n")


@contextmanager
def _terminal() -> Iterator[int | None]:
    """Yield the terminal that controls this process, else the one that is standard input, else ``None``."""
    try:
        opened = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        return
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """Switch off echo and line editing; input that is typed before or left over is dropped, as for a password."""
    import termios

    before = termios.tcgetattr(terminal)
    changed = termios.tcgetattr(terminal)
    changed[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON)
    changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
    termios.tcsetattr(terminal, termios.TCSAFLUSH, changed)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _line_of(terminal: int, deadline: float) -> str:
    line = bytearray()
    while True:
        for key in _pressed(terminal, deadline):
            if key in _END_OF_LINE:
                return line.decode("utf-8", "replace")
            if key == _END_OF_INPUT:
                raise EOFError
            if key in _ERASE:
                del line[-1:]
            elif key == _ERASE_LINE:
                line.clear()
            elif len(line) < MAX_LINE_BYTES:
                line.append(key)


def _pressed(terminal: int, deadline: float) -> bytes:
    """Wait for the next keys; raises ``TimeoutError`` at the ``deadline``, and ``EOFError`` if the terminal is gone."""
    while (left := deadline - time.monotonic()) > 0:
        if _has_input(terminal, min(left, _WAKE_SECONDS)):
            pressed = os.read(terminal, _READ_BYTES)
            if not pressed:
                raise EOFError
            return pressed
    raise TimeoutError


def _has_input(terminal: int, seconds: float) -> bool:
    """Wait for input, ``seconds`` at most, and return whether there is any."""
    return bool(select.select([terminal], [], [], seconds)[0])


def _line_of_standard_input() -> str:
    line = "" if sys.stdin is None else sys.stdin.readline(MAX_LINE_BYTES)
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def _write(terminal: int, text: str) -> None:
    """Write ``text`` to the terminal that is asked, or to standard error if that is standard input, as ``getpass`` does."""
    if sys.stdin is not None and terminal == sys.stdin.fileno():
        sys.stderr.write(text)
        sys.stderr.flush()
    else:
        os.write(terminal, text.encode())
