"""The front of a request that a Jupyter server has forwarded: answers what a route asks, by what that server has told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_oidc.broker.broker_front import BrokerFront
from jupyter_oidc.sessions.strategy import pins_callback
from jupyter_oidc.web.call_record import CallRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.broker.accounts import Account
    from jupyter_oidc.sessions.api import ProviderSettings
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.web.forwarded import Forwarded
    from jupyter_oidc.web.front import SharingMode
    from jupyter_oidc.web.request import Headers


class ForwardedFront(BrokerFront):
    """Implements ``Front`` for one request of ``account``; ``seconds`` returns the time since it came in.

    ``page_address`` is where the broker shows its pages itself; ``is_user_host`` tells which addresses may be a server's.
    """

    def __init__(
        self,
        account: Account,
        forwarded: Forwarded,
        seconds: Callable[[], float],
        *,
        default_provider: str | None = None,
        page_address: str | None = None,
        is_user_host: Callable[[str], bool] = lambda _: False,
    ) -> None:
        super().__init__(account, forwarded.request_id, page_address)
        self._is_user_host = is_user_host
        self._forwarded = forwarded
        self._seconds = seconds
        self.default_provider = default_provider

    @property
    def base_url(self) -> str:
        """The base URL of the Jupyter server."""
        return self._forwarded.base_url

    @property
    def home(self) -> str:
        """The address of JupyterLab, at its own host if it has one."""
        told = self._forwarded
        address = told.location.public_url() if told.has_own_host else None
        return address if address is not None and self._is_user_host(address) else told.base_url

    @property
    def protocol(self) -> str:
        """The protocol by which the browser reaches the Jupyter server."""
        return self._forwarded.protocol

    @property
    def host(self) -> str:
        """The host that the browser's request names."""
        return self._forwarded.host

    @property
    def browser(self) -> Browser:
        """The location of the caller's browser."""
        return self._forwarded.browser

    @property
    def under_hub(self) -> bool:
        """Whether a Hub has started the Jupyter server."""
        return self._forwarded.under_hub

    @property
    def server_name(self) -> str:
        """The name of the Jupyter server at the Hub."""
        return self._forwarded.server_name

    @property
    def has_own_host(self) -> bool:
        """Whether browsers reach the Jupyter server at another host than the Hub's."""
        return self._forwarded.has_own_host

    @property
    def has_logins(self) -> bool:
        """Whether the Jupyter server knows its users by a login."""
        return self._forwarded.has_logins

    @property
    def sharing_mode(self) -> SharingMode:
        """Whether other users than the owner have used the Jupyter server."""
        return self._forwarded.sharing_mode

    def public_url(self, settings: ProviderSettings | None = None) -> str | None:
        """Return the address at which a browser reaches the Jupyter server."""
        if self.page_address is not None:  # NOTE: no redirect URI leads to the server then
            return self._forwarded.location.public_url(None if self.has_own_host else self.page_address)
        if settings is not None:
            pinned = [(settings.redirect_uri, settings.name)] if settings.pins_callback else []
        else:
            every = self._services.settings.providers
            pinned = [(one.redirect_uri, one.name) for one in every if pins_callback(one)]
        return self._forwarded.location.public_url_for(pinned)

    @property
    def worker_address(self) -> str | None:
        """The address of the broker, where browsers reach it too, else that of the Jupyter server."""
        return self.page_address or self.public_url()

    def xsrf_token(self) -> str:
        """Return what a form of this browser sends back to the Jupyter server."""
        return self._forwarded.xsrf_token

    def begin_record(self, api: str) -> CallRecord:
        """Begin the record of a GET of ``api`` that the broker makes in the name of the caller."""
        services = self._services
        return CallRecord(services.event_log, services.entropy, "GET", self._seconds, self._forwarded.kernel_id, api)

    async def diagnostics(self, headers: Headers) -> dict[str, Any]:
        """Return the report about the broker's settings and this account's sessions."""
        here = f"{self.protocol}://{self.host}{self.base_url}"
        address, seen = self._forwarded.location.address_in_report(here, headers)
        return await self._account.diagnostics(address, seen=seen)
