"""The protocols through which the session layer reaches the outside.

``adapters`` implements them, tests script them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from jupyter_oidc.language import N_
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from jupyter_oidc.background import Defect
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.protocol.message import Call, Reply
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.delegation import StoredGrant
    from jupyter_oidc.sessions.summary import Profile


DATABASE_AWAY: Final = "database"
"""The ``detail`` of the ``StorageUnavailable`` of a database that does not answer, which other stores do not have."""

DATABASE_RETRIED: Final = N_("Look whether it runs; this is tried again by itself.")
"""What to do about a database that does not answer."""


def database_away() -> StorageUnavailable:
    """Return the problem for a database that does not answer."""
    return StorageUnavailable(
        N_("The database of the sessions does not answer."), action=DATABASE_RETRIED, detail=DATABASE_AWAY
    )


class ProviderPort(Protocol):
    """Sends one call to the provider."""

    async def send(self, call: Call) -> Reply:
        """Return the reply, with any status.

        Raises :class:`~jupyter_oidc.problems.IdpUnavailable` (``detail`` is ``idp.unsent`` or ``idp.proxy`` if the
        call surely did not arrive, else ``idp.unanswered``), :class:`~jupyter_oidc.problems.TlsUntrusted` or
        :class:`~jupyter_oidc.problems.EgressProxyAuth`.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """The stored part of a session: the refresh token, and a small header that names its issuer, client and person.

    ``profile`` holds the person's details for a summary; entries of older versions have none.

    ``sid`` is the provider's name for its own session, if it has one; a back-channel logout names it.
    ``dpop_key`` is the key that the refresh token is bound to, if it is (RFC 9449, 5).
    """

    issuer: str
    client_id: str
    subject: str
    scopes: tuple[str, ...]
    signed_in_at: float
    refresh_token: Secret
    sid: str | None = None
    dpop_key: Secret | None = None
    profile: Profile | None = None


class Vault(Protocol):
    """Stores one entry per provider.

    Every method raises :class:`~jupyter_oidc.problems.StorageUnavailable` when the store does not answer.
    """

    async def kind(self) -> StorageKind:
        """Return where entries go; the first call may probe the store."""
        ...

    async def load(self) -> Entry | None:
        """Return the stored entry, or ``None`` if there is none that belongs to this provider and client."""
        ...

    async def save(self, entry: Entry) -> None:
        """Store ``entry`` in place of the old one; it is durable when this returns."""
        ...

    async def delete(self) -> None:
        """Remove the entry; removing none is no error."""
        ...


class GrantStore(Protocol):
    """Stores the worker grants of all sessions of one person.

    Every method raises :class:`~jupyter_oidc.problems.StorageUnavailable` when the store does not answer.
    """

    async def add(self, stored: StoredGrant) -> None:
        """Store a new grant; it is durable when this returns."""
        ...

    async def find(self, digest: str) -> StoredGrant | None:
        """Return the grant whose text has this ``digest``, or ``None``."""
        ...

    async def every(self) -> list[StoredGrant]:
        """Return all grants, the oldest first."""
        ...

    async def remove(self, grant_id: str) -> None:
        """Remove a grant; removing none is no error."""
        ...

    async def renew(self, grant_ids: Sequence[str], lease_ends: float) -> None:
        """Let the leases of these grants end at ``lease_ends``; a grant without a lease gets none."""
        ...

    async def note_use(self, grant_id: str, at: float) -> None:
        """Store when a grant was used last."""
        ...


class HeldLock(Protocol):
    """The lock under which the refresh token of an entry may be used, held until its context ends (B10).

    ``interrupted`` says that an earlier holder died after :meth:`mark_in_use` and before :meth:`clear_mark`, so the
    stored token may already be used (B14).
    ``held_last`` says that no other server has held the lock since this server did, so that the stored token is the one
    that this server knows, even if the store does not answer.
    """

    @property
    def interrupted(self) -> bool:
        """Whether an earlier holder died between using the token and storing its successor."""
        ...

    @property
    def held_last(self) -> bool:
        """Whether this server was the last one to hold the lock."""
        ...

    async def mark_in_use(self) -> None:
        """Write durably, without any token, that the stored token is about to be used."""
        ...

    async def clear_mark(self) -> None:
        """Remove that mark: the stored token is the newest one, or none is stored."""
        ...


class EntryLock(Protocol):
    """Lets one server at a time use the stored entry of a provider (B10)."""

    def hold(self, *, timeout_seconds: float) -> AbstractAsyncContextManager[HeldLock]:
        """Wait up to ``timeout_seconds`` for the lock.

        Raises :class:`~jupyter_oidc.problems.Overloaded` if others keep it that long, and
        :class:`~jupyter_oidc.problems.StorageUnavailable` if no folder can hold a reliable lock.
        """
        ...


class Cancellable(Protocol):
    """A timer that can be stopped."""

    def cancel(self) -> None:
        """Stop it; stopping twice is no error."""
        ...


class Scheduler(Protocol):
    """Calls back later on the event loop."""

    def after(self, seconds: float, callback: Callable[[], None]) -> Cancellable:
        """Call ``callback`` after ``seconds``."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        ...


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A hint that a summary changed; it holds no data of the summary."""

    provider: str
    kind: str
    reason: str | None
    sequence: int
    at: str


class EventLog(Protocol):
    """Writes session events and audit lines; never fails the caller."""

    def session(self, event: SessionEvent) -> None:
        """Publish ``event``."""
        ...

    def refusal(self, provider: str, flow: str, refused: str, detail: str) -> None:
        """Record that a sign-in or refresh was refused, with our own reason codes (E-2, E-3)."""
        ...

    def defect(self, about: str, defect: Defect) -> None:
        """Record an unexpected exception, by its type and place and never by its text."""
        ...


@dataclass(frozen=True, slots=True)
class SystemPorts:
    """Holds what all parts of a session service share: time, timers, chance, and where events are written."""

    clock: Clock
    scheduler: Scheduler
    entropy: Entropy
    event_log: EventLog
