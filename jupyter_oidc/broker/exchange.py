"""One request to the broker, and how a reply of a route leaves it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_oidc.compat.aiohttp_server import OwnHeadersResponse
from jupyter_oidc.contract.version import CONTRACT_HEADER, CONTRACT_VERSION
from jupyter_oidc.language import of_header
from jupyter_oidc.web.forwarded import DROPS

if TYPE_CHECKING:
    from aiohttp import web

    from jupyter_oidc.broker.accounts import Account
    from jupyter_oidc.broker.forwarded_front import ForwardedFront
    from jupyter_oidc.web.forwarded import Forwarded
    from jupyter_oidc.web.reply import Reply


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose ``account`` is known, with what its server has ``told``, and the ``front``."""

    account: Account
    told: Forwarded
    front: ForwardedFront


class Exchange:
    """One ``request``; ``path`` and ``query`` are as its server wrote them, below the base URL of that server."""

    def __init__(self, request: web.BaseRequest) -> None:
        self.request = request
        self.path, _, self.query = request.raw_path.partition("?")
        self._began = asyncio.get_running_loop().time()

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

    async def send(self, reply: Reply) -> web.StreamResponse:
        """Send ``reply``; the server adds the headers of its own routes, but those that the reply drops."""
        response = OwnHeadersResponse(status=reply.status, reason=reply.reason)
        response.headers[CONTRACT_HEADER] = str(CONTRACT_VERSION)
        for name, value in reply.headers:
            response.headers[name] = value
        if reply.drops:
            response.headers[DROPS] = ", ".join(reply.drops)
        for cookie in reply.cookies:
            response.set_cookie(cookie.name, cookie.value, **cookie.attributes)
        response.headers["Content-Type"] = reply.media_type
        response.content_length = len(reply.body)
        await response.prepare(self.request)
        await response.write_eof(reply.body)
        return response
