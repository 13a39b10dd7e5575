"""Encodes a stored entry as text, the same in every store: its owner, its store, and the refresh token.

The key that the refresh token is bound to stands beside it, and is left out where there is none (X-1).
So does the profile of the signed-in person; nothing depends on it, so a damaged one counts as absent.

The text names its format: the present one and the one before it can be read, anything else is damage (B20, B35).
It also names the store it was written for, so that a copy moved to another store is not used (B22).
This module refuses to hand out an entry that belongs to another provider, client or machine (B23, B34).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.storage.machine_id import machine_id
from jupyter_oidc.language import N_
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.protocol.dpop import is_key
from jupyter_oidc.protocol.json_value import number
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.entitlements import Entitlements
from jupyter_oidc.sessions.ports import Entry
from jupyter_oidc.sessions.summary import Profile, User

if TYPE_CHECKING:
    from jupyter_oidc.contract.storage import StorageKind

FORMAT_VERSION: Final = 2
_VERSION_WITHOUT_STORE: Final = 1
"""The previous format: it did not name its store, which was always the keyring."""

_MAX_TIMESTAMP_SECONDS: Final = 253_402_300_799
"""The last second of the year 9999."""


def entry_damaged() -> StorageUnavailable:
    """Return the problem for an entry that exists and cannot be used."""
    return StorageUnavailable(
        N_("What is stored of this session is damaged, or a newer version wrote it."),
        action=N_("Sign in again."),
        detail="storage_corrupt",
    )


class EntryCodec:
    """Encodes and decodes the stored entries of one provider and client on one machine.

    ``machine_id`` identifies the machine; by default it is read when it is first needed.
    """

    def __init__(self, *, provider: str, issuer: str, client_id: str, machine_id: str | None = None) -> None:
        self._provider = provider
        self._issuer = issuer
        self._client_id = client_id
        self._known_machine_id = machine_id

    def name(self) -> str:
        """Return 64 hexadecimal digits that identify provider, client and machine, and reveal none of them."""
        owner = [self._issuer, self._client_id, self._provider, self._machine_id()]
        return hashlib.sha256(json.dumps(owner).encode()).hexdigest()

    def encode(self, entry: Entry, kept_in: StorageKind) -> Secret:
        """Return the text to be stored; it holds the refresh token."""
        return Secret(
            json.dumps(
                {
                    "format": FORMAT_VERSION,
                    "kept_in": kept_in,
                    "issuer": entry.issuer,
                    "client_id": entry.client_id,
                    "subject": entry.subject,
                    "scopes": list(entry.scopes),
                    "signed_in_at": entry.signed_in_at,
                    "installation": self._machine_id(),
                    "refresh_token": reveal(entry.refresh_token),
                    **({} if entry.dpop_key is None else {"dpop_key": reveal(entry.dpop_key)}),
                    **({} if entry.sid is None else {"sid": entry.sid}),
                    **({} if entry.profile is None else {"profile": _profile_as_json(entry.profile)}),
                },
            ),
        )

    def decode(self, text: Secret, kept_in: StorageKind) -> Entry | None:
        """Return the entry in ``text``, or ``None`` if it belongs to another owner or was written for another store.

        Raises :class:`StorageUnavailable` with the detail ``storage_corrupt`` if it cannot be read.
        """
        try:
            stored: dict[str, Any] = json.loads(reveal(text))
            if stored["format"] not in (FORMAT_VERSION, _VERSION_WITHOUT_STORE):
                raise entry_damaged()
            stored_in = "keyring" if stored["format"] == _VERSION_WITHOUT_STORE else stored["kept_in"]
            if stored_in != kept_in or stored["installation"] != self._machine_id():
                return None
            entry = Entry(
                issuer=str(stored["issuer"]),
                client_id=str(stored["client_id"]),
                subject=str(stored["subject"]),
                scopes=tuple(str(scope) for scope in stored["scopes"]),
                signed_in_at=_time(stored["signed_in_at"]),
                refresh_token=Secret(stored["refresh_token"]),
                dpop_key=Secret(stored["dpop_key"]) if "dpop_key" in stored else None,
                sid=None if stored.get("sid") is None else str(stored["sid"]),
                profile=_profile_from_json(stored.get("profile"), str(stored["subject"])),
            )
            if entry.dpop_key is not None and not is_key(entry.dpop_key):
                raise entry_damaged()
        except (ValueError, TypeError, KeyError, RecursionError):
            raise entry_damaged() from None
        return entry if (entry.issuer, entry.client_id) == (self._issuer, self._client_id) else None

    def _machine_id(self) -> str:
        if self._known_machine_id is None:
            self._known_machine_id = machine_id()
        return self._known_machine_id


def _time(value: object) -> float:
    """Return ``value`` if it is a wall time that can be written as a date; else ``ValueError``."""
    seconds = number(value)
    if seconds is None or not 0 <= seconds <= _MAX_TIMESTAMP_SECONDS:
        raise ValueError("not a time")
    return seconds


_TEXT_FIELDS: Final = ("name", "username", "email", "picture")


def _profile_as_json(profile: Profile) -> dict[str, Any]:
    user, held = profile.user, profile.entitlements
    texts = {name: getattr(user, name) for name in _TEXT_FIELDS if getattr(user, name) is not None}
    return {
        "user": {**texts, "email_verified": user.email_verified},
        "entitlements": list(held.names),
        "more": held.more,
        "known": held.known,
    }


def _profile_from_json(stored: object, subject: str) -> Profile | None:
    """Return the stored profile of ``subject``, or ``None`` if it is absent or damaged."""
    if not isinstance(stored, dict):
        return None
    user, names, more, known = (stored.get(part) for part in ("user", "entitlements", "more", "known"))
    if not isinstance(user, dict) or not all(isinstance(user.get(name), str | None) for name in _TEXT_FIELDS):
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    if not isinstance(known, bool) or not isinstance(more, int) or more < 0:
        return None
    texts = {name: user.get(name) for name in _TEXT_FIELDS}
    person = User(sub=subject, email_verified=user.get("email_verified") is True, **texts)
    return Profile(person, Entitlements(tuple(names), more, known))
