"""Answers ``diagnostics``: runs the checks of ``jupyter oidc doctor`` where the sessions are, and caches the report.

A report is made once for all simultaneous callers, and is good for a few seconds, so that a panel that is opened often
does not ask the provider often (H-5).
No provider is asked whether it knows the client; only ``jupyter oidc doctor`` at a terminal does that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.diagnostics.examination import examine
from jupyter_oidc.diagnostics.report import as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.diagnostics.context import DiagnosticContext

REPORT_LIFETIME_SECONDS: Final = 10.0
"""Seconds for which a report is good."""


class ReportCache:
    """The last report, about one set of services."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._report: asyncio.Task[dict[str, Any]] | None = None
        self._begun_at = 0.0
        self._was_seen = False

    async def view(self, make_context: Callable[[], DiagnosticContext], *, seen: bool) -> dict[str, Any]:
        """Return the contract ``diagnostics.reply`` about the context that ``make_context`` returns.

        ``seen`` says that a browser has reached the server where the context says.
        """
        now = self._clock.now().monotonic
        is_stale = self._report is not None and self._report.done() and now - self._begun_at > REPORT_LIFETIME_SECONDS
        if self._report is None or is_stale or _failed(self._report) or (seen and not self._was_seen):
            self._begun_at, self._was_seen = now, seen
            self._report = asyncio.get_running_loop().create_task(_examined(make_context))
        return await asyncio.shield(self._report)


async def _examined(make_context: Callable[[], DiagnosticContext]) -> dict[str, Any]:
    return as_json(await examine(make_context()))


def _failed(work: asyncio.Task[Any]) -> bool:
    return work.done() and (work.cancelled() or work.exception() is not None)
