"""A vault whose entry ends with the process: chosen by the administrator, or when no safer store answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.sessions.ports import Entry


class MemoryVault:
    """Implements ``Vault`` without storing anything outside this object."""

    def __init__(self) -> None:
        self._entry: Entry | None = None

    async def kind(self) -> StorageKind:
        """Return ``memory``."""
        return "memory"

    async def load(self) -> Entry | None:
        """Return the entry of this process."""
        return self._entry

    async def save(self, entry: Entry) -> None:
        """Keep ``entry``."""
        self._entry = entry

    async def delete(self) -> None:
        """Forget the entry."""
        self._entry = None
