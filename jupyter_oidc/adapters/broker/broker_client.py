"""Sends requests to a broker, over its Unix socket or to a service of JupyterHub; bodies are neither decoded nor collected.

A request that has not reached the broker is told from one whose answer was lost: only the first may be sent again.
No cookie is kept, no redirect is followed, no proxy is used, and aiohttp is imported at the first request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.network.tls import system_verifying_context
from jupyter_oidc.adapters.upstream.limited_response import HandshakeRefused
from jupyter_oidc.adapters.upstream.read_buffer import ReadBuffer
from jupyter_oidc.adapters.upstream.upstream_http import (
    HttpUpstreamReply,
    HttpUpstreamSocket,
    header_lines,
    plain_session,
)
from jupyter_oidc.contract.version import BROKER_HEADER
from jupyter_oidc.language import N_
from jupyter_oidc.problems import BrokerUnavailable, Problem, UpstreamUnreachable
from jupyter_oidc.proxy.ports import SocketRefused
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    import aiohttp

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.settings.broker import BrokerAddress

CONNECT_TIMEOUT_SECONDS: Final = 5.0
ANSWER_TIMEOUT_SECONDS: Final = 120.0
"""Seconds for the answer of a route: a page waits for a change for a minute at most."""

IDLE_TIMEOUT_SECONDS: Final = 86_400.0
"""Seconds without a byte of an API's answer; the broker, which knows the API's settings, gives up before."""

MAX_ANSWER_BYTES: Final = 16_777_216
"""Bytes of the answer of a route; the longest are lists of operations."""

MAX_MESSAGE_BYTES: Final = 1 << 30
"""Bytes of one WebSocket message; the broker, which knows the API's settings, limits it before."""

_RETRY_AFTER_SECONDS: Final = 2.0
_MARK: Final = BROKER_HEADER.lower().encode()
_NO_ROUTE: Final = (302, 404)
"""What the Hub's proxy answers that has no way to the broker."""

_SAFE: Final = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class BrokerAnswer:
    """The whole answer of a route."""

    status: int
    reason: str | None
    headers: Headers
    body: bytes


class BrokerClient:
    """Sends requests to the broker at ``address``; the path of each has no slash at its beginning.

    A service of JupyterHub knows the server by the Hub's ``token``.
    """

    def __init__(self, address: BrokerAddress, token: Secret | None = None) -> None:
        self._address = address
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, method: str, path: str, headers: Headers, body: bytes) -> BrokerAnswer:
        """Send a request and return the whole answer; raises as :meth:`open` does."""
        try:
            return await asyncio.wait_for(self._whole(method, path, headers, body), ANSWER_TIMEOUT_SECONDS)
        except asyncio.TimeoutError:
            raise _cut() from None

    async def open(
        self, method: str, path: str, headers: Headers, body: AsyncIterator[bytes] | None, length: int | None
    ) -> HttpUpstreamReply:
        """Send a request and return the head of the answer.

        Raises ``BrokerUnavailable`` if it has not reached the broker, and ``UpstreamUnreachable`` if the answer is lost.
        """
        if length is not None:
            headers = [*headers, ("Content-Length", str(length))]
        return HttpUpstreamReply(
            await self._response(method, path, headers, body), IDLE_TIMEOUT_SECONDS, (), ReadBuffer
        )

    async def open_socket(
        self, path: str, headers: Headers, subprotocols: tuple[str, ...]
    ) -> HttpUpstreamSocket | SocketRefused:
        """Open a WebSocket through the broker, or return the refusal; raises as :meth:`open` does."""
        import aiohttp

        try:
            socket = await self._pool().ws_connect(
                self._url(path),
                headers=self._known(headers),
                protocols=subprotocols,
                max_msg_size=MAX_MESSAGE_BYTES,
                compress=0,
            )
        except HandshakeRefused as refused:
            _require_broker(refused.status, refused.raw_headers, "GET")
            return SocketRefused(refused.status, header_lines(refused.raw_headers))
        except aiohttp.ClientConnectorError as error:
            raise _away(error) from None
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError):
            raise _cut() from None
        return HttpUpstreamSocket(socket, ())

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _whole(self, method: str, path: str, headers: Headers, body: bytes) -> BrokerAnswer:
        import aiohttp

        response = await self._response(method, path, headers, body or None)
        try:
            read = await response.content.read(MAX_ANSWER_BYTES)
            while len(read) < MAX_ANSWER_BYTES and (more := await response.content.read(MAX_ANSWER_BYTES)):
                read += more
            if not response.content.at_eof():
                raise _cut()
        except (aiohttp.ClientError, OSError):
            raise _cut() from None
        finally:
            response.close() if not response.content.at_eof() else response.release()
        return BrokerAnswer(response.status, response.reason, header_lines(response.raw_headers), read)

    async def _response(self, method: str, path: str, headers: Headers, body: Any) -> aiohttp.ClientResponse:
        import aiohttp

        try:
            response = await self._pool().request(
                method, self._url(path), headers=self._known(headers), data=body, allow_redirects=False
            )
        except aiohttp.ClientConnectorError as error:
            raise _away(error) from None
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError):
            raise _cut() from None
        try:
            _require_broker(response.status, response.raw_headers, method)
        except Problem:
            response.close()
            raise
        return response

    def _url(self, path: str) -> Any:
        from yarl import URL

        return URL(f"{self._address.url}{path}", encoded=True)

    def _known(self, headers: Headers) -> Headers:
        """Return ``headers`` with the token by which the broker knows this server."""
        token = self._token
        return headers if token is None else [*headers, ("Authorization", f"token {reveal(token)}")]

    def _pool(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            path = self._address.path
            connector = (
                aiohttp.UnixConnector(path, limit=0)
                if path is not None
                else aiohttp.TCPConnector(limit=0, ssl=system_verifying_context())
            )
            self._session = plain_session(connector, connect_seconds=CONNECT_TIMEOUT_SECONDS)
        return self._session


def _require_broker(status: int, headers: Iterable[tuple[bytes, bytes]], method: str) -> None:
    """Raise the problem of an answer that is not the broker's, but of a proxy before it."""
    if any(name.lower() == _MARK for name, _ in headers):
        return
    if status in _NO_ROUTE or method in _SAFE:
        raise BrokerUnavailable(detail="broker.proxy", retry_after=_RETRY_AFTER_SECONDS)
    raise _cut()


def _away(error: BaseException) -> BrokerUnavailable:
    import aiohttp

    if isinstance(error, aiohttp.ClientSSLError):
        return BrokerUnavailable(
            N_("The broker shows a certificate that this server does not trust."),
            action=N_(
                "Ask the administrator to add its authority to the system's store, or to name its file in SSL_CERT_FILE."
            ),
            detail="broker.tls",
            retry_after=_RETRY_AFTER_SECONDS,
        )
    return BrokerUnavailable(detail="broker.connect", retry_after=_RETRY_AFTER_SECONDS)


def _cut() -> UpstreamUnreachable:
    return UpstreamUnreachable(
        N_("The broker broke off before it had answered; what was asked for may be done."),
        action=N_("Look before you do it again. If it goes on, tell the administrator of this machine or Hub."),
        detail="broker.answer",
    )
