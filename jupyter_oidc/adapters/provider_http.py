"""Calls to the provider over httpx, with verified TLS, deadlines and size limits (section H).

Secrets are opened here, in the moment in which bytes are built, and nowhere earlier.
httpx is imported at the first call, not with the extension.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus, urlencode, urljoin, urlsplit

from jupyter_oidc.airlock import reveal
from jupyter_oidc.errors import DiscoveryFailed, IdpUnavailable, TlsUntrusted
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    import httpx

    from jupyter_oidc.protocol.message import Call

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class _Silent(logging.Filter):
    """Keeps httpx and httpcore from writing URLs and headers to the log (D13)."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


class HttpProvider:
    """Implements ``ProviderPort`` for one provider.

    ``timeout`` bounds connecting and each read in seconds; a whole call takes at most twice as long.
    ``ca_bundle`` is the path of extra certificate authorities, on top of the operating system's.
    """

    def __init__(self, *, timeout: float, ca_bundle: str | None) -> None:
        self._timeout = timeout
        self._ca_bundle = ca_bundle
        self._client: httpx.AsyncClient | None = None

    async def send(self, call: Call) -> Reply:
        """Send ``call``; see ``ProviderPort.send``."""
        import httpx

        client = self._ready_client()
        try:
            return await asyncio.wait_for(self._follow(client, call), 2 * self._timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            if _is_untrusted(error):
                raise TlsUntrusted from None
            raise IdpUnavailable(detail="idp.unsent") from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, asyncio.TimeoutError):
            raise IdpUnavailable(detail="idp.unanswered") from None

    async def aclose(self) -> None:
        """Close the connection pool."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _follow(self, client: httpx.AsyncClient, call: Call) -> Reply:
        url = call.url
        for _ in range(call.max_redirects + 1):
            reply = await self._once(client, call, url)
            location = reply.headers.get("location")
            if not (300 <= reply.status < 400 and location and call.max_redirects):
                return reply
            url = _redirected(url, location)
        raise DiscoveryFailed("The provider redirects in circles.", detail="redirects")

    async def _once(self, client: httpx.AsyncClient, call: Call, url: str) -> Reply:
        content = _form(call)
        headers = _headers(call, has_body=content is not None)
        async with client.stream(call.method, url, content=content, headers=headers) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > call.max_bytes:
                    raise DiscoveryFailed("The provider's answer is larger than one megabyte.", detail="too_large")
            received = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, Secret(bytes(body)), received)

    def _ready_client(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx

            for name in ("httpx", "httpcore", "hpack"):
                logger = logging.getLogger(name)
                if not any(isinstance(present, _Silent) for present in logger.filters):
                    logger.addFilter(_Silent())
            for name in ("httpcore.connection", "httpcore.http11", "httpcore.proxy"):
                logging.getLogger(name).addFilter(_Silent())
            self._client = httpx.AsyncClient(
                verify=_tls(self._ca_bundle),
                timeout=self._timeout,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=20, max_keepalive_connections=5),
                headers={"User-Agent": "jupyter_oidc"},
            )
        return self._client


def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    """Trust the operating system's store, and ``ca_bundle`` on top; verification cannot be turned off (H-1)."""
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_bundle:
        context.load_verify_locations(cafile=ca_bundle)
    return context


def _form(call: Call) -> bytes | None:
    if call.method == "GET":
        return None
    fields = [(name, reveal(value) if isinstance(value, Secret) else value) for name, value in call.form]
    return urlencode(fields).encode("ascii")


def _headers(call: Call, *, has_body: bool) -> dict[str, str]:
    headers = {"Accept": call.accept}
    if has_body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if call.bearer is not None:
        headers["Authorization"] = f"Bearer {reveal(call.bearer)}"
    elif call.basic is not None:
        pair = f"{quote_plus(call.basic.client_id)}:{quote_plus(reveal(call.basic.client_secret))}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
    return headers


def _redirected(url: str, location: str) -> str:
    """Return where a redirect of metadata or keys leads; from https only to https (H-4)."""
    target = urljoin(url, location)
    parts = urlsplit(target)
    stays_local = urlsplit(url).hostname in _LOOPBACK and parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not stays_local:
        raise DiscoveryFailed("The provider redirects to an address that is not https.", detail="redirects")
    return target


def _is_untrusted(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
