"""Connections to an API behind a forward proxy, or with a client certificate, over aiohttp; maps the proxy's faults.

A pool has the methods of the plain session that it replaces.
It is made at the first call, in a thread: its credentials may come from a keyring, which must not block the event loop.
Until the proxy has let a call through, one call tries it and the others wait for the result; a wrong password would
otherwise be tried as often as a page has widgets, and directories lock accounts (C35).
In the same way, one call finds out for all of them that a proxy is down or hangs.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_oidc.adapters.network.forward_proxy_problems import (
    CredentialsBackoff,
    proxy_failed,
    proxy_refused,
    proxy_unreachable,
)
from jupyter_oidc.adapters.network.tls import verifying_context
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    import aiohttp

    from jupyter_oidc.adapters.network.forward_proxy import ForwardProxy
    from jupyter_oidc.adapters.network.network_route import NetworkRoute
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.secret import Secret

_Response = TypeVar("_Response")


class _Call:
    """Records how far one call came: ``request_sent`` once the tunnel is open and the call itself goes out."""

    __slots__ = ("_lock", "request_sent")

    def __init__(self) -> None:
        self.request_sent = False
        self._lock: asyncio.Lock | None = None

    async def acquire(self, lock: asyncio.Lock) -> None:
        """Wait for ``lock``, and hold it."""
        await lock.acquire()
        self._lock = lock

    def release(self) -> None:
        """Release the lock, if this call holds it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()


_CALL: Final[ContextVar[_Call | None]] = ContextVar("jupyter_oidc_forward_proxy_call", default=None)


class ForwardProxyPool:
    """One API's session, made by ``make`` at the first call; it traces its calls if they go through ``proxy``."""

    def __init__(
        self,
        network_route: NetworkRoute,
        proxy: ForwardProxy | None,
        make: Callable[[ssl.SSLContext, aiohttp.TraceConfig | None], aiohttp.ClientSession],
    ) -> None:
        self._network_route = network_route
        self._proxy = proxy
        self._make = make
        self._init_lock = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._authorization: Secret | None = None
        self._authorization_is_read = False
        self._is_admitted = proxy is None
        self._lock = asyncio.Lock()
        self._failures = 0
        self._last_problem: Callable[[], Problem] | None = None
        self._backoff = CredentialsBackoff()

    async def request(self, method: str, url: Any, **parts: Any) -> aiohttp.ClientResponse:
        """Send a request, as a session does; raises a ``Problem`` for a fault of the proxy."""
        return await self._send(lambda session, options: session.request(method, url, **parts, **options))

    async def ws_connect(self, url: Any, **parts: Any) -> aiohttp.ClientWebSocketResponse[Any]:
        """Open a WebSocket, as a session does; raises a ``Problem`` for a fault of the proxy."""
        return await self._send(lambda session, options: session.ws_connect(url, **parts, **options))

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(self, send: Callable[[aiohttp.ClientSession, dict[str, Any]], Awaitable[_Response]]) -> _Response:
        call = _Call()
        failures = self._failures
        if not self._is_admitted:
            await call.acquire(self._lock)
        token = _CALL.set(call)
        try:
            if self._is_admitted:
                call.release()
            elif self._failures != failures and self._last_problem is not None:
                raise self._last_problem()  # NOTE: another call met it while this one waited
            if self._backoff.is_active():
                raise proxy_refused(407, "API")
            session, authorization = await self._ready()
            return await send(session, self._proxy_options(authorization))
        except Exception as error:
            problem = None if call.request_sent or self._proxy is None else self._problem_of(error)
            if problem is None:
                raise
            self._failures, self._last_problem = self._failures + 1, problem
            raise problem() from None
        finally:
            _CALL.reset(token)
            call.release()

    async def _ready(self) -> tuple[aiohttp.ClientSession, Secret | None]:
        async with self._init_lock:
            if self._session is None:
                context = await asyncio.to_thread(verifying_context, self._network_route)
                self._session = self._make(context, self._tracer() if self._proxy else None)
            if self._proxy is not None and not self._authorization_is_read:
                self._authorization = await asyncio.to_thread(self._proxy.authorization)
                self._authorization_is_read = True
            return self._session, self._authorization

    def _proxy_options(self, authorization: Secret | None) -> dict[str, Any]:
        if self._proxy is None:
            return {}
        options: dict[str, Any] = {"proxy": self._proxy.url}
        if authorization is not None:
            options["proxy_headers"] = {"Proxy-Authorization": reveal(authorization)}
        return options

    def _tracer(self) -> aiohttp.TraceConfig:
        import aiohttp

        async def on_request_sent(*_: object) -> None:
            call = _CALL.get()
            if call is not None:
                call.request_sent = self._is_admitted = True
                self._backoff.end()
                call.release()

        async def on_connection_start(*_: object) -> None:
            call = _CALL.get()
            if call is not None:
                call.request_sent = False  # NOTE: aiohttp begins again if a connection of the pool turns out to be dead

        tracer = aiohttp.TraceConfig()
        tracer.on_connection_create_start.append(on_connection_start)
        tracer.on_request_headers_sent.append(on_request_sent)
        return tracer

    def _problem_of(self, error: Exception) -> Callable[[], Problem] | None:
        """Return a function that makes the problem for ``error``; ``None`` if the proxy is not at fault."""
        import aiohttp

        if isinstance(error, aiohttp.ClientHttpProxyError):
            if error.status == 407:
                self._backoff.begin()
                self._is_admitted = self._authorization_is_read = False  # the next attempt reads the password anew
            return partial(proxy_refused, error.status, "API")
        if isinstance(error, (aiohttp.ClientSSLError, aiohttp.InvalidURL)):
            return None  # of the API's own certificate, at the other end of the tunnel
        if isinstance(error, (aiohttp.ClientProxyConnectionError, aiohttp.ClientConnectorDNSError)):
            return partial(proxy_unreachable, "API")
        if isinstance(error, (aiohttp.ClientError, OSError, asyncio.TimeoutError)):
            return partial(proxy_failed, "API")
        return None
