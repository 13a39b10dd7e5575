"""A line at a terminal is read, hidden however long it is, and a signal ends the wait; the terminals are real (``pty``)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from contextlib import suppress

import pytest

PROGRAM = """
import signal
import sys
import threading
import time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have ignored it, for what it starts behind it
from jupyter_oidc.cli.terminal_input import read_hidden, read_line
def interrupt_another_thread():
    time.sleep(1)  # until the main thread waits
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
if sys.argv[3] == "interrupted":
    threading.Thread(target=interrupt_another_thread, daemon=True).start()
try:
    line = read_line("Paste: ") if sys.argv[2] == "shown" else read_hidden("Paste: ", float(sys.argv[1]))
except (EOFError, TimeoutError, KeyboardInterrupt) as ending:
    print(f"[{type(ending).__name__}]")
else:
    print(f"[{len(line)} {line[:3]}...{line[-3:]}]")
"""


def program(timeout: float, kind: str = "hidden", event: str = "") -> list[str]:
    return [sys.executable, "-c", PROGRAM, str(timeout), kind, event]


def screen(typed: bytes, timeout: float = 20.0, *more_arguments: str) -> str:
    """Run the program at a terminal of its own, type into its prompt, and return what the terminal shows."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - another process
        os.execv(sys.executable, program(timeout, *more_arguments))
    shown = b""
    try:
        while b"Paste: " not in shown:
            shown += os.read(terminal, 1_024)
        for start in range(0, len(typed), 512):
            os.write(terminal, typed[start : start + 512])
            time.sleep(0.01)
        with suppress(OSError):  # Linux says so where the program has ended
            while more := os.read(terminal, 1_024):
                shown += more
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return shown.decode().replace("\r\n", "\n")


def test_a_line_is_read_and_not_shown() -> None:
    assert screen(b"http://127.0.0.1/cb?code=secret\r") == "Paste: \n[31 htt...ret]\n"


@pytest.mark.parametrize("characters", [1_500, 8_000])
def test_a_long_address_is_not_cut_off(characters: int) -> None:
    """A terminal's own line holds 4,095 characters, or 1,023; a code of some providers is longer."""
    assert screen(b"abc" + b"x" * (characters - 6) + b"xyz\n") == f"Paste: \n[{characters} abc...xyz]\n"


def test_a_slip_can_be_erased() -> None:
    assert screen(b"nonsense\x15abcdefX\x7f\n") == "Paste: \n[6 abc...def]\n"


def test_ctrl_c_interrupts() -> None:
    # NOTE: the terminal drops output that waits when the key is pressed, and that may be the end of the line.
    assert screen(b"abc\x03").replace("\n", "") == "Paste: [KeyboardInterrupt]"


@pytest.mark.parametrize("kind", ["hidden", "shown"])
def test_an_interruption_that_the_wait_does_not_notice_is_handled_soon(kind: str) -> None:
    """One that arrives just before the wait is such; here another thread receives it, which the wait notices no more."""
    assert screen(b"", 20.0, kind, "interrupted").replace("\n", "") == "Paste: [KeyboardInterrupt]"


@pytest.mark.parametrize(
    ("typed", "ending"),
    [(b"orders\n", "[6 ord...ers]"), (b"two\nlines\n", "[3 two...two]"), (b"\x04", "[EOFError]")],
    ids=["a-line", "two-lines", "the-end"],
)
def test_a_shown_line_is_read(typed: bytes, ending: str) -> None:
    assert screen(typed, 20.0, "shown").split("\n")[-2].removeprefix("Paste: ") == ending


def test_ctrl_d_ends_the_input() -> None:
    assert screen(b"abc\x04") == "Paste: \n[EOFError]\n"


def test_the_wait_for_input_ends() -> None:
    assert screen(b"", timeout=0.3) == "Paste: \n[TimeoutError]\n"


@pytest.mark.parametrize(
    ("given", "shown"),
    [(b"http://127.0.0.1/cb\n", b"[19 htt.../cb]\n"), (b"", b"[EOFError]\n")],
    ids=["a-line", "nothing"],
)
def test_a_pipe_is_read_without_a_prompt(given: bytes, shown: bytes) -> None:
    done = subprocess.run(program(20), input=given, capture_output=True, check=True, start_new_session=True)
    assert (done.stdout, done.stderr) == (shown, b"")
