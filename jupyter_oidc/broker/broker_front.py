"""What every front of a broker has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.language import N_
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.web.front import GrantTerms

if TYPE_CHECKING:
    from jupyter_oidc.broker.accounts import Account
    from jupyter_oidc.sessions.api import SignIn


class BrokerFront:
    """Base of the fronts for one request of ``account``; its id in the log is ``request_id``."""

    def __init__(self, account: Account, request_id: str, page_address: str | None = None) -> None:
        self._account = account
        self._services = account.services
        self.request_id = request_id
        self.page_address = page_address

    def nonce(self) -> str:
        """Return 128 random bits as text."""
        return self._services.entropy.token(128)

    @property
    def makes_worker_grants(self) -> bool:
        """Whether the settings of the broker let kernels make grants for workers."""
        return self._services.worker_grants.max_hours > 0

    @property
    def grant_terms(self) -> GrantTerms:
        """How long worker grants last."""
        return GrantTerms(self._services.worker_grants.max_hours, are_stored=True)

    def remember_maker(self, grant_id: str, *, is_outlived: bool) -> None:
        """Remember nothing: the kernel's server does, and renews the grant."""

    async def end_forsaken_grants(self) -> None:
        """End nothing: the grants that no server renews have ended."""

    def note(self, text: str) -> None:
        """Write ``text`` into the log of the broker, with the request's id."""
        BROKER.info("jupyter_oidc: account %s: %s [%s]", self._account.name, text, self.request_id)

    async def open_listener(self, sign_in: SignIn) -> str:
        """Refuse: a broker opens no listener for the browser of one user, since every user of the machine reaches it."""
        del sign_in
        raise ConfigurationInvalid(
            N_("A broker has no listener for the end of a sign-in."),
            action=N_("Ask your administrator to set redirect_strategy to 'server' or 'device'."),
            detail="broker.listener",
        )
