"""Calls to the APIs over aiohttp: bodies are never decoded, buffered or re-encoded (DESIGN 7).

One connection pool per API host; redirects are never followed; no cookie is kept or sent.
aiohttp is imported at the first call, not with the extension.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.tls import verifying
from jupyter_oidc.airlock import reveal
from jupyter_oidc.errors import TlsUntrusted, UpstreamProtocolError, UpstreamTimeout, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import UpstreamCall

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to connect."""

SILENCE: Final = 60.0
"""Seconds that an API may be silent: before the head of its reply, and between two pieces of the body (C15)."""

CONNECTIONS: Final = 100


@dataclass(frozen=True, slots=True)
class HttpUpstreamReply:
    """Implements ``UpstreamReply``."""

    response: aiohttp.ClientResponse

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status

    @property
    def headers(self) -> Headers:
        """The headers as received."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.response.raw_headers]

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the raw body as it arrives."""
        import aiohttp

        try:
            async for chunk in self.response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, asyncio.TimeoutError):
            raise UpstreamUnreachable("The API broke off its answer.", detail="upstream.truncated") from None
        finally:
            self.response.close() if not self.response.content.at_eof() else self.response.release()

    async def drop(self) -> None:
        """Close the connection."""
        self.response.close()


class HttpUpstream:
    """Implements ``UpstreamPort``; ``silence`` is the longest one, in seconds."""

    def __init__(self, ca_bundles: tuple[str, ...] = (), *, silence: float = SILENCE) -> None:
        self._ca_bundles = ca_bundles
        self._silence = silence
        self._session: aiohttp.ClientSession | None = None

    async def open(self, call: UpstreamCall) -> HttpUpstreamReply:
        """Send ``call``; see ``UpstreamPort.open``."""
        import aiohttp
        from yarl import URL

        session = self._ready_session()
        scheme = "Bearer" if call.proof is None else "DPoP"
        headers = [*call.headers, ("Authorization", f"{scheme} {reveal(call.bearer)}")]
        if call.proof is not None:
            headers.append(("DPoP", reveal(call.proof)))
        if call.length is not None:
            headers.append(("Content-Length", str(call.length)))
        try:
            response = await session.request(
                call.method,
                URL(call.url, encoded=True),
                headers=headers,
                data=call.body,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        except aiohttp.ClientConnectorCertificateError:
            raise TlsUntrusted("The API's certificate is not trusted on this machine.") from None
        except (aiohttp.ServerTimeoutError, asyncio.TimeoutError):
            raise UpstreamTimeout from None
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise UpstreamUnreachable from None
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError, ValueError):
            raise UpstreamProtocolError from None
        except aiohttp.ClientError:
            raise UpstreamUnreachable from None
        return HttpUpstreamReply(response)

    async def aclose(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _ready_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS, ssl=verifying(self._ca_bundles)),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=self._silence),
                trust_env=False,
            )
        return self._session
