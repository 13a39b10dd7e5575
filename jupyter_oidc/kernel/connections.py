"""The connections to our server, shared by all clients of a process: made once, used for every API.

A client that is closed leaves them open for the next one; those of an event loop end with its last client.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakSet

import httpx

from jupyter_oidc.kernel.routing import CONNECTION_OPTIONS, AsyncRoutingTransport, RoutingTransport
from jupyter_oidc.kernel.tls import async_direct_transport, direct_transport, goes_directly

if TYPE_CHECKING:
    from jupyter_oidc.kernel.find import Server

LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0)
"""Limits; an idle connection is kept for 30 seconds, since a user pauses between two cells."""

_OWN_CONNECTION_OPTIONS: Final = CONNECTION_OPTIONS | {"mounts", "transport"}
"""Options of httpx for which a client needs connections of its own."""


class Connections:
    """The pools of one process; ``options`` are those of a client that is about to be made."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pool: tuple[int, httpx.HTTPTransport | None] = (os.getpid(), None)
        self._pools = _PerLoopPools(server)

    def shared(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the option that lets a client use the shared connections, or none if it needs its own."""
        if not self._uses_shared_pool(options):
            return {}
        self.pool()  # NOTE: raises the error of a certificate when a client is made
        return {"transport": RoutingTransport(self._server, {}, own=_SharedTransport(self))}

    def pool(self) -> httpx.HTTPTransport:
        """Return the connections of this process; a forked child must not write to those of its parent."""
        # NOTE: two threads may make two pools; one of them serves one call only, which is harmless.
        process, pool = self._pool
        if pool is None or process != os.getpid():
            pool = direct_transport(self._server, limits=LIMITS)
            self._pool = (os.getpid(), pool)
        return pool

    def shared_async(self, options: dict[str, Any]) -> dict[str, Any]:
        """As ``shared`` for an asynchronous client."""
        if not self._uses_shared_pool(options):
            return {}
        return {"transport": AsyncRoutingTransport(self._server, {}, own=_SharedAsyncTransport(self._pools))}

    def _uses_shared_pool(self, options: dict[str, Any]) -> bool:
        # NOTE: httpx finds a forward proxy by itself, for each client.
        return _OWN_CONNECTION_OPTIONS.isdisjoint(options) and goes_directly(self._server)


class _SharedTransport(httpx.BaseTransport):
    """Sends one client's calls through the shared pool, which stays open when the client closes."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._connections.pool().handle_request(request)


class _SharedAsyncTransport(httpx.AsyncBaseTransport):
    """Sends one asynchronous client's calls through the pool of the loop in which it is used."""

    def __init__(self, pools: _PerLoopPools) -> None:
        self._pools = pools

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._pools.acquire(self).handle_async_request(request)

    async def aclose(self) -> None:
        await self._pools.release(self)


class _PerLoopPools:
    """A pool for each event loop, and its clients: connections cannot move from one loop to another."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[httpx.AsyncHTTPTransport, WeakSet[_SharedAsyncTransport]]
        ] = WeakKeyDictionary()

    def acquire(self, client: _SharedAsyncTransport) -> httpx.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            pool = async_direct_transport(self._server, limits=LIMITS)
            self._open[loop] = (pool, WeakSet())
        pool, users = self._open[loop]
        users.add(client)
        return pool

    async def release(self, client: _SharedAsyncTransport) -> None:
        loop = asyncio.get_running_loop()
        pool, users = self._open.get(loop, (None, WeakSet()))
        users.discard(client)
        if pool is not None and not users:
            del self._open[loop]
            await pool.aclose()
