"""The table of the stores of one machine for refresh tokens: how each is made for a provider, and how doctor tries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from jupyter_oidc.adapters.storage.keyring_backends import choose_backend
from jupyter_oidc.adapters.storage.vault_auto import AutoVault
from jupyter_oidc.adapters.storage.vault_file import FileVault
from jupyter_oidc.adapters.storage.vault_keyring import KeyringVault
from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.adapters.system.private_directory import PrivateDirectory
from jupyter_oidc.language import Sentence, sentence

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from jupyter_oidc.adapters.storage.keyring_thread import KeyringThread
    from jupyter_oidc.contract.storage import LocalStorage, RequestedStorage
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.ports import Vault


class Owner(NamedTuple):
    """The owner of a stored entry: one provider of the settings."""

    provider: str
    issuer: str
    client_id: str


DOCTOR: Final = Owner("doctor", "", "")
"""The owner of harmless test entries."""


@dataclass(frozen=True, slots=True)
class StoreParts:
    """The parts that stores are made of; ``folder`` returns the folder of our files."""

    keyring_thread: KeyringThread
    folder: Callable[[], Path]
    storage_key: Secret | None


@dataclass(frozen=True, slots=True)
class Store:
    """One store: ``make`` returns the vault of a provider.

    ``probe`` tries it with a harmless entry, and returns doctor's sentence about ``subject``; it raises
    ``StorageUnavailable``.
    """

    subject: str
    make: Callable[[StoreParts, Owner], Vault]
    probe: Callable[[StoreParts], Awaitable[Sentence]]


def _keyring(parts: StoreParts, owner: Owner) -> KeyringVault:
    return KeyringVault(**owner._asdict(), thread=parts.keyring_thread)


def _file(parts: StoreParts, owner: Owner) -> FileVault:
    return FileVault(**owner._asdict(), key=parts.storage_key, folder=PrivateDirectory(parts.folder))


def _memory(_parts: StoreParts, _owner: Owner) -> MemoryVault:
    return MemoryVault()


async def _try_keyring(parts: StoreParts) -> Sentence:
    await _keyring(parts, DOCTOR).probe()
    backend = await parts.keyring_thread.run(choose_backend)
    return sentence("A test entry was written, read and deleted ({backend}).", backend=type(backend).__module__)


async def _try_file(parts: StoreParts) -> Sentence:
    await _file(parts, DOCTOR).probe()
    return sentence("Key and folder are right.")


async def _try_memory(_parts: StoreParts) -> Sentence:
    return sentence("Sessions are kept in memory and end with the server. That is what the settings want.")


STORES: Final[Mapping[LocalStorage, Store]] = {
    "keyring": Store("keyring", _keyring, _try_keyring),
    "encrypted-file": Store("encrypted file", _file, _try_file),
    "memory": Store("storage", _memory, _try_memory),
}


def vault_for(storage: RequestedStorage, parts: StoreParts, owner: Owner, log: logging.Logger) -> Vault:
    """Return the vault of ``owner`` in the store that the settings want."""
    if storage == "auto":
        return AutoVault(_keyring(parts, owner), _file(parts, owner), log)
    return STORES[storage].make(parts, owner)
