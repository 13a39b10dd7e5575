"""Closes the streams and WebSockets of a kernel or worker when that may not call any more (Q8.12).

A grant is checked when a call comes in. A stream that flows for hours after that is checked again every few seconds,
because no kernel manager reports the end of every kernel, and each kind ends them in its own way.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


CHECK_INTERVAL_SECONDS: Final = 2.0
"""Seconds between two checks of the callers that have a stream open."""


class CallerStreams:
    """Ends a stream by calling its function; runs no timer while no stream is open."""

    def __init__(self) -> None:
        self._open: dict[object, tuple[Callable[[], bool], Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, lasts: Callable[[], bool], cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when the caller does not last, or now if it does not; return the function that stops this.

        Of a kernel the run counts and not the grant, which may have expired since the call came in, and is replaced
        while a stream flows; of a worker the grant counts.
        """
        if not lasts():
            cut()
            return lambda: None
        key = object()
        self._open[key] = lasts, cut
        if self._timer is None:
            self._schedule_check()
        return lambda: self._unwatch(key)

    def close(self) -> None:
        """Stop checking; the session closes streams that are still open."""
        self._open.clear()
        self._cancel_timer()

    def _unwatch(self, key: object) -> None:
        self._open.pop(key, None)
        if not self._open:
            self._cancel_timer()

    def _schedule_check(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(CHECK_INTERVAL_SECONDS, self._check)

    def _check(self) -> None:
        self._timer = None
        try:
            over = [key for key, (lasts, _) in self._open.items() if not lasts()]
            for _, cut in [self._open.pop(key) for key in over]:
                cut()
        finally:  # NOTE: a kernel manager of another kind may fail; the streams of other kernels are checked on
            if self._open and self._timer is None:
                self._schedule_check()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
