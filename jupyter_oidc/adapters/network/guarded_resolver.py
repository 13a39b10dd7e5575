"""Resolves an API's host name, and refuses an address that is not on the public internet (C34).

An attacker who controls a name in the settings could point it at the cloud's metadata service or at this machine.
An address that stands literally in the settings is never resolved here, ``localhost`` is allowed by its name, and an
administrator allows a private network with ``allow_private_network``.
The connection goes to the address that was judged.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from jupyter_oidc.adapters.network.public_address import is_public

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult


class PrivateAddress(OSError):
    """A name resolved to an address that its settings do not allow."""


class GuardedResolver(AbstractResolver):
    """Resolves through the system, in a thread; keeps public addresses only."""

    def __init__(self) -> None:
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of ``host``; raises :class:`PrivateAddress` if it has only others."""
        found = await self._system.resolve(host, port, family)
        if host.rstrip(".").lower() == "localhost":
            return found
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise PrivateAddress("private address")
        return public

    async def close(self) -> None:
        """Close the resolver."""
        await self._system.close()
