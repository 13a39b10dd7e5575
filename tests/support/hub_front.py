"""A reverse proxy like that of Binder and JupyterHub: only the paths below ``/user/NAME/`` are reachable.

It keeps the ``Host`` of the browser, adds ``X-Forwarded-*`` headers, and passes WebSockets on.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from tests.support.loop_thread import ServedInThread

if TYPE_CHECKING:
    from typing_extensions import Self

    from tests.support.certificate import Certificate

_USER_REDIRECT = "/hub/user-redirect/"
_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "content-length"}


class HubFront:
    """Context manager: passes paths below ``prefix`` to the server at ``port``; ``elsewhere`` notes the other paths.

    With a ``certificate`` it speaks HTTPS, and ``name`` is its host and port for a browser that was told where that is.
    Like the Hub it redirects requests for ``/hub/user-redirect/``, keeping the query.
    The headers that it ``drops`` are named in lower case.
    """

    def __init__(
        self,
        prefix: str,
        port: int,
        *,
        certificate: Certificate | None = None,
        name: str = "",
        drops: tuple[str, ...] = (),
    ) -> None:
        self.prefix = prefix
        self._scheme = "http" if certificate is None else "https"
        self._name = name
        self._drops = {*_HOP, *drops}
        self.elsewhere: list[str] = []
        self._port = port
        application = web.Application(client_max_size=1 << 28)
        application.router.add_route("*", "/{path:.*}", self._pass)
        application.cleanup_ctx.append(self._client_context)
        tls = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate.certfile, certificate.keyfile)
        self._server = ServedInThread(application, tls=tls)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.__exit__(*reason)

    def behind(self, port: int) -> None:
        """Let the server be at ``port``, which was not known before."""
        self._port = port

    @property
    def url(self) -> str:
        """The address of the user's server for the browser, ending with a slash."""
        return f"{self._scheme}://{self._name or f'localhost:{self.port}'}{self.prefix}"

    @property
    def port(self) -> int:
        """The loopback port where it listens."""
        return self._server.port

    async def _client_context(self, _: web.Application) -> Any:
        async with aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as self._client:
            yield

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(_USER_REDIRECT):
            raise web.HTTPFound(self._server_of(request))
        if not request.raw_path.startswith(self.prefix):
            if request.path != "/favicon.ico":  # which browsers ask for by themselves
                self.elsewhere.append(request.path)
            return web.Response(status=404)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in self._drops}
        headers |= {"X-Forwarded-Proto": self._scheme, "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": request.host}
        target = f"http://127.0.0.1:{self._port}{request.raw_path}"
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, target, headers)
        body = await request.read()
        try:
            reply = await self._client.request(
                request.method, target, headers=headers, data=body or None, allow_redirects=False
            )
        except aiohttp.ClientConnectorError:
            return web.Response(status=503)
        async with reply:
            answer = web.StreamResponse(status=reply.status)
            for name, value in reply.headers.items():
                if name.lower() not in _HOP:
                    answer.headers.add(name, value)
            await answer.prepare(request)
            async for piece in reply.content.iter_any():
                await answer.write(piece)
            return answer

    def _server_of(self, request: web.Request) -> str:
        """Return where the Hub sends a person's browser on to: the default server, or the one that ends the state."""
        named = request.query.get("state", "").partition(".")[2]
        default = "/".join(self.prefix.split("/")[:3])
        server = f"{default}/{named}/" if named else f"{default}/"
        return f"{server}{request.path.removeprefix(_USER_REDIRECT)}?{request.raw_path.partition('?')[2]}"

    async def _socket(self, request: web.Request, target: str, headers: dict[str, str]) -> web.StreamResponse:
        kept = {name: value for name, value in headers.items() if not name.lower().startswith("sec-websocket")}
        protocols = [one.strip() for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if one.strip()]
        async with self._client.ws_connect(target, headers=kept, protocols=protocols, max_msg_size=0) as inner:
            outer = web.WebSocketResponse(protocols=[inner.protocol] if inner.protocol else [], max_msg_size=0)
            await outer.prepare(request)
            await asyncio.wait(
                [asyncio.ensure_future(_pump(outer, inner)), asyncio.ensure_future(_pump(inner, outer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            await outer.close()
            return outer


async def _pump(source: Any, sink: Any) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
