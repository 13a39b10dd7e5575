"""One request to the broker, and how a reply of a route leaves it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.compat.aiohttp_server import OwnHeadersResponse
from jupyter_oidc.contract.version import BROKER_HEADER, CONTRACT_HEADER, CONTRACT_VERSION
from jupyter_oidc.language import of_header
from jupyter_oidc.problems import ClientTooSlow
from jupyter_oidc.web.forwarded import DROPS
from jupyter_oidc.web.request import MAX_BODY_BYTES, Headers, Request

if TYPE_CHECKING:
    from aiohttp import web

    from jupyter_oidc.broker.accounts import Account
    from jupyter_oidc.web.front import Front
    from jupyter_oidc.web.reply import Reply
    from jupyter_oidc.web.request import Caller


BODY_TIMEOUT_SECONDS: Final = 10.0
"""Seconds for the body of a request to a route."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose ``account`` and ``caller`` are known; ``front`` answers what its route asks."""

    account: Account
    caller: Caller
    front: Front


class Exchange:
    """One ``request``; ``path`` and ``query`` are as its sender wrote them, ``path`` below the ``prefix`` of the broker.

    A request at another place has no path.
    """

    def __init__(self, request: web.BaseRequest, prefix: str = "/") -> None:
        self.request = request
        self.whole_path, _, self.query = request.raw_path.partition("?")
        below = self.whole_path.startswith(prefix)
        self.path = self.whole_path[len(prefix) - 1 :] if below else ""
        self._began = asyncio.get_running_loop().time()

    @property
    def whole_path_and_query(self) -> str:
        """The target of the request, as its sender wrote it."""
        return f"{self.whole_path}?{self.query}" if self.query else self.whole_path

    def as_request(
        self, caller: Caller, base_url: str = "/", arguments: tuple[str, ...] = (), body: bytes | None = b""
    ) -> Request:
        """Return the request as a route gets it, of a front at ``base_url``."""
        method, headers = self.request.method, Headers(self.request.headers.items())
        return Request(method, base_url + self.path[1:], caller, arguments, self.query, headers, body)

    async def body(self) -> bytes | None:
        """Return the body; ``None`` if there is more than a route reads. Raises ``ClientTooSlow``."""
        if not self.request.can_read_body:
            return b""
        if (self.request.content_length or 0) > MAX_BODY_BYTES:
            return None
        try:
            return await asyncio.wait_for(self._read(), BODY_TIMEOUT_SECONDS)
        except asyncio.TimeoutError:
            raise ClientTooSlow from None

    async def _read(self) -> bytes | None:
        read = bytearray()
        while piece := await self.request.content.readany():
            read += piece
            if len(read) > MAX_BODY_BYTES:
                return None
        return bytes(read)

    @property
    def language(self) -> str:
        """The language in which the caller wants to read."""
        return of_header(self.request.headers.get("Accept-Language", ""))

    @property
    def is_left(self) -> bool:
        """Whether the caller has closed the connection."""
        transport = self.request.transport
        return transport is None or transport.is_closing()

    def seconds(self) -> float:
        """Return the time since the request came in."""
        return asyncio.get_running_loop().time() - self._began

    async def send(self, reply: Reply, *, last: bool = False) -> web.StreamResponse:
        """Send ``reply``; the server adds the headers of its own routes, but those that the reply drops.

        With ``last`` the connection closes: a stranger keeps none.
        """
        response = OwnHeadersResponse(status=reply.status, reason=reply.reason)
        response.headers[CONTRACT_HEADER] = response.headers[BROKER_HEADER] = str(CONTRACT_VERSION)
        for name, value in reply.headers:
            response.headers[name] = value
        if reply.drops:
            response.headers[DROPS] = ", ".join(reply.drops)
        for cookie in reply.cookies:
            response.set_cookie(cookie.name, cookie.value, **cookie.attributes)
        response.headers["Content-Type"] = reply.media_type
        response.content_length = len(reply.body)
        if last:
            response.force_close()
        await response.prepare(self.request)
        await response.write_eof(reply.body)
        return response
