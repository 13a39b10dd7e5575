"""What a route may ask of the front that serves it, in plain values, and the call that a route gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.catalogue.operation import Operation
    from jupyter_oidc.catalogue.service import Listing, Record, Visitor
    from jupyter_oidc.sessions.api import ProviderSettings, SessionApi, SignIn
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.web.request import Headers, Request

SharingMode = Literal["none", "own-kernels", "all-kernels"]
"""``none``: only the owner has used the server; else whose kernels act for the owner."""


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """How long worker grants last: ``max_hours`` at most.

    Where they ``are_stored``, one that outlives its kernel outlives the Jupyter server, too.
    """

    max_hours: float
    are_stored: bool = False


class CatalogueApi(Protocol):
    """What a route may ask about the operations of the APIs (ADR 52); raises the problem for its caller."""

    async def operations(self, name: str, visitor: Visitor) -> Listing:
        """Return the operations of the API ``name``."""
        ...

    async def operation(self, name: str, method: str, path: str, visitor: Visitor) -> Operation:
        """Return one operation of the API ``name``."""
        ...


class Front(Protocol):
    """The front that serves one request."""

    @property
    def base_url(self) -> str:
        """The path above all routes, with a slash at both ends."""
        ...

    @property
    def home(self) -> str:
        """The address of JupyterLab for this browser."""
        ...

    @property
    def protocol(self) -> str:
        """The protocol by which the browser reaches the front: ``http`` or ``https``."""
        ...

    @property
    def host(self) -> str:
        """The host that the request names, with its port."""
        ...

    @property
    def browser(self) -> Browser:
        """The location of the caller's browser."""
        ...

    @property
    def under_hub(self) -> bool:
        """Whether the front runs under a Hub."""
        ...

    @property
    def default_provider(self) -> str | None:
        """The provider that a caller means who names none, by the settings; it need not exist."""
        ...

    @property
    def server_name(self) -> str:
        """The name of this server at the Hub; empty for its user's default server."""
        ...

    @property
    def has_own_host(self) -> bool:
        """Whether browsers reach the front at another host than the Hub's."""
        ...

    @property
    def has_logins(self) -> bool:
        """Whether the front knows its users by a login."""
        ...

    @property
    def sharing_mode(self) -> SharingMode:
        """Whether other users than the owner have used this server."""
        ...

    @property
    def request_id(self) -> str:
        """The id by which the log names a refusal."""
        ...

    @property
    def page_address(self) -> str | None:
        """The address of another front, with a slash at its end, that shows all pages of this one; ``None`` if it does."""
        ...

    def public_url(self, settings: ProviderSettings | None = None) -> str | None:
        """Return the address at which a browser reaches the front, with a slash at its end, or ``None``.

        A sign-in by these ``settings`` that comes back here has to start at the host of its redirect URI.
        """
        ...

    def xsrf_token(self) -> str:
        """Return the token that a form of this browser has to send."""
        ...

    def nonce(self) -> str:
        """Return 128 random bits as text."""
        ...

    def begin_record(self, api: str) -> Record:
        """Begin the record of a GET of ``api`` that this server makes in the name of the caller (ADR 52)."""
        ...

    @property
    def worker_address(self) -> str | None:
        """The address at which workers on other machines reach the APIs, with a slash at its end; ``None`` if unknown."""
        ...

    @property
    def makes_worker_grants(self) -> bool:
        """Whether the settings of the front let kernels make grants for workers."""
        ...

    @property
    def grant_terms(self) -> GrantTerms:
        """How long worker grants last here."""
        ...

    def remember_maker(self, grant_id: str, *, is_outlived: bool) -> None:
        """Remember that the kernel that calls has made the worker grant, which ends with it unless it ``is_outlived``."""
        ...

    async def end_forsaken_grants(self) -> None:
        """Revoke the worker grants that no kernel backs any more."""
        ...

    async def diagnostics(self, headers: Headers) -> dict[str, Any]:
        """Return the contract ``diagnostics.reply``; ``headers`` of the request show whether a browser calls.

        Raises ``ConfigurationInvalid`` where the settings contain mistakes.
        """
        ...

    def note(self, text: str) -> None:
        """Write ``text`` into the log, with the request's id."""
        ...

    async def open_listener(self, sign_in: SignIn) -> str:
        """Listen on this machine for the end of ``sign_in``; return the address to which its browser goes first.

        Raises ``ConfigurationInvalid`` if the browser cannot reach a listener here.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """The one argument of every route, beside those in its path.

    ``session_api`` and ``catalogue_api`` raise ``ConfigurationInvalid`` where the settings contain mistakes.
    """

    request: Request
    front: Front
    session_api: Callable[[], SessionApi]
    catalogue_api: Callable[[], CatalogueApi]

    @property
    def sessions(self) -> SessionApi:
        """The sessions."""
        return self.session_api()

    @property
    def catalogue(self) -> CatalogueApi:
        """The operations of the APIs."""
        return self.catalogue_api()
