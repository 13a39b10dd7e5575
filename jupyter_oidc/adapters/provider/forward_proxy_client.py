"""Sends calls to the provider over httpx, directly or through a forward proxy, and maps the proxy's faults to problems.

The same rules hold for an API in :mod:`jupyter_oidc.adapters.upstream.forward_proxy_pool`, which speaks aiohttp.
httpx is imported at the first call, not with the extension.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_oidc.adapters.network.forward_proxy import proxy_for
from jupyter_oidc.adapters.network.forward_proxy_problems import (
    CredentialsBackoff,
    proxy_failed,
    proxy_refused,
    proxy_unreachable,
)
from jupyter_oidc.adapters.network.tls import verifying_context
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from jupyter_oidc.adapters.network.forward_proxy import ForwardProxy
    from jupyter_oidc.adapters.network.network_route import NetworkRoute
    from jupyter_oidc.problems import Problem


class CallProgress:
    """Records how far one call came: to its proxy, if it has one, and out of the tunnel that the proxy opened."""

    __slots__ = ("passed_proxy", "proxy", "reached_proxy", "url")

    def __init__(self, url: str) -> None:
        self.url = url
        self.proxy: ForwardProxy | None = None
        self.reached_proxy = self.passed_proxy = False

    @property
    def is_at_proxy(self) -> bool:
        """Whether the call has not left its proxy towards the destination yet."""
        return self.proxy is not None and not self.passed_proxy

    @property
    def extensions(self) -> dict[str, Any]:
        """The request extensions by which httpx reports progress."""
        return {"trace": self._trace} if self.proxy else {}

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self.reached_proxy = True
        elif event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
            self.passed_proxy = True


class ForwardProxyClients:
    """Keeps a client for direct calls and one for each proxy; ``make`` returns a new one for a proxy or for none."""

    def __init__(
        self, network_route: NetworkRoute, make: Callable[[httpx.Proxy | None, ssl.SSLContext], httpx.AsyncClient]
    ) -> None:
        self._network_route = network_route
        self._make = make
        self._init_lock = asyncio.Lock()
        self._clients: dict[tuple[str, bool], httpx.AsyncClient] = {}
        self._contexts: dict[tuple[str, bool], Any] = {}
        self._replaced: list[httpx.AsyncClient] = []
        self._backoff = CredentialsBackoff()

    @contextmanager
    def tracked(self, progress: CallProgress, url: str) -> Iterator[ForwardProxy | None]:
        """Yield the proxy for ``url``; raises a ``Problem`` for its faults."""
        proxy = proxy_for(url, self._network_route, os.environ)
        progress.url, progress.proxy, progress.reached_proxy, progress.passed_proxy = url, proxy, False, False
        if proxy is None:
            yield None
            return
        if self._backoff.is_active():
            raise proxy_refused(407, self._network_route.peer)
        try:
            yield proxy
        except Exception as error:
            problem = self._problem_of(error, proxy, progress) if progress.is_at_proxy else None
            if problem is None:
                raise
            raise problem from None
        self._backoff.end()

    async def client_for(self, proxy: ForwardProxy | None, *, with_certificate: bool = True) -> httpx.AsyncClient:
        """Return the client whose calls go through ``proxy``.

        ``with_certificate``, it presents the client certificate, if there is one.
        """
        import httpx

        network_route = (
            self._network_route if with_certificate else replace(self._network_route, client_certificate=None)
        )
        key = (proxy.url if proxy else "", network_route.client_certificate is not None)
        async with self._init_lock:
            if key not in self._clients:
                through = None
                if proxy is not None:
                    authorization = await asyncio.to_thread(proxy.authorization)
                    headers = {"Proxy-Authorization": reveal(authorization)} if authorization else {}
                    through = httpx.Proxy(proxy.url, headers=headers)
                context = await asyncio.to_thread(verifying_context, network_route)
                self._clients[key] = self._make(through, context)
                self._contexts[key] = context
            return self._clients[key]

    @property
    def thumbprint(self) -> str | None:
        """The thumbprint of the client certificate that was presented.

        ``None`` for none, or if two routes presented two.
        """
        thumbprints = {
            context.thumbprint for (_, with_certificate), context in self._contexts.items() if with_certificate
        }
        return thumbprints.pop() if len(thumbprints) == 1 else None

    async def aclose(self) -> None:
        """Close the connections."""
        clients = [*self._clients.values(), *self._replaced]
        self._clients, self._replaced = {}, []
        for client in clients:
            await client.aclose()

    def _problem_of(self, error: BaseException, proxy: ForwardProxy, progress: CallProgress) -> Problem | None:
        """Return the problem for ``error`` before the call has left the proxy.

        ``None`` if the proxy is not at fault.
        """
        import httpx

        peer = self._network_route.peer
        if isinstance(error, httpx.ProxyError):
            found = re.match(r"\d{3}", str(error))
            status = int(found[0]) if found else 0
            if status == 407:
                self._backoff.begin()
                for key in [key for key in self._clients if key[0] == proxy.url]:
                    self._replaced.append(self._clients.pop(key))  # the next attempt reads the password anew
            return proxy_refused(status, peer) if status else proxy_failed(peer)
        if not isinstance(error, httpx.TransportError) or _is_tls(error):
            return None
        return proxy_failed(peer) if progress.reached_proxy else proxy_unreachable(peer)


def _is_tls(error: BaseException) -> bool:
    """Return whether TLS with the destination, inside the tunnel, failed."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
