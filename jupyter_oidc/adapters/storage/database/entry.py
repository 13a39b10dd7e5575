"""The stored entry of one provider in a database: its vault, and the turns at it, for one account.

The row is sealed: an administrator of the database, a backup or a dump reads no token in it.
The seal names the row, so a row that was copied to another account is damage there and no session.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.storage.database.access_codec import decoded, encoded
from jupyter_oidc.adapters.storage.database.rows import RowName, tags_of
from jupyter_oidc.adapters.storage.entry_codec import EntryCodec
from jupyter_oidc.adapters.storage.jwe_file import Form, decrypt, encrypt, encrypt_anew, row_form
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.sessions.ports import database_away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from jupyter_oidc.adapters.storage.database.rows import Rows, Turn
    from jupyter_oidc.adapters.storage.storage_key import StorageKey
    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.sessions.ports import Entry
    from jupyter_oidc.sessions.shared_tokens import SharedAccess

_KIND: Final = "database"
_SHARED: Final = "database"
"""Stands for the machine in an entry that many machines share."""

_TURN: ContextVar[tuple[DatabaseEntry, Turn] | None] = ContextVar("turn", default=None)
"""The turn of this task, and of those that it starts: what they write belongs to it, also when it is over."""


def entry_name(provider: str, issuer: str, client_id: str) -> str:
    """Return the name that the entries of this provider and client have in the rows of every account."""
    return EntryCodec(provider=provider, issuer=issuer, client_id=client_id, machine_id=_SHARED).name()


class DatabaseEntry:
    """Implements ``Vault``, ``EntryLock`` and ``SharedTokens`` for the entry that ``account`` has at one provider and client.

    The first of ``keys`` seals, all open; an entry that a later one opens is sealed anew with the first.
    """

    def __init__(
        self,
        rows: Rows,
        keys: Sequence[StorageKey],
        *,
        account: str,
        provider: str,
        issuer: str,
        client_id: str,
    ) -> None:
        self._rows = rows
        self._keys = keys
        self._codec = EntryCodec(provider=provider, issuer=issuer, client_id=client_id, machine_id=_SHARED)
        self._name = RowName(account, self._codec.name())
        self._last_turn: int | None = None

    async def kind(self) -> StorageKind:
        """Return ``database``."""
        return _KIND

    async def load(self) -> Entry | None:
        """Return the stored entry, or ``None``.

        Raises :class:`~jupyter_oidc.problems.StorageUnavailable`, with the detail ``storage_corrupt`` for one that is
        damaged or of another account, and ``storage_key`` if no key opens it.
        """
        sealed = await self._rows.load(self._name)
        if sealed is None:
            return None
        text = decrypt(sealed, self._keys, self._form())
        if (anew := encrypt_anew(sealed, self._keys, self._form())) is not None:
            with suppress(StorageUnavailable):  # NOTE: the next load tries again
                await self._rows.seal_anew(self._name, sealed, anew)
        return self._codec.decode(text, _KIND)

    async def save(self, entry: Entry) -> None:
        """Store ``entry``; it is durable when this returns.

        Raises ``StorageUnavailable`` if a later turn was taken meanwhile, too.
        """
        sealed = encrypt(self._codec.encode(entry, _KIND), self._keys, self._form())
        tags = tags_of(self._name.entry, entry.subject, entry.sid)
        if not await self._rows.save(self._name, sealed, self._number(), tags):
            raise database_away()  # NOTE: what a later turn has stored counts; who tries again looks at it first

    async def delete(self) -> None:
        """Remove the entry, unless a later turn was taken meanwhile; needs no key."""
        await self._rows.delete(self._name, self._number())

    async def load_access(self) -> SharedAccess | None:
        """Return the access tokens of the session, or ``None`` if none are kept, or they cannot be opened."""
        sealed = await self._rows.load_access(self._name)
        try:
            return None if sealed is None else decoded(decrypt(sealed, self._keys, self._form("access")))
        except StorageUnavailable:  # NOTE: damaged, or sealed by a key that is gone; others are got from the provider
            return None

    async def save_access(self, access: SharedAccess) -> None:
        """Keep the access tokens beside the entry, unless a later turn was taken meanwhile."""
        sealed = encrypt(encoded(access), self._keys, self._form("access"))
        await self._rows.save_access(self._name, sealed, self._number())

    @asynccontextmanager
    async def hold(self, *, timeout_seconds: float) -> AsyncIterator[Turn]:
        """Take a turn; what is saved and deleted before it ends belongs to it."""
        async with self._rows.take_turn(self._name, timeout_seconds) as taken:
            turn = replace(taken, held_last=self._last_turn is not None and taken.number == self._last_turn + 1)
            self._last_turn = turn.number
            before = _TURN.get()
            _TURN.set((self, turn))
            try:
                yield turn
            finally:
                _TURN.set(before)

    def _number(self) -> int | None:
        held = _TURN.get()
        return held[1].number if held is not None and held[0] is self else None

    def _form(self, what: str = "row") -> Form:
        return row_form(what, *self._name)
