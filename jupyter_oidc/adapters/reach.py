"""Opens a connection to an API as the proxy would, and closes it: nothing is sent.

It answers the question whether this machine can reach the API, with the certificate checked and the address judged
(C34, H-1).
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.adapters.tls import verifying
from jupyter_oidc.errors import RouteForbidden, TlsUntrusted, UpstreamTimeout, UpstreamUnreachable

if TYPE_CHECKING:
    from jupyter_oidc.settings import Api

LONGEST: Final = 5.0
"""Seconds."""


async def reach(api: Api) -> None:
    """Open and close a connection to ``api``.

    Raises ``RouteForbidden`` for a private address that the settings do not allow, ``TlsUntrusted``,
    ``UpstreamUnreachable`` and ``UpstreamTimeout``.
    """
    parts = urlsplit(api.base_url)
    host = parts.hostname or ""
    context = verifying([api.ca_bundle] if api.ca_bundle else []) if parts.scheme == "https" else None
    try:
        await asyncio.wait_for(_connect(api, host, parts.port or (443 if context else 80), context), LONGEST)
    except asyncio.TimeoutError:
        raise UpstreamTimeout from None
    except ssl.SSLCertVerificationError:
        raise TlsUntrusted from None
    except OSError:  # NOTE: ssl.SSLError and socket.gaierror are OSErrors
        raise UpstreamUnreachable from None


async def _connect(api: Api, host: str, port: int, context: ssl.SSLContext | None) -> None:
    from jupyter_oidc.adapters.guarded_resolver import GuardedResolver, PrivateAddress

    address = host
    if not (api.allow_private_network or _is_literal(host)):
        resolver = GuardedResolver()
        try:
            address = (await resolver.resolve(host, port))[0]["host"]
        except PrivateAddress:
            raise RouteForbidden from None
        finally:
            await resolver.close()
    name = host if context else None
    _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
    writer.close()


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
