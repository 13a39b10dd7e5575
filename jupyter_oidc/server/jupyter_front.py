"""The Jupyter server as the front of the routes: answers what they ask about it and about one request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from jupyter_oidc.web.call_record import CallRecord
from jupyter_oidc.web.front import GrantTerms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.server.handler import OidcHandler
    from jupyter_oidc.sessions.api import ProviderSettings, SignIn
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.web.front import SharingMode
    from jupyter_oidc.web.request import Headers


class JupyterFront:
    """The front of the request that ``handler`` serves; ``home`` is the address of JupyterLab for its browser.

    ``open_listener`` opens a listener on this machine for the end of a sign-in.
    """

    page_address = None

    def __init__(self, handler: OidcHandler, home: str, open_listener: Callable[[SignIn], Awaitable[str]]) -> None:
        self._handler = handler
        self._context = handler.context
        self._open_listener = open_listener
        self.home = home

    @property
    def base_url(self) -> str:
        """The server's base URL."""
        return str(self._handler.base_url)

    @property
    def protocol(self) -> str:
        """The protocol that the browser speaks, to a proxy that the server trusts."""
        return str(self._handler.request.protocol)

    @property
    def host(self) -> str:
        """The ``Host`` of the request."""
        return str(self._handler.request.host)

    @property
    def browser(self) -> Browser:
        """The location of the caller's browser."""
        return self._handler.browser

    @property
    def under_hub(self) -> bool:
        """Whether JupyterHub started this server."""
        return self._context.under_hub

    @property
    def default_provider(self) -> str | None:
        """The provider that a caller means who names none, by the settings."""
        return self._context.default_provider

    @property
    def server_name(self) -> str:
        """The name of this server at the Hub."""
        return os.environ.get("JUPYTERHUB_SERVER_NAME", "")

    @property
    def has_own_host(self) -> bool:
        """Whether each user of the Hub has a host of their own."""
        return self._context.browser_location.has_own_host

    @property
    def has_logins(self) -> bool:
        """Whether Jupyter demands a login."""
        return bool(self._handler.identity_provider.auth_enabled)

    @property
    def sharing_mode(self) -> SharingMode:
        """Whether other users than the owner have used this server."""
        return self._context.sharing_mode

    @property
    def request_id(self) -> str:
        """The id by which the log names a refusal."""
        return self._handler.request_id

    def public_url(self, settings: ProviderSettings | None = None) -> str | None:
        """Return the address at which a browser reaches this server, or ``None`` if it is unknown."""
        return self._context.public_url(settings)

    def xsrf_token(self) -> str:
        """Return Jupyter's XSRF token for this browser."""
        return self._handler.xsrf_token.decode("ascii")

    def nonce(self) -> str:
        """Return 128 random bits as text."""
        return self._context.entropy.token(128)

    def begin_record(self, api: str) -> CallRecord:
        """Begin the record of a GET of ``api`` that this server makes in the name of the caller."""
        handler, services = self._handler, self._handler.services
        seconds = handler.request.request_time
        return CallRecord(services.event_log, services.entropy, "GET", seconds, handler.kernel_id, api)

    @property
    def worker_address(self) -> str | None:
        """The address of this server."""
        return self.public_url()

    @property
    def makes_worker_grants(self) -> bool:
        """Whether the settings let kernels make grants for workers."""
        return self._context.makes_worker_grants

    @property
    def grant_terms(self) -> GrantTerms:
        """How long worker grants last: no longer than this process."""
        return GrantTerms(self._handler.services.worker_grants.max_hours)

    def remember_maker(self, grant_id: str, *, is_outlived: bool) -> None:
        """Remember that the kernel that calls has made the worker grant."""
        if self._handler.kernel_run is not None:
            self._context.workers.made_by(grant_id, self._handler.kernel_run, is_outlived=is_outlived)

    async def end_forsaken_grants(self) -> None:
        """Revoke the worker grants that no kernel backs any more."""
        await self._context.workers.end_forsaken(self._handler.services.worker_grants)

    async def diagnostics(self, headers: Headers) -> dict[str, Any]:
        """Return the report about this server's services, at the address by which browsers reach it."""
        here = f"{self.protocol}://{self.host}{self.base_url}"
        address, seen = self._context.browser_location.address_in_report(here, headers)
        return await self._context.diagnostics(self._handler.services, address, seen=seen)

    def note(self, text: str) -> None:
        """Write ``text`` into the log, with the request's id."""
        self._handler.log.info("jupyter_oidc: %s [%s]", text, self.request_id)

    async def open_listener(self, sign_in: SignIn) -> str:
        """Listen on this machine for the end of ``sign_in``; return the address to which its browser goes first."""
        return await self._open_listener(sign_in)
