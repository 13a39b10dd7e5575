"""The vault for ``storage = 'auto'``: a safe keyring that answers, else the encrypted file if there is a key, else memory.

The choice is made once, at the first use, and kept: a store that changed its mind could leave a refresh token behind
in the other place (B22).
What an earlier server left elsewhere is looked at as well: a newer sign-in in the file is taken over by the keyring,
and a sign-out empties all of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.errors import StorageUnavailable

if TYPE_CHECKING:
    import logging

    from jupyter_oidc.adapters.storage.vault_file import FileVault
    from jupyter_oidc.adapters.storage.vault_keyring import KeyringVault
    from jupyter_oidc.sessions.ports import Entry, StorageKind, Vault


class AutoVault:
    """Implements ``Vault`` by choosing one."""

    def __init__(self, keyring: KeyringVault, file: FileVault, log: logging.Logger) -> None:
        self._keyring = keyring
        self._file = file
        self._log = log
        self._keyring_exists = True
        self._choice: asyncio.Task[Vault] | None = None

    async def kind(self) -> StorageKind:
        """Return what was chosen."""
        return await (await self._chosen()).kind()

    async def load(self) -> Entry | None:
        """Load from what was chosen, or a newer sign-in that the file got while the keyring did not answer (B22).

        A file that cannot be opened is reported with the reason: what the keyring holds is older, and its refresh
        token may be spent.
        """
        chosen = await self._chosen()
        entry = await chosen.load()
        if chosen is self._keyring and await self._file.holds_anything():
            other = await self._file.load()
            # NOTE: two of the same sign-in are a move to the keyring that was cut off; then the file is the older one.
            if other is not None and (entry is None or other.signed_in_at > entry.signed_in_at):
                return other
        return entry

    async def save(self, entry: Entry) -> None:
        """Save to what was chosen; in the keyring, it takes the place of what the file holds."""
        chosen = await self._chosen()
        await chosen.save(entry)
        if chosen is self._keyring:
            try:
                await self._file.delete()
            except StorageUnavailable as problem:
                self._log.warning("jupyter_oidc: %s An earlier session is left there.", problem.message)

    async def delete(self) -> None:
        """Delete from what was chosen, from the file, and from a keyring that exists but did not answer (B22).

        Raises :class:`StorageUnavailable` if one of them still does not; the others are clear then all the same (D3).
        """
        chosen = await self._chosen()
        others = [self._keyring] if self._keyring_exists else []
        trouble: list[StorageUnavailable] = []
        for store in dict.fromkeys((chosen, self._file, *others)):
            try:
                await store.delete()
            except StorageUnavailable as problem:
                trouble.append(problem)
        if trouble:
            raise trouble[0]

    async def _chosen(self) -> Vault:
        if self._choice is None:
            self._choice = asyncio.get_running_loop().create_task(self._choose())
        return await asyncio.shield(self._choice)

    async def _choose(self) -> Vault:
        try:
            await self._keyring.probe()
        except StorageUnavailable as problem:
            self._keyring_exists = problem.detail != "keyring_unsafe"
            refused = problem
        else:
            return self._keyring
        if self._file.has_key:
            try:
                await self._file.probe()
            except StorageUnavailable as problem:
                self._log.warning("jupyter_oidc: %s %s", problem.message, problem.action)
            else:
                self._log.info("jupyter_oidc: %s The session is kept in an encrypted file.", refused.message)
                return self._file
        self._log.warning(
            "jupyter_oidc: %s The session is kept in memory and ends with this server.",
            refused.message,
        )
        return MemoryVault()
