"""Answers the requests that Jupyter servers forward: each is one account's, and goes to a route or through the proxy.

It decides nothing about sessions or APIs: routes, proxy and relays are those of the Jupyter server's own front.
Liveness, readiness and metrics are below ``/health`` and at ``/metrics``, for nobody's account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.broker.exchange import Admitted, Exchange
from jupyter_oidc.broker.forwarded_front import ForwardedFront
from jupyter_oidc.broker.proxied_call import PREFIX, ProxiedCall
from jupyter_oidc.broker.routed_call import RoutedCall
from jupyter_oidc.language import speaking
from jupyter_oidc.problems import Problem
from jupyter_oidc.web.forwarded import FORWARDED, forwarded_in
from jupyter_oidc.web.problems import defect_text, error_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.broker.accounts import Account, Accounts
    from jupyter_oidc.broker.identity import Identity

LIVE: Final = "/health/live"
READY: Final = "/health/ready"
METRICS: Final = "/metrics"
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_HEALTH_PATHS: Final = (LIVE, READY, METRICS)
_UNKNOWN: Final = "-"
"""The id of a request that no server has given one."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the broker says about itself: ``is_ready`` whether it can answer requests now, ``metrics`` its counters."""

    is_ready: Callable[[], Awaitable[bool]]
    metrics: Callable[[], bytes]


class BrokerApplication:
    """Answers every request of the broker; ``identity`` tells the account, ``accounts`` has its services."""

    def __init__(
        self, accounts: Accounts, identity: Identity, health: Health, *, default_provider: str | None = None
    ) -> None:
        self._accounts = accounts
        self._identity = identity
        self._health = health
        self._default_provider = default_provider

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer ``request``; the framework's only handler."""
        exchange = Exchange(request)
        if exchange.path in _HEALTH_PATHS:
            return await self._say_health(exchange.path)
        try:
            name = await self._identity.account_of(request)
            with self._accounts.use(name) as account:
                return await self._answered(exchange, self._admitted(exchange, account))
        except ConnectionResetError:  # the caller has left
            return web.Response(status=500)
        except Exception as error:  # noqa: BLE001 - the last place; what is no problem is told as a defect
            return await self._refused_unknown(exchange, error)

    def _admitted(self, exchange: Exchange, account: Account) -> Admitted:
        told = forwarded_in(exchange.request.headers.get(FORWARDED, ""))
        return Admitted(account, told, ForwardedFront(account, told, exchange.seconds, self._default_provider))

    async def _answered(self, exchange: Exchange, admitted: Admitted) -> web.StreamResponse:
        is_proxied = exchange.path.startswith(PREFIX)
        call = ProxiedCall(exchange, admitted) if is_proxied else RoutedCall(exchange, admitted)
        try:
            return await call.answer()
        except ConnectionResetError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            problem = _problem_of(error, admitted.account.name, admitted.told.request_id)
            is_stranger = admitted.told.caller_kind == "public"  # NOTE: who learns no facts
            shown = problem and (problem.bare() if is_stranger else problem.at(call.place()))
            return await call.refused(problem, shown)

    async def _refused_unknown(self, exchange: Exchange, error: Exception) -> web.StreamResponse:
        """Refuse a request whose account or server is not known."""
        problem = _problem_of(error, _UNKNOWN, _UNKNOWN)
        if problem is not None:
            BROKER.warning("jupyter_oidc: %s %s (%s)", problem.status, problem.code, problem.detail)
        with speaking(exchange.language):
            reply = error_reply(problem and problem.bare(), _UNKNOWN, accept=exchange.request.headers.get("Accept", ""))
        return await exchange.send(reply)

    async def _say_health(self, path: str) -> web.StreamResponse:
        if path == METRICS:
            return web.Response(body=self._health.metrics(), headers={"Content-Type": METRICS_TYPE})
        ready = path == LIVE or await self._health.is_ready()
        return web.Response(status=200 if ready else 503, text="ok\n" if ready else "not ready\n")


def _problem_of(error: Exception, account: str, request_id: str) -> Problem | None:
    """Return the problem that ``error`` is; a defect is logged, and has none."""
    if isinstance(error, Problem):
        return error
    where = defect_text(type(error), error.__traceback__)
    BROKER.error("jupyter_oidc: account %s: %s [%s]", account, where, request_id)
    return None
