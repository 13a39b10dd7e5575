"""A store of worker grants that end with the process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.sessions.delegation import StoredGrant


class MemoryGrants:
    """Implements ``GrantStore`` without storing anything outside this object."""

    def __init__(self) -> None:
        self._grants: dict[str, StoredGrant] = {}

    async def add(self, stored: StoredGrant) -> None:
        """Keep a new grant."""
        self._grants[stored.grant.id] = stored

    async def find(self, digest: str) -> StoredGrant | None:
        """Return the grant whose text has this ``digest``."""
        return next((one for one in self._grants.values() if one.digest == digest), None)

    async def every(self) -> list[StoredGrant]:
        """Return all grants."""
        return list(self._grants.values())

    async def remove(self, grant_id: str) -> None:
        """Forget a grant."""
        self._grants.pop(grant_id, None)

    async def renew(self, grant_ids: Sequence[str], lease_ends: float) -> None:
        """Let the leases of these grants end later."""
        for name in grant_ids:
            known = self._grants.get(name)
            if known is not None and known.lease_ends is not None:
                self._grants[name] = replace(known, lease_ends=lease_ends)

    async def note_use(self, grant_id: str, at: float) -> None:
        """Keep when a grant was used last."""
        known = self._grants.get(grant_id)
        if known is not None:
            self._grants[grant_id] = replace(known, grant=replace(known.grant, last_used=at))
