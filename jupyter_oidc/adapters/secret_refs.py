"""Resolve a reference to a client secret: an environment variable, a file, or a keyring entry.

The value is read when it is needed and lives in a :class:`Secret`; errors name the reference, never the value.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_oidc.errors import ConfigurationInvalid
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from jupyter_oidc.settings import SecretRef

_LARGEST = 16_384


def resolve(reference: SecretRef) -> Secret:
    """Return the secret that ``reference`` names; raises :class:`ConfigurationInvalid` if there is none."""
    match reference.scheme:
        case "env":
            value = os.environ.get(reference.name)
        case "file":
            value = _read_file(reference.name)
        case "keyring":
            value = _read_keyring(reference.name)
    if not value:
        raise ConfigurationInvalid(
            f"The client secret '{reference.scheme}:{reference.name}' is empty or does not exist.",
            detail="client_secret",
        )
    return Secret(value)


def _read_file(name: str) -> str | None:
    try:
        with Path(name).expanduser().open(encoding="utf-8") as file:
            return file.read(_LARGEST).strip()
    except (OSError, UnicodeDecodeError):
        return None


def _read_keyring(name: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    service, _, user = name.partition("/")
    try:
        return keyring.get_password(service, user)
    except KeyringError:
        return None
