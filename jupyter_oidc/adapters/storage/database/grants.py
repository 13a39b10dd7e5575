"""The worker grants of one account in a database.

The row is sealed, with the account and the digest of the grant's text in the seal: who can write to the database, and has
not the key, makes no grant, and moves none to another account.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.storage.database.rows import GrantRow
from jupyter_oidc.adapters.storage.entry_codec import entry_damaged
from jupyter_oidc.adapters.storage.jwe_file import Form, decrypt, encrypt
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
    """Implements ``GrantStore`` for ``account``; the first of ``keys`` seals, all open."""

    def __init__(self, rows: Rows, keys: Sequence[StorageKey], account: str) -> None:
        self._rows = rows
        self._keys = keys
        self._account = account

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
        return None if row is None or row.account != self._account else self._opened(row)

    async def every(self) -> list[StoredGrant]:
        """Return all grants but damaged ones."""
        rows = await self._rows.grants_of(self._account)
        return [grant for grant in map(self._opened, rows) if grant is not None]

    async def remove(self, grant_id: str) -> None:
        """Remove a grant."""
        await self._rows.remove_grant(self._account, grant_id)

    async def renew(self, grant_ids: Sequence[str], lease_ends: float) -> None:
        """Let the leases of these grants end later."""
        await self._rows.renew_grants(self._account, grant_ids, lease_ends)

    async def note_use(self, grant_id: str, at: float) -> None:
        """Store when a grant was used last."""
        await self._rows.note_grant_use(self._account, grant_id, at)

    def _opened(self, row: GrantRow) -> StoredGrant | None:
        try:
            said = json.loads(reveal(decrypt(row.sealed, self._keys, self._form(row.digest))))
        except StorageUnavailable as problem:
            if problem.detail == _DAMAGED:
                return None
            raise
        held = said["grant"]
        grant = WorkerGrant(**{**held, "apis": tuple(held["apis"]), "methods": tuple(held["methods"])})
        session = SessionKey(*said["session"])
        return StoredGrant(row.digest, replace(grant, last_used=row.last_used), session, row.lease_ends)

    def _form(self, digest: str) -> Form:
        row = hashlib.sha256(json.dumps([self._account, digest]).encode()).hexdigest()
        return Form("A256KW", f"jupyter_oidc.grant.{row}")
