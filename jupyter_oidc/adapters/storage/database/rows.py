"""What a database does for the stored entries of many accounts: it keeps sealed rows, and lets processes take turns.

A turn has a number that grows.
A write that belongs to an earlier turn than the last one changes nothing: its writer was stopped for so long that its
turn ended without its knowledge, and what a later turn has stored, or removed, counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Overloaded, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

PRESENCE_SECONDS: Final = 15.0
"""Seconds after its last sign of life for which a replica counts as running."""

BUSY_RETRY_SECONDS: Final = 1.0


class GrantRow(NamedTuple):
    """The row of a worker grant of ``account``: its ``id``, the ``digest`` of its text, and the ``sealed`` rest.

    Times are seconds of the epoch; see :class:`~jupyter_oidc.sessions.delegation.StoredGrant`.
    """

    id: str
    digest: str
    account: str
    sealed: bytes
    began: float
    ends: float
    lease_ends: float | None
    last_used: float | None


class RowName(NamedTuple):
    """The name of a row: the ``account`` that it belongs to, and the ``entry`` of its provider and client."""

    account: str
    entry: str


class Tags(NamedTuple):
    """By what a logout token finds a row: digests of its person and of the provider's own session; see :func:`tags_of`."""

    subject: str | None = None
    sid: str | None = None


NO_TAGS: Final = Tags()


def tags_of(entry: str, subject: str | None, sid: str | None) -> Tags:
    """Return the tags of a row with the name ``entry``; they differ from one provider and client to the next.

    NOTE: a digest hides no name that can be guessed, and the account stands beside it readable.
    """

    def digest(kind: str, value: str | None) -> str | None:
        return None if value is None else hashlib.sha256(json.dumps([entry, kind, value]).encode()).hexdigest()

    return Tags(digest("sub", subject), digest("sid", sid))


@dataclass(frozen=True, slots=True)
class Turn:
    """Implements :class:`~jupyter_oidc.sessions.ports.HeldLock`: the turn ``number`` at a row of ``rows``.

    It is ``interrupted`` if a replica that runs no more has ended between using the stored token and storing its
    successor. ``held_last`` is known to the entry, which knows its turn before.
    """

    rows: Rows
    name: RowName
    number: int
    interrupted: bool
    held_last: bool = False

    async def mark_in_use(self) -> None:
        """Write durably that this replica is about to use the stored token.

        Raises :class:`~jupyter_oidc.problems.Overloaded` if a later turn was taken meanwhile.
        """
        if not await self.rows.mark(self.name, self.number, in_use=True):
            raise turn_taken()

    async def clear_mark(self) -> None:
        """Remove that mark; what a later turn has written stays."""
        await self.rows.mark(self.name, self.number, in_use=False)


class Rows(Protocol):
    """Rows of one database.

    Each method raises :class:`~jupyter_oidc.problems.StorageUnavailable` if the database does not answer.
    """

    async def open(self) -> None:
        """Connect; raises ``StorageUnavailable`` with the detail ``database_schema`` if its tables are of another version."""
        ...

    async def migrate(self) -> tuple[int, int]:
        """Bring the tables to the present version; return the version before and after."""
        ...

    async def ping(self) -> None:
        """Ask the database for an answer."""
        ...

    async def load(self, name: RowName) -> bytes | None:
        """Return the sealed text of a row, or ``None``."""
        ...

    async def save(self, name: RowName, sealed: bytes, turn: int | None, tags: Tags = NO_TAGS) -> bool:
        """Store the sealed text of a row, with its ``tags``; return ``False``, with nothing stored, if a later ``turn`` was taken.

        Without a turn it is the act of a person, which nothing overtakes: it counts as a turn of its own.
        """
        ...

    async def seal_anew(self, name: RowName, before: bytes, after: bytes) -> None:
        """Replace the sealed text of a row by the same with another seal, unless it has changed meanwhile."""
        ...

    async def accounts_with(self, entry: str, tags: Tags) -> list[str]:
        """Return the accounts that have a sealed row ``entry`` with one of ``tags``."""
        ...

    async def accounts(self) -> list[str]:
        """Return every account that has a sealed row."""
        ...

    async def delete(self, name: RowName, turn: int | None) -> None:
        """Remove the sealed text of a row, unless a later ``turn`` was taken; without one see :meth:`save`."""
        ...

    async def load_access(self, name: RowName) -> bytes | None:
        """Return the sealed access tokens of a row, or ``None``."""
        ...

    async def save_access(self, name: RowName, sealed: bytes, turn: int | None) -> None:
        """Store the sealed access tokens of a row that is there, unless a later ``turn`` was taken.

        They go with the row, and when a person stores another one.
        """
        ...

    async def mark(self, name: RowName, turn: int, *, in_use: bool) -> bool:
        """Write or remove the mark of this replica; return ``False``, with nothing changed, if a later turn was taken."""
        ...

    def take_turn(self, name: RowName, timeout_seconds: float) -> AbstractAsyncContextManager[Turn]:
        """Wait up to ``timeout_seconds`` for a turn at a row.

        Raises :class:`~jupyter_oidc.problems.Overloaded` if others keep it that long, or if a replica that runs has
        used the stored token and not yet stored its successor.
        """
        ...

    async def add_grant(self, row: GrantRow) -> None:
        """Store a new worker grant, and remove those of all accounts that have ended before it began."""
        ...

    async def grant(self, digest: str) -> GrantRow | None:
        """Return the worker grant whose text has this ``digest``, or ``None``."""
        ...

    async def grants_of(self, account: str) -> list[GrantRow]:
        """Return the worker grants of an account, the oldest first."""
        ...

    async def seal_grant_anew(self, digest: str, before: bytes, after: bytes) -> None:
        """Replace the sealed part of a worker grant by the same with another seal, unless it has changed meanwhile."""
        ...

    async def remove_grant(self, account: str, grant_id: str) -> None:
        """Remove a worker grant of an account; removing none is no error."""
        ...

    async def renew_grants(self, account: str, grant_ids: Sequence[str], lease_ends: float) -> None:
        """Let the leases of these grants of an account, where they have one, end at ``lease_ends``."""
        ...

    async def note_grant_use(self, account: str, grant_id: str, at: float) -> None:
        """Store when a grant of an account was used last."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


def other_schema(found: int, wanted: int) -> StorageUnavailable:
    """Return the problem for a database whose tables have the version ``found`` instead of ``wanted``."""
    newer = found > wanted
    return StorageUnavailable(
        N_("The tables of the database are of another version of jupyter_oidc."),
        action=N_("Update jupyter_oidc here.")
        if newer
        else N_("Migrate the tables with this version of jupyter_oidc."),
        detail="database_schema",
    )


def turn_taken() -> Overloaded:
    """Return the problem for a row at which others have their turns."""
    return Overloaded(
        N_("Another process is using the stored session."), detail="lock.timeout", retry_after=BUSY_RETRY_SECONDS
    )


async def acquire(lock: asyncio.Lock, timeout_seconds: float) -> None:
    """Wait for ``lock``; a free one is taken whatever the time. Raises ``Overloaded`` after ``timeout_seconds``."""
    if not lock.locked():
        await lock.acquire()
        return
    try:
        await asyncio.wait_for(lock.acquire(), timeout_seconds)
    except asyncio.TimeoutError:
        raise turn_taken() from None
