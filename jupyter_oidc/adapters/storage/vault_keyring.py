"""Keeps the refresh token in the operating system's keyring, through ``keyring``.

The text of an entry is decided in :mod:`jupyter_oidc.adapters.storage.entry_codec`, which backends may be used in
:mod:`jupyter_oidc.adapters.storage.keyring_backends`, how a long token fits into short entries in
:mod:`jupyter_oidc.adapters.storage.keyring_entries`, and how long a call may take in
:mod:`jupyter_oidc.adapters.storage.keyring_thread`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.storage import keyring_entries
from jupyter_oidc.adapters.storage.entry_codec import EntryCodec
from jupyter_oidc.adapters.storage.keyring_backends import choose_backend
from jupyter_oidc.adapters.storage.keyring_thread import KeyringThread
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.sessions.ports import Entry

__all__ = ["KeyringThread", "KeyringVault"]

_KIND: Final = "keyring"


class KeyringVault:
    """Implements ``Vault`` for one provider and client.

    Each (issuer, client, provider name, machine) has an entry of its own, and an entry of another owner is treated
    as absent (B23, B34).
    ``machine_id`` identifies this machine; by default it is read at the first call.
    """

    def __init__(
        self,
        *,
        provider: str,
        issuer: str,
        client_id: str,
        machine_id: str | None = None,
        thread: KeyringThread | None = None,
    ) -> None:
        self._codec = EntryCodec(provider=provider, issuer=issuer, client_id=client_id, machine_id=machine_id)
        self._thread = thread or KeyringThread()
        self._backend: KeyringBackend | None = None

    async def kind(self) -> StorageKind:
        """Return ``keyring``."""
        return _KIND

    async def probe(self) -> None:
        """Write, read and delete a harmless entry; raises :class:`StorageUnavailable` if that fails."""
        await self._thread.run(lambda: keyring_entries.probe(self._chosen(), self._name()))

    async def load(self) -> Entry | None:
        """Return the stored entry, or ``None`` if there is none or it belongs to another owner.

        Raises :class:`StorageUnavailable` with the detail ``storage_corrupt`` if it is damaged or of a newer
        format; it is left alone until something else is saved (B20).
        """
        text = await self._thread.run(lambda: keyring_entries.read(self._chosen(), self._name()))
        return None if text is None else self._codec.decode(Secret(text), _KIND)

    async def save(self, entry: Entry) -> None:
        """Write ``entry`` and read it back: some backends drop writes silently."""
        text = self._codec.encode(entry, _KIND)
        await self._thread.run(lambda: keyring_entries.write(self._chosen(), self._name(), reveal(text)))

    async def delete(self) -> None:
        """Remove the entry and the pieces that a torn write left of an earlier one."""
        await self._thread.run(lambda: keyring_entries.delete(self._chosen(), self._name()))

    def _chosen(self) -> KeyringBackend:
        if self._backend is None:
            self._backend = choose_backend()
        return self._backend

    def _name(self) -> str:
        return self._codec.name()[:32]
