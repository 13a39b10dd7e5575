"""How a connection to our own server is made: which certificates it trusts, and past which proxies it goes.

Verification is never off.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpx

from jupyter_oidc.kernel.errors import ServerNotFound

if TYPE_CHECKING:
    from jupyter_oidc.kernel.find import Server

TIMEOUT: Final = httpx.Timeout(10.0, read=180.0, write=120.0, pool=None)
"""Seconds; a call that waits for a free connection of its own client waits as long as it takes."""


def connection_options(server: Server) -> dict[str, Any]:
    """Return what every client towards ``server`` has in common; raises ``ServerNotFound`` (certificate)."""
    return {
        "verify": trusted(server),
        "timeout": TIMEOUT,
        "follow_redirects": False,
        # NOTE: a corporate proxy in the environment must not see calls that never leave this machine.
        "trust_env": not server.is_local,
    }


@cache
def trusted(server: Server) -> ssl.SSLContext:
    """Trust what this machine trusts, and the certificate that the server itself shows; made once, it is slow."""
    context = ssl.create_default_context()
    if server.certificate is not None:
        try:
            context.load_verify_locations(cafile=server.certificate)
        except OSError:
            raise ServerNotFound(
                "The certificate of the Jupyter server cannot be read.",
                action="Check the certificate file of the server (c.ServerApp.certfile), and restart the kernel.",
            ) from None
    return context
