"""Whether a broker can answer requests now; it asks its database, and neither a provider nor a Hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.clock import Clock

READY_SECONDS: Final = 1.0
"""Seconds for which an answer about readiness is repeated."""


class Readiness:
    """Asks the database that holds ``rows``, at most once a second, until the broker stops."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._is_stopping = False
        self._asking = asyncio.Lock()
        self._was_ready = False
        self._ready_at = -READY_SECONDS

    def end(self) -> None:
        """Be ready no more: the broker stops."""
        self._is_stopping = True

    async def is_ready(self) -> bool:
        """Return whether the database answers, and the broker does not stop."""
        if self._is_stopping:
            return False
        async with self._asking:  # NOTE: strangers may ask, too, so that many get the answer of one
            now = self._clock.now().monotonic
            if now - self._ready_at >= READY_SECONDS:
                try:
                    await self._rows.ping()
                except Problem:
                    self._was_ready = False
                else:
                    self._was_ready = True
                self._ready_at = self._clock.now().monotonic
        return self._was_ready
