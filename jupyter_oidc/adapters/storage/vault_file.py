"""Keeps the refresh token in an encrypted file, for machines without a keyring.

The content of the file is decided in :mod:`jupyter_oidc.adapters.storage.entry_codec`, how it is encrypted in
:mod:`jupyter_oidc.adapters.storage.jwe_file`, with which keys in :mod:`jupyter_oidc.adapters.storage.storage_key`, and
how it gets to the disk in :mod:`jupyter_oidc.adapters.system.private_directory`.
This module refuses to store anything without a key.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from jupyter_oidc.adapters.storage.entry_codec import EntryCodec, entry_damaged
from jupyter_oidc.adapters.storage.jwe_file import MAX_FILE_BYTES, decrypt, encrypt
from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.adapters.system.private_directory import PrivateDirectory
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.contract.storage import StorageKind
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.ports import Entry

_T = TypeVar("_T")
_KIND: Final = "encrypted-file"


def storage_folder(named: str | None = None) -> Path:
    """Return the folder that the settings name, else ours in Jupyter's data folder.

    Raises ``RuntimeError`` if this user has no home, and one is needed.
    """
    if named is not None:
        return Path(named).expanduser()
    from jupyter_core.paths import jupyter_data_dir

    data = Path(jupyter_data_dir())
    if data.parts[:1] == ("~",):
        raise RuntimeError("there is no home directory")  # NOTE: some platforms leave the "~" of an unknown home
    return data / "jupyter_oidc"


class FileVault:
    """Implements ``Vault`` for one provider and client.

    ``key`` is the value of the variable: one key or several, of which the first encrypts and all decrypt; an entry that
    was read with a later one is encrypted with the first at the next :meth:`save`.
    An entry of another owner is treated as absent (B23, B34).
    """

    def __init__(
        self,
        *,
        provider: str,
        issuer: str,
        client_id: str,
        key: Secret | None,
        machine_id: str | None = None,
        folder: PrivateDirectory | None = None,
    ) -> None:
        self._codec = EntryCodec(provider=provider, issuer=issuer, client_id=client_id, machine_id=machine_id)
        self._key = key
        self._folder = folder or PrivateDirectory(storage_folder)
        self._alone = threading.Lock()

    @property
    def has_key(self) -> bool:
        """Whether a key was given, right or wrong."""
        return self._key is not None

    async def kind(self) -> StorageKind:
        """Return ``encrypted-file``."""
        return _KIND

    async def probe(self) -> None:
        """Check the keys, and write and remove a harmless file; raises :class:`StorageUnavailable` if that fails."""

        def work() -> None:
            keys_in(self._key)
            self._folder.probe(self._name())

        await self._in_thread(work)

    async def holds_anything(self) -> bool:
        """Return whether there is an entry, readable or not, in a place that can be trusted; needs no key."""

        def work() -> bool:
            try:
                return self._folder.read(self._name(), MAX_FILE_BYTES) is not None
            except StorageUnavailable:
                return False

        return await self._in_thread(work)

    async def load(self) -> Entry | None:
        """Return the stored entry, or ``None`` if there is none or it belongs to another owner.

        Raises :class:`StorageUnavailable`, with the detail ``storage_corrupt`` if it is damaged or of a newer format,
        and ``storage_key`` if no key opens it; it is left alone until something else is saved (B20).
        """

        def work() -> Entry | None:
            keys = keys_in(self._key)
            jwe_text = self._folder.read(self._name(), MAX_FILE_BYTES)
            if jwe_text is None:
                return None
            if len(jwe_text) > MAX_FILE_BYTES:
                raise entry_damaged()
            return self._codec.decode(decrypt(jwe_text, keys), _KIND)

        return await self._in_thread(work)

    async def save(self, entry: Entry) -> None:
        """Write ``entry``, encrypted with the first key; it is on the disk when this returns."""

        def work() -> None:
            jwe_text = encrypt(self._codec.encode(entry, _KIND), keys_in(self._key))
            self._folder.write(self._name(), jwe_text)

        await self._in_thread(work)

    async def delete(self) -> None:
        """Remove the entry and what torn writes left; needs no key."""
        await self._in_thread(lambda: self._folder.remove(self._name()))

    def _name(self) -> str:
        return f"{self._codec.name()}.jwe"

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Return ``work()``; one call at a time, so that the write of a cancelled caller cannot follow a later one."""

        def alone() -> _T:
            with self._alone:
                return work()

        return await asyncio.to_thread(alone)
