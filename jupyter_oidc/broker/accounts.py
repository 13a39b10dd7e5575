"""The services of the accounts that use a broker now: made at the first request, closed after a while without any.

An account that is closed loses nothing: its sessions are stored, and the next request restores them.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.background import Background
from jupyter_oidc.diagnostics.report_cache import ReportCache
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Overloaded, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.compose import MakeDiagnosticContext, Services

MAX_REQUESTS: Final = 1_024
"""Requests of one account that are answered at once; a page and a kernel wait with a few each."""

MAX_ACCOUNTS: Final = 20_000
"""Accounts that are in memory at once."""

IDLE_SECONDS: Final = 900.0
"""Seconds without a request after which an account is closed; its session is not renewed ahead from then on."""

WORK_SECONDS: Final = 10.0
"""Seconds for changes that are under way when an account is closed."""

SWEEP_SECONDS: Final = 60.0
"""Seconds between two searches for such accounts."""


@dataclass(slots=True, eq=False)
class Account:
    """What is in memory of the account ``name``: its ``services``, and the last report about them.

    ``make_context`` makes the context of its checks. ``work`` are changes that are made, also if their caller has left.
    """

    name: str
    services: Services
    reports: ReportCache
    make_context: MakeDiagnosticContext
    work: Background
    requests: int = 0
    last_used: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Lets one request of the account at a time begin what takes all accounts' time."""

    async def aclose(self) -> None:
        """Finish the changes under way, and close the services."""
        await self.work.settle(WORK_SECONDS)
        await self.services.aclose()

    async def diagnostics(self, address: str, *, seen: bool) -> dict[str, Any]:
        """Return the report for a Jupyter server at ``address``, which browsers have ``seen`` there."""
        return await self.reports.view(lambda: self.make_context(self.services, address, seen=seen), seen=seen)

    @property
    def is_needed(self) -> bool:
        """Whether a request is under way, or something of it is in memory only."""
        return bool(self.requests or len(self.work)) or any(
            session.view.is_in_memory_only or len(session.tokens.refreshing) for session in self.services.sessions
        )


class Accounts:
    """Keeps the services that ``make`` makes for an account; ``background`` closes them.

    ``make_context`` makes the context of the checks for the services of one account.
    """

    def __init__(
        self,
        make: Callable[[str], Services],
        make_context: MakeDiagnosticContext,
        clock: Clock,
        background: Background,
        *,
        most: int = MAX_ACCOUNTS,
        most_requests: int = MAX_REQUESTS,
    ) -> None:
        self._most = most
        self._most_requests = most_requests
        self._make = make
        self._make_context = make_context
        self._clock = clock
        self._background = background
        self._known: dict[str, Account] = {}
        self._swept = clock.now().monotonic

    def __len__(self) -> int:
        return len(self._known)

    def names(self) -> list[str]:
        """Return the accounts in memory."""
        return list(self._known)

    def with_session_of(self, provider: str, subject: str | None, sid: str | None) -> list[str]:
        """Return the accounts in memory with a session of this ``subject`` at ``provider``, or of its session ``sid``."""
        return [
            name for name, account in self._known.items() if account.services.has_session_of(provider, subject, sid)
        ]

    @contextmanager
    def use(self, name: str, *, for_broker: bool = False, for_worker: bool = False) -> Iterator[Account]:
        """Hold the account ``name`` for a request; raises ``Overloaded`` if it has too many.

        What the broker does ``for_broker``, or a provider asks for, waits for no request of the account's. Those
        ``for_worker`` leave half of the places to pages and kernels.
        """
        now = self._clock.now().monotonic
        if now - self._swept >= SWEEP_SECONDS:
            self._sweep(now)
        account = self._known.get(name) or self._new(name)
        most = self._most_requests // 2 if for_worker else self._most_requests
        if account.requests >= most and not for_broker:
            raise busy()
        account.requests += 1
        account.last_used = now
        try:
            yield account
        finally:
            account.requests -= 1
            account.last_used = self._clock.now().monotonic

    def close(self, name: str) -> None:
        """Let the account leave the memory, unless it is needed."""
        account = self._known.get(name)
        if account is not None and not account.is_needed:
            self._close(name)

    def _new(self, name: str) -> Account:
        if len(self._known) >= self._most and not self._close_oldest():
            raise busy()
        services = self._make(name)
        work = Background(lambda defect: services.event_log.defect("request", defect), expected=Problem)
        account = self._known[name] = Account(name, services, ReportCache(self._clock), self._make_context, work)
        return account

    def _close_oldest(self) -> bool:
        """Close the account that was used longest ago and can be closed; return whether there is one."""
        idle = [(account.last_used, name) for name, account in self._known.items() if not account.is_needed]
        if idle:
            self._close(min(idle)[1])
        return bool(idle)

    def _close(self, name: str) -> None:
        self._background.start(self._known.pop(name).aclose())

    def _sweep(self, now: float) -> None:
        self._swept = now
        for name, account in list(self._known.items()):
            if not account.is_needed and now - account.last_used >= IDLE_SECONDS:
                self._close(name)

    async def aclose(self) -> None:
        """Close the services of all accounts."""
        known, self._known = self._known, {}
        closing = (account.aclose() for account in known.values())
        await asyncio.gather(*(self._background.start(one) for one in closing), return_exceptions=True)


def busy() -> Overloaded:
    """Return the refusal of one request too many."""
    return Overloaded(N_("The broker has too many requests."), detail="broker.busy", retry_after=1.0)
