"""The worker grants of one account in a database.

The row is sealed, with the account and the digest of the grant's text in the seal: who can write to the database, and has
not the key, makes no grant, and moves none to another account.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.storage.database.rows import GrantRow
from jupyter_oidc.adapters.storage.entry_codec import entry_damaged
from jupyter_oidc.adapters.storage.jwe_file import Form, decrypt, encrypt, encrypt_anew, row_form
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.delegation import SessionKey, StoredGrant, WorkerGrant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.adapters.storage.storage_key import StorageKey

_DAMAGED = entry_damaged().detail


class DatabaseGrants:
    """Implements ``GrantStore`` for ``account``; the first of ``keys`` seals, all open, and a row is sealed anew with the first.

    What a row says is remembered, so that each is opened once.
    """

    def __init__(self, rows: Rows, keys: Sequence[StorageKey], account: str) -> None:
        self._rows = rows
        self._keys = keys
        self._account = account
        self._open: dict[tuple[str, bytes], tuple[WorkerGrant, SessionKey]] = {}

    async def add(self, stored: StoredGrant) -> None:
        """Store a new grant."""
        grant = stored.grant
        said = {"grant": asdict(grant), "session": list(stored.session)}
        sealed = encrypt(Secret(json.dumps(said)), self._keys, self._form(stored.digest))
        await self._rows.add_grant(
            GrantRow(
                grant.id,
                stored.digest,
                self._account,
                sealed,
                grant.began,
                grant.ends,
                stored.lease_ends,
                grant.last_used,
            )
        )

    async def find(self, digest: str) -> StoredGrant | None:
        """Return the grant whose text has this ``digest``; one that is damaged, or of another account, is none.

        Raises ``StorageUnavailable`` with the detail ``storage_key``, too, if no key opens it.
        """
        row = await self._rows.grant(digest)
        found = None if row is None or row.account != self._account else self._opened(row)
        if row is not None and found is not None:
            await self._seal_anew(row)
        return found

    async def every(self) -> list[StoredGrant]:
        """Return all grants but those that are damaged, or that no key opens."""
        rows = await self._rows.grants_of(self._account)
        kept = ((row.digest, row.sealed) for row in rows)
        self._open = {one: self._open[one] for one in kept if one in self._open}
        found = []
        for row in rows:
            if (row.digest, row.sealed) not in self._open:
                # NOTE: to open a thousand takes a tenth of a second, of which others get their share.
                await asyncio.sleep(0)
            try:
                grant = self._opened(row)
            except StorageUnavailable:  # NOTE: one old row shall not hide all others
                continue
            if grant is not None:
                found.append(grant)
                await self._seal_anew(row)
        return found

    async def remove(self, grant_id: str) -> None:
        """Remove a grant."""
        await self._rows.remove_grant(self._account, grant_id)

    async def renew(self, grant_ids: Sequence[str], lease_ends: float) -> None:
        """Let the leases of these grants end later."""
        await self._rows.renew_grants(self._account, grant_ids, lease_ends)

    async def note_use(self, grant_id: str, at: float) -> None:
        """Store when a grant was used last."""
        await self._rows.note_grant_use(self._account, grant_id, at)

    async def _seal_anew(self, row: GrantRow) -> None:
        """Seal a row with the first key that a later one has opened, so that the later one can go."""
        anew = encrypt_anew(row.sealed, self._keys, self._form(row.digest))
        if anew is not None:
            with suppress(StorageUnavailable):  # NOTE: the next look tries again
                await self._rows.seal_grant_anew(row.digest, row.sealed, anew)

    def _opened(self, row: GrantRow) -> StoredGrant | None:
        known = self._open.get((row.digest, row.sealed)) or self._unsealed(row)
        if known is None:
            return None
        self._open[row.digest, row.sealed] = known
        grant, session = known
        return StoredGrant(row.digest, replace(grant, last_used=row.last_used), session, row.lease_ends)

    def _unsealed(self, row: GrantRow) -> tuple[WorkerGrant, SessionKey] | None:
        try:
            said = json.loads(reveal(decrypt(row.sealed, self._keys, self._form(row.digest))))
        except StorageUnavailable as problem:
            if problem.detail == _DAMAGED:
                return None
            raise
        held = said["grant"]
        grant = WorkerGrant(**{**held, "apis": tuple(held["apis"]), "methods": tuple(held["methods"])})
        return grant, SessionKey(*said["session"])

    def _form(self, digest: str) -> Form:
        return row_form("grant", self._account, digest)
