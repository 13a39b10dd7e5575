"""Holds the parts that all sessions at one provider share: the connections to it, its facts, and our credentials there.

Its maker closes it, when no session needs it any more.
It refuses to know the sessions: closing the client of one closes nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.sessions.oidc_client import OidcClient
from jupyter_oidc.sessions.provider_facts import ProviderFacts

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
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

    def client(self) -> OidcClient:
        """Return a client for one session, to be closed with it."""
        return OidcClient(self._settings, self.facts, self._port, self._clock, self._credentials, self._entropy)

    async def aclose(self) -> None:
        """Cancel the fetches under way, and close the connections."""
        self.facts.close()
        await self._port.aclose()
