"""The refresh token in the operating system's keyring, through ``keyring``.

Which backends may be used is decided in :mod:`jupyter_oidc.adapters.keyring_backends`, how a long token fits
into short entries in :mod:`jupyter_oidc.adapters.keyring_entries`, and how long a call may take in
:mod:`jupyter_oidc.adapters.keyring_thread`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from jupyter_oidc.adapters import keyring_entries
from jupyter_oidc.adapters.installation import installation_id
from jupyter_oidc.adapters.keyring_backends import choose_backend
from jupyter_oidc.adapters.keyring_thread import KeyringThread
from jupyter_oidc.airlock import reveal
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.ports import Entry

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from jupyter_oidc.sessions.ports import StorageKind

__all__ = ["KeyringThread", "KeyringVault"]


class KeyringVault:
    """Implements ``Vault`` for one provider and client.

    Each (issuer, client, provider name, installation) has an entry of its own, and an entry that says it
    belongs to somebody else is treated as absent (B23, B34).
    ``installation`` says which machine this is; by default it is found out at the first call.
    """

    def __init__(
        self,
        *,
        provider: str,
        issuer: str,
        client_id: str,
        installation: str | None = None,
        thread: KeyringThread | None = None,
    ) -> None:
        self._provider = provider
        self._issuer = issuer
        self._client_id = client_id
        self._known_installation = installation
        self._thread = thread or KeyringThread()
        self._backend: KeyringBackend | None = None

    async def kind(self) -> StorageKind:
        """Return ``keyring``."""
        return "keyring"

    async def probe(self) -> None:
        """Write, read and delete a harmless entry; raises :class:`StorageUnavailable` if that fails."""
        await self._thread.run(lambda: keyring_entries.probe(self._chosen(), self._name()))

    async def load(self) -> Entry | None:
        """Return the stored entry, or ``None`` if there is none or it belongs to somebody else.

        Raises :class:`StorageUnavailable` with the detail ``storage_corrupt`` if it is damaged or of a newer
        format; it is left alone until something else is saved (B20).
        """
        text = await self._thread.run(lambda: keyring_entries.read(self._chosen(), self._name()))
        return None if text is None else self._entry_in(text)

    async def save(self, entry: Entry) -> None:
        """Write ``entry`` and read it back: some backends drop writes silently."""
        text = self._text_of(entry)
        await self._thread.run(lambda: keyring_entries.write(self._chosen(), self._name(), text))

    async def delete(self) -> None:
        """Remove the entry and whatever a torn write left of an earlier one."""
        await self._thread.run(lambda: keyring_entries.delete(self._chosen(), self._name()))

    def _chosen(self) -> KeyringBackend:
        if self._backend is None:
            self._backend = choose_backend()
        return self._backend

    def _name(self) -> str:
        owner = [self._issuer, self._client_id, self._provider, self._installation()]
        return hashlib.sha256(json.dumps(owner).encode()).hexdigest()[:32]

    def _installation(self) -> str:
        if self._known_installation is None:
            self._known_installation = installation_id()
        return self._known_installation

    def _text_of(self, entry: Entry) -> str:
        return json.dumps(
            {
                "format": keyring_entries.FORMAT,
                "issuer": entry.issuer,
                "client_id": entry.client_id,
                "subject": entry.subject,
                "scopes": list(entry.scopes),
                "signed_in_at": entry.signed_in_at,
                "installation": self._installation(),
                "refresh_token": reveal(entry.refresh_token),
            },
        )

    def _entry_in(self, text: str) -> Entry | None:
        try:
            stored: dict[str, Any] = json.loads(text)
            if stored["format"] != keyring_entries.FORMAT:
                raise keyring_entries.damaged()
            if stored["installation"] != self._installation():
                return None
            entry = Entry(
                issuer=str(stored["issuer"]),
                client_id=str(stored["client_id"]),
                subject=str(stored["subject"]),
                scopes=tuple(str(scope) for scope in stored["scopes"]),
                signed_in_at=float(stored["signed_in_at"]),
                refresh_token=Secret(stored["refresh_token"]),
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            raise keyring_entries.damaged() from None
        return entry if (entry.issuer, entry.client_id) == (self._issuer, self._client_id) else None
