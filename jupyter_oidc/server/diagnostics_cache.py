"""Answers ``diagnostics``: runs the checks of ``jupyter oidc doctor`` in the server itself and caches the report.

A report is made once for all simultaneous callers, and is good for a few seconds, so that a panel that is opened often
does not ask the provider often (H-5).
No provider is asked whether it knows the client; only ``jupyter oidc doctor`` at a terminal does that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.compose import Services
    from jupyter_oidc.diagnostics import DiagnosticContext

    class MakeDiagnosticContext(Protocol):
        """Makes the context for the checks; ``seen`` says that a browser has reached the server at ``address``."""

        def __call__(self, services: Services, address: str, *, seen: bool) -> DiagnosticContext:
            """Return the context."""


REPORT_LIFETIME_SECONDS: Final = 10.0
"""Seconds for which a report is good."""


class DiagnosticsCache:
    """Runs the checks on the context that ``make_context`` returns for the services and the server's address."""

    def __init__(self, make_context: MakeDiagnosticContext, clock: Clock) -> None:
        self._make_context = make_context
        self._clock = clock
        self._report: asyncio.Task[dict[str, Any]] | None = None
        self._begun_at = 0.0
        self._was_seen = False

    async def view(self, services: Services, address: str, *, seen: bool) -> dict[str, Any]:
        """Return the contract ``diagnostics.reply`` for a server at ``address``, which includes the base URL.

        ``seen`` says that a browser has reached it there.
        """
        now = self._clock.now().monotonic
        is_stale = self._report is not None and self._report.done() and now - self._begun_at > REPORT_LIFETIME_SECONDS
        if self._report is None or is_stale or _failed(self._report) or (seen and not self._was_seen):
            self._begun_at, self._was_seen = now, seen
            self._report = asyncio.get_running_loop().create_task(self._examine(services, address, seen=seen))
        return await asyncio.shield(self._report)

    async def _examine(self, services: Services, address: str, *, seen: bool) -> dict[str, Any]:
        from jupyter_oidc.diagnostics import examine
        from jupyter_oidc.diagnostics.report import as_json

        return as_json(await examine(self._make_context(services, address, seen=seen)))


def _failed(work: asyncio.Task[Any]) -> bool:
    return work.done() and (work.cancelled() or work.exception() is not None)
