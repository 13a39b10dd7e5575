"""The way to the APIs, until a test lets it break: what then happens instead is the test's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import SocketRefused, UpstreamCall, UpstreamReply, UpstreamSocket


class BreakingUpstream:
    """Calls real APIs; with ``instead``, every call is that function's."""

    def __init__(self) -> None:
        self._real = HttpUpstream()
        self.instead: Callable[[UpstreamCall], Awaitable[UpstreamReply]] | None = None

    async def open(self, call: UpstreamCall) -> UpstreamReply:
        if self.instead is not None:
            return await self.instead(call)
        return await self._real.open(call)

    async def open_socket(self, call: UpstreamCall, subprotocols: tuple[str, ...]) -> UpstreamSocket | SocketRefused:
        return await self._real.open_socket(call, subprotocols)

    async def aclose(self) -> None:
        await self._real.aclose()


class BrokenReply:
    """A reply whose body raises ``defect`` as soon as it is looked at."""

    status = 200
    waiting = False
    ended = False

    def __init__(self, defect: Exception) -> None:
        self.headers: Headers = []
        self._defect = defect

    def whole(self) -> bytes | None:
        raise self._defect

    async def chunks(self) -> AsyncIterator[bytes]:
        raise self._defect
        yield b""

    def drop(self) -> None:
        """There is nothing to close."""
