"""The calls to our own routes: every reply is read by its contract before it is returned."""

from __future__ import annotations

import os
import time
import warnings
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from jupyter_oidc.contract.reader import OTHER
from jupyter_oidc.kernel.auth import ApiAuth, RefreshingHeaders
from jupyter_oidc.kernel.connections import Connections
from jupyter_oidc.kernel.errors import OIDCWarning, ProviderUnclear, SignInTimeout
from jupyter_oidc.kernel.find import find_kernel, find_server
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.replies import content_of, judge, unreachable
from jupyter_oidc.kernel.transport import AsyncOIDCClient, OIDCClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.kernel.find import Server
    from jupyter_oidc.kernel.made_by import MadeBy

POLL_SECONDS = 2.0
"""Seconds of one poll of a sign-in's progress; short, so that the display and Ctrl-C stay responsive."""

MIN_POLL_INTERVAL_SECONDS = 0.2
"""Seconds between two polls at least, if the server answers at once."""

MAX_WAIT_SECONDS = 20.0
"""Seconds that a request about the session may wait for a busy server."""

BASE_URL_CACHE_SECONDS = 60.0
"""Seconds for which the base URLs of the APIs are cached; settings can change while the server runs."""

CANCEL_TIMEOUT_SECONDS = 5.0
"""Seconds that cancelling a sign-in may take: after Ctrl-C, the user wants to go on."""


class ServerConnection:
    """One kernel's connection to its server."""

    def __init__(self, server: Server, auth: GrantAuth) -> None:
        self.server = server
        self.auth = auth
        self._connections = Connections(server)
        self._base_urls: tuple[float, dict[str, str | None]] = (float("-inf"), {})
        self._client = OIDCClient(
            server, auth, "jupyter-oidc/", patience=MAX_WAIT_SECONDS, **self._connections.shared({})
        )

    def provider(self, name: str | None, api: str | None = None) -> str:
        """Return ``name``, or the provider of ``api``, or the only one.

        Raises ``ProviderUnclear`` if there are several.
        """
        if name:
            return name
        if api is None and (named := os.environ.get("JUPYTER_OIDC_PROVIDER")):
            return named
        known = [entry["name"] for entry in self._call("GET", "providers", "providers.reply")["providers"]]
        if len(known) == 1:
            return str(known[0])
        for choice in known if api is not None else ():
            if any(entry["name"] == api for entry in self.session(choice)["apis"]):
                return str(choice)
        choices = ", ".join(repr(choice) for choice in known)
        raise ProviderUnclear(
            "Several providers are configured." if known else "No provider is configured on this server.",
            action=f"Name one of: {choices}." if known else "Ask your administrator to configure one.",
        )

    def session(self, provider: str) -> dict[str, Any]:
        """Return the session summary."""
        return self._call("GET", f"providers/{quote(provider, safe='')}/session", "session.reply")

    def begin(self, provider: str, api: str | None = None, prompt: str | None = None) -> dict[str, Any]:
        """Begin a sign-in; if ``api`` is named, one that is as strong as that API demanded (RFC 9470, 4)."""
        wishes = {"api": api, "prompt": prompt}
        wish = {name: wished for name, wished in wishes.items() if wished is not None}
        return self._call("POST", f"providers/{quote(provider, safe='')}/sign-in", "sign-in.reply", json=wish)

    def progress(self, started: dict[str, Any], wait: float = 0.0) -> dict[str, Any]:
        """Return the progress of a sign-in, after at most ``wait`` seconds."""
        return self._call("GET", f"{_flow_path(started)}?wait={wait:g}", "sign-in-progress.reply")

    def complete(self, started: dict[str, Any], pasted: str) -> dict[str, Any]:
        """Send the address to which the provider redirected the browser; the reply is the sign-in's last progress."""
        body = {"redirect_url": pasted}
        return self._call("POST", f"{_flow_path(started)}/complete", "sign-in-progress.reply", json=body)

    def cancel(self, started: dict[str, Any]) -> None:
        """Cancel a sign-in."""
        self._call("DELETE", _flow_path(started), "sign-in-progress.reply", timeout=CANCEL_TIMEOUT_SECONDS)

    def sign_out(self, provider: str) -> dict[str, Any]:
        """Sign out; the reply holds the result of each step."""
        return self._call("POST", f"providers/{quote(provider, safe='')}/sign-out", "sign-out.reply", json={})

    def await_sign_in(self, started: dict[str, Any], timeout: float, tell: Callable[[float], None]) -> dict[str, Any]:
        """Wait until the sign-in is finished and return its last progress; ``tell`` gets the seconds left.

        Raises ``SignInTimeout`` after ``timeout`` seconds; the sign-in is under way still.
        """
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            tell(left)
            looked = time.monotonic()
            progress = self.progress(started, min(POLL_SECONDS, left))
            if not is_waiting(progress):
                return progress
            time.sleep(max(0.0, MIN_POLL_INTERVAL_SECONDS - (time.monotonic() - looked)))
        raise SignInTimeout(
            f"Nobody finished the sign-in within {timeout:.0f} seconds.",
            action="Run oidc.sign_in() again, and open the link it shows.",
        )

    def api_client(self, name: str, **options: Any) -> OIDCClient:
        """Return a client whose base URL is the proxy of the API ``name``."""
        shared = self._connections.shared(options)
        made_by: MadeBy = (_api_client, (name, options))
        proxy_options: dict[str, Any] = {"made_by": made_by, "get_base_url": partial(self.base_url, name)}
        return OIDCClient(self.server, self.auth, _api_path(name), **proxy_options, **shared, **options)

    def async_api_client(self, name: str, **options: Any) -> AsyncOIDCClient:
        """Return an asynchronous client whose base URL is the proxy of the API ``name``."""
        shared = self._connections.shared_async(options)
        made_by: MadeBy = (_async_api_client, (name, options))
        proxy_options: dict[str, Any] = {"made_by": made_by, "get_base_url": partial(self.base_url, name)}
        return AsyncOIDCClient(self.server, self.auth, _api_path(name), **proxy_options, **shared, **options)

    def base_url(self, name: str) -> str | None:
        """Return the base URL of the API ``name`` behind the proxy; ``None`` if the server does not name it."""
        until, base_urls = self._base_urls
        if time.monotonic() > until:
            known = self._call("GET", "apis", "apis.reply")["apis"]
            base_urls = {entry["name"]: entry.get("base_url") for entry in known}
            self._base_urls = (time.monotonic() + BASE_URL_CACHE_SECONDS, base_urls)
        return base_urls.get(name)

    def api_url(self, name: str) -> str:
        """Return the address of the proxy of the API ``name``; it ends with a slash."""
        return self.server.url + _api_path(name)

    def api_auth(self, name: str) -> ApiAuth:
        """Return the authentication object by which another library calls the API ``name``."""
        return ApiAuth(self.auth, self.api_url(name), (_api_auth, (name,)))

    def headers(self) -> RefreshingHeaders:
        """Return headers for a library that takes those instead of a client, after requesting a grant for them."""
        if self.server.socket is not None:
            warnings.warn(
                f"This Jupyter server listens on the Unix socket {self.server.socket} and nowhere else: another library "
                "gets there only if it can use a Unix socket, as httpx with HTTPTransport(uds=...) and curl with "
                "--unix-socket can. oidc.api() needs nothing.",
                OIDCWarning,
                stacklevel=3,
            )
        self._call("GET", "providers", "providers.reply")
        return RefreshingHeaders(self.auth, _headers)

    def _call(self, method: str, path: str, name: str, **options: Any) -> dict[str, Any]:
        try:
            request = self._client.build_request(method, path, **options)
            content = content_of(self._client.send(request, stream=True))
        except httpx.HTTPError as error:
            raise unreachable(error) from None
        return judge(name, content)


def is_waiting(progress: Mapping[str, Any]) -> bool:
    """Return whether a sign-in is under way; in a state that is not known here, until it has an error or no time left."""
    state = progress["state"]
    return bool(state == "waiting" or (state == OTHER and progress["error"] is None and progress["expires_in"] > 0))


def _api_path(name: str) -> str:
    return f"jupyter-oidc/api/{quote(name, safe='')}/"


def _flow_path(started: dict[str, Any]) -> str:
    return f"providers/{quote(started['provider'], safe='')}/sign-in/{quote(started['flow'], safe='')}"


@cache
def _server_connection(process: int) -> ServerConnection:
    """Return the connection of this process; a forked child gets its own (``process`` is its id)."""
    del process
    server = find_server()
    return ServerConnection(server, GrantAuth(server, find_kernel()))


def server_connection() -> ServerConnection:
    """Return the connection to the server; raises ``ServerNotFound`` or ``NotAKernel``."""
    return _server_connection(os.getpid())


# NOTE: a pickled client is the name of one of these functions; another process of the kernel calls it.


def _api_client(name: str, options: dict[str, Any]) -> OIDCClient:
    return server_connection().api_client(name, **options)


def _async_api_client(name: str, options: dict[str, Any]) -> AsyncOIDCClient:
    return server_connection().async_api_client(name, **options)


def _api_auth(name: str) -> ApiAuth:
    return server_connection().api_auth(name)


def _headers(others: dict[str, str]) -> RefreshingHeaders:
    headers = RefreshingHeaders(server_connection().auth, _headers)
    headers.update(others)
    return headers
