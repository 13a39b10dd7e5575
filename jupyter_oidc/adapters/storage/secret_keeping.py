"""Keeps a client secret that a person gave to a set-up, and returns the reference to write into the settings.

The operating system's keyring comes first where the server can reach it, else a file that only this user can read.
It refuses to return the secret, or to leave it at a place that a failed set-up does not use.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.storage.keyring_backends import choose_backend
from jupyter_oidc.adapters.storage.keyring_thread import KeyringThread
from jupyter_oidc.language import N_
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.settings import SecretRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.secret import Secret

SERVICE: Final = "jupyter_oidc-client"
"""The service of the keyring's entries; the user is the provider's name."""


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """The reference to a secret that was kept, and ``undo``, which takes the secret away again."""

    reference: SecretRef
    undo: Callable[[], None]


def keep_in_keyring(secret: Secret, name: str) -> KeptSecret:
    """Write the secret into the keyring and read it back; raises :class:`StorageUnavailable`.

    Some backends drop writes silently.
    """

    def write() -> str | None:
        backend = choose_backend()
        before = backend.get_password(SERVICE, name)
        backend.set_password(SERVICE, name, reveal(secret))
        if backend.get_password(SERVICE, name) != reveal(secret):
            raise StorageUnavailable(N_("The keyring did not keep the secret."), detail="keyring_failed")
        return before

    def undo() -> None:
        def restore() -> None:
            if before is None:
                choose_backend().delete_password(SERVICE, name)
            else:
                choose_backend().set_password(SERVICE, name, before)

        asyncio.run(KeyringThread().run(restore))

    before = asyncio.run(KeyringThread().run(write))
    return KeptSecret(SecretRef("keyring", f"{SERVICE}/{name}"), undo)


def keep_in_file(secret: Secret, path: Path) -> KeptSecret:
    """Write the secret into ``path``, whole and for this user only; raises ``OSError``."""
    before = path.read_bytes() if path.exists() else None
    _replace(path, reveal(secret).encode())

    def undo() -> None:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            _replace(path, before)

    return KeptSecret(SecretRef("file", str(path)), undo)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".jupyter_oidc-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
