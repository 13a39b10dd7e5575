"""A part of a session that workers may use, as plain values, and what a front asks about it (ADR 61).

A grant names APIs and methods of one provider and ends at a time, with its session, or when it is revoked. It opens
calls through the proxy and nothing else: no sign-in, no sign-out, no refresh and no further grant.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from jupyter_oidc.facts import facts
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Forbidden, GrantInvalid, UnknownApi

if TYPE_CHECKING:
    from collections.abc import Callable

_Route = TypeVar("_Route")

PREFIX: Final = "jow."
"""The beginning of every worker grant, so that it is mistaken for neither a kernel's grant nor a token."""

_FORM: Final = re.compile(rf"{re.escape(PREFIX)}[A-Za-z0-9_-]{{40,64}}\Z")

USUAL_HOURS: Final = 24.0
"""Hours that a worker grant lives if its maker names none, and at most where it ends with the process."""

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
    hours: float = USUAL_HOURS
    name: str = ""
    outlives_kernel: bool = False


class SessionKey(NamedTuple):
    """What tells a session of a provider from every other: the ``subject``, and the time of the sign-in (epoch seconds).

    It stays the same when the session is refreshed, or restored by another process.
    """

    subject: str
    signed_in_at: float


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

    def find(self, route: Callable[[str], _Route], api: str, method: str) -> _Route:
        """Return the ``route`` of the ``api``; raises ``Forbidden`` before a worker can learn which APIs there are."""
        self.check(api, method)
        try:
            return route(api)
        except UnknownApi:
            raise self._refusal(api, method, "worker.unknown_api") from None

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
class StoredGrant:
    """What is stored of a grant: the ``digest`` of its text (hexadecimal), and the session that it belongs to.

    ``lease_ends`` is the time until which its server has renewed it; ``None`` for one that needs no renewal.
    """

    digest: str
    grant: WorkerGrant
    session: SessionKey
    lease_ends: float | None = None


@dataclass(frozen=True, slots=True)
class IssuedGrant:
    """A new grant with its text, which is told once."""

    grant: WorkerGrant
    text: str = field(repr=False)


def may_be_grant(text: str) -> bool:
    """Return whether ``text`` has the form of a worker grant."""
    return _FORM.match(text) is not None


def digest_of(text: str) -> str:
    """Return the digest by which a grant is stored (SHA-256, hexadecimal)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def calls_only() -> GrantInvalid:
    """Return the refusal of a worker that asks for anything but a call of an API."""
    return GrantInvalid(
        N_("A worker grant opens the calls of its APIs and nothing else."),
        action=N_("Do this in the notebook that made the grant."),
        detail="worker.route",
    )


def ended() -> GrantInvalid:
    """Return the refusal of a grant that has ended, or never was."""
    return GrantInvalid(
        N_("The worker grant has ended: its time is over, it was revoked, or its session has ended."),
        action=N_("Make a new one in the notebook: oidc.delegate()."),
        detail="worker.ended",
    )


class LivingGrants(Protocol):
    """The grants for workers of every session, for the front that admits their calls.

    Each method but :meth:`lives` raises ``StorageUnavailable`` if it is not known which grants there are.
    """

    async def use(self, text: str) -> WorkerGrant:
        """Return the grant of a call, and note the call's time; raises ``GrantInvalid`` for one that has ended."""
        ...

    def lives(self, grant_id: str) -> bool:
        """Return whether the grant of a call that goes on has not ended."""
        ...

    async def living(self) -> tuple[WorkerGrant, ...]:
        """Return the grants that have not ended, the oldest first."""
        ...

    async def revoke(self, grant_id: str) -> WorkerGrant | None:
        """End a grant and return it; ``None`` if it has ended already, or never was."""
        ...
