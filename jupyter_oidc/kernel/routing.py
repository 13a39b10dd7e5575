"""Routes a client's calls: to our own server by its own connections, to every other host as the environment says.

A call goes to another host if the caller follows a redirect, or names one. Such a host is reached as usual: through the
forward proxy that ``HTTPS_PROXY`` or ``HTTP_PROXY`` names, except for hosts in ``NO_PROXY``, and with the certificates
that this machine trusts. Neither our server's certificate nor our client certificate is used there.
Our server is never reached through a proxy that could read the grant, and this machine through no proxy at all.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from jupyter_oidc.kernel.connection_failure import ConnectionFailure, connection_failure
from jupyter_oidc.kernel.errors import OIDCError, ServerNotFound, UpstreamUnreachable
from jupyter_oidc.kernel.replies import unreachable
from jupyter_oidc.kernel.tls import async_direct_transport, direct_transport, goes_directly, trusted
from jupyter_oidc.language import N_, _, told

if TYPE_CHECKING:
    from jupyter_oidc.kernel.find import Server

CONNECTION_OPTIONS: Final = frozenset({"cert", "http1", "http2", "limits", "proxy", "trust_env", "verify"})
"""Options of httpx that say how connections are made."""

_OWN_OPTIONS: Final = ("cert", "http1", "http2", "limits", "verify")
_OTHER_HOST_OPTIONS: Final = ("http1", "http2", "limits", "proxy", "trust_env", "verify")
_PROXY_OPTIONS: Final = ("proxy", "trust_env")
_THIS_MACHINE: Final = ("all://localhost", "all://127.0.0.1", "all://[::1]")

CONNECT_ERRORS: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
"""The errors that httpx raises before a request has been sent."""


class RoutingTransport(httpx.BaseTransport):
    """Sends calls to ``server`` by ``own``, or as ``options`` say, and all others as the environment says."""

    def __init__(self, server: Server, options: dict[str, Any], own: httpx.BaseTransport | None = None) -> None:
        self._home = httpx.URL(server.url)
        self._own = own or _own(server, options)
        self._others = _ClientTransport(_picked(options, _OTHER_HOST_OPTIONS))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` the way that its host has."""
        transport = self._own if is_at(self._home, request.url) else self._others
        return transport.handle_request(request)

    def close(self) -> None:
        """Close both."""
        self._own.close()
        self._others.close()


class AsyncRoutingTransport(httpx.AsyncBaseTransport):
    """As ``RoutingTransport`` for an event loop."""

    def __init__(self, server: Server, options: dict[str, Any], own: httpx.AsyncBaseTransport | None = None) -> None:
        self._home = httpx.URL(server.url)
        self._own = own or _own_async(server, options)
        self._others = _AsyncClientTransport(_picked(options, _OTHER_HOST_OPTIONS))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` the way that its host has."""
        transport = self._own if is_at(self._home, request.url) else self._others
        try:
            return await transport.handle_async_request(request)
        except ssl.SSLError as error:  # NOTE: an alert after the handshake; httpx names it for other clients only
            raise httpx.ReadError(_("The other side ended TLS."), request=request) from error

    async def aclose(self) -> None:
        """Close both."""
        await self._own.aclose()
        await self._others.aclose()


def is_at(home: httpx.URL, url: httpx.URL) -> bool:
    """Whether ``url`` is at the same server as ``home``; compared in httpx's normal form."""
    return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)


def connect_error(home: httpx.URL, error: httpx.TransportError) -> OIDCError:
    """Return the exception for a call that did not reach its host, our server at ``home`` or another."""
    url = error.request.url
    proxy = _proxy_for(url)
    if is_at(home, url):
        if not isinstance(error, httpx.ProxyError):
            return unreachable(error)
        return ServerNotFound(
            _("The Jupyter server at {host} is not reached through the proxy at {proxy}.", host=url.host, proxy=proxy),
            action=told(_ASK_PROXY),
        )
    if proxy is not None:
        return UpstreamUnreachable(
            _(
                "The call was led to {host}, which is not reached through the proxy at {proxy}.",
                host=url.host,
                proxy=proxy,
            ),
            action=told(_ASK_PROXY),
        )
    return UpstreamUnreachable(
        _(
            "The call was led to {host}, which is not reached from this kernel: {reason}.",
            host=url.host,
            reason=told(_FAILURE_TEXTS[connection_failure(error)]),
        ),
        action=_(
            "Check the address. If this network has a proxy to the outside, name it in HTTPS_PROXY for the kernel."
        ),
    )


_ASK_PROXY: Final = N_(
    "Ask whether the proxy admits that host. HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the kernel say when it is used."
)

_FAILURE_TEXTS: Final[dict[ConnectionFailure, str]] = {
    "nobody listens": N_("nobody listens there"),
    "no such host": N_("its name is not known here"),
    "no TLS": N_("it does not speak HTTPS"),
    "wants a certificate": N_("it asks for a client certificate"),
    "refuses our certificate": N_("it asks for a client certificate"),
    "wrong name": N_("its certificate is for another name"),
    "unknown issuer": N_("the issuer of its certificate is not known here"),
    "out of date": N_("its certificate has expired, or is not valid yet"),
    "not trusted": N_("its certificate is not trusted here"),
    "silent": N_("it does not answer"),
}


def _proxy_for(url: httpx.URL) -> str | None:
    """Return host and port of the environment's proxy for ``url``, for a message; never its password."""
    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or proxy_bypass(url.host) or url.host in ("localhost", "127.0.0.1", "::1"):
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}").netloc.rpartition("@")[2]


def _picked(options: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}


def _own(server: Server, options: dict[str, Any]) -> httpx.BaseTransport:
    if goes_directly(server, proxy_is_named=options.get("proxy") is not None):
        return direct_transport(server, **_picked(options, _OWN_OPTIONS))
    return _ClientTransport({"verify": trusted(server), **_picked(options, (*_OWN_OPTIONS, *_PROXY_OPTIONS))})


def _own_async(server: Server, options: dict[str, Any]) -> httpx.AsyncBaseTransport:
    if goes_directly(server, proxy_is_named=options.get("proxy") is not None):
        return async_direct_transport(server, **_picked(options, _OWN_OPTIONS))
    return _AsyncClientTransport({"verify": trusted(server), **_picked(options, (*_OWN_OPTIONS, *_PROXY_OPTIONS))})


class _ClientTransport(httpx.BaseTransport):
    """Sends calls by a client of httpx, which finds the proxy; made at the first call, and again in a forked child."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._made: tuple[int, httpx.Client] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), httpx.Client(**self._options, mounts=dict.fromkeys(_THIS_MACHINE)))
        return self._made[1].send(request, stream=True, auth=None, follow_redirects=False)

    def close(self) -> None:
        if self._made is not None and self._made[0] == os.getpid():
            self._made[1].close()
        self._made = None


class _AsyncClientTransport(httpx.AsyncBaseTransport):
    """As ``_ClientTransport`` for the event loop in which it is used first."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._made: httpx.AsyncClient | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._made is None:
            self._made = httpx.AsyncClient(**self._options, mounts=dict.fromkeys(_THIS_MACHINE))
        return await self._made.send(request, stream=True, auth=None, follow_redirects=False)

    async def aclose(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            await made.aclose()
