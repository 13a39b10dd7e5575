"""A request for an API: passes it on through the proxy, and its answer back through the relays of every front."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from jupyter_oidc.broker.received_body import ReceivedBody
from jupyter_oidc.broker.relay_clients import CLOSE_TIMEOUT_SECONDS, ResponseClient, SocketClient, watch_nothing
from jupyter_oidc.compat.aiohttp_server import OwnHeadersResponse
from jupyter_oidc.contract.version import BROKER_HEADER, CONTRACT_VERSION
from jupyter_oidc.facts import facts
from jupyter_oidc.language import speaking
from jupyter_oidc.problems import BadPath, Forbidden
from jupyter_oidc.proxy.ports import SocketRefused
from jupyter_oidc.sessions.delegation import SOCKET
from jupyter_oidc.web.call_record import CallRecord
from jupyter_oidc.web.forwarded import FORWARDED, PROBLEM, problem_text
from jupyter_oidc.web.problems import error_reply
from jupyter_oidc.web.proxy_request_parsing import API_PATH, proxy_request
from jupyter_oidc.web.relay import CLIENT_ABORT, REFUSED, UNSENT_STATUS, Relay
from jupyter_oidc.web.socket_relay import GOING_AWAY_CODE, SocketRelay, check_handshake, subprotocols_in
from jupyter_oidc.web.upload_limits import too_large

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from jupyter_oidc.broker.exchange import Admitted, Exchange
    from jupyter_oidc.broker.relay_clients import WatchCaller
    from jupyter_oidc.facts import Fact
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import Caller
    from jupyter_oidc.proxy.request import Person, ProxyRequest
    from jupyter_oidc.proxy.service import Answer
    from jupyter_oidc.sessions.delegation import WorkerGrant
    from jupyter_oidc.settings import Api
    from jupyter_oidc.web.forwarded import Forwarded

PREFIX: Final = f"/{API_PATH}"
"""The path above the APIs, as a broker receives it."""

MAX_ESCAPES: Final = 1_024
"""Escapes in a path: to judge it takes the longer the more there are, and all accounts wait meanwhile."""

_SHORT_CHARACTERS: Final = 256
"""Characters of a path that is judged at once; those of a longer one of the same account take turns."""

_OF_THE_SERVER: Final = (FORWARDED.lower(), "authorization")
"""Headers with which the Jupyter server speaks to the broker."""

_OF_A_BODY: Final = ("content-length", "content-encoding", "content-type")


class ProxiedCall:
    """One call of an API; ``told`` is what its server says about it.

    Of a ``worker`` it is what that says, and ``watch_caller`` calls a function when the worker may call no more.
    """

    def __init__(
        self,
        exchange: Exchange,
        admitted: Admitted,
        told: Forwarded,
        worker: WorkerGrant | None = None,
        watch_caller: WatchCaller = watch_nothing,
    ) -> None:
        self._worker = worker
        self._watch_caller = watch_caller
        self._exchange = exchange
        self._services = admitted.account.services
        self._told = told
        self._front = admitted.front
        self._turn = admitted.account.turn
        self._record: CallRecord | None = None
        self._client: ResponseClient | None = None

    async def answer(self) -> web.StreamResponse:
        """Make the call and pass the answer on; raises a ``Problem`` if there is none."""
        if len(self._exchange.path) > _SHORT_CHARACTERS:
            async with self._turn:
                await asyncio.sleep(0)  # NOTE: so one of them is judged in each turn of the event loop
        asked, is_socket = self._asked(), self._exchange.request.headers.get("Upgrade", "").lower() == "websocket"
        method = SOCKET if is_socket else asked.method
        find, worker = self._services.proxy.route, self._worker
        route = find(asked.api) if worker is None else worker.find(find, asked.api, method)
        self._record = record = self._new_record(asked.api, asked.person)
        if worker is not None:
            worker.check_provider(asked.api, route.api.provider, method)
            asked = asked._replace(grant=worker.id)
        if is_socket:
            try:
                return await self._joined(asked, record)
            except asyncio.CancelledError:
                if self._record is not None:
                    record.write(UNSENT_STATUS, CLIENT_ABORT)
                raise
        relay, self._client = Relay(record), ResponseClient(self._exchange.request, self._watch_caller)
        relay.opening = asyncio.current_task()
        try:
            await relay.run(self._client, self._opened(asked))
        except asyncio.CancelledError:
            if not relay.owns_record:
                record.write(UNSENT_STATUS, CLIENT_ABORT)
            raise
        return self._client.response or web.Response(status=500)

    async def refused(self, problem: Problem | None, shown: Problem | None) -> web.StreamResponse:
        """Send ``shown``, and record the call; ``problem`` is for the log, and ``None`` for a defect."""
        exchange, request_id = self._exchange, self._told.request_id
        begun = None if self._client is None else self._client.response
        if begun is not None and begun.prepared:  # NOTE: the head has left, so no other answer is possible
            if exchange.request.transport is not None:
                exchange.request.transport.abort()
            return begun
        with speaking(exchange.language):
            accept = exchange.request.headers.get("Accept", "")
            reply = error_reply(shown, request_id, self._front.public_url(), accept)
        api = self._named_api()
        record = self._record or self._new_record("" if api is None else api.name)
        if not exchange.is_left:
            record.fail(reply.status, problem, request_id)
        if self._record is not None:
            record.write(reply.status, CLIENT_ABORT if exchange.is_left else REFUSED)
        if shown is not None:
            reply = reply.with_headers((PROBLEM, problem_text(shown)))
        return await exchange.send(reply)

    def place(self) -> dict[str, Fact]:
        """Return the facts of the call: its API and that API's provider, if they are configured, and its worker's."""
        api = self._named_api()
        is_hidden = api is None or (self._worker is not None and api.name not in self._worker.apis)
        return {} if api is None or is_hidden else facts(api=api.name, provider=api.provider)

    def _opened(self, asked: ProxyRequest) -> Coroutine[Any, Any, Answer]:
        request, proxy = self._exchange.request, self._services.proxy
        if not request.can_read_body:
            return proxy.open(asked)
        api, length = proxy.route(asked.api).api, request.content_length
        problem = too_large(api, length)
        if problem is not None:
            raise problem
        body = ReceivedBody(request.content, api)
        return body.during(proxy.open(asked._replace(body=body.pieces(), length=length)))

    def _asked(self) -> ProxyRequest:
        told, exchange = self._told, self._exchange
        if told.caller_kind in ("public", "server"):
            raise Forbidden
        if exchange.path.count("%") > MAX_ESCAPES:
            raise BadPath(detail="broker.path_escapes")
        caller: Caller = "kernel" if told.caller_kind in ("kernel", "worker") else "browser"
        target = told.base_url + exchange.path[1:] + (f"?{exchange.query}" if exchange.query else "")
        lines = exchange.request.headers.items()
        headers = [(name, value) for name, value in lines if name.lower() not in _OF_THE_SERVER]
        prefix = told.base_url + API_PATH
        # NOTE: the server has taken its own parameters out of the query.
        return proxy_request(exchange.request.method, target, headers, told.host, prefix, caller, lambda _: False)

    def _new_record(self, api: str, person: Person | None = None) -> CallRecord:
        services, exchange = self._services, self._exchange
        name = self._told.kernel_id if self._worker is None else self._worker.id
        method = exchange.request.method
        return CallRecord(services.event_log, services.entropy, method, exchange.seconds, name, api, person)

    def _named_api(self) -> Api | None:
        """Return the API that the path names, or ``None`` if that is unknown."""
        name = self._exchange.path[len(PREFIX) :].partition("/")[0]
        return self._services.settings.api_named(name)

    # -- WebSockets ----------------------------------------------------------------------------------------

    async def _joined(self, asked: ProxyRequest, record: CallRecord) -> web.StreamResponse:
        """Open the API's socket, then the caller's, and pass the messages on until one of them closes."""
        request, services = self._exchange.request, self._services
        check_handshake(request.method, request.headers)  # NOTE: a bad one sends no token
        opened = await services.proxy.open_socket(asked, subprotocols_in(request.headers))
        if isinstance(opened, SocketRefused):
            record.write(opened.status, f"{opened.status // 100}xx")
            self._record = None
            return await self._pass_refusal_on(opened)
        chosen = opened.upstream.subprotocol
        socket = web.WebSocketResponse(
            protocols=[chosen] if chosen else [],
            max_msg_size=opened.max_message_bytes,
            compress=False,
            timeout=CLOSE_TIMEOUT_SECONDS,
        )
        _add(socket, opened.headers)
        relay: SocketRelay | None = None
        try:
            await socket.prepare(request)
            client = SocketClient(socket, request, services.background, self._watch_caller)
            relay = SocketRelay(client, opened, services.background, record)
            self._record = None
            relay.start()
            async for message in socket:
                if message.type in (web.WSMsgType.TEXT, web.WSMsgType.BINARY):
                    await relay.pass_up(message.data)
        finally:
            if relay is not None:
                relay.client_closed(socket.close_code)
            else:
                await opened.close(GOING_AWAY_CODE)
        return socket

    async def _pass_refusal_on(self, refused: SocketRefused) -> web.StreamResponse:
        """Answer the handshake as the API did, without a body."""
        response = OwnHeadersResponse(status=refused.status)
        _add(response, refused.headers)
        response.content_length = 0
        await response.prepare(self._exchange.request)
        await response.write_eof()
        return response


def _add(response: web.StreamResponse, lines: Headers) -> None:
    """Add the headers of a handshake, which has no body."""
    for name, value in lines:
        if name.lower() not in _OF_A_BODY:
            response.headers.add(name, value)
    response.headers[BROKER_HEADER] = str(CONTRACT_VERSION)
