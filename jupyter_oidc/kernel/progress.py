"""Shows the progress of an upload: a bar in a notebook, one line in a terminal, only the last line in a log.

It counts the bytes that have left this process; the proxy reads no faster than the API, so that is nearly exact.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, Protocol

from jupyter_oidc.kernel.display import Notice, ended_transfer_html, in_notebook, progress_html
from jupyter_oidc.kernel.plain_text import plain
from jupyter_oidc.language import N_, _, counted, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from typing_extensions import Self

MIN_REDRAW_INTERVAL_SECONDS: Final = 0.2
"""Seconds between two updates of the display at least."""


class ProgressDisplay(Protocol):
    """Shows the progress of an upload."""

    def update(self, text: str, done: int, total: int) -> None:
        """Show ``done`` of ``total`` bytes."""

    def finish(self, text: str) -> None:
        """Replace the progress by the result ``text``."""


class NotebookProgressBar:
    """A bar in a notebook's output."""

    def __init__(self) -> None:
        self._notice = Notice()

    def update(self, text: str, done: int, total: int) -> None:
        """Show the bar."""
        self._notice.show(progress_html(text, done, total), "")

    def finish(self, text: str) -> None:
        """Replace the bar by a line."""
        self._notice.show(ended_transfer_html(text), "")


class TerminalProgressLine:
    """A line in a terminal; a file or a pipe gets the last line only."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._width = 0

    def update(self, text: str, done: int, total: int) -> None:
        """Rewrite the line."""
        del done, total
        if self._out.isatty():
            self._write(text, "")

    def finish(self, text: str) -> None:
        """Write the line for the last time."""
        self._write(text, "\n")

    def _write(self, text: str, end: str) -> None:
        begin = "\r" if self._width else ""
        self._out.write(f"{begin}{plain(text).ljust(self._width)}{end}")
        self._out.flush()
        self._width = len(text)


class UploadProgress:
    """The progress of one upload; use it in a ``with`` statement. ``total`` is in bytes."""

    def __init__(
        self, name: str, total: int, display: ProgressDisplay | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._total = total
        self._display = display or (NotebookProgressBar() if in_notebook() else TerminalProgressLine(sys.stderr))
        self._now = now
        self._begun = now()
        self._shown = self._begun
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        name, done, whole = self._name, readable_bytes(self._done), readable_bytes(self._total)
        if kind is not None:
            text = _("{name}: stopped after {done} of {whole}.", name=name, done=done, whole=whole)
        elif self._done < self._total:
            text = _("{name}: answered after {done} of {whole}.", name=name, done=done, whole=whole)
        else:
            seconds = _one_digit(self._now() - self._begun)
            text = _("{name}: sent {whole} in {number} s.", name=name, whole=whole, number=seconds)
        self._display.finish(text)

    def sent(self, count: int) -> None:
        """Record that ``count`` bytes were sent in all; fewer than before mean that the upload began again."""
        self._done = count
        if self._now() - self._shown >= MIN_REDRAW_INTERVAL_SECONDS:
            self._shown = self._now()
            share = 100 * count // max(1, self._total)
            done, whole = readable_bytes(count), readable_bytes(self._total)
            text = _("{name}: {done} of {whole} ({number} %)", name=self._name, done=done, whole=whole, number=share)
            self._display.update(text, count, self._total)


def readable_bytes(size: int) -> str:
    """Return a number of bytes as text with a unit."""
    if size < 1000:
        return told(counted(size, "{number} bytes", "{number} bytes"))
    for unit, template in ((1000, N_("{number} kB")), (1000**2, N_("{number} MB"))):
        if size < 1000 * unit:
            return _(template, number=_one_digit(size / unit))
    return _("{number} GB", number=_one_digit(size / 1000**3))


def _one_digit(number: float) -> str:
    return f"{number:.1f}"
