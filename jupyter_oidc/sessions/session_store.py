"""What is stored of a session: looked at, changed and removed in turns, one server at a time.

Several servers may share an entry (one person, two Jupyter servers).
Whoever wants to spend the stored refresh token waits for its turn, looks at the entry again, and stores what came of
it before the turn ends; so a token that works once is spent once (B2, B10).
A token that could not be stored is kept, and tried again until it is (B15); so is the removal of an entry.
Whatever is stored late gives way to a sign-in or sign-out that came meanwhile (B31).
It refuses to decide what any of this means for the session.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.errors import Overloaded, StorageUnavailable
from jupyter_oidc.sessions.refresh_policy import backoff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.sessions.ports import Entry, EntryLock, HeldLock, Scheduler, StorageKind, Vault

REFRESH_LOCK_TIMEOUT_SECONDS: Final = 30.0
"""Seconds that a renewal waits for its turn (B12)."""

USER_LOCK_TIMEOUT_SECONDS: Final = 5.0
"""Seconds that a sign-in or sign-out waits: a person is waiting with it, and goes on without the turn."""


@dataclass(frozen=True, slots=True)
class Same:
    """The entry is the one that this server knows."""


@dataclass(frozen=True, slots=True)
class RotatedElsewhere:
    """Another server has spent the token and stored the next one (B2)."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Deleted:
    """Another server has signed out (D7)."""


@dataclass(frozen=True, slots=True)
class OtherSubject:
    """Another server has signed in as somebody else."""


StoredState = Same | RotatedElsewhere | Deleted | OtherSubject


class SessionStore:
    """Keeps one provider's entry; ``resaved`` is called when a token that could not be stored at first has been."""

    def __init__(
        self,
        vault: Vault,
        lock: EntryLock,
        *,
        scheduler: Scheduler,
        entropy: Entropy,
        resaved: Callable[[], None],
    ) -> None:
        self._vault = vault
        self._lock = lock
        self._scheduler = scheduler
        self._entropy = entropy
        self._resaved = resaved
        self._unsaved: Entry | None = None
        self._undeleted: Entry | None = None
        self._was_stored = False
        self._orders = 0
        self._attempts = 0
        self._spawn: Callable[[], object] = self._nothing

    @property
    def unsaved(self) -> bool:
        """Whether the newest token is in memory only, because the store did not take it."""
        return self._unsaved is not None

    async def kind(self) -> StorageKind:
        """Return where entries go."""
        return await self._vault.kind()

    async def ends_with_process(self) -> bool:
        """Return whether nothing of this session was ever stored where it outlives the process."""
        return not self._was_stored or await self.kind() == "memory"

    async def look(self) -> Entry | None:
        """Return what is stored, without a turn; raises ``StorageUnavailable``."""
        stored = await self._vault.load()
        self._was_stored = self._was_stored or stored is not None
        return stored

    @asynccontextmanager
    async def transaction(
        self, timeout_seconds: float = REFRESH_LOCK_TIMEOUT_SECONDS
    ) -> AsyncIterator[StoreTransaction]:
        """Wait for the right to spend the stored token; raises ``Overloaded`` or ``StorageUnavailable``."""
        async with self._lock.hold(timeout_seconds=timeout_seconds) as held_lock:
            yield StoreTransaction(self, held_lock)

    async def keep(self, entry: Entry | None) -> None:
        """Store the entry of a new sign-in, or nothing if it has no refresh token; the old one is gone then.

        One that is followed by another, or by :meth:`forget`, while it waits for its turn stores nothing (B31).
        """
        order = self._new_order()
        self._was_stored = False
        try:
            async with self.transaction(USER_LOCK_TIMEOUT_SECONDS) as transaction:
                if order == self._orders:
                    await transaction.save(entry)
        except (Overloaded, StorageUnavailable):
            # NOTE: somebody holds the turn for long; the person's sign-in is worth more than a clean turn.
            if order == self._orders:
                await self.store(entry)

    async def forget(self, subject: str | None, *, timeout_seconds: float = USER_LOCK_TIMEOUT_SECONDS) -> Entry | None:
        """Remove the entry; return the newest: what was stored, which another server may have renewed (D1, D7).

        What could not be stored is newer than that (B15).
        The entry of anybody else than ``subject``, if that is given, is left alone, and not returned.
        Raises ``StorageUnavailable`` if the store does not answer (D3); the removal is tried again then.
        """
        self._new_order()
        unsaved, self._unsaved = self._unsaved, None
        try:
            async with self.transaction(timeout_seconds) as transaction:
                stored = await self._removed(subject)
                await transaction.clear_mark()
        except Overloaded:
            stored = await self._removed(subject)
        return unsaved or stored

    async def store(self, entry: Entry | None) -> bool:
        """Write ``entry`` or remove what is there; return whether that worked, and keep trying if not (B15)."""
        order = self._orders
        try:
            if entry is None:
                await self._removed()
            else:
                await self._vault.save(entry)
                self._was_stored = True
        except StorageUnavailable:
            if entry is not None and order == self._orders:
                self._unsaved = entry
                self.try_again_later()
            return False
        if order == self._orders:
            self._unsaved, self._undeleted, self._attempts = None, None, 0
        return True

    def retry_by(self, spawn: Callable[[], object]) -> None:
        """Say how :meth:`try_again` is started from a timer."""
        self._spawn = spawn

    async def try_again(self) -> None:
        """Store what could not be stored; does nothing if there is nothing."""
        if self._unsaved is None and self._undeleted is None:
            return
        try:
            async with self.transaction() as transaction:
                saved = await self._catch_up()
                if saved:
                    await transaction.clear_mark()
        except (Overloaded, StorageUnavailable):
            saved = await self._catch_up()
        if saved:
            self._resaved()

    def give_up_the_entry(self) -> None:
        """Store and remove nothing any more: the entry is another session's of this process now."""
        self._new_order()
        self._unsaved = None
        self.stop()

    def stop(self) -> None:
        """Try nothing again: the entry is somebody else's now, or the process ends."""
        self._spawn = self._nothing

    async def _catch_up(self) -> bool:
        """Do what is still to be done; what somebody else has stored meanwhile is not removed."""
        if self._unsaved is not None:
            return await self.store(self._unsaved)
        stored = None if self._undeleted is None else await self._stored()
        if stored is not None and self._undeleted is not None and _same(stored, self._undeleted):
            return await self.store(None)
        self._undeleted = None
        return True

    async def _removed(self, subject: str | None = None) -> Entry | None:
        """Remove what is stored and return it; raises ``StorageUnavailable``, and tries again later then."""
        stored = await self._stored()
        if stored is not None and subject is not None and stored.subject != subject:
            return None
        order = self._orders
        try:
            await self._vault.delete()
        except StorageUnavailable:
            if stored is not None and order == self._orders:
                self._unsaved, self._undeleted = None, stored
                self.try_again_later()
            raise
        return stored

    def _new_order(self) -> int:
        """Count a decision about what is to be stored; whatever is under way for an earlier one gives way."""
        self._orders += 1
        self._undeleted = None
        return self._orders

    def try_again_later(self) -> None:
        """Call what :meth:`retry_by` said, by backoff."""
        self._attempts += 1
        self._scheduler.after(backoff(self._attempts, self._entropy.jitter()), self._try_again_soon)

    async def _stored(self) -> Entry | None:
        try:
            return await self._vault.load()
        except StorageUnavailable:
            return None

    def _try_again_soon(self) -> None:
        if self._unsaved is not None or self._undeleted is not None:
            self._spawn()

    def _nothing(self) -> None:
        """Before :meth:`retry_by`, nobody retries."""


def _same(one: Entry, other: Entry) -> bool:
    return one.subject == other.subject and one.refresh_token == other.refresh_token


class StoreTransaction:
    """One turn at the entry."""

    def __init__(self, store: SessionStore, held_lock: HeldLock) -> None:
        self._store = store
        self._held_lock = held_lock

    @property
    def interrupted(self) -> bool:
        """Whether the stored token may already be spent, because somebody was cut off in the middle (B14)."""
        return self._held_lock.interrupted

    async def stored_state(self, known: Entry) -> StoredState:
        """Compare what is stored with what this server knows."""
        if self._store.unsaved:
            return Same()  # what is stored is older than what we hold
        try:
            stored = await self._store.look()
        except StorageUnavailable:
            return Same()  # a store that does not answer says nothing new; the turn is still ours
        if stored is None:
            return Deleted()
        if stored.subject != known.subject:
            return OtherSubject()
        return Same() if stored.refresh_token == known.refresh_token else RotatedElsewhere(stored)

    async def mark_in_use(self) -> None:
        """Note, durably, that the stored token is about to be spent."""
        await self._held_lock.mark_in_use()

    async def clear_mark(self) -> None:
        """Note that what is stored is good again, or gone."""
        await self._held_lock.clear_mark()

    async def save(self, entry: Entry | None) -> bool:
        """Store ``entry``, and settle if that worked."""
        saved = await self._store.store(entry)
        if saved:
            await self.clear_mark()
        return saved

    async def remove(self) -> None:
        """Remove the entry; raises ``StorageUnavailable``."""
        await self._store.store(None)
        await self.clear_mark()
