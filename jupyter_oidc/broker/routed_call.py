"""A request for a route of the table: runs its function, and writes a refusal to the log and the audit trail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.facts import facts
from jupyter_oidc.language import N_, speaking
from jupyter_oidc.problems import Forbidden, MethodNotAllowed, RequestInvalid
from jupyter_oidc.web.front import Call
from jupyter_oidc.web.pages import show_problem
from jupyter_oidc.web.problems import error_reply
from jupyter_oidc.web.reply import redirect
from jupyter_oidc.web.table import route_at

if TYPE_CHECKING:
    from aiohttp import web

    from jupyter_oidc.broker.exchange import Admitted, Exchange
    from jupyter_oidc.facts import Fact
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.web.reply import Reply
    from jupyter_oidc.web.table import Route


class RoutedCall:
    """One request for the route at its path; raises ``RequestInvalid`` if there is none."""

    def __init__(self, exchange: Exchange, admitted: Admitted) -> None:
        self._exchange = exchange
        self._admitted = admitted
        self._route: Route | None
        self._arguments: tuple[str, ...]
        self._route, self._arguments = route_at(exchange.path[1:]) or (None, ())

    async def answer(self) -> web.StreamResponse:
        """Run the function of the route, and send its reply; raises a ``Problem``."""
        method, route = self._exchange.request.method, self._route
        if route is None:
            raise RequestInvalid(N_("The broker has no such route."), detail="broker.path")
        function = next((function for verb, function in route.verbs if verb == method), None)
        if function is None:
            raise MethodNotAllowed
        rule, caller, services = route.rule_of(method), self._admitted.caller, self._admitted.account.services
        front = self._admitted.front
        if rule is None or not (rule.is_public or caller.kind in rule.callers):
            raise Forbidden
        if route.is_page and front.page_address is not None:
            return await self._exchange.send(self._elsewhere(method, front.page_address))
        call = Call(
            self._exchange.as_request(caller, front.base_url, self._arguments, await self._exchange.body()),
            front,
            lambda: services.session_api,
            lambda: services.catalogue,
        )
        with speaking(self._exchange.language):
            work = function(call, *self._arguments)
            # NOTE: what changes something is finished, also if its caller has left.
            reply = await (work if method == "GET" else asyncio.shield(self._admitted.account.work.start(work)))
        self._note(reply)
        return await self._exchange.send(reply)

    def _elsewhere(self, method: str, page_address: str) -> Reply:
        """Return the redirect to where this page is shown; a form is not sent on."""
        if method != "GET":
            raise Forbidden(N_("This page is shown by the broker itself."), detail="broker.page")
        query = f"?{self._exchange.query}" if self._exchange.query else ""
        return redirect(f"{page_address}{self._exchange.path[1:]}{query}")

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
        refusal, where = reply.refusal, self._admitted.front.request_id
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
