"""A process that uses the vault of this checkout on the Secret Service of its D-Bus session, one verb a run.

It writes one JSON object and never a token: a stored token is told as its SHA-256 digest.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sys
import time
from typing import Any

from jupyter_oidc.adapters.storage.keyring_backends import choose_backend
from jupyter_oidc.adapters.storage.keyring_entries import SERVICE
from jupyter_oidc.adapters.storage.vault_auto import AutoVault
from jupyter_oidc.adapters.storage.vault_file import FileVault
from jupyter_oidc.adapters.storage.vault_keyring import KeyringThread, KeyringVault
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.ports import Entry
from tests.support.marker import MARKER

ISSUER = "https://id.example.com"


def token_of(characters: int) -> str:
    """Return a marked token of that many characters, no two stretches of it alike."""
    return (MARKER + "".join(f"{number:06d}" for number in range(characters)))[:characters]


def digest_of(token: str) -> str:
    """Return the digest that the child writes instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def vault() -> KeyringVault:
    """Return the vault of the one client that the children play."""
    return KeyringVault(provider="corp", issuer=ISSUER, client_id="c1", thread=KeyringThread(5))


async def write(characters: str) -> dict[str, Any]:
    """Save a token of that many characters."""
    entry = Entry(ISSUER, "c1", "a1", ("openid", "é"), 1_800_000_000.5, Secret(token_of(int(characters))))
    await vault().save(entry)
    return {}


async def read() -> dict[str, Any]:
    """Load the stored entry."""
    entry = await vault().load()
    if entry is None:
        return {"found": False}
    return {
        "found": True,
        "digest": digest_of(reveal(entry.refresh_token)),
        "header": [entry.issuer, entry.client_id, entry.subject, list(entry.scopes), entry.signed_in_at],
    }


async def delete() -> dict[str, Any]:
    """Delete the stored entry."""
    await vault().delete()
    return {}


async def kind() -> dict[str, Any]:
    """Let ``auto`` choose, and say which backend it is."""
    file = FileVault(provider="corp", issuer=ISSUER, client_id="c1", key=None)
    chosen = await AutoVault(vault(), file, logging.getLogger("child")).kind()
    return {"kind": chosen, "backend": f"{type(choose_backend()).__module__}"}


async def lock() -> dict[str, Any]:
    """Lock the collection, as a screen lock does, and try to load."""
    _collection().lock()
    began = time.monotonic()
    await vault().load()
    return {"seconds": time.monotonic() - began}


async def entries() -> dict[str, Any]:
    """Count the entries that are stored under our name."""
    return {"count": len(list(_collection().search_items({"service": SERVICE})))}


def _collection() -> Any:
    import secretstorage

    return secretstorage.get_default_collection(secretstorage.dbus_init())


VERBS = {"write": write, "read": read, "delete": delete, "kind": kind, "lock": lock, "entries": entries}


async def main(verb: str, *arguments: str) -> None:
    """Run ``verb`` and write down the outcome."""
    try:
        answer = await VERBS[verb](*arguments)  # type: ignore[operator]
    except StorageUnavailable as problem:
        answer = {"refused": problem.detail}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
