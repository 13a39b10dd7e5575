"""A progress line on standard error: overwritten in place at a terminal, and absent elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from jupyter_oidc.language import _, told

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_LINE_CHARACTERS = 60


class Progress:
    """Context manager; the line is gone when it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("")

    def tell(self, what: str) -> None:
        """Show the check that is running."""
        self.show(_("Looking at {what} ...", what=told(what)))

    def show(self, text: str) -> None:
        """Show ``text`` in the place of what was shown before."""
        self._write(text)

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(f"\r{text[:_LINE_CHARACTERS]:<{_LINE_CHARACTERS}}\r")
            self._stream.flush()
