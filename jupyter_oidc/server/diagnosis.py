"""What ``diagnostics`` answers: the checks of ``jupyter oidc doctor``, made in the server itself.

A report is made once for all who ask at the same time, and is good for a few seconds, so that a panel that is opened
often does not ask the provider often (H-5).
No provider is asked whether it knows the client; only a person at a terminal does that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.compose import Services
    from jupyter_oidc.diagnostics import Surroundings

GOOD_FOR: Final = 10.0
"""Seconds."""


class Diagnosis:
    """Examines what ``look`` returns for services and the address at which the server was asked."""

    def __init__(self, look: Callable[[Services, str], Surroundings], clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._work: asyncio.Task[dict[str, Any]] | None = None
        self._begun = 0.0

    async def view(self, services: Services, address: str) -> dict[str, Any]:
        """Return the contract ``diagnostics.reply`` for a server at ``address``, which includes the base URL."""
        now = self._clock.now().monotonic
        if self._work is None or (self._work.done() and now - self._begun > GOOD_FOR) or _failed(self._work):
            self._begun = now
            self._work = asyncio.get_running_loop().create_task(self._examine(services, address))
        return await asyncio.shield(self._work)

    async def _examine(self, services: Services, address: str) -> dict[str, Any]:
        from jupyter_oidc.diagnostics import examine
        from jupyter_oidc.diagnostics.report import as_json

        return as_json(await examine(self._look(services, address)))


def _failed(work: asyncio.Task[Any]) -> bool:
    return work.done() and (work.cancelled() or work.exception() is not None)
