"""Holds the parts that all sessions at one provider share: the connections to it, its facts, and our credentials there.

Its maker closes it, when no session needs it any more.
It refuses to know the sessions: closing the client of one closes nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jupyter_oidc.sessions.oidc_client import OidcClient
from jupyter_oidc.sessions.provider_facts import ProviderFacts

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.protocol.message import Call, Reply
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.settings import Provider


class SharedProvider:
    """The provider in ``settings``, reached through ``port``, where ``credentials`` prove who we are."""

    def __init__(
        self, settings: Provider, port: ProviderPort, clock: Clock, credentials: Credentials, entropy: Entropy
    ) -> None:
        self._settings = settings
        self._port = port
        self._clock = clock
        self._credentials = credentials
        self._entropy = entropy
        self.facts = ProviderFacts(settings, port, clock, on_metadata=credentials.follow)

    def client(self, calls: asyncio.Semaphore | None = None) -> OidcClient:
        """Return a client for one session, to be closed with it; ``calls`` limits how many calls it makes at once."""
        port = self._port if calls is None else _LimitedPort(self._port, calls)
        return OidcClient(self._settings, self.facts, port, self._clock, self._credentials, self._entropy)

    async def aclose(self) -> None:
        """Cancel the fetches under way, and close the connections."""
        self.facts.close()
        await self._port.aclose()


class ProviderShare(Protocol):
    """What one session uses of a provider and does not own."""

    def client(self) -> OidcClient:
        """Return a client for the session, to be closed with it."""
        ...

    async def aclose(self) -> None:
        """Give it back, when the session has ended."""
        ...


class SharedProviders:
    """One :class:`SharedProvider` for all sessions with the same settings, of any number of accounts.

    ``make`` makes it at the first use. It stays when a session ends, so that the next one asks the provider nothing.
    """

    def __init__(self, make: Callable[[Provider], SharedProvider]) -> None:
        self._make = make
        self._known: dict[Provider, SharedProvider] = {}

    def share(self, provider: Provider, calls: asyncio.Semaphore) -> ProviderShare:
        """Return a share, whose end closes nothing; ``calls`` limits the calls of all shares of one account."""
        known = self._known.get(provider)
        if known is None:
            known = self._known[provider] = self._make(provider)
        return _Share(known, calls)

    async def aclose(self) -> None:
        """Close every provider; no session may be left."""
        known, self._known = self._known, {}
        for provider in known.values():
            await provider.aclose()


class _Share:
    """Implements ``ProviderShare`` for a provider that its maker closes."""

    def __init__(self, provider: SharedProvider, calls: asyncio.Semaphore) -> None:
        self._provider = provider
        self._calls = calls

    def client(self) -> OidcClient:
        """Return a client for the session."""
        return self._provider.client(self._calls)

    async def aclose(self) -> None:
        """Close nothing."""


class _LimitedPort:
    """Implements ``ProviderPort`` with at most so many calls at once as ``calls`` has places."""

    def __init__(self, port: ProviderPort, calls: asyncio.Semaphore) -> None:
        self._port = port
        self._calls = calls

    async def send(self, call: Call) -> Reply:
        """Wait for a place, and send ``call``."""
        async with self._calls:
            return await self._port.send(call)

    async def aclose(self) -> None:
        """Close nothing: the port is shared."""
