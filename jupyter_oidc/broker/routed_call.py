"""A request for a route of the table: runs its function, and writes a refusal to the log and the audit trail."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.facts import facts
from jupyter_oidc.language import N_, speaking
from jupyter_oidc.problems import ClientTooSlow, Forbidden, MethodNotAllowed, RequestInvalid
from jupyter_oidc.web.front import Call
from jupyter_oidc.web.pages import show_problem
from jupyter_oidc.web.problems import error_reply
from jupyter_oidc.web.request import MAX_BODY_BYTES, Headers, Request
from jupyter_oidc.web.table import TABLE

if TYPE_CHECKING:
    from aiohttp import web

    from jupyter_oidc.broker.exchange import Admitted, Exchange
    from jupyter_oidc.facts import Fact
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.web.reply import Reply
    from jupyter_oidc.web.table import Route

BODY_TIMEOUT_SECONDS: Final = 10.0
"""Seconds for the body of a request."""

_ROUTES: Final = tuple((re.compile(f"/{route.pattern}"), route) for route in TABLE)


class RoutedCall:
    """One request for the route at its path; raises ``RequestInvalid`` if there is none."""

    def __init__(self, exchange: Exchange, admitted: Admitted) -> None:
        self._exchange = exchange
        self._admitted = admitted
        found = ((route, pattern.fullmatch(exchange.path)) for pattern, route in _ROUTES)
        self._route: Route | None
        self._route, match = next(((route, match) for route, match in found if match), (None, None))
        self._arguments = tuple(unquote(argument) for argument in match.groups()) if match is not None else ()

    async def answer(self) -> web.StreamResponse:
        """Run the function of the route, and send its reply; raises a ``Problem``."""
        method, route = self._exchange.request.method, self._route
        if route is None:
            raise RequestInvalid(N_("The broker has no such route."), detail="broker.path")
        function = next((function for verb, function in route.verbs if verb == method), None)
        if function is None:
            raise MethodNotAllowed
        rule, caller, services = route.rule_of(method), self._admitted.told.caller, self._admitted.account.services
        if rule is None or not (rule.is_public or caller.kind in rule.callers):
            raise Forbidden
        call = Call(
            await self._as_value(),
            self._admitted.front,
            lambda: services.session_api,
            lambda: services.catalogue,
        )
        with speaking(self._exchange.language):
            work = function(call, *self._arguments)
            # NOTE: what changes something is finished, also if its caller has left.
            reply = await (work if method == "GET" else asyncio.shield(services.background.start(work)))
        self._note(reply)
        return await self._exchange.send(reply)

    async def refused(self, problem: Problem | None, shown: Problem | None) -> web.StreamResponse:
        """Send ``shown``, as the route shows problems; the log gets ``problem``, which is ``None`` for a defect."""
        exchange, front, route = self._exchange, self._admitted.front, self._route
        accept = exchange.request.headers.get("Accept", "")
        with speaking(exchange.language):
            if shown is not None and route is not None and route.shows_page(accept):
                reply = show_problem(front, shown, title=route.failure)
            else:
                reply = error_reply(shown, front.request_id, front.public_url(), accept)
        self._note(reply if problem is None or reply.refusal is not None else reply.refusing(problem))
        return await exchange.send(reply)

    def place(self) -> dict[str, Fact]:
        """Return the facts of the route: the provider that it names, if that is configured."""
        return facts(provider=self._named_provider())

    def _note(self, reply: Reply) -> None:
        """Write a refusal to the log and the audit trail, as a Jupyter server does."""
        refusal, where = reply.refusal, self._admitted.told.request_id
        if refusal is None:
            return
        problem, name = refusal.problem, "-" if self._route is None else self._route.name
        log = BROKER.error if reply.status == 500 else BROKER.warning
        log(
            "jupyter_oidc: account %s: %s %s %s %.0fms %s (%s) flow %s [%s]",
            *(
                self._admitted.account.name,
                reply.status,
                self._exchange.request.method,
                name,
                1000 * self._exchange.seconds(),
            ),
            *(problem.code, problem.detail, refusal.flow or "-", where),
        )
        provider = self._named_provider()
        if provider and not refusal.is_audited:
            log_of_account = self._admitted.account.services.event_log
            log_of_account.refusal(provider, refusal.flow or where, problem.code, problem.detail)

    def _named_provider(self) -> str | None:
        """Return the configured provider that the path names, or ``None``."""
        if self._route is None or "{provider}" not in self._route.path:
            return None
        known = self._admitted.account.services.settings.providers
        return next((one.name for one in known if one.name == self._arguments[0]), None)

    async def _as_value(self) -> Request:
        exchange, told = self._exchange, self._admitted.told
        return Request(
            exchange.request.method,
            told.base_url + exchange.path[1:],
            told.caller,
            self._arguments,
            exchange.query,
            Headers(exchange.request.headers.items()),
            await self._body(),
        )

    async def _body(self) -> bytes | None:
        """Return the body; ``None`` if there is more than a route reads."""
        if not self._exchange.request.can_read_body:
            return b""
        try:
            return await asyncio.wait_for(self._read(), BODY_TIMEOUT_SECONDS)
        except asyncio.TimeoutError:
            raise ClientTooSlow from None

    async def _read(self) -> bytes | None:
        read = bytearray()
        while piece := await self._exchange.request.content.readany():
            read += piece
            if len(read) > MAX_BODY_BYTES:
                return None
        return bytes(read)
