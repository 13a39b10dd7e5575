"""The vault for ``storage = 'auto'``: a safe keyring that answers, else the encrypted file with a key, else memory.

The choice is made once, at the first use, and kept: a later change could leave a refresh token behind in the other
store (B22).
Entries that an earlier server left in the other stores count as well: the keyring takes over a newer sign-in from the
file, and a sign-out empties all of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    import logging

    from jupyter_oidc.adapters.storage.vault_file import FileVault
    from jupyter_oidc.adapters.storage.vault_keyring import KeyringVault
    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.sessions.ports import Entry, Vault


class AutoVault:
    """Implements ``Vault`` by choosing one."""

    def __init__(self, keyring: KeyringVault, file: FileVault, log: logging.Logger) -> None:
        self._keyring = keyring
        self._file = file
        self._log = log
        self._keyring_exists = True
        self._choice: asyncio.Task[Vault] | None = None

    async def kind(self) -> StorageKind:
        """Return the kind of the chosen store."""
        return await (await self._chosen()).kind()

    async def load(self) -> Entry | None:
        """Load from the chosen store, or a newer sign-in that the file got while the keyring did not answer (B22).

        A file that cannot be opened raises :class:`StorageUnavailable` with the reason: the keyring's entry is older,
        and its refresh token may be used already.
        """
        chosen = await self._chosen()
        entry = await chosen.load()
        if chosen is self._keyring and await self._file.holds_anything():
            other = await self._file.load()
            # NOTE: two entries of one sign-in come from an interrupted move to the keyring; the file is older.
            if other is not None and (entry is None or other.signed_in_at > entry.signed_in_at):
                return other
        return entry

    async def save(self, entry: Entry) -> None:
        """Save to the chosen store; after a save to the keyring, the file's entry is removed."""
        chosen = await self._chosen()
        await chosen.save(entry)
        if chosen is self._keyring:
            try:
                await self._file.delete()
            except StorageUnavailable as problem:
                self._log.warning("jupyter_oidc: %s An earlier session is left there.", problem.message)

    async def delete(self) -> None:
        """Delete from the chosen store, from the file, and from a keyring that exists but did not answer (B22).

        Raises :class:`StorageUnavailable` if one of them still does not answer; the others are empty all the same (D3).
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
