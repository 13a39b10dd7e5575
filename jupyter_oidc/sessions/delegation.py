"""A part of a session that workers may use, as plain values, and what a front asks about it (ADR 61).

A grant names APIs and methods of one provider and ends at a time, with its session, or when it is revoked. It opens
calls through the proxy and nothing else: no sign-in, no sign-out, no refresh and no further grant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from jupyter_oidc.facts import facts
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Forbidden, GrantInvalid

PREFIX: Final = "jow."
"""The beginning of every worker grant, so that it is mistaken for neither a kernel's grant nor a token."""

MAX_HOURS: Final = 24.0
"""Hours that a worker grant lives at most, and where its maker names none."""

SOCKET: Final = "WEBSOCKET"
"""Among the methods of a grant: that it opens WebSockets, whose messages read and write."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """The part of a session that ``maker``, a kernel, asks a grant for; the ``apis`` belong to one provider.

    The grant ends with that kernel, unless it is to outlive it.
    """

    maker: str
    apis: tuple[str, ...]
    methods: tuple[str, ...]
    hours: float = MAX_HOURS
    name: str = ""
    outlives_kernel: bool = False


@dataclass(frozen=True, slots=True)
class WorkerGrant:
    """One grant; times are seconds of the epoch, ``last_used`` is ``None`` for one that nobody has used."""

    id: str
    provider: str
    apis: tuple[str, ...]
    methods: tuple[str, ...]
    name: str
    maker: str
    outlives_kernel: bool
    began: float
    ends: float
    last_used: float | None = None

    def check(self, api: str, method: str) -> None:
        """Raise ``Forbidden`` for another API or method; ``method`` is :data:`SOCKET` for a WebSocket."""
        if api not in self.apis or method not in self.methods:
            raise self._refusal(api, method, "worker.api" if api not in self.apis else "worker.method")

    def check_provider(self, api: str, provider: str, method: str) -> None:
        """Raise ``Forbidden`` if the ``api`` has come to another ``provider``, whose session is not this grant's."""
        if provider != self.provider:
            raise self._refusal(api, method, "worker.provider")

    def _refusal(self, api: str, method: str, detail: str) -> Forbidden:
        return Forbidden(
            N_("This worker grant does not open {method} of the API{api_name}."),
            action=N_("Make one in the notebook that does: oidc.delegate()."),
            detail=detail,
            params=facts(api=api, method=method),
        )


@dataclass(frozen=True, slots=True)
class IssuedGrant:
    """A new grant with its text, which is told once."""

    grant: WorkerGrant
    text: str = field(repr=False)


def ended() -> GrantInvalid:
    """Return the refusal of a grant that has ended, or never was."""
    return GrantInvalid(
        N_("The worker grant has ended: its time is over, it was revoked, or its session has ended."),
        action=N_("Make a new one in the notebook: oidc.delegate()."),
        detail="worker.ended",
    )


class LivingGrants(Protocol):
    """The grants for workers of every session, for the front that admits their calls."""

    def use(self, text: str) -> WorkerGrant:
        """Return the grant of a call, and note the call's time; raises ``GrantInvalid`` for one that has ended."""
        ...

    def lives(self, grant_id: str) -> bool:
        """Return whether the grant has not ended."""
        ...

    def living(self) -> tuple[WorkerGrant, ...]:
        """Return the grants that have not ended, the oldest first."""
        ...

    def revoke(self, grant_id: str) -> WorkerGrant | None:
        """End a grant and return it; ``None`` if it has ended already, or never was."""
        ...
