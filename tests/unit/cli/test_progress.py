"""A terminal shows progress in one line that is written over; other outputs show none."""

from __future__ import annotations

import io

from jupyter_oidc.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_one_line_that_is_gone_at_the_end() -> None:
    terminal = Terminal()
    with Progress(terminal) as progress:
        progress.tell("storage")
        progress.tell("corp: the APIs")
    shown = terminal.getvalue()
    assert "\n" not in shown
    steps = [step.strip() for step in shown.split("\r") if step]
    assert steps == ["Looking at storage ...", "Looking at corp: the APIs ...", ""]


def test_a_file_or_a_pipe_sees_nothing() -> None:
    pipe = io.StringIO()
    with Progress(pipe) as progress:
        progress.tell("storage")
    assert pipe.getvalue() == ""
