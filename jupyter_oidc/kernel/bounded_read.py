"""Keeps the last value that was read from the server, and reads it again without keeping its caller waiting.

The read runs in a thread of its own. A caller waits for it as long as it wants to; a read that ends later still leaves
its value for the next caller.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_AFTER_SECONDS: Final = 10.0
"""Seconds after a read that failed in which no other one is begun."""

Value = TypeVar("Value")


class BoundedRead(Generic[Value]):
    """Holds what ``read`` has returned, with the time of it; ``now`` returns monotonic seconds.

    A failure of ``read`` is silent: its caller goes on without a value.
    """

    def __init__(self, read: Callable[[], Value], now: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._now = now
        self._held: tuple[float, Value] | None = None
        self._failed_at = float("-inf")
        self._thread: threading.Thread | None = None

    def held(self, max_age_seconds: float = float("inf")) -> Value | None:
        """Return the last value if it is young enough; asks nobody."""
        held = self._held
        return None if held is None or self._now() - held[0] > max_age_seconds else held[1]

    def age_seconds(self) -> float:
        """Return how long ago the last value was read; infinity if it counts as old, or if there is none."""
        held = self._held
        return float("inf") if held is None else self._now() - held[0]

    def expire(self) -> None:
        """Let the last value count as old."""
        if self._held is not None:
            self._held = (float("-inf"), self._held[1])

    def keep(self, value: Value) -> Value:
        """Keep a ``value`` that was read elsewhere, and return it."""
        self._held = (self._now(), value)
        return value

    def within(self, wait_seconds: float, max_age_seconds: float = float("inf")) -> Value | None:
        """Return a value that is young enough, after a read of at most ``wait_seconds``; ``None`` if there is none."""
        held = self.held(max_age_seconds)
        return held if held is not None else self.renewed(wait_seconds)

    def renewed(self, wait_seconds: float) -> Value | None:
        """Read again and return the value, or ``None`` if that fails, takes longer, or has just failed."""
        begun = self._now()
        if begun - self._failed_at < RETRY_AFTER_SECONDS:
            return None
        thread = self._thread
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=self._run, name="jupyter_oidc look-up", daemon=True)
            self._thread = thread
            thread.start()
        thread.join(wait_seconds)
        return self.held(self._now() - begun)

    def _run(self) -> None:
        try:
            self.keep(self._read())
        except Exception:  # noqa: BLE001 - whatever it is, the call that follows meets it and says so
            self._failed_at = self._now()
