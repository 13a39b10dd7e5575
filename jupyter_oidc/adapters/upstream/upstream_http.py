"""Calls to the APIs over aiohttp: bodies are never decoded, buffered or re-encoded (DESIGN 7).

Each API has a connection pool of its own (C29); redirects are never followed; no cookie is kept or sent.
A host name that resolves into a private network is refused unless the API's settings allow it (C34).
An API behind a forward proxy, or with a client certificate, uses
:mod:`jupyter_oidc.adapters.upstream.forward_proxy_pool`.
aiohttp is imported at the first call, not with the extension.
"""

from __future__ import annotations

import asyncio
import errno
import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.network.forward_proxy import proxy_for
from jupyter_oidc.adapters.network.network_route import network_route_of
from jupyter_oidc.adapters.network.peer_certificate import PeerCertificates
from jupyter_oidc.adapters.network.public_address import must_be_public
from jupyter_oidc.adapters.network.tls import verifying_context
from jupyter_oidc.adapters.network.tls_problems import (
    certificate_untrusted,
    client_certificate_required,
    handshake_fault,
    rejects_client_certificate,
    tls_unavailable,
)
from jupyter_oidc.adapters.upstream.api_secrets import ApiSecrets
from jupyter_oidc.adapters.upstream.bodiless_replies import bodiless_aware_protocol
from jupyter_oidc.adapters.upstream.deadlines import Deadline, Deadlines
from jupyter_oidc.adapters.upstream.forward_proxy_pool import ForwardProxyPool
from jupyter_oidc.adapters.upstream.idle_timeout import IdleTimeout
from jupyter_oidc.adapters.upstream.limited_response import HandshakeRefused, limited_response
from jupyter_oidc.adapters.upstream.read_buffer import ReadBuffer
from jupyter_oidc.adapters.upstream.work_budget import (
    MAX_CHUNKS_PER_TURN,
    SMALL_PIECE_BYTES,
    budgeted_socket,
    limit_reads,
)
from jupyter_oidc.compat.aiohttp import handshake_of, has_buffered_data, limit_chunks, use_protocol
from jupyter_oidc.compat.event_loop import DEFAULT_READ_BYTES
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import (
    ConfigurationInvalid,
    RouteForbidden,
    TlsUntrusted,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from jupyter_oidc.proxy.ports import SocketRefused
from jupyter_oidc.secret_access import reveal, reveal_bytes

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable

    import aiohttp

    from jupyter_oidc.problems import Problem
    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import UpstreamCall
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.settings import Api

REPLY_BUFFER_BYTES: Final = DEFAULT_READ_BYTES
"""Bytes of a reply that wait in memory for a slow caller: twice as many at most, plus the last read.

``ReadBuffer`` makes room for more in a long reply.
"""

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds that an API has to read the rest of a WebSocket and to answer its close."""

MAX_HEADER_LINE_BYTES: Final = 32_768
"""Bytes of one line in the head of a reply."""

_CAUSES: Final = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "no_route",
    errno.ENETUNREACH: "no_route",
    errno.ETIMEDOUT: "timeout",
}
"""Words for the operating system's errors when it cannot open a connection."""

_SUPPRESSED_HEADERS: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""Headers that aiohttp would add; only the caller's own headers are sent."""


class HttpUpstreamReply:
    """Implements ``UpstreamReply``."""

    __slots__ = ("_hidden", "_idle_timeout_seconds", "_read_buffer", "_response", "status")

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        idle_timeout_seconds: float,
        hidden: tuple[Secret, ...],
        read_buffer: type[ReadBuffer],
    ) -> None:
        self.status = response.status
        self._read_buffer = read_buffer
        self._response = response
        self._hidden = hidden
        self._idle_timeout_seconds = idle_timeout_seconds

    @property
    def headers(self) -> Headers:
        """The headers as received, without any that holds the bearer token or another secret of ours (C25)."""
        return _headers_without_secrets(self._response.raw_headers, self._hidden)

    @property
    def waiting(self) -> bool:
        """Whether the next piece of the body has not arrived yet."""
        content = self._response.content
        return not has_buffered_data(content) and not content.is_eof()

    @property
    def ended(self) -> bool:
        """Whether the body has been read to its end."""
        return self._response.content.at_eof()

    def whole(self) -> bytes | None:
        """Take the raw body if all of it is there already: no iterator, no timer."""
        content = self._response.content
        return content.read_nowait() if content.is_eof() and content.exception() is None else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the raw body as it arrives."""
        import aiohttp

        content, connection = self._response.content, self._response.connection
        limit_chunks(content, MAX_CHUNKS_PER_TURN)
        read_buffer = self._read_buffer(connection.transport if connection else None, content)
        idle_timeout = IdleTimeout(self._idle_timeout_seconds, lambda: content.set_exception(asyncio.TimeoutError()))
        last = REPLY_BUFFER_BYTES
        try:
            while True:
                if self.waiting:
                    idle_timeout.start()
                    chunk = await content.readany()
                    idle_timeout.pause()
                else:
                    if last < SMALL_PIECE_BYTES:
                        await asyncio.sleep(0)  # many small chunks are there already: let other tasks run first
                    chunk = await content.readany()
                last = len(chunk)
                if not chunk:
                    return
                read_buffer.count(last)
                yield chunk
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            raise UpstreamUnreachable(
                N_("The API{api_name} broke off its answer."), detail="upstream.truncated"
            ) from None
        finally:
            idle_timeout.stop()
            read_buffer.reset()

    def drop(self) -> None:
        """Return the connection to the pool if the body was read to its end, and close it otherwise."""
        import aiohttp

        content = self._response.content
        if content.at_eof():
            self._response.release()
            return
        if content.exception() is None:
            # NOTE: aiohttp would raise one exception for all readers of closed replies; it is never forgotten, and
            # every raise adds the reader's frames to it, with the piece of the body that waits in them.
            content.set_exception(aiohttp.ClientConnectionError("dropped"))
        _abort(self._response)


class HttpUpstreamSocket:
    """Implements ``UpstreamSocket``."""

    status = 101

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[Any], hidden: tuple[Secret, ...]) -> None:
        self._socket = socket
        self._hidden = hidden
        connection = handshake_of(socket).connection
        self._transport = connection.transport if connection else None
        limit_reads(self._transport)

    @property
    def headers(self) -> Headers:
        """The headers of the handshake as received, without any that holds a secret of ours (C25)."""
        return _headers_without_secrets(handshake_of(self._socket).raw_headers, self._hidden)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the API chose."""
        return self._socket.protocol

    @property
    def close_code(self) -> int | None:
        """The close code of the API, or ``None`` if it has not closed."""
        return self._socket.close_code

    async def messages(self) -> AsyncIterator[str | bytes]:
        """Yield messages until the API closes."""
        import aiohttp

        async for message in self._socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                yield message.data

    async def send(self, message: str | bytes) -> None:
        """Send one message."""
        try:
            if isinstance(message, str):
                await self._socket.send_str(message)
            else:
                await self._socket.send_bytes(message)
        except (OSError, RuntimeError):
            raise UpstreamUnreachable(
                N_("The API{api_name} closed the connection."), detail="upstream.socket"
            ) from None

    async def close(self, code: int) -> None:
        """Close the WebSocket.

        The connection is aborted if the API does not read the close, does not answer, or sends on (C18, Q8.6).
        """
        try:
            await asyncio.wait_for(self._socket.close(code=code), CLOSE_TIMEOUT_SECONDS)
        except asyncio.TimeoutError:
            pass
        finally:
            if self._transport is not None and self._transport.get_write_buffer_size():
                self._transport.abort()  # a plain close would wait until the API has read the rest


class HttpUpstream:
    """Implements ``UpstreamPort``; a pool is made at the first call of its API, and again when its settings change."""

    def __init__(self, read_buffer: type[ReadBuffer] = ReadBuffer) -> None:
        self._read_buffer = read_buffer
        self._pools: dict[str, tuple[Api, aiohttp.ClientSession | ForwardProxyPool]] = {}
        self._replaced: list[aiohttp.ClientSession | ForwardProxyPool] = []
        self._peer_certificates = PeerCertificates()
        self._deadlines: dict[float, Deadlines] = {}
        self._secrets = ApiSecrets()

    async def open(self, call: UpstreamCall) -> HttpUpstreamReply:
        """Send ``call``; see ``UpstreamPort.open``."""
        headers, hidden = await self._headers(call)
        if call.length is not None:
            headers.append(("Content-Length", str(call.length)))
        response = await self._send(call.api, call.method, call.url, headers, call.body)
        if not _is_sound(response):
            _abort(response)
            raise UpstreamProtocolError
        return HttpUpstreamReply(response, call.api.timeout_idle, hidden, self._read_buffer)

    async def _headers(self, call: UpstreamCall) -> tuple[Headers, tuple[Secret, ...]]:
        """Return the headers of ``call`` with its credentials, and the secrets in them that no reply may show."""
        headers = [*call.headers, *_credentials(call)]
        if not call.api.headers:
            return headers, (call.bearer,)
        secrets = await self._secrets.of(call.api)
        headers += [(name, _header_value(name, secret)) for name, secret in secrets]
        return headers, (call.bearer, *(secret for _, secret in secrets))

    async def open_public(self, api: Api, url: str, headers: Headers) -> HttpUpstreamReply:
        """Send a GET to ``url`` by the network settings of ``api``, without a token; raises the errors of :meth:`open`."""
        response = await self._send(api, "GET", url, headers, None)
        if not _is_sound(response):
            _abort(response)
            raise UpstreamProtocolError
        return HttpUpstreamReply(response, api.timeout_idle, (), self._read_buffer)

    async def probe_api(self, api: Api) -> None:
        """Send ``HEAD`` to the address of ``api``, without a token; any answer will do.

        Raises the errors of :meth:`open`.
        """
        response = await self._send(api, "HEAD", api.base_url, [], None)
        _abort(response)

    async def _send(
        self, api: Api, method: str, url: str, headers: Headers, body: AsyncIterator[bytes] | None
    ) -> aiohttp.ClientResponse:
        from yarl import URL

        pool = self._pool(api)
        deadline = self._deadline(api.timeout_connect + api.timeout_header)
        try:
            return await pool.request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=None if body is None else _SingleUseBody(deadline.after(body)),
                allow_redirects=False,
            )
        except (Exception, asyncio.CancelledError) as error:
            problem = await self._problem(error, deadline, api, url)
            if problem is None:
                raise
            raise problem from None
        finally:
            deadline.stop()
            problem = None  # NOTE: its traceback holds this frame, and no cycle is left behind (ADR 17)

    async def open_socket(
        self, call: UpstreamCall, subprotocols: tuple[str, ...]
    ) -> HttpUpstreamSocket | SocketRefused:
        """Open a WebSocket; see ``UpstreamPort.open_socket``."""
        from yarl import URL

        pool = self._pool(call.api)
        headers, hidden = await self._headers(call)
        deadline = self._deadline(call.api.timeout_header)
        try:
            socket = await pool.ws_connect(
                URL(call.url, encoded=True),
                headers=headers,
                protocols=subprotocols,
                max_msg_size=call.api.max_message_bytes,
                compress=0,
            )
        except HandshakeRefused as refused:
            if not _is_status(refused.status):
                raise UpstreamProtocolError from None
            return SocketRefused(refused.status, _headers_without_secrets(refused.raw_headers, hidden))
        except (Exception, asyncio.CancelledError) as error:
            problem = await self._problem(error, deadline, call.api, call.url)
            if problem is None:
                raise
            raise problem from None
        finally:
            deadline.stop()
            problem = None  # NOTE: its traceback holds this frame, and no cycle is left behind (ADR 17)
        return HttpUpstreamSocket(socket, hidden)

    async def aclose(self) -> None:
        """Close the connection pools."""
        pools, self._pools = self._pools, {}
        for pool in (*(pool for _, pool in pools.values()), *self._replaced):
            await pool.close()
        self._replaced.clear()
        for deadlines in self._deadlines.values():
            deadlines.close()
        self._deadlines.clear()

    def _deadline(self, seconds: float) -> Deadline:
        deadlines = self._deadlines.get(seconds)
        if deadlines is None:
            deadlines = self._deadlines[seconds] = Deadlines(seconds)
        return deadlines.begin()

    async def _problem(self, error: BaseException, deadline: Deadline, api: Api, url: str) -> Problem | None:
        """Return the problem for the ``error`` that ended a call; ``None`` if the error itself is to be raised."""
        problem = UpstreamTimeout(detail="upstream.silent") if deadline.uncancel_if_expired() else problem_of(error)
        if isinstance(problem, TlsUntrusted):
            deadline.stop()
            problem = await self._untrusted(error, api, url)
        return problem

    async def _untrusted(self, error: BaseException, api: Api, url: str) -> TlsUntrusted:
        network_route = network_route_of(api)
        if (fault := handshake_fault(error)) is not None:
            return tls_unavailable(url, "API", fault)
        proxy = proxy_for(url, network_route, os.environ)
        public_only = must_be_public(url, api)
        if rejects_client_certificate(error):
            has_common_cipher = await self._peer_certificates.has_common_cipher(url, proxy, public_only=public_only)
            return (
                tls_unavailable(url, "API", "cipher")
                if has_common_cipher is False
                else client_certificate_required(network_route)
            )
        return certificate_untrusted(
            error, url, "API", await self._peer_certificates.issuer(url, proxy, public_only=public_only)
        )

    def _pool(self, api: Api) -> aiohttp.ClientSession | ForwardProxyPool:
        known = self._pools.get(api.name)
        if known is not None and known[0] is api:
            return known[1]
        if known is not None:
            self._replaced.append(known[1])  # calls that are on their way go on; idle connections close themselves
        pool = self._new_pool(api)
        self._pools[api.name] = (api, pool)
        return pool

    def _new_pool(self, api: Api) -> aiohttp.ClientSession | ForwardProxyPool:
        network_route = network_route_of(api)
        proxy = proxy_for(api.base_url, network_route, os.environ)
        if proxy is None and network_route.client_certificate is None:
            return _session(api, verifying_context(network_route))
        return ForwardProxyPool(network_route, proxy, lambda context, tracer: _session(api, context, tracer))


def _session(
    api: Api, context: ssl.SSLContext, trace_config: aiohttp.TraceConfig | None = None
) -> aiohttp.ClientSession:
    """Return a pool, traced by ``trace_config`` behind a proxy: there only the proxy's own name is resolved."""
    import aiohttp

    from jupyter_oidc.adapters.network.guarded_resolver import GuardedResolver

    connector = aiohttp.TCPConnector(
        limit=0,
        ssl=context,
        resolver=None if trace_config or api.allow_private_network else GuardedResolver(),
    )
    behind_proxy = trace_config is not None
    return plain_session(
        connector,
        connect_seconds=api.timeout_connect,
        pool_seconds=api.timeout_connect if behind_proxy else None,
        trace_configs=[trace_config] if trace_config else [],
    )


def plain_session(
    connector: aiohttp.BaseConnector,
    *,
    connect_seconds: float,
    pool_seconds: float | None = None,
    trace_configs: list[aiohttp.TraceConfig] | None = None,
) -> aiohttp.ClientSession:
    """Return a pool that sends the caller's headers only, keeps no cookie, and hands bodies on as they are.

    ``pool_seconds`` limits the whole way to a connection, ``connect_seconds`` the opening of one.
    """
    import aiohttp

    use_protocol(connector, bodiless_aware_protocol())
    return aiohttp.ClientSession(
        auto_decompress=False,
        skip_auto_headers=_SUPPRESSED_HEADERS,
        request_class=_plain_request(),
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, connect=pool_seconds, sock_connect=connect_seconds),
        read_bufsize=REPLY_BUFFER_BYTES,
        max_line_size=MAX_HEADER_LINE_BYTES,
        max_field_size=MAX_HEADER_LINE_BYTES,
        trust_env=False,
        response_class=limited_response(),
        ws_response_class=budgeted_socket(),
        trace_configs=trace_configs or [],
    )


@cache
def _plain_request() -> type[aiohttp.ClientRequest]:
    """Return the class of requests with the caller's headers only; aiohttp is imported at the first call."""
    import aiohttp
    from multidict import CIMultiDict

    never = CIMultiDict[None]((name, None) for name in _SUPPRESSED_HEADERS)

    class PlainRequest(aiohttp.ClientRequest):
        """Skips aiohttp's search for headers to add, which finds none for any of our requests."""

        def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
            """Add nothing."""
            del skip_auto_headers  # the session's list, which has the same effect
            self._skip_auto_headers = never

    return PlainRequest


class _SingleUseBody:
    """A body that cannot be sent again; some versions of aiohttp would repeat a PUT with the rest of it (C14)."""

    __slots__ = ("_begun", "_body")

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._begun = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._begun:
            raise UpstreamUnreachable(detail="upstream.answer")
        self._begun = True
        return self._body


def problem_of(error: BaseException) -> Problem | None:
    """Return the problem for ``error``; ``None`` if it is no fault of the API or the network route to it."""
    import aiohttp

    from jupyter_oidc.adapters.network.guarded_resolver import PrivateAddress

    if isinstance(error, aiohttp.ClientConnectorCertificateError) or rejects_client_certificate(error):
        return TlsUntrusted()
    if isinstance(error, aiohttp.ClientConnectorError) and handshake_fault(error) is not None:
        return TlsUntrusted()
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return UpstreamUnreachable(detail="upstream.timeout")
    if isinstance(error, asyncio.TimeoutError):
        return UpstreamTimeout(detail="upstream.silent")
    if isinstance(error, aiohttp.ClientConnectorError) and _caused_by(error, PrivateAddress):
        return RouteForbidden(
            N_("The host name of the API{api_name} leads into a private network."),
            action=N_("Ask your administrator to set allow_private_network for this API, if that is intended."),
            detail="upstream.private",
        )
    if isinstance(error, (aiohttp.ClientResponseError, aiohttp.ClientPayloadError, aiohttp.InvalidURL)):
        return UpstreamProtocolError()
    if isinstance(error, (aiohttp.ClientError, OSError)):
        return UpstreamUnreachable(detail=f"upstream.{_phase(error)}")
    if isinstance(error, ValueError):
        return UpstreamProtocolError()
    return None


def _abort(response: aiohttp.ClientResponse) -> None:
    """Close the connection at once; a plain close would wait until the API has read the rest of an upload (C18)."""
    transport = response.connection.transport if response.connection else None
    response.close()
    if transport is not None:
        transport.abort()


def _is_sound(response: aiohttp.ClientResponse) -> bool:
    """Return whether framing and status of ``response`` are unambiguous (C20; RFC 9112, 6.1; RFC 9110, 15)."""
    codings = response.headers.getall("Transfer-Encoding", ())
    chunked = not codings or (len(codings) == 1 and codings[0].strip().lower() == "chunked")
    return chunked and _is_status(response.status)


def _is_status(status: int) -> bool:
    """Return whether ``status`` is that of a final reply (RFC 9110, 15)."""
    return 200 <= status <= 599


def _phase(error: BaseException) -> str:
    """Return in a word how far the call came (C14), and why no further (Q5.10)."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "dns"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    if not isinstance(error, aiohttp.ClientConnectorError):
        return "answer"
    return _CAUSES.get(error.errno or 0, "connect")


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False


def _credentials(call: UpstreamCall) -> Headers:
    if call.proof is None:
        return [("Authorization", f"Bearer {reveal(call.bearer)}")]
    return [("Authorization", f"DPoP {reveal(call.bearer)}"), ("DPoP", reveal(call.proof))]


def _header_value(name: str, secret: Secret) -> str:
    value = reveal(secret)
    if not (value.isascii() and value.isprintable()):
        raise ConfigurationInvalid(
            sentence("The value of {name} is not one line of ASCII, which a header is.", name=name), detail="headers"
        )
    return value


def header_lines(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers in ``raw`` as text, a character for each byte (RFC 9112, 2.2)."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]


def _headers_without_secrets(raw: Iterable[tuple[bytes, bytes]], hidden: tuple[Secret, ...]) -> Headers:
    if not hidden:
        return header_lines(raw)
    token = reveal_bytes(hidden[0])
    readable = header_lines((name, value) for name, value in raw if token not in value)
    for secret in hidden[1:]:
        other = reveal(secret)
        readable = [(name, value) for name, value in readable if other not in value]
    return readable
