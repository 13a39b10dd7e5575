"""Hands the requests of this server on to its broker, which holds the sessions and decides (``c.JupyterOIDC.broker``).

The server authenticates its callers as ever, and says who calls. What it hands on has no login of Jupyter's, and what
comes back has no token: there is none here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import TYPE_CHECKING, Final, Literal

from jupyter_oidc.adapters.broker.broker_client import IDLE_TIMEOUT_SECONDS, MAX_MESSAGE_BYTES
from jupyter_oidc.proxy.ports import SocketRefused
from jupyter_oidc.proxy.target import without_reserved
from jupyter_oidc.secret import Secret
from jupyter_oidc.web.forwarded import (
    DROPS,
    FORWARDED,
    PROBLEM,
    Forwarded,
    connection_free,
    headers_to_broker,
    problem_in,
)
from jupyter_oidc.web.proxy_request_parsing import API_PATH
from jupyter_oidc.web.reply import JSON, Cookie, Reply
from jupyter_oidc.web.request import body_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.adapters.broker.broker_client import BrokerAnswer, BrokerClient
    from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstreamReply, HttpUpstreamSocket
    from jupyter_oidc.background import Background
    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.request import ProxyRequest
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.server.handler import OidcHandler
    from jupyter_oidc.web.request import Request

CLOSE_SECONDS: Final = 2.0
"""Seconds for the end of the work under way when the server stops."""

_OF_A_REPLY: Final = frozenset({"content-length", "content-type", "set-cookie", DROPS.lower()})
"""Headers that are fields of a :class:`~jupyter_oidc.web.reply.Reply`, or written from them."""


class Broker:
    """The broker that ``client`` reaches; ``background`` owns the work that a request leaves behind."""

    def __init__(self, client: BrokerClient, background: Background) -> None:
        self._client = client
        self.background = background

    async def ask(self, request: Request, forwarded: Forwarded) -> Reply:
        """Return the reply to the request of a route; raises ``BrokerUnavailable`` and ``BodyTooLarge``."""
        # NOTE: no route has a parameter of this name, and Jupyter takes its own token there.
        query = without_reserved(request.query, lambda key, _: key == "token") if request.query else ""
        path = request.path.removeprefix(forwarded.base_url) + (f"?{query}" if query else "")
        lines = [(name, value) for name in request.headers for value in request.headers.get_all(name)]
        return _reply_of(await self._client.ask(request.method, path, _headers(lines, forwarded), body_of(request)))

    def gateway(self, forwarded: Forwarded) -> BrokerGateway:
        """Return the way of one proxied call."""
        return BrokerGateway(self._client, forwarded)

    async def aclose(self) -> None:
        """End the work under way, and close the connections."""
        for task in self.background:
            task.cancel()
        await self.background.settle(CLOSE_SECONDS)
        await self._client.aclose()


def hub_token(environment: Mapping[str, str]) -> Secret | None:
    """Return the token by which JupyterHub, and its services, know this server; ``None`` without a Hub."""
    token = environment.get("JUPYTERHUB_API_TOKEN", "")
    return Secret(token) if token else None


def forwarded_of(handler: OidcHandler, *, needs_page: bool) -> Forwarded:
    """Return what the broker is told about the request of ``handler``; ``needs_page`` if the answer may hold a form."""
    context, request = handler.context, handler.request
    caller, location = handler.caller(), context.browser_location
    return Forwarded(
        caller_kind=caller.kind,
        caller_name=caller.name,
        bears_token=caller.bears_token,
        base_url=str(handler.base_url),
        protocol=request.protocol,
        host=request.host,
        browser=handler.browser,
        public_url=location.hub_told,
        origin=location.origin,
        has_own_host=location.has_own_host,
        under_hub=context.under_hub,
        server_name=os.environ.get("JUPYTERHUB_SERVER_NAME", ""),
        has_logins=bool(handler.identity_provider.auth_enabled),
        sharing_mode=context.sharing_mode,
        xsrf_token=handler.xsrf_token.decode("ascii") if needs_page and caller.kind == "user" else "",
        request_id=handler.request_id,
        grant=handler.worker_text,
    )


def said_by_server(context: Context, request_id: str) -> Forwarded:
    """Return what the broker is told with a request that this server makes for itself."""
    return Forwarded.without_browser(
        "server",
        context.browser_location.base_url,
        request_id,
        caller_name="the Jupyter server",
        has_own_host=context.browser_location.has_own_host,
        under_hub=context.under_hub,
        server_name=os.environ.get("JUPYTERHUB_SERVER_NAME", ""),
        sharing_mode=context.sharing_mode,
    )


@dataclass(frozen=True, slots=True)
class NoUploadLimits:
    """The limits of an upload on its way through this server; the broker, which knows the API, has its own."""

    name: str
    max_request_bytes: int | None = None
    timeout_upload: float = IDLE_TIMEOUT_SECONDS
    timeout_idle: float = IDLE_TIMEOUT_SECONDS


class BrokerGateway:
    """Implements ``Gateway`` for one call that goes through the broker."""

    def __init__(self, client: BrokerClient, forwarded: Forwarded) -> None:
        self._client = client
        self._forwarded = forwarded

    def upload_limits(self, request: ProxyRequest) -> NoUploadLimits:
        """Return limits that nothing reaches."""
        return NoUploadLimits(request.api)

    async def open(self, request: ProxyRequest) -> BrokerReply:
        """Send the call; see :class:`~jupyter_oidc.server.handlers.proxied.Gateway`."""
        headers = _headers(request.headers, self._forwarded)
        reply = await self._client.open(request.method, _path(request), headers, request.body, request.length)
        _raise_refusal(reply.headers, reply.drop)
        return BrokerReply(reply)

    async def open_socket(self, request: ProxyRequest, subprotocols: tuple[str, ...]) -> BrokerSocket | SocketRefused:
        """Open a WebSocket; see :class:`~jupyter_oidc.server.handlers.proxied.Gateway`."""
        headers = _headers(request.headers, self._forwarded)
        opened = await self._client.open_socket(_path(request), _without_handshake(headers), subprotocols)
        if isinstance(opened, SocketRefused):
            _raise_refusal(opened.headers)
            return SocketRefused(opened.status, connection_free(_as_written(opened.headers)))
        return BrokerSocket(opened)


class BrokerReply:
    """The answer to a call; its session's end cuts the connection at the broker, and so here."""

    is_over = False

    def __init__(self, reply: HttpUpstreamReply) -> None:
        self.upstream = reply
        self.status = reply.status
        self.headers = connection_free(_as_written(reply.headers))
        self._is_closed = False

    def on_session_end(self, close_stream: Callable[[], None]) -> None:
        """Do nothing: the broker does it."""

    def close(self) -> None:
        """Release the connection; closing twice is no error."""
        if not self._is_closed:
            self._is_closed = True
            self.upstream.drop()


class BrokerSocket:
    """A WebSocket through the broker."""

    max_message_bytes = MAX_MESSAGE_BYTES

    def __init__(self, socket: HttpUpstreamSocket) -> None:
        self.upstream = socket
        lines = _without_handshake(connection_free(_as_written(socket.headers)))
        self.headers = [(name, value) for name, value in lines if name.lower() != "server"]  # aiohttp's own
        self._is_closed = False

    def on_session_end(self, close_stream: Callable[[], None]) -> None:
        """Do nothing: the broker does it."""

    async def close(self, code: int) -> None:
        """Close the broker's side; closing twice is no error."""
        if not self._is_closed:
            self._is_closed = True
            await self.upstream.close(code)


class NoRecord:
    """Stands for the record of a call, which the broker keeps."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.sent_bytes = 0

    def fail(self, status: int, problem: object, request_id: str = "") -> None:
        """Record nothing."""

    def write(self, status: int, outcome: str) -> None:
        """Record nothing."""


def _reply_of(answer: BrokerAnswer) -> Reply:
    """Return the answer of the broker as the reply that the function of the route has returned there."""
    lines = [(name, value) for name, value in connection_free(answer.headers) if name.lower() not in _OF_A_REPLY]
    cookies = SimpleCookie()
    for line in _values(answer.headers, "Set-Cookie"):
        cookies.load(line)
    return Reply(
        answer.status,
        tuple(lines),
        answer.body,
        next(iter(_values(answer.headers, "Content-Type")), JSON),
        answer.reason,
        tuple(_cookie(morsel) for morsel in cookies.values()),
        tuple(name.strip() for line in _values(answer.headers, DROPS) for name in line.split(",")),
    )


def _cookie(morsel: Morsel[str]) -> Cookie:
    lifetime = int(morsel["max-age"] or 0)
    same_site: Literal["Lax", "None"] = "None" if morsel["samesite"] == "None" else "Lax"
    return Cookie(morsel.key, morsel.value, morsel["path"], lifetime, bool(morsel["secure"]), same_site)


def _values(headers: Headers, name: str) -> list[str]:
    return [value for given, value in headers if given.lower() == name.lower()]


def _raise_refusal(headers: Headers, drop: Callable[[], None] = lambda: None) -> None:
    """Raise the broker's own refusal of a call, if ``headers`` tell one; an answer of the API has no such header."""
    told = _values(headers, PROBLEM)
    problem = problem_in(told[0]) if told else None
    if problem is not None:
        drop()
        raise problem


def _path(request: ProxyRequest) -> str:
    query = f"?{request.raw_query}" if request.raw_query else ""
    return f"{API_PATH}{request.api}/{request.raw_path}{query}"


def _headers(lines: Headers, forwarded: Forwarded) -> Headers:
    return [*headers_to_broker(lines), (FORWARDED, forwarded.text())]


def _as_written(lines: Headers) -> Headers:
    """Return ``lines`` as the broker had them: aiohttp writes headers in UTF-8, and they are read byte by byte."""
    return [(name, value.encode("latin-1").decode("utf-8", "replace")) for name, value in lines]


def _without_handshake(lines: Headers) -> Headers:
    """Return ``lines`` without those of one WebSocket connection (RFC 6455, 11.3)."""
    return [(name, value) for name, value in lines if not name.lower().startswith("sec-websocket-")]
