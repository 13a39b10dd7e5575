"""The connections to an API behind an egress proxy, or with a client certificate: aiohttp, and the proxy's faults.

Stands where a plain session would stand, and answers to the same calls.
It is made at the first call, in a thread: what it needs may come from a keyring, which must not stop the event loop.
One call asks a proxy that has not let us through yet, and the others wait for what becomes of it; a wrong password
would otherwise be tried as often as a page has widgets, and directories lock accounts (C35).
A proxy that is down or hangs is found out once for all of them, too.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_oidc.adapters.forward_proxy_problems import Pause, absent, broken, refused
from jupyter_oidc.adapters.tls import verifying
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    import aiohttp

    from jupyter_oidc.adapters.forward_proxy import EgressProxy
    from jupyter_oidc.adapters.network_route import Outlet
    from jupyter_oidc.errors import Problem
    from jupyter_oidc.secret import Secret

_Answer = TypeVar("_Answer")


class _Call:
    """How far one call came: ``left`` once the tunnel stands and the call itself goes out."""

    __slots__ = ("_turn", "left")

    def __init__(self) -> None:
        self.left = False
        self._turn: asyncio.Lock | None = None

    async def wait_for(self, turn: asyncio.Lock) -> None:
        """Wait until it is this call's turn, and keep it."""
        await turn.acquire()
        self._turn = turn

    def pass_on(self) -> None:
        """Let the next call have its turn, if this one has it."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.release()


_CALL: Final[ContextVar[_Call | None]] = ContextVar("jupyter_oidc_egress_call", default=None)


class EgressPool:
    """``make`` returns a session with a context, which traces its calls if they go through ``proxy``."""

    def __init__(
        self,
        outlet: Outlet,
        proxy: EgressProxy | None,
        make: Callable[[ssl.SSLContext, aiohttp.TraceConfig | None], aiohttp.ClientSession],
    ) -> None:
        self._outlet = outlet
        self._proxy = proxy
        self._make = make
        self._making = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._authorization: Secret | None = None
        self._is_read = False
        self._knows_us = proxy is None
        self._turn = asyncio.Lock()
        self._asked = 0
        self._told: Callable[[], Problem] | None = None
        self._pause = Pause()

    async def request(self, method: str, url: Any, **parts: Any) -> aiohttp.ClientResponse:
        """Send a request, as a session does; raises a ``Problem`` for a fault of the proxy."""
        return await self._send(lambda session, way: session.request(method, url, **parts, **way))

    async def ws_connect(self, url: Any, **parts: Any) -> aiohttp.ClientWebSocketResponse[Any]:
        """Open a WebSocket, as a session does; raises a ``Problem`` for a fault of the proxy."""
        return await self._send(lambda session, way: session.ws_connect(url, **parts, **way))

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(self, send: Callable[[aiohttp.ClientSession, dict[str, Any]], Awaitable[_Answer]]) -> _Answer:
        call = _Call()
        asked = self._asked
        if not self._knows_us:
            await call.wait_for(self._turn)
        token = _CALL.set(call)
        try:
            if self._knows_us:
                call.pass_on()
            elif self._asked != asked and self._told is not None:
                raise self._told()  # NOTE: what came of it was found out while this call waited
            if self._pause.holds():
                raise refused(407, "API")
            session, authorization = await self._ready()
            return await send(session, self._way_through(authorization))
        except Exception as error:
            told = None if call.left or self._proxy is None else self._told_by(error)
            if told is None:
                raise
            self._asked, self._told = self._asked + 1, told
            raise told() from None
        finally:
            _CALL.reset(token)
            call.pass_on()

    async def _ready(self) -> tuple[aiohttp.ClientSession, Secret | None]:
        async with self._making:
            if self._session is None:
                context = await asyncio.to_thread(verifying, self._outlet)
                self._session = self._make(context, self._tracer() if self._proxy else None)
            if self._proxy is not None and not self._is_read:
                self._authorization = await asyncio.to_thread(self._proxy.authorization)
                self._is_read = True
            return self._session, self._authorization

    def _way_through(self, authorization: Secret | None) -> dict[str, Any]:
        if self._proxy is None:
            return {}
        way: dict[str, Any] = {"proxy": self._proxy.url}
        if authorization is not None:
            way["proxy_headers"] = {"Proxy-Authorization": reveal(authorization)}
        return way

    def _tracer(self) -> aiohttp.TraceConfig:
        import aiohttp

        async def leaves(*_: object) -> None:
            call = _CALL.get()
            if call is not None:
                call.left = self._knows_us = True
                self._pause.end()
                call.pass_on()

        async def begins(*_: object) -> None:
            call = _CALL.get()
            if call is not None:
                call.left = False  # NOTE: aiohttp begins anew where a connection of the pool turns out to be dead

        tracer = aiohttp.TraceConfig()
        tracer.on_connection_create_start.append(begins)
        tracer.on_request_headers_sent.append(leaves)
        return tracer

    def _told_by(self, error: Exception) -> Callable[[], Problem] | None:
        """Return what ``error`` means before the call has left; ``None`` if it is not the proxy's fault."""
        import aiohttp

        if isinstance(error, aiohttp.ClientHttpProxyError):
            if error.status == 407:
                self._pause.begin()
                self._knows_us = self._is_read = False  # the next attempt reads the password anew
            return partial(refused, error.status, "API")
        if isinstance(error, (aiohttp.ClientSSLError, aiohttp.InvalidURL)):
            return None  # of the API's own certificate, at the other end of the tunnel
        if isinstance(error, (aiohttp.ClientProxyConnectionError, aiohttp.ClientConnectorDNSError)):
            return partial(absent, "API")
        if isinstance(error, (aiohttp.ClientError, OSError, asyncio.TimeoutError)):
            return partial(broken, "API")
        return None
