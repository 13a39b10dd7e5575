"""Answers the requests to a broker: those that Jupyter servers forward, and those of browsers that come to it directly.

It decides nothing about sessions or APIs: routes, proxy and relays are those of the Jupyter server's own front.
Liveness, readiness and metrics are below ``/health`` and at ``/metrics``, for nobody's account.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.broker.answering import answered, problem_of
from jupyter_oidc.broker.exchange import Admitted, Exchange
from jupyter_oidc.broker.forwarded_front import ForwardedFront
from jupyter_oidc.broker.hub_identity import user_of_account
from jupyter_oidc.broker.proxied_call import PREFIX, ProxiedCall
from jupyter_oidc.broker.routed_call import RoutedCall
from jupyter_oidc.broker.worker_calls import said_by_worker
from jupyter_oidc.contract.version import BROKER_HEADER, CONTRACT_VERSION
from jupyter_oidc.language import N_, speaking
from jupyter_oidc.problems import BrokerUnavailable, Forbidden, GrantInvalid, StorageUnavailable
from jupyter_oidc.sessions.delegation import PREFIX as GRANT_PREFIX
from jupyter_oidc.sessions.delegation import calls_only, ended
from jupyter_oidc.web.bearer import grant_in
from jupyter_oidc.web.caller_streams import CallerStreams
from jupyter_oidc.web.forwarded import FORWARDED, PROBLEM, forwarded_in, problem_text
from jupyter_oidc.web.problems import error_reply
from jupyter_oidc.web.request import Caller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.broker.accounts import Account, Accounts
    from jupyter_oidc.broker.hub_pages import HubPages
    from jupyter_oidc.broker.hub_place import HubPlace
    from jupyter_oidc.broker.identity import Identity
    from jupyter_oidc.broker.worker_calls import GrantAccounts
    from jupyter_oidc.web.forwarded import Forwarded

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
METRICS: Final = "/metrics"
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
RETRY_SECONDS: Final = 2.0
"""Seconds after which a worker should ask again while the database does not answer."""

_UNKNOWN: Final = "-"
"""The id of a request that no server has given one."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the broker says about itself: ``is_ready`` whether it can answer requests now, ``metrics`` its counters."""

    is_ready: Callable[[], Awaitable[bool]]
    metrics: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class AtHub:
    """What a broker has that is a service of a Hub: its ``place`` there, and the ``pages`` that it shows itself."""

    place: HubPlace
    pages: HubPages


class BrokerApplication:
    """Answers every request of the broker; ``identity`` tells the account, ``accounts`` has its services.

    ``grants`` tells the account of a worker.
    """

    def __init__(
        self,
        accounts: Accounts,
        identity: Identity,
        health: Health,
        grants: GrantAccounts,
        *,
        default_provider: str | None = None,
        at_hub: AtHub | None = None,
    ) -> None:
        self._accounts = accounts
        self._identity = identity
        self._health = health
        self._grants = grants
        self._default_provider = default_provider
        self._at_hub = at_hub
        self._streams = CallerStreams()
        self._prefix = "/" if at_hub is None else at_hub.place.prefix
        self._of_hub: dict[str, Any] = (
            {}
            if at_hub is None
            else {"page_address": at_hub.place.public_url, "is_user_host": at_hub.place.is_user_host}
        )

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer ``request``; the framework's only handler."""
        exchange = Exchange(request, self._prefix)
        if exchange.whole_path == METRICS:  # NOTE: at a Hub, whose proxy serves the prefix only, it is for the cluster
            return web.Response(body=self._health.metrics(), headers={"Content-Type": METRICS_TYPE})
        if LIVE in (exchange.whole_path, exchange.path):
            return self._said("ok", 200)
        if READY in (exchange.whole_path, exchange.path):
            return self._said("ok", 200) if await self._health.is_ready() else self._said("not ready", 503)
        try:
            if self._at_hub is not None and FORWARDED not in request.headers:
                text = grant_in(request.headers.get("Authorization", ""), GRANT_PREFIX)
                if text is None:
                    return await self._at_hub.pages.answer(exchange)
                return await self._answer_worker(exchange, text)
            name = await self._identity.account_of(request)
            told = self._told(request, name)
            if told.caller_kind == "worker":
                return await self._answer_worker(exchange, told.grant, told, name)
            with self._accounts.use(name) as account:
                admitted = Admitted(account, told.caller, self._front(account, told, exchange))
                is_proxied = exchange.path.startswith(PREFIX)
                call = ProxiedCall(exchange, admitted, told) if is_proxied else RoutedCall(exchange, admitted)
                return await answered(call, admitted)
        except ConnectionResetError:  # the caller has left
            return web.Response(status=500)
        except Exception as error:  # noqa: BLE001 - the last place; what is no problem is told as a defect
            return await self._refused_unknown(exchange, error)

    async def _answer_worker(
        self, exchange: Exchange, grant: str, told: Forwarded | None = None, server_of: str | None = None
    ) -> web.StreamResponse:
        """Answer a worker with a ``grant``; ``told`` is what a server says by which it came, one of the account ``server_of``."""
        name, request_id = server_of or _UNKNOWN, _UNKNOWN if told is None else told.request_id
        try:
            if not exchange.path.startswith(PREFIX):
                raise calls_only()
            name = await self._grants.account_of(grant)
            if server_of not in (None, name):
                raise ended()
            with self._accounts.use(name, for_worker=True) as account:
                grants = account.services.worker_grants
                worker = await grants.use(grant)
                if told is None:
                    told = said_by_worker(exchange, self._prefix, account.services.entropy.token(96))
                caller = Caller("worker", f"worker:{worker.id}")
                admitted = Admitted(account, caller, self._front(account, told, exchange))
                watch = partial(self._streams.watch, partial(grants.lives, worker.id))
                return await answered(ProxiedCall(exchange, admitted, told, worker, watch), admitted)
        except GrantInvalid as refused:
            self._grants.forget(grant)
            return await self._refused_unknown(exchange, refused, name, request_id)
        except StorageUnavailable as away:
            # NOTE: a worker may be alone for the night, so its client tries again, as while the broker itself is away.
            message, action = away.given
            retried = BrokerUnavailable(message, action=action, detail=away.detail, retry_after=RETRY_SECONDS)
            return await self._refused_unknown(exchange, retried, name, request_id)

    def _front(self, account: Account, told: Forwarded, exchange: Exchange) -> ForwardedFront:
        return ForwardedFront(account, told, exchange.seconds, default_provider=self._default_provider, **self._of_hub)

    def _told(self, request: web.BaseRequest, account: str) -> Forwarded:
        """Return what the server says about the request; at a Hub, it has to be a server of the user's."""
        told, user = forwarded_in(request.headers.get(FORWARDED, "")), user_of_account(account)
        if self._at_hub is not None and not self._at_hub.place.is_server_of(user or "", told.base_url):
            raise Forbidden(N_("The request names a Jupyter server that is not its user's."), detail="hub.base_url")
        return told

    async def _refused_unknown(
        self, exchange: Exchange, error: Exception, account: str = _UNKNOWN, request_id: str = _UNKNOWN
    ) -> web.StreamResponse:
        """Refuse a request whose account or server is not known, or whose worker has no grant."""
        problem = problem_of(error, account, request_id)
        if problem is not None:
            BROKER.warning(
                "jupyter_oidc: account %s: %s %s (%s) [%s]",
                account,
                problem.status,
                problem.code,
                problem.detail,
                request_id,
            )
        shown = problem and problem.bare()
        with speaking(exchange.language):
            reply = error_reply(shown, request_id, accept=exchange.request.headers.get("Accept", ""))
        if shown is not None and exchange.path.startswith(PREFIX):
            reply = reply.with_headers((PROBLEM, problem_text(shown)))
        return await exchange.send(reply, last=self._at_hub is not None)

    def _said(self, text: str, status: int) -> web.Response:
        response = web.Response(status=status, text=f"{text}\n", headers={BROKER_HEADER: str(CONTRACT_VERSION)})
        if self._at_hub is not None:  # NOTE: a stranger keeps no connection
            response.force_close()
        return response
