"""One proxied call: policy, bearer token, upstream, and what a 401 from the API earns.

An upstream 401 earns one forced refresh and one replay if nothing was sent that cannot be sent again; a 403
is passed on and means nothing to the session (C11, C13, C30).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_oidc.errors import (
    CallerForbidden,
    IdpUnavailable,
    MethodNotAllowed,
    NotSignedIn,
    SessionExpired,
    StepUpRequired,
)
from jupyter_oidc.proxy.headers import Headers, headers_down, headers_up
from jupyter_oidc.proxy.ports import UpstreamCall
from jupyter_oidc.proxy.target import rewritten_location, upstream_url
from jupyter_oidc.sessions.grant import Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.registry import token_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.proxy.ports import UpstreamPort, UpstreamReply
    from jupyter_oidc.secret import Secret
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
    """Sends admitted calls to the APIs with the right bearer token."""

    def __init__(self, sessions: Sessions, upstream: UpstreamPort) -> None:
        self._sessions = sessions
        self._upstream = upstream

    async def open(self, request: ProxyRequest) -> Answer:
        """Send ``request`` and return the head of the answer.

        Raises a :class:`~jupyter_oidc.errors.Problem` of ours; an answer of the API, whatever its status, is
        no problem.
        """
        api, session = self._sessions.of_api(request.api)
        url = self._admit(api, request)
        headers = headers_up(request.headers)
        bearer = await self._bearer(api, session)
        reply = await self._send(request, url, headers, bearer)
        retryable = False
        if reply.status == 401:
            if _wants_step_up(reply):
                await reply.drop()
                raise StepUpRequired
            renewed = await session.bearer(token_key(api), api.bearer_token_source, rejected=bearer)
            if isinstance(renewed, Granted) and renewed.secret != bearer:
                if request.body is None:
                    await reply.drop()
                    reply = await self._send(request, url, headers, renewed.secret)
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

    async def _bearer(self, api: Api, session: SessionService) -> Secret:
        match await session.bearer(token_key(api), api.bearer_token_source):
            case Granted(secret=secret):
                return secret
            case SignInNeeded(code="session_expired"):
                raise SessionExpired
            case SignInNeeded():
                raise NotSignedIn
            case TryLater(seconds=seconds, reason=reason):
                raise _unavailable(seconds, reason)

    async def _send(self, request: ProxyRequest, url: str, headers: Headers, bearer: Secret) -> UpstreamReply:
        return await self._upstream.open(
            UpstreamCall(request.method, url, headers, bearer, request.body, request.length),
        )

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
    return any(
        name.lower() == "www-authenticate" and "insufficient_user_authentication" in value
        for name, value in reply.headers
    )
