"""The two network routes under one interface: the provider's client and an API's raise the same errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_oidc.adapters.network.network_route import network_route_of
from jupyter_oidc.adapters.provider.provider_http import HttpProvider
from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstream
from jupyter_oidc.protocol.message import Call
from jupyter_oidc.proxy.ports import UpstreamCall
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Api, Provider
from tests.support.marker import MARKER

if TYPE_CHECKING:
    from typing_extensions import Self

TOKEN = MARKER + "bearer"


class NetworkRoutes(Protocol):
    """One network route; ``peer`` is its name in the error messages."""

    peer: str

    def __init__(self, **network: Any) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def status(self, url: str) -> int:
        """Call ``url`` with a token and return the status."""


class ToProvider:
    """Send calls to the provider, over httpx."""

    peer = "provider"

    def __init__(self, **network: Any) -> None:
        provider = replace(Provider("corp", "https://id.example.com", "jupyter"), **network)
        self._port = HttpProvider(timeout=1.5, network_route=network_route_of(provider))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._port.aclose()

    @property
    def thumbprint(self) -> str | None:
        return self._port.thumbprint

    async def status(self, url: str) -> int:
        return (await self._port.send(Call("GET", url, bearer=Secret(TOKEN)))).status


class ToApi:
    """Send calls to an API, over aiohttp."""

    peer = "API"

    def __init__(self, *, timeout: float = 1.5, **network: Any) -> None:
        self._network = {"timeout_connect": timeout, "timeout_header": 2 * timeout, **network}
        self._port = HttpUpstream()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._port.aclose()

    async def status(self, url: str) -> int:
        if not hasattr(self, "_api"):
            self._api = Api("orders", "corp", url, **self._network)
        reply = await self._port.open(UpstreamCall(self._api, "GET", url, [], Secret(TOKEN), None, None))
        reply.drop()
        return reply.status
