"""Stores, reads and removes one session's entry under a lock, one server at a time.

Several servers may share an entry (one person, two Jupyter servers).
A server that is about to use the stored refresh token waits for the lock, reads the entry again, and stores the
successor before it releases the lock; so a token that works once is used once (B2, B10).
A write that failed is retried until it succeeds (B15), and so is the removal of an entry.
A late write is dropped if a sign-in or sign-out came meanwhile (B31), here or at another server: the successor of an
entry replaces that entry only.
It refuses to decide what any of this means for the session.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.problems import Overloaded, StorageUnavailable
from jupyter_oidc.sessions.refresh_policy import backoff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.sessions.ports import Entry, EntryLock, HeldLock, Scheduler, Vault
    from jupyter_oidc.sessions.shared_tokens import SharedAccess, SharedTokens

REFRESH_LOCK_TIMEOUT_SECONDS: Final = 30.0
"""Seconds that a refresh waits for the lock (B12)."""

USER_LOCK_TIMEOUT_SECONDS: Final = 5.0
"""Seconds that a sign-in or sign-out waits for the lock: the user waits with it, and it goes on without the lock."""


@dataclass(frozen=True, slots=True)
class Same:
    """The entry is the one that this server knows."""


@dataclass(frozen=True, slots=True)
class RotatedElsewhere:
    """Another server has used the token and stored the next one (B2)."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Deleted:
    """Another server has signed out (D7)."""


@dataclass(frozen=True, slots=True)
class OtherSubject:
    """Another server has signed in as another subject."""


StoredState = Same | RotatedElsewhere | Deleted | OtherSubject


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """The newest entry, which the store did not take.

    Each of ``replaces`` may be the stored one: the last that was stored, and those whose write only seemed to fail.
    ``None`` stands for any: the entry is that of a new sign-in.
    """

    entry: Entry
    replaces: tuple[Entry, ...] | None

    def may_replace(self, stored: Entry | None) -> bool:
        """Return whether no other server has stored or removed an entry meanwhile."""
        return self.replaces is None or (stored is not None and any(_same(stored, one) for one in self.replaces))

    def followed_by(self, entry: Entry) -> _Unsaved:
        """Return ``entry``, the successor of this one, as an unsaved one too."""
        return _Unsaved(entry, None if self.replaces is None else (*self.replaces, entry))


@dataclass(frozen=True, slots=True)
class _Removal:
    """The removal of ``entry`` that failed; of an entry that could not be read the ``subject`` is known, if that."""

    entry: Entry | None
    subject: str | None

    def concerns(self, stored: Entry) -> bool:
        """Return whether ``stored`` is to be removed, and not another that was stored since."""
        if self.entry is not None:
            return _same(stored, self.entry)
        return self.subject in (None, stored.subject)


class SessionStore:
    """Stores one provider's entry.

    ``on_saved_late`` is called when a write succeeds after it had failed, ``on_overtaken`` when it is not repeated
    because another server has stored or removed the entry meanwhile, and ``on_dropped`` with an entry that is given up
    for that and whose token no session uses any more. ``shared`` keeps access tokens beside the entry.
    """

    def __init__(
        self,
        vault: Vault,
        lock: EntryLock,
        *,
        scheduler: Scheduler,
        entropy: Entropy,
        on_saved_late: Callable[[], None],
        on_overtaken: Callable[[], None],
        on_dropped: Callable[[Entry], None],
        shared: SharedTokens,
    ) -> None:
        self._vault = vault
        self._shared = shared
        self._lock = lock
        self._scheduler = scheduler
        self._entropy = entropy
        self._on_saved_late = on_saved_late
        self._on_overtaken = on_overtaken
        self._on_dropped = on_dropped
        self._unsaved: _Unsaved | None = None
        self._undeleted: _Removal | None = None
        self._was_stored = False
        self.is_known = False
        """Whether this server has read or written the entry since another one has held the lock."""

        self._write_number = 0
        self._attempts = 0
        self._spawn: Callable[[], object] = self._no_retry

    @property
    def unsaved(self) -> bool:
        """Whether the newest token is in memory only, because the store refused it."""
        return self._unsaved is not None

    @property
    def is_stored(self) -> bool:
        """Whether the session goes on from what is stored, if this process forgets it."""
        return self._was_stored and self._unsaved is None

    @property
    def is_removal_pending(self) -> bool:
        """Whether an entry is still stored that is to be removed."""
        return self._undeleted is not None

    async def kind(self) -> StorageKind:
        """Return where entries go."""
        return await self._vault.kind()

    async def ends_with_process(self) -> bool:
        """Return whether no entry of this session was ever stored where it outlives the process."""
        return not self._was_stored or await self.kind() == "memory"

    async def load(self) -> Entry | None:
        """Return the stored entry, without the lock; raises ``StorageUnavailable``."""
        stored = await self._vault.load()
        self._was_stored = self._was_stored or stored is not None
        return stored

    async def load_access(self) -> SharedAccess | None:
        """Return the access tokens that the processes of the session share; none if the store does not answer."""
        try:
            return await self._shared.load_access()
        except StorageUnavailable:
            return None

    async def share(self, access: SharedAccess | None) -> None:
        """Share the access tokens; without the store each process gets its own."""
        if access is not None:
            with suppress(StorageUnavailable):
                await self._shared.save_access(access)

    @asynccontextmanager
    async def transaction(
        self, timeout_seconds: float = REFRESH_LOCK_TIMEOUT_SECONDS
    ) -> AsyncIterator[StoreTransaction]:
        """Hold the lock under which the stored token may be used; raises ``Overloaded`` or ``StorageUnavailable``."""
        async with self._lock.hold(timeout_seconds=timeout_seconds) as held_lock:
            self.is_known = self.is_known and held_lock.held_last
            yield StoreTransaction(self, held_lock)

    async def replace(self, entry: Entry | None) -> None:
        """Store the entry of a new sign-in, or only remove the old one if it has no refresh token.

        A write that was superseded by another, or by :meth:`remove`, while it waited for the lock is dropped (B31).
        """
        number = self._next_write()
        self._was_stored = False
        try:
            async with self.transaction(USER_LOCK_TIMEOUT_SECONDS) as transaction:
                if number == self._write_number:
                    await transaction.save(entry)
        except (Overloaded, StorageUnavailable):
            # NOTE: another server holds the lock for long; the user's sign-in goes on without it.
            if number == self._write_number:
                await self.save(entry)

    async def remove(self, subject: str | None, *, timeout_seconds: float = USER_LOCK_TIMEOUT_SECONDS) -> Entry | None:
        """Remove the entry; return the newest: the stored one, which another server may have refreshed (D1, D7).

        An entry that could not be stored is newer than that (B15).
        The entry of another subject than ``subject``, if that is given, is left alone, and not returned.
        Raises ``StorageUnavailable`` if the store does not answer (D3); the removal is tried again then.
        """
        self._next_write()
        unsaved, self._unsaved = self._unsaved, None
        is_held = False
        try:
            async with self.transaction(timeout_seconds) as transaction:
                is_held = True
                stored = await self._removed(subject)
                await transaction.clear_mark()
        except (Overloaded, StorageUnavailable):
            if is_held:
                raise
            stored = await self._removed(subject)  # NOTE: a sign-out does not wait for a lock that cannot be had
        if unsaved is None:
            return stored
        if stored is not None and not unsaved.may_replace(stored):
            self._on_dropped(unsaved.entry)
            return stored
        return unsaved.entry

    async def save(self, entry: Entry | None, *, successor_of: Entry | None = None) -> bool:
        """Write ``entry``, or remove the stored one; return whether that worked, and keep trying if not (B15).

        A ``successor_of`` another entry is written later only in the place of that one.
        """
        number = self._write_number
        try:
            if entry is None:
                await self._removed()
            else:
                await self._vault.save(entry)
                self._was_stored = True
        except StorageUnavailable:
            if entry is not None and number == self._write_number:
                self._unsaved = self._as_unsaved(entry, successor_of)
                self.schedule_retry()
            return False
        self.is_known = True
        if number == self._write_number:
            self._unsaved, self._undeleted, self._attempts = None, None, 0
        return True

    def set_retry(self, spawn: Callable[[], object]) -> None:
        """Set the function by which a timer starts :meth:`retry`."""
        self._spawn = spawn

    async def retry(self) -> None:
        """Repeat a write that failed; does nothing if none did."""
        if self._unsaved is None and self._undeleted is None:
            return
        try:
            async with self.transaction() as transaction:
                saved = await self._retry_writes()
                if saved:
                    await transaction.clear_mark()
        except (Overloaded, StorageUnavailable):
            saved = await self._retry_writes()
        if saved:
            self._on_saved_late()

    def state_of(self, stored: Entry | None, known: Entry) -> StoredState:
        """Compare the ``stored`` entry with the one that this server knows.

        An unsaved one counts as stored, unless another server has stored or removed an entry meanwhile: then it is
        dropped.
        """
        if self._unsaved is not None:
            if self._unsaved.may_replace(stored):
                return Same()
            dropped, self._unsaved = self._unsaved.entry, None
            self._on_dropped(dropped)
        if stored is None:
            return Deleted()
        if stored.subject != known.subject:
            return OtherSubject()
        return Same() if stored.refresh_token == known.refresh_token else RotatedElsewhere(stored)

    def detach(self) -> None:
        """Stop writing and removing: the entry belongs to another session of this process now."""
        self._next_write()
        self._unsaved = None
        self.stop()

    def stop(self) -> None:
        """Stop retrying: the entry belongs to another session now, or the process ends."""
        self._spawn = self._no_retry

    async def _retry_writes(self) -> bool:
        """Repeat the write or removal that failed, unless another server has stored or removed the entry meanwhile."""
        if self._unsaved is not None:
            return await self._retry_save(self._unsaved)
        removal = self._undeleted
        try:
            stored = None if removal is None else await self._vault.load()
        except StorageUnavailable:
            self.schedule_retry()
            return False
        if stored is not None and removal is not None and removal.concerns(stored):
            return await self.save(None)
        self._undeleted = None
        return True

    async def _retry_save(self, unsaved: _Unsaved) -> bool:
        if unsaved.replaces is not None:
            try:
                stored = await self._vault.load()
            except StorageUnavailable:
                self.schedule_retry()
                return False
            if unsaved is not self._unsaved:
                return False
            if not unsaved.may_replace(stored):
                self._on_overtaken()
                return False
        return await self.save(unsaved.entry)

    def _as_unsaved(self, entry: Entry, before: Entry | None) -> _Unsaved:
        if self._unsaved is not None and entry == self._unsaved.entry:
            return self._unsaved
        if before is None:
            return _Unsaved(entry, None)
        return (self._unsaved or _Unsaved(before, (before,))).followed_by(entry)

    async def _removed(self, subject: str | None = None) -> Entry | None:
        """Remove the stored entry and return it; raises ``StorageUnavailable``, and tries again later then."""
        stored, is_readable = None, True
        try:
            stored = await self._vault.load()
        except StorageUnavailable:
            is_readable = False
        if stored is not None and subject is not None and stored.subject != subject:
            return None
        number = self._write_number
        try:
            await self._vault.delete()
        except StorageUnavailable:
            if number == self._write_number:
                self._unsaved = None
                if stored is not None or not is_readable:
                    self._undeleted = _Removal(stored, subject)
                    self.schedule_retry()
            raise
        return stored

    def _next_write(self) -> int:
        """Count a new write, which supersedes every write under way; return its number."""
        self._write_number += 1
        self._undeleted = None
        return self._write_number

    def schedule_retry(self) -> None:
        """Retry by backoff, with the function given to :meth:`set_retry`."""
        self._attempts += 1
        self._scheduler.after(backoff(self._attempts, self._entropy.jitter()), self._start_retry)

    def _start_retry(self) -> None:
        if self._unsaved is not None or self._undeleted is not None:
            self._spawn()

    def _no_retry(self) -> None:
        """Do nothing, until :meth:`set_retry` is called."""


def _same(one: Entry, other: Entry) -> bool:
    return one.subject == other.subject and one.refresh_token == other.refresh_token


class StoreTransaction:
    """Reads and writes the entry while the lock is held."""

    def __init__(self, store: SessionStore, held_lock: HeldLock) -> None:
        self._store = store
        self._held_lock = held_lock

    @property
    def interrupted(self) -> bool:
        """Whether the stored token may already be used, because a holder of the lock died during a refresh (B14)."""
        return self._held_lock.interrupted

    async def stored_state(self, known: Entry) -> StoredState:
        """Compare the stored entry with the one that this server knows.

        Raises ``StorageUnavailable`` for a store that does not answer, if another server may have used the token.
        """
        try:
            stored = await self._store.load()
        except StorageUnavailable:
            if self._store.unsaved or self._store.is_known:
                return Same()
            raise
        self._store.is_known = True
        return self._store.state_of(stored, known)

    async def load_access(self) -> SharedAccess | None:
        """Return the access tokens that another process may have shared; see :meth:`SessionStore.load_access`."""
        return await self._store.load_access()

    async def share(self, access: SharedAccess | None) -> None:
        """Share the access tokens; see :meth:`SessionStore.share`."""
        await self._store.share(access)

    async def mark_in_use(self) -> None:
        """Write durably that the stored token is about to be used."""
        await self._held_lock.mark_in_use()

    async def clear_mark(self) -> None:
        """Remove that mark: the stored token is unused, or none is stored."""
        await self._held_lock.clear_mark()

    async def save(self, entry: Entry | None, *, successor_of: Entry | None = None) -> bool:
        """Store ``entry``, and clear the mark if that worked; see :meth:`SessionStore.save`."""
        saved = await self._store.save(entry, successor_of=successor_of)
        if saved:
            await self.clear_mark()
        return saved

    async def remove(self) -> None:
        """Remove the entry; raises ``StorageUnavailable``."""
        await self._store.save(None)
        await self.clear_mark()
