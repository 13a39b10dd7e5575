"""Looks up the secrets that an API gets beside the token (``headers``), and caches them for a moment.

Looking one up may wait for the disk or the keyring, so it is done in a thread.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.language import sentence

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.settings import Api

CACHE_SECONDS: Final = 30.0
"""Seconds before a secret is looked up again: a changed one is noticed, and a keyring is not asked for each call."""


class ApiSecrets:
    """The secrets for the APIs of one server; one look-up at a time for each API."""

    def __init__(self) -> None:
        self._cache: dict[str, tuple[Api, float, list[tuple[str, Secret]]]] = {}
        self._lookup_locks: dict[str, asyncio.Lock] = {}

    async def of(self, api: Api) -> list[tuple[str, Secret]]:
        """Return the header names of ``api`` with their secrets.

        Raises ``ConfigurationInvalid`` if one is not there, and ``StorageUnavailable`` if the keyring does not answer.
        """
        async with self._lookup_locks.setdefault(api.name, asyncio.Lock()):
            now = asyncio.get_running_loop().time()
            known = self._cache.get(api.name)
            if known is not None and known[0] is api and now < known[1]:
                return known[2]
            found = [
                (
                    name,
                    await asyncio.to_thread(
                        partial(resolve, where, what=sentence("value of {name}", name=name), key="headers")
                    ),
                )
                for name, where in api.headers
            ]
            self._cache[api.name] = (api, now + CACHE_SECONDS, found)
            return found
