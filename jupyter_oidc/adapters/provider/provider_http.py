"""Calls to the provider over httpx, with verified TLS, deadlines and size limits (section H).

This module opens secrets only when it builds the bytes of a request.
httpx is imported at the first call, not with the extension.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus, urlencode, urljoin, urlsplit

from jupyter_oidc.adapters.network.forward_proxy_problems import proxy_failed
from jupyter_oidc.adapters.network.peer_certificate import PeerCertificates
from jupyter_oidc.adapters.network.tls_problems import (
    certificate_untrusted,
    client_certificate_required,
    handshake_fault,
    rejects_client_certificate,
    tls_unavailable,
    verification_error,
)
from jupyter_oidc.adapters.provider.forward_proxy_client import CallProgress, ForwardProxyClients
from jupyter_oidc.adapters.telemetry.named_log import PROTOCOL
from jupyter_oidc.language import N_
from jupyter_oidc.problems import DiscoveryFailed, IdpUnavailable, Problem
from jupyter_oidc.protocol.message import Reply, written
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS

if TYPE_CHECKING:
    import ssl

    import httpx

    from jupyter_oidc.adapters.network.network_route import NetworkRoute
    from jupyter_oidc.protocol.message import Call


CONNECTIONS: Final = 20
"""Connections to one provider."""

_VERBOSE_LOGGERS: Final = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "hpack",
)
"""Loggers that write URLs and headers; a filter on one does not apply to its children."""


class _WarningsOnly(logging.Filter):
    """Keeps httpx and httpcore from writing URLs and headers to the log (D13)."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


class HttpProvider:
    """Implements ``ProviderPort`` for one provider.

    ``timeout`` bounds connecting and each read in seconds; a whole call takes at most twice as long.
    ``network_route`` holds the trusted authorities and the proxy; cookies are neither kept nor sent.
    """

    def __init__(self, *, timeout: float, network_route: NetworkRoute, connections: int = CONNECTIONS) -> None:
        self._connections = connections
        self._timeout = timeout
        self._network_route = network_route
        self._clients = ForwardProxyClients(network_route, self._new_client)
        self._peer_certificates = PeerCertificates()

    async def send(self, call: Call) -> Reply:
        """Send ``call``; see ``ProviderPort.send``. Leaves a line at DEBUG: endpoint, host, status, milliseconds."""
        if not PROTOCOL.isEnabledFor(logging.DEBUG):
            return await self._send(call)
        now, outcome = asyncio.get_running_loop().time, "given up"
        started_at = now()
        try:
            reply = await self._send(call)
            outcome = str(reply.status)
        except Problem as problem:
            outcome = f"{problem.code} ({problem.detail})"
            raise
        else:
            return reply
        finally:
            PROTOCOL.debug(
                "jupyter_oidc: provider call: %s at %s: %s in %.0fms",
                call.endpoint,
                urlsplit(call.url).hostname,
                outcome,
                1000 * (now() - started_at),
            )

    async def _send(self, call: Call) -> Reply:
        import httpx

        progress = CallProgress(call.url)
        try:
            return await asyncio.wait_for(self._send_following_redirects(call, progress), 2 * self._timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            if verification_error(error):
                issuer = await self._peer_certificates.issuer(progress.url, progress.proxy, public_only=False)
                raise certificate_untrusted(error, progress.url, self._network_route.peer, issuer) from None
            if (fault := handshake_fault(error)) is not None:
                raise tls_unavailable(progress.url, self._network_route.peer, fault) from None
            if rejects_client_certificate(error):
                if (
                    await self._peer_certificates.has_common_cipher(progress.url, progress.proxy, public_only=False)
                    is False
                ):
                    raise tls_unavailable(progress.url, self._network_route.peer, "cipher") from None
                raise client_certificate_required(self._network_route) from None
            raise IdpUnavailable(detail="idp.unsent") from None
        except (
            httpx.HTTPError,
            httpx.StreamError,
            httpx.InvalidURL,
            OSError,
            asyncio.TimeoutError,
            ValueError,
        ) as error:
            if rejects_client_certificate(error):
                raise client_certificate_required(self._network_route) from None
            if progress.is_at_proxy:
                raise proxy_failed(self._network_route.peer) from None
            # NOTE: a server's alert is an OSError (ssl.SSLError), and a Location header that is no URL can raise
            # ValueError even if it is not followed
            raise IdpUnavailable(detail="idp.unanswered") from None

    @property
    def thumbprint(self) -> str | None:
        """The thumbprint (``x5t#S256``) of the client certificate that calls have presented to the provider."""
        return self._clients.thumbprint

    async def aclose(self) -> None:
        """Close the connection pools."""
        await self._clients.aclose()

    async def _send_following_redirects(self, call: Call, progress: CallProgress) -> Reply:
        url = call.url
        for _ in range(call.max_redirects + 1):
            reply = await self._send_once(call, url, progress)
            location = reply.headers.get("location")
            if not (300 <= reply.status < 400 and location and call.max_redirects):
                return reply
            url = _redirected(url, location)
        raise DiscoveryFailed(N_("The provider redirects in circles."), detail="redirects")

    async def _send_once(self, call: Call, url: str, progress: CallProgress) -> Reply:
        content = _content(call)
        headers = _headers(call, has_body=content is not None)
        with self._clients.tracked(progress, url) as proxy:
            # NOTE: the client certificate is for the address that was called, and not for a redirect's target.
            client = await self._clients.client_for(proxy, with_certificate=_origin(url) == _origin(call.url))
            async with client.stream(
                call.method, url, content=content, headers=headers, extensions=progress.extensions
            ) as response:
                body = await _body_of(response, call.max_bytes)
                received = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, Secret(body), received)

    def _new_client(self, proxy: httpx.Proxy | None, context: ssl.SSLContext) -> httpx.AsyncClient:
        import httpx

        _silence_loggers()
        return httpx.AsyncClient(
            verify=context,
            timeout=self._timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=self._connections, max_keepalive_connections=5),
            headers={"User-Agent": "jupyter_oidc", "Accept-Encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            proxy=proxy,
            trust_env=False,
        )


async def _body_of(response: httpx.Response, limit: int) -> bytes:
    """Return the whole body; a compressed one is unpacked up to ``limit`` bytes and no further (A20, H-2)."""
    received = bytearray()
    async for chunk in response.aiter_raw():
        received += chunk
        if len(received) > limit:
            raise _too_large()
    packed = response.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip")
    return _decompress(received, limit) if packed and received else bytes(received)


def _decompress(packed: bytes | bytearray, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)  # NOTE: 31 is gzip with its header and checksum
    try:
        body = unpacker.decompress(packed, limit + 1)
    except zlib.error:
        raise IdpUnavailable(detail="idp.unanswered") from None
    if len(body) > limit:
        raise _too_large()
    if not unpacker.eof:
        raise IdpUnavailable(detail="idp.unanswered")
    return body


def _too_large() -> DiscoveryFailed:
    return DiscoveryFailed(N_("The provider's answer is larger than one megabyte."), detail="too_large")


def _silence_loggers() -> None:
    for name in _VERBOSE_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(present, _WarningsOnly) for present in logger.filters):
            logger.addFilter(_WarningsOnly())


def _content(call: Call) -> bytes | None:
    if call.method == "GET":
        return None
    if call.json_body is not None:
        return call.json_body.encode()
    return urlencode([(name, written(value)) for name, value in call.form]).encode("ascii")


def _headers(call: Call, *, has_body: bool) -> dict[str, str]:
    headers = {"Accept": call.accept}
    if has_body:
        kind = "application/json" if call.json_body is not None else "application/x-www-form-urlencoded"
        headers["Content-Type"] = kind
    if call.proof is not None:
        headers["DPoP"] = reveal(call.proof)
    if call.bearer is not None:
        headers["Authorization"] = f"{'Bearer' if call.proof is None else 'DPoP'} {reveal(call.bearer)}"
    elif call.basic is not None:
        pair = f"{quote_plus(call.basic.client_id)}:{quote_plus(reveal(call.basic.client_secret))}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
    return headers


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _redirected(url: str, location: str) -> str:
    """Return where a redirect of metadata or keys leads; from https only to https (H-4)."""
    target = urljoin(url, location)
    parts = urlsplit(target)
    stays_local = (
        parts.scheme == "http" and urlsplit(url).hostname in LOOPBACK_HOSTS and parts.hostname in LOOPBACK_HOSTS
    )
    if parts.scheme != "https" and not stays_local:
        raise DiscoveryFailed(N_("The provider redirects to an address that is not https."), detail="redirects")
    return target
