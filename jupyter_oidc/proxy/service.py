"""One proxied call: policy, bearer token, upstream, and what a 401 from the API earns.

An upstream 401 earns one forced refresh and one replay if nothing was sent that cannot be sent again; a 403
is passed on and means nothing to the session (C11, C13, C30).
A token that is bound to a key goes out with a proof of its own for each request, a repeated one included; an API that
wants a nonce in it gets one repetition under the same condition, and its 401 says nothing about the token (X-6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_oidc.errors import (
    CallerForbidden,
    IdpUnavailable,
    MethodNotAllowed,
    NotSignedIn,
    SessionExpired,
    StepUpRequired,
)
from jupyter_oidc.protocol.dpop import challenge_wants_nonce
from jupyter_oidc.proxy.headers import Headers, headers_down, headers_up
from jupyter_oidc.proxy.ports import UpstreamCall
from jupyter_oidc.proxy.target import rewritten_location, upstream_url
from jupyter_oidc.sessions.grant import Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.registry import token_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from jupyter_oidc.protocol.dpop import ProofKey
    from jupyter_oidc.proxy.ports import UpstreamPort, UpstreamReply
    from jupyter_oidc.sessions.proving import Prover
    from jupyter_oidc.sessions.registry import Sessions
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.settings import Api
    from jupyter_oidc.settings.model import CallerKind


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A call as it reached us: ``raw_path`` and ``raw_query`` are undecoded, the path without leading slash.

    ``proxy_path`` is the path under which the caller reaches this API, with a slash at the end.
    """

    api: str
    method: str
    raw_path: str
    raw_query: str
    headers: Headers
    caller: CallerKind
    proxy_path: str
    body: AsyncIterator[bytes] | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the caller: status and headers are final, the body is still with the upstream."""

    status: int
    headers: Headers
    upstream: UpstreamReply


class ProxyService:
    """Sends admitted calls to the APIs with the right token; ``prover`` is asked only where one is bound to a key."""

    def __init__(self, sessions: Sessions, upstream: UpstreamPort, prover: Prover) -> None:
        self._sessions = sessions
        self._upstream = upstream
        self._prover = prover

    async def open(self, request: ProxyRequest) -> Answer:
        """Send ``request`` and return the head of the answer.

        Raises a :class:`~jupyter_oidc.errors.Problem` of ours; an answer of the API, whatever its status, is
        no problem.
        """
        api, session = self._sessions.of_api(request.api)
        url = self._admit(api, request)
        headers = headers_up(request.headers)
        granted = await self._granted(api, session)
        reply = await self._send(request, url, headers, granted)
        retryable = False
        if reply.status == 401:
            if _wants_step_up(reply):
                await reply.drop()
                raise StepUpRequired
            if granted.proof_key is not None and _wants_nonce(reply):
                retryable = request.body is not None
            else:
                renewed = await session.bearer(token_key(api), api.bearer_token_source, rejected=granted.secret)
                if isinstance(renewed, Granted) and renewed.secret != granted.secret:
                    if request.body is None:
                        await reply.drop()
                        reply = await self._send(request, url, headers, renewed)
                    else:
                        retryable = True
        return Answer(reply.status, self._down(api, request, url, reply, retryable=retryable), reply)

    async def aclose(self) -> None:
        """Close the upstream connections."""
        await self._upstream.aclose()

    def _admit(self, api: Api, request: ProxyRequest) -> str:
        if request.method not in api.methods:
            raise MethodNotAllowed
        if request.caller not in api.callers:
            raise CallerForbidden
        return upstream_url(api, request.raw_path, request.raw_query)

    async def _granted(self, api: Api, session: SessionService) -> Granted:
        match await session.bearer(token_key(api), api.bearer_token_source):
            case Granted() as granted:
                return granted
            case SignInNeeded(code="session_expired"):
                raise SessionExpired
            case SignInNeeded():
                raise NotSignedIn
            case TryLater(seconds=seconds, reason=reason):
                raise _unavailable(seconds, reason)

    async def _send(self, request: ProxyRequest, url: str, headers: Headers, granted: Granted) -> UpstreamReply:
        call = UpstreamCall(request.method, url, headers, granted.secret, request.body, request.length)
        if granted.proof_key is None:
            return await self._upstream.open(call)
        reply, informed = await self._prove(call, granted.proof_key)
        # NOTE: the client begins to read a body with the head it sends, so a body is never whole after a reply.
        if informed and request.body is None and reply.status == 401 and _wants_nonce(reply):
            await reply.drop()
            reply, _ = await self._prove(call, granted.proof_key)
        return reply

    async def _prove(self, call: UpstreamCall, key: ProofKey) -> tuple[UpstreamReply, bool]:
        """Send ``call`` with a new proof; return the reply, and whether it brought a nonce (X-7)."""
        proof = self._prover.proof(key, call.method, call.url, call.bearer)
        reply = await self._upstream.open(replace(call, proof=proof))
        return reply, self._prover.learn(call.url, _values(reply, "dpop-nonce"))

    def _down(self, api: Api, request: ProxyRequest, url: str, reply: UpstreamReply, *, retryable: bool) -> Headers:
        down = headers_down(reply.headers)
        if 300 <= reply.status < 400 or reply.status == 201:
            down = [
                (name, rewritten_location(api, value, url, request.proxy_path) if name.lower() == "location" else value)
                for name, value in down
            ]
        if retryable:
            down.append(("X-OIDC-Retryable", "true"))
        return down


def _unavailable(seconds: float, reason: str) -> IdpUnavailable:
    if reason == "provider_configuration":
        return IdpUnavailable(
            "The provider refuses to renew the session because of how this client is set up.",
            action="Ask your administrator to check the client's settings at the provider.",
            detail=reason,
            retry_after=seconds,
        )
    return IdpUnavailable(detail=reason, retry_after=seconds)


def _wants_step_up(reply: UpstreamReply) -> bool:
    """Return whether the API asks for a stronger sign-in (RFC 9470, 3)."""
    return any("insufficient_user_authentication" in value for value in _values(reply, "www-authenticate"))


def _wants_nonce(reply: UpstreamReply) -> bool:
    """Return whether the API asks for a nonce in the proof (RFC 9449, 9; X-6)."""
    return challenge_wants_nonce(_values(reply, "www-authenticate"))


def _values(reply: UpstreamReply, lower: str) -> Iterator[str]:
    return (value for name, value in reply.headers if name.lower() == lower)
