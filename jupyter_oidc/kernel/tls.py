"""Configures connections to our own server: trusted certificates, the client certificate, and no proxy if unsafe.

Verification is never off.
"""

from __future__ import annotations

import os
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies

import httpx

from jupyter_oidc.kernel.errors import ServerNotFound
from jupyter_oidc.kernel.pinned import pinned
from jupyter_oidc.language import N_, _, told

if TYPE_CHECKING:
    from jupyter_oidc.kernel.find import Server

TIMEOUT: Final = httpx.Timeout(10.0, read=180.0, write=120.0, pool=None)
"""Seconds; the wait for a free connection of the pool has no limit."""

CLIENT_CERTIFICATE_VARIABLES: Final = (
    ("JUPYTER_OIDC_CLIENT_CERTIFICATE", "JUPYTER_OIDC_CLIENT_KEY"),
    ("JUPYTERHUB_SSL_CERTFILE", "JUPYTERHUB_SSL_KEYFILE"),
)
"""The variables for a client certificate, and its key if that is in another file; the first set one counts."""


def connection_options(server: Server) -> dict[str, Any]:
    """Return the httpx options of every client for ``server``; raises ``ServerNotFound`` (certificate)."""
    return {
        "verify": trusted(server),
        "timeout": TIMEOUT,
        "follow_redirects": False,
        "trust_env": not goes_directly(server),
    }


def goes_directly(server: Server, *, proxy_is_named: bool = False) -> bool:
    """Return whether calls to ``server`` must use no proxy, neither one of the environment nor a named one.

    A proxy must not see calls that never leave this machine, nor read the grant in unencrypted ones.
    """
    if server.is_local or not server.url.startswith("https:"):
        return True
    return not proxy_is_named and not getproxies()


def direct_transport(server: Server, **options: Any) -> httpx.HTTPTransport:
    """Return connections to ``server`` that go there directly; ``options`` are httpx's, about connections."""
    return httpx.HTTPTransport(**_transport_options(server, options))


def async_direct_transport(server: Server, **options: Any) -> httpx.AsyncHTTPTransport:
    """As ``direct_transport`` for an event loop."""
    return httpx.AsyncHTTPTransport(**_transport_options(server, options))


def _transport_options(server: Server, options: dict[str, Any]) -> dict[str, Any]:
    socket = {} if server.socket is None else {"uds": str(server.socket)}
    return {"verify": trusted(server), "trust_env": False, **socket, **options}


def client_to(server: Server) -> httpx.Client:
    """Return a plain client for ``server``."""
    mounted: dict[str, Any] = {} if server.socket is None else {"transport": direct_transport(server)}
    return httpx.Client(**connection_options(server), **mounted)


def async_client_to(server: Server) -> httpx.AsyncClient:
    """As ``client_to`` for an event loop."""
    mounted: dict[str, Any] = {} if server.socket is None else {"transport": async_direct_transport(server)}
    return httpx.AsyncClient(**connection_options(server), **mounted)


def trusted(server: Server) -> ssl.SSLContext:
    """Return a context that trusts only the announced certificate of the server; cached, because making one is slow.

    If only the address of the server is known, certificates that this machine trusts are accepted, too; none if it is
    an address without TLS.
    Raises ``ServerNotFound`` if a certificate, the server's or our own, cannot be used.
    """
    for certificate, key in CLIENT_CERTIFICATE_VARIABLES:
        if file := os.environ.get(certificate):
            return _trusted(
                server, (file, os.environ.get(key)), named=certificate == CLIENT_CERTIFICATE_VARIABLES[0][0]
            )
    return _trusted(server, None, named=False)


@cache
def _trusted(server: Server, shown: tuple[str, str | None] | None, *, named: bool) -> ssl.SSLContext:
    """Return the context; ``named``: the user names the client certificate ``shown``, so a fault in it is an error."""
    try:
        if server.certificate is not None and server.same_machine:
            context: ssl.SSLContext = pinned(server.certificate)
        elif server.certificate is None and not server.url.startswith("https:"):
            # NOTE: no TLS is spoken here; to load the certificates of the machine takes longer than most calls.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        else:
            context = ssl.create_default_context()
            if server.certificate is not None:
                context.load_verify_locations(cafile=server.certificate)
    except (OSError, ValueError):
        raise ServerNotFound(
            _("The certificate of the Jupyter server cannot be read."),
            action=_("Check the certificate file of the server (c.ServerApp.certfile), and restart the kernel."),
        ) from None
    if shown is None:
        if server.wants_certificate:
            raise ServerNotFound(told(NO_CERTIFICATE[0]), action=told(NO_CERTIFICATE[1]))
        return context
    try:
        # NOTE: without a password, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(*shown, password="")
    except (OSError, ValueError):
        if server.wants_certificate or named:
            raise ServerNotFound(told(UNREADABLE[0]), action=told(UNREADABLE[1])) from None
    return context


NO_CERTIFICATE: Final = (
    N_("The Jupyter server lets nobody in without a client certificate, and this process has none."),
    N_("Ask your administrator for one, and name it in JUPYTER_OIDC_CLIENT_CERTIFICATE (and JUPYTER_OIDC_CLIENT_KEY)."),
)
UNREADABLE: Final = (
    N_("The client certificate for the Jupyter server cannot be read."),
    N_("Check JUPYTER_OIDC_CLIENT_CERTIFICATE and JUPYTER_OIDC_CLIENT_KEY: PEM files, the key without a password."),
)
