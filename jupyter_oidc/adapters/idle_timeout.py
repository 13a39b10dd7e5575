"""How long a reply may say nothing while somebody waits for it (C15).

One timer for a whole reply, and none for one that is there at once; a caller who is slow to read uses up nobody's time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Silence:
    """Calls ``broken`` when a wait between :meth:`begin` and :meth:`end` has taken ``longest`` seconds."""

    __slots__ = ("_broken", "_longest", "_loop", "_since", "_timer")

    def __init__(self, longest: float, broken: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._longest = longest
        self._broken = broken
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Somebody waits from now on."""
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._longest, self._look)

    def end(self) -> None:
        """Nobody waits any more."""
        self._since = None

    def stop(self) -> None:
        """Forget it all."""
        self._since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        since = self._loop.time() if self._since is None else self._since
        left = since + self._longest - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._timer = None
            self._broken()
