"""Makes a proxied call: policy, bearer token, upstream, and the repetition after a 401 of the API.

An upstream 401 causes one forced refresh and one repetition, if no body was sent that cannot be sent again; a 403 is
passed on and does not affect the session (C11, C13, C30).
A token that is bound to a key is sent with a new proof for each request, a repeated one included; an API that demands a
nonce in it gets one repetition under the same condition, and its 401 does not count against the token (X-6).
The :class:`ApiRoute` of an API holds all that does not depend on the single call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_oidc.facts import choices, facts
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import (
    AudienceRefused,
    CallerForbidden,
    MethodNotAllowed,
    RouteForbidden,
    StepUpRequired,
    UnknownApi,
)
from jupyter_oidc.protocol.dpop import challenge_wants_nonce
from jupyter_oidc.proxy.addresses import ADDRESS_HEADERS, lead_through_proxy
from jupyter_oidc.proxy.challenge import missing_scopes, rejects_token, requested_step_up
from jupyter_oidc.proxy.concurrency_limiter import ConcurrencyLimiter
from jupyter_oidc.proxy.headers import Headers, filter_request_headers, filter_response_headers
from jupyter_oidc.proxy.ports import SocketRefused, UpstreamCall
from jupyter_oidc.proxy.target import upstream_url
from jupyter_oidc.proxy.turns import Turns
from jupyter_oidc.sessions.grant import Granted, TryLater, token_key
from jupyter_oidc.sessions.retry_later import problem_without_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_oidc.protocol.dpop import ProofKey
    from jupyter_oidc.proxy.ports import UpstreamPort, UpstreamReply, UpstreamSocket
    from jupyter_oidc.proxy.request import ProxyRequest
    from jupyter_oidc.sessions.dpop_prover import DPoPProver
    from jupyter_oidc.sessions.grant import Bearer, TokenKey
    from jupyter_oidc.sessions.token_api import SessionTokens, TokenApi
    from jupyter_oidc.settings import Api

_SECRET_NAME = re.compile(r"key|token|auth|secret|sign|cred|pass")
"""Matches the names of headers that hold a secret of the caller."""

_HANDSHAKE_PREFIX = "sec-websocket-"
"""Headers of one WebSocket connection (RFC 6455, 11.3); the caller's connection is another one, with its own key."""

_SIGN_IN_BY_NAME = N_("Sign in again for it: oidc.sign_in(api='{api}') in a notebook, or Sign in in JupyterLab.")


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """One API: its settings, the tokens that its calls use, and the limits of concurrent calls."""

    api: Api
    session: SessionTokens
    key: TokenKey
    call_limiter: ConcurrencyLimiter
    socket_limiter: ConcurrencyLimiter
    own_headers: frozenset[str]

    @classmethod
    def of(cls, api: Api, session: SessionTokens) -> ApiRoute:
        """Return the route of ``api``."""
        own_headers = frozenset(name.lower() for name, _ in api.headers)
        calls = ConcurrencyLimiter(api.max_in_flight, api.max_queue)
        return cls(api, session, token_key(api), calls, ConcurrencyLimiter(api.max_in_flight, 0), own_headers)

    async def granted(self) -> Granted:
        """Return a bearer token; raises the problem for the caller if there is none."""
        ready = self.session.ready(self.key, self.api.bearer_token_source)
        if ready is not None:
            return ready
        match await self._bearer():
            case Granted() as granted:
                return granted
            case without_token:
                raise problem_without_token(without_token)

    async def _bearer(self) -> Bearer:
        try:
            return await self.session.bearer(self.key, self.api.bearer_token_source)
        except AudienceRefused as refused:
            raise refused.at(facts(scopes=self.api.scopes)) from None

    async def refreshed(self, rejected: Granted) -> Granted | None:
        """Return another token after the API ``rejected`` one; ``None`` if there is no better one.

        Raises the caller's problem instead of the API's 401 if the token expired on its way, or the session ended.
        """
        match await self.session.bearer(self.key, self.api.bearer_token_source, rejected=rejected.secret):
            case Granted() as granted:
                return None if granted.secret == rejected.secret else granted
            case TryLater() if self.session.ready(self.key, self.api.bearer_token_source) is not None:
                return None
            case without_token:
                raise problem_without_token(without_token)

    def step_up(self, headers: Headers) -> None:
        """Raise ``StepUpRequired`` if the API demands a stronger sign-in, and remember the demand (RFC 9470, 4)."""
        wanted = requested_step_up(headers)
        if wanted is not None:
            self.session.expect_step_up(self.api.name, wanted)
            raise StepUpRequired(action=sentence(_SIGN_IN_BY_NAME, api=self.api.name))


class SessionBound:
    """Something that ends when its session ends on purpose (S-5): an open answer or socket, or what was made of one."""

    __slots__ = ("_session", "_session_number", "_unwatch")

    def __init__(self, session: SessionTokens, session_number: int) -> None:
        self._session = session
        self._session_number = session_number
        self._unwatch: Callable[[], None] | None = None

    @property
    def is_over(self) -> bool:
        """``True`` once the session has ended or was replaced."""
        return not self._session.is_current(self._session_number)

    def on_session_end(self, close_stream: Callable[[], None]) -> None:
        """Call ``close_stream`` when the session ends on purpose, or now if it has."""
        if self.is_over:
            close_stream()
        else:
            self._unwatch = self._session.on_session_end(close_stream)

    def stop_watching(self) -> None:
        """Forget the function of :meth:`on_session_end`."""
        # NOTE: the watcher usually refers to this answer, so it is dropped: a call leaves no cycle behind (ADR 17).
        unwatch, self._unwatch = self._unwatch, None
        if unwatch is not None:
            unwatch()

    def session_bound(self) -> SessionBound:
        """Return the session of this answer alone, for what outlives the answer."""
        return SessionBound(self._session, self._session_number)


class Answer(SessionBound):
    """The answer for the caller: status and headers are final, the body has still to be read from the upstream.

    :meth:`close` must be called in the end, also after an error; it makes room for the next call.
    """

    __slots__ = ("_closed", "_grant", "_limiter", "headers", "status", "upstream")

    def __init__(
        self, headers: Headers, upstream: UpstreamReply, route: ApiRoute, session_number: int, grant: str
    ) -> None:
        super().__init__(route.session, session_number)
        self.status = upstream.status
        self.headers = headers
        self.upstream = upstream
        self._limiter = route.call_limiter
        self._grant = grant
        self._closed = False

    def close(self) -> None:
        """Release the upstream connection; closing twice is no error."""
        if not self._closed:
            self._closed = True
            self.stop_watching()
            self.upstream.drop()
            self._limiter.release(self._grant)


class OpenSocket(SessionBound):
    """A WebSocket through the proxy, with the filtered headers of its handshake.

    :meth:`close` must be called in the end, also after an error.
    """

    __slots__ = ("_closed", "_grant", "_limiter", "headers", "max_message_bytes", "upstream")

    def __init__(
        self, headers: Headers, upstream: UpstreamSocket, route: ApiRoute, session_number: int, grant: str
    ) -> None:
        super().__init__(route.session, session_number)
        self.headers = headers
        self.upstream = upstream
        self.max_message_bytes = route.api.max_message_bytes
        self._limiter = route.socket_limiter
        self._grant = grant
        self._closed = False

    async def close(self, code: int) -> None:
        """Close the upstream's side with ``code``; closing twice is no error."""
        if not self._closed:
            self._closed = True
            self.stop_watching()
            self._limiter.release(self._grant)
            await self.upstream.close(code)


class ProxyService:
    """Sends admitted calls to the APIs with the right token; ``prover`` makes the proofs for tokens bound to a key."""

    def __init__(self, tokens: TokenApi, upstream: UpstreamPort, prover: DPoPProver) -> None:
        self._upstream = upstream
        self._prover = prover
        self._routes: dict[str, ApiRoute] = {}
        self._worker_turns = Turns()
        self.route_to(tokens)

    def route_to(self, tokens: TokenApi) -> None:
        """Build the routes of the APIs in ``tokens``; a route that is still the same keeps its calls in flight."""
        before, self._routes = self._routes, {}
        for api in tokens.apis:
            session, known = tokens.tokens_of(api.name), before.get(api.name)
            same = known is not None and known.api == api and known.session is session
            self._routes[api.name] = known if known is not None and same else ApiRoute.of(api, session)

    def route(self, name: str) -> ApiRoute:
        """Return the route of the API ``name``; raises ``UnknownApi``."""
        try:
            return self._routes[name]
        except KeyError:
            raise UnknownApi(params=choices("api", name, self._routes)) from None

    def check(self, request: ProxyRequest) -> tuple[ApiRoute, str, Headers, list[str]]:
        """Return route, URL, headers and the names of held-back headers for ``request``.

        Raises a ``Problem`` if refused.
        """
        route = self.route(request.api)
        url = _checked_url(route.api, request)
        return route, url, *filter_request_headers(request.headers, route.api.request_headers, route.own_headers)

    def upload_limits(self, request: ProxyRequest) -> Api:
        """Return the API, whose settings limit a body; raises the refusals of :meth:`check`."""
        return self.check(request)[0].api

    async def open(self, request: ProxyRequest) -> Answer:
        """Send ``request`` and return the head of the answer.

        Raises a :class:`~jupyter_oidc.problems.Problem` of ours; an answer of the API is none, even with an error status.
        """
        return await self._open(request, *self.check(request))

    async def open_document(self, request: ProxyRequest) -> Answer:
        """Send a GET for the OpenAPI document of an API, as :meth:`open` does (ADR 52).

        The settings open its path for this alone, whatever ``methods`` and ``path_prefixes`` say: only the server makes
        this request, of the settings and nothing that a caller sent.
        """
        route = self.route(request.api)
        api = route.api
        if request.method != "GET" or f"/{request.raw_path}" != (api.openapi or "").partition("?")[0]:
            raise RouteForbidden
        if request.caller not in api.callers:
            raise CallerForbidden(params=facts(api=api.name, caller=request.caller, callers=api.callers))
        url = upstream_url(replace(api, path_prefixes=("/",)), request.raw_path, request.raw_query)
        return await self._open(request, route, url, request.headers, [])

    async def _open(
        self, request: ProxyRequest, route: ApiRoute, url: str, headers: Headers, held_back: list[str]
    ) -> Answer:
        await route.call_limiter.acquire(request.grant)
        try:
            granted = await route.granted()
            if request.grant:  # NOTE: behind the token, since all that have waited for it go on in the same round
                await self._worker_turns.take()
            request.carries(granted)
            reply = await self._send(route, request, url, headers, granted)
            if request.grant:  # NOTE: answers that arrive together are looked at one after the other, too
                await self._worker_turns.take()
        except BaseException as error:
            route.session.note_outage(route.api.name, error)
            route.call_limiter.release(request.grant)
            raise
        route.session.note_answer(route.api.name)
        try:
            retryable = False
            if reply.status == 401:
                route.step_up(reply.headers)
                wants_nonce = _wants_nonce(granted, reply)
                refreshed = (
                    None if wants_nonce or _may_lack_secret(held_back, reply) else await route.refreshed(granted)
                )
                if refreshed is not None and request.body is None:
                    reply.drop()
                    granted = refreshed
                    request.carries(granted)
                    reply = await self._send(route, request, url, headers, granted)
                else:
                    retryable = refreshed is not None or (wants_nonce and request.body is not None)
            response_headers = _response_headers(route.api, request, url, reply, held_back, retryable=retryable)
        except BaseException:
            reply.drop()
            route.call_limiter.release(request.grant)
            raise
        return Answer(response_headers, reply, route, granted.session_number, request.grant)

    async def open_socket(self, request: ProxyRequest, subprotocols: tuple[str, ...]) -> OpenSocket | SocketRefused:
        """Open a WebSocket for ``request``, or return the API's refusal, with filtered headers.

        The token is refreshed first if it is about to expire, since it cannot be refreshed on an open socket (C27).
        """
        route, url, headers, held_back = self.check(request)
        await route.socket_limiter.acquire(request.grant)
        try:
            granted = await route.granted()
            request.carries(granted)
            opened = await self._send_handshake(route, url, headers, granted, subprotocols)
            if isinstance(opened, SocketRefused) and opened.status == 401:
                route.step_up(opened.headers)
                keeps_token = _wants_nonce(granted, opened) or _may_lack_secret(held_back, opened)
                refreshed = None if keeps_token else await route.refreshed(granted)
                if refreshed is not None:
                    granted = refreshed
                    request.carries(granted)
                    opened = await self._send_handshake(route, url, headers, granted, subprotocols)
            response_headers = _response_headers(route.api, request, url, opened, held_back, retryable=False)
        except BaseException as error:
            route.session.note_outage(route.api.name, error)
            route.socket_limiter.release(request.grant)
            raise
        route.session.note_answer(route.api.name)
        if isinstance(opened, SocketRefused):
            route.socket_limiter.release(request.grant)
            return SocketRefused(opened.status, response_headers)
        response_headers = [
            (name, value) for name, value in response_headers if not name.lower().startswith(_HANDSHAKE_PREFIX)
        ]
        return OpenSocket(response_headers, opened, route, granted.session_number, request.grant)

    async def _send_handshake(
        self, route: ApiRoute, url: str, headers: Headers, granted: Granted, subprotocols: tuple[str, ...]
    ) -> UpstreamSocket | SocketRefused:
        call = UpstreamCall(route.api, "GET", url, headers, granted.secret)
        if granted.proof_key is None:
            return await self._upstream.open_socket(call, subprotocols)
        opened = await self._upstream.open_socket(self._with_proof(call, granted.proof_key), subprotocols)
        if isinstance(opened, SocketRefused) and self._learn_nonce(call, opened) and _wants_nonce(granted, opened):
            opened = await self._upstream.open_socket(self._with_proof(call, granted.proof_key), subprotocols)
            if isinstance(opened, SocketRefused):
                self._learn_nonce(call, opened)
        return opened

    async def aclose(self) -> None:
        """Close the upstream connections."""
        await self._upstream.aclose()

    async def _send(
        self, route: ApiRoute, request: ProxyRequest, url: str, headers: Headers, granted: Granted
    ) -> UpstreamReply:
        call = UpstreamCall(route.api, request.method, url, headers, granted.secret, request.body, request.length)
        if granted.proof_key is None:
            return await self._upstream.open(call)
        reply = await self._upstream.open(self._with_proof(call, granted.proof_key))
        # NOTE: aiohttp begins to read a body with the head that it sends, so a body is never whole after a reply.
        if self._learn_nonce(call, reply) and request.body is None and _wants_nonce(granted, reply):
            reply.drop()
            reply = await self._upstream.open(self._with_proof(call, granted.proof_key))
            self._learn_nonce(call, reply)
        return reply

    def _with_proof(self, call: UpstreamCall, key: ProofKey) -> UpstreamCall:
        """Return ``call`` with a new proof (X-2)."""
        return call._replace(proof=self._prover.proof(key, call.method, call.url, call.bearer))

    def _learn_nonce(self, call: UpstreamCall, reply: UpstreamReply | SocketRefused) -> bool:
        """Remember the nonce in ``reply``; return whether there was one (X-7)."""
        return self._prover.learn(call.url, _header_values(reply, "dpop-nonce"))


def _checked_url(api: Api, request: ProxyRequest) -> str:
    if request.method not in api.methods:
        paths = () if "/" in api.path_prefixes else api.path_prefixes
        raise MethodNotAllowed(params=facts(api=api.name, method=request.method, methods=api.methods, paths=paths))
    if request.caller not in api.callers:
        raise CallerForbidden(params=facts(api=api.name, caller=request.caller, callers=api.callers))
    return upstream_url(api, request.raw_path, request.raw_query)


def _response_headers(
    api: Api,
    request: ProxyRequest,
    url: str,
    reply: UpstreamReply | UpstreamSocket | SocketRefused,
    held_back: list[str],
    *,
    retryable: bool,
) -> Headers:
    received = reply.headers
    to_kernel = request.caller == "kernel"
    response_headers = filter_response_headers(received, api.reply_headers, to_kernel=to_kernel)
    if reply.status in (101, 204):  # NOTE: a length would announce a body that cannot exist (RFC 9110, 8.6)
        response_headers = [(name, value) for name, value in response_headers if name != "Content-Length"]
    if not ADDRESS_HEADERS.isdisjoint([name for name, _ in response_headers]):
        response_headers, outside = lead_through_proxy(api, response_headers, url, request.proxy_path, request.own_host)
        if outside and to_kernel:
            response_headers.append(("X-OIDC-Leads-Outside", ", ".join(outside)))
    if held_back:
        response_headers.append(("X-OIDC-Held-Back", ", ".join(held_back)))
    if retryable:
        response_headers.append(("X-OIDC-Retryable", "true"))
    if reply.status in (401, 403):
        missing = missing_scopes(received)
        if missing is not None:
            response_headers.append(("X-OIDC-Missing-Scope", " ".join(missing)))
    return response_headers


def _may_lack_secret(held_back: list[str], reply: UpstreamReply | SocketRefused) -> bool:
    """Return whether an API's 401 may be due to a held-back secret, so that another token would not help.

    A challenge that refuses the token rules that out (RFC 6750, 3.1).
    """
    return any(_SECRET_NAME.search(name.lower()) for name in held_back) and not rejects_token(reply.headers)


def _wants_nonce(granted: Granted, reply: UpstreamReply | SocketRefused) -> bool:
    """Return whether the API demands a nonce in the proof (RFC 9449, 9; X-6); false without a proof."""
    if granted.proof_key is None or reply.status != 401:
        return False
    return challenge_wants_nonce(_header_values(reply, "www-authenticate"))


def _header_values(reply: UpstreamReply | SocketRefused, lower: str) -> Iterator[str]:
    return (value for name, value in reply.headers if name.lower() == lower)
