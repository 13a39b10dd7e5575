"""Shows the progress of an upload: a bar in a notebook, one line in a terminal, only the last line in a log.

It counts the bytes that have left this process; the proxy reads no faster than the API, so that is nearly exact.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, Protocol

from jupyter_oidc.kernel.display import Notice, ended_transfer_html, in_notebook, progress_html
from jupyter_oidc.kernel.plain_text import plain

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

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        whole = readable_bytes(self._total)
        if kind is not None:
            self._display.finish(f"{self._name}: stopped after {readable_bytes(self._done)} of {whole}.")
        elif self._done < self._total:
            self._display.finish(f"{self._name}: answered after {readable_bytes(self._done)} of {whole}.")
        else:
            self._display.finish(f"{self._name}: sent {whole} in {self._now() - self._begun:.1f} s.")

    def sent(self, count: int) -> None:
        """Record that ``count`` bytes were sent in all; fewer than before mean that the upload began again."""
        self._done = count
        if self._now() - self._shown >= MIN_REDRAW_INTERVAL_SECONDS:
            self._shown = self._now()
            share = 100 * count // max(1, self._total)
            text = f"{self._name}: {readable_bytes(count)} of {readable_bytes(self._total)} ({share} %)"
            self._display.update(text, count, self._total)


def readable_bytes(size: int) -> str:
    """Return a number of bytes as text with a unit."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
