"""The front of a page that a broker shows itself, to a browser that is logged in at the Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_oidc.broker.broker_front import BrokerFront
from jupyter_oidc.web.call_record import CallRecord
from jupyter_oidc.web.redirects import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.broker.accounts import Account
    from jupyter_oidc.broker.hub_place import HubPlace
    from jupyter_oidc.sessions.api import ProviderSettings
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.web.front import SharingMode
    from jupyter_oidc.web.request import Headers


class PageFront(BrokerFront):
    """Implements ``Front`` for one page of ``account``, whose user has their servers below ``home``.

    ``xsrf_token`` is what a form of this browser sends back; ``seconds`` returns the time since the request came in.
    """

    under_hub = True
    server_name = ""
    has_own_host = False
    has_logins = True
    sharing_mode: SharingMode = "none"
    default_provider: str | None = None

    def __init__(
        self,
        account: Account,
        place: HubPlace,
        home: str,
        xsrf_token: str,
        seconds: Callable[[], float],
    ) -> None:
        super().__init__(account, account.services.entropy.token(64))
        self._public_url = place.public_url
        self._xsrf_token = xsrf_token
        self._seconds = seconds
        self.base_url = place.prefix
        self.home = home

    @property
    def protocol(self) -> str:
        """The protocol by which browsers reach the broker."""
        return urlsplit(self._public_url).scheme

    @property
    def host(self) -> str:
        """The host at which browsers reach the broker; a proxy in between may send another one."""
        return urlsplit(self._public_url).netloc

    @property
    def browser(self) -> Browser:
        """The location of the browser."""
        return "here" if is_loopback_host(self.host) else "elsewhere"

    def public_url(self, settings: ProviderSettings | None = None) -> None:
        """Return ``None``: the broker has no JupyterLab."""

    @property
    def worker_address(self) -> str:
        """The address of the broker."""
        return self._public_url

    def xsrf_token(self) -> str:
        """Return what a form of this browser sends back."""
        return self._xsrf_token

    def begin_record(self, api: str) -> CallRecord:
        """Begin the record of a GET of ``api`` that the broker makes in the name of the user."""
        services = self._services
        return CallRecord(services.event_log, services.entropy, "GET", self._seconds, None, api)

    async def diagnostics(self, headers: Headers) -> dict[str, Any]:
        """Return the report about the broker's settings and this account's sessions."""
        del headers
        return await self._account.diagnostics(self._public_url, seen=True)
