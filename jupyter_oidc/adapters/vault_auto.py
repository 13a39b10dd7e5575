"""The vault for ``storage = 'auto'``: the keyring if a safe one answers, memory otherwise.

The choice is made once, at the first use, and kept: a store that changed its mind could leave a refresh
token behind in the other place (B22).
For the same reason a sign-out while memory serves also looks into the keyring, where an earlier session may be.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.vault_memory import MemoryVault
from jupyter_oidc.errors import StorageUnavailable

if TYPE_CHECKING:
    import logging

    from jupyter_oidc.adapters.vault_keyring import KeyringVault
    from jupyter_oidc.sessions.ports import Entry, StorageKind, Vault


class AutoVault:
    """Implements ``Vault`` by choosing one."""

    def __init__(self, keyring: KeyringVault, log: logging.Logger) -> None:
        self._keyring = keyring
        self._log = log
        self._keyring_exists = True
        self._choice: asyncio.Task[Vault] | None = None

    async def kind(self) -> StorageKind:
        """Return what was chosen."""
        return await (await self._chosen()).kind()

    async def load(self) -> Entry | None:
        """Load from what was chosen."""
        return await (await self._chosen()).load()

    async def save(self, entry: Entry) -> None:
        """Save to what was chosen."""
        await (await self._chosen()).save(entry)

    async def delete(self) -> None:
        """Delete from what was chosen, and from a keyring that exists but did not answer at the start (B22).

        Raises :class:`StorageUnavailable` if it still does not; memory is clear then all the same (D3).
        """
        chosen = await self._chosen()
        await chosen.delete()
        if chosen is not self._keyring and self._keyring_exists:
            await self._keyring.delete()

    async def _chosen(self) -> Vault:
        if self._choice is None:
            self._choice = asyncio.get_running_loop().create_task(self._choose())
        return await asyncio.shield(self._choice)

    async def _choose(self) -> Vault:
        try:
            await self._keyring.probe()
        except StorageUnavailable as problem:
            self._log.warning(
                "jupyter_oidc: %s The session is kept in memory and ends with this server.",
                problem.message,
            )
            self._keyring_exists = problem.detail != "keyring_unsafe"
            return MemoryVault()
        return self._keyring
