"""The keys of the encrypted file: taken out of the server's environment once, and held as secrets.

Kernels and terminals inherit the environment of the server, so the variable is gone as soon as it is read.
This module refuses any key that is not 32 bytes long, and never repeats what it refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.airlock import reveal, reveal_bytes
from jupyter_oidc.errors import StorageUnavailable
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import MutableMapping

VARIABLE: Final = "JUPYTER_OIDC_STORAGE_KEY"
_SEPARATORS: Final = re.compile(r"[\s,]+")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}=?")
"""32 bytes in base64url (RFC 4648, 5), with or without padding."""

_MAKE_ONE: Final = (
    'Make a key with: python -c "import secrets; print(secrets.token_urlsafe(32))". '
    f"Put it into {VARIABLE} and restart the Jupyter server."
)


@dataclass(frozen=True, slots=True)
class StorageKey:
    """One key of 32 bytes; ``name`` tells keys apart and says nothing about them."""

    name: str
    secret: Secret


def take_storage_key(environ: MutableMapping[str, str]) -> Secret | None:
    """Remove the variable from ``environ`` and return what it held, or ``None`` if there was nothing in it."""
    value = environ.pop(VARIABLE, "")
    return Secret(value) if value.strip() else None


def keys_in(variable: Secret | None) -> tuple[StorageKey, ...]:
    """Return the keys, at least one: the first encrypts, all decrypt.

    Raises :class:`StorageUnavailable` with the detail ``storage_key`` if there is none, or one of them is wrong.
    """
    if variable is None:
        raise _refusal(f"There is no key for the encrypted file: {VARIABLE} is not set.")
    texts = [text for text in _SEPARATORS.split(reveal(variable)) if text]
    if not texts:
        raise _refusal(f"There is no key for the encrypted file: {VARIABLE} holds none.")
    keys = []
    for number, text in enumerate(texts, start=1):
        if not _KEY.fullmatch(text):
            raise _refusal(f"Key {number} of {len(texts)} in {VARIABLE} is not 32 bytes in base64url.")
        keys.append(_key(Secret(base64.urlsafe_b64decode(text.rstrip("=") + "="))))
    return tuple(keys)


def unknown_key() -> StorageUnavailable:
    """Return the problem of a file that none of the keys opens."""
    return StorageUnavailable(
        "The session is stored encrypted, with a key that this server does not have.",
        action=f"Add the earlier key to {VARIABLE}, after the new one, and restart the server; or sign in again.",
        detail="storage_key",
    )


def _key(secret: Secret) -> StorageKey:
    name = hmac.new(reveal_bytes(secret), b"jupyter_oidc: name of a storage key", hashlib.sha256).hexdigest()
    return StorageKey(name[:16], secret)


def _refusal(message: str) -> StorageUnavailable:
    return StorageUnavailable(message, action=_MAKE_ONE, detail="storage_key")
