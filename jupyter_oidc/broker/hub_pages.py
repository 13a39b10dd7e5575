"""What a broker of a Hub answers itself: the browsers and providers that come to it, and not to a Jupyter server.

There is one redirect URI, one address for logout tokens and one for sign-ins that others begin, for all users. A browser
is known by its login at the Hub, so a ticket or an answer of another account counts for nothing.
"""

from __future__ import annotations

import hmac
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.broker.accounts import busy
from jupyter_oidc.broker.answering import answered
from jupyter_oidc.broker.exchange import Admitted
from jupyter_oidc.broker.hub_identity import account_of_user
from jupyter_oidc.broker.hub_login import RETURN_PATH
from jupyter_oidc.broker.page_front import PageFront
from jupyter_oidc.broker.provider_logouts import SHARED_ACCOUNT
from jupyter_oidc.broker.routed_call import RoutedCall
from jupyter_oidc.language import N_, speaking
from jupyter_oidc.problems import CsrfFailed, Forbidden, MethodNotAllowed, Problem, RequestInvalid
from jupyter_oidc.web.pages import show_problem
from jupyter_oidc.web.reply import empty_reply
from jupyter_oidc.web.request import Caller, parameter
from jupyter_oidc.web.routes.backchannel_logout import logout_token_in
from jupyter_oidc.web.table import route_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from jupyter_oidc.broker.accounts import Account, Accounts
    from jupyter_oidc.broker.exchange import Exchange
    from jupyter_oidc.broker.hub_login import HubLogin, Visitor
    from jupyter_oidc.broker.hub_place import HubPlace
    from jupyter_oidc.broker.provider_logouts import ProviderLogouts
    from jupyter_oidc.web.request import Request
    from jupyter_oidc.web.table import Route

_LOGOUT: Final = "BackchannelLogout"
_WITHOUT_LOGIN: Final = (("GET", "SignedOut"), ("POST", "InitiateLogin"))
"""Pages that change nothing and tell nothing of a person, for browsers without a login too."""

_DOCUMENT: Final = ("navigate", "document")


class Places:
    """At most ``most`` requests at once of callers that nobody knows."""

    def __init__(self, most: int) -> None:
        self._left = most

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place; raises ``Overloaded`` if there is none."""
        if self._left <= 0:
            raise busy()
        self._left -= 1
        try:
            yield
        finally:
            self._left += 1


class HubPages:
    """Answers the requests of the service at ``place`` that no Jupyter server has forwarded.

    Of those without a login, and of providers, ``most`` may be under way.
    """

    def __init__(
        self, accounts: Accounts, place: HubPlace, login: HubLogin, logouts: ProviderLogouts, most: int
    ) -> None:
        self._strangers, self._providers = Places(most), Places(most)
        self._accounts = accounts
        self._place = place
        self._login = login
        self._logouts = logouts

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer one request; raises a ``Problem`` for one that asks for no page."""
        found = route_at(exchange.path[1:])
        if found is not None and found[0].name == _LOGOUT:
            return await self._end_sessions(exchange, found[1][0])
        if exchange.path != RETURN_PATH and (found is None or not found[0].is_page):
            raise RequestInvalid(
                N_("The broker has no such page."),
                action=N_("Open it at your Jupyter server."),
                detail="broker.path",
            )
        with self._accounts.use(SHARED_ACCOUNT, for_broker=True) as shared:
            stranger = Admitted(shared, Caller("public"), self._front(shared, exchange, None))
            request = exchange.as_request(stranger.caller)
            try:
                if found is None:
                    return await exchange.send(await self._login.finish(request))
                return await self._shown(exchange, request, found[0], stranger)
            except Problem as problem:  # NOTE: those of a page itself are shown by it
                BROKER.warning("jupyter_oidc: %s %s (%s)", problem.status, problem.code, problem.detail)
                with speaking(exchange.language):
                    reply = show_problem(stranger.front, problem.bare())
                ways = self._login.given_up(request) if found is None else ()
                return await exchange.send(reply.with_cookies(*ways), last=True)

    async def _shown(
        self, exchange: Exchange, request: Request, route: Route, stranger: Admitted
    ) -> web.StreamResponse:
        visitor = await self._login.visitor_of(request)
        if visitor is None:
            if (request.method, route.name) in _WITHOUT_LOGIN:
                with self._strangers.place():
                    return await answered(RoutedCall(exchange, stranger), stranger)
            if request.method != "GET":
                raise Forbidden(
                    N_("This browser is not logged in at JupyterHub any more."),
                    action=N_("Go back to JupyterLab and try again."),
                    detail="hub.login",
                )
            return await exchange.send(self._login.begin(request, exchange.whole_path_and_query))
        with self._accounts.use(account_of_user(visitor.user)) as account:
            _check_origin(exchange, request, route, visitor)
            admitted = Admitted(account, Caller("user", visitor.user), self._front(account, exchange, visitor))
            return await answered(RoutedCall(exchange, admitted), admitted)

    async def _end_sessions(self, exchange: Exchange, provider: str) -> web.StreamResponse:
        if exchange.request.method != "POST":
            raise MethodNotAllowed
        with self._providers.place():
            request = exchange.as_request(Caller("public"), body=await exchange.body())
            await self._logouts.end(provider, logout_token_in(request))
        return await exchange.send(empty_reply(200), last=True)

    def _front(self, account: Account, exchange: Exchange, visitor: Visitor | None) -> PageFront:
        home, xsrf_token = (
            (self._place.hub, "") if visitor is None else (self._place.home_of(visitor.user), visitor.xsrf_token)
        )
        return PageFront(account, self._place, home, xsrf_token, exchange.seconds)


def _check_origin(exchange: Exchange, request: Request, route: Route, visitor: Visitor) -> None:
    """Refuse what a page of another site, or another user's page at the same host, can have caused (C32)."""
    rule, headers = route.rule_of(request.method), exchange.request.headers
    if rule is None or rule.is_public:
        return
    if (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) not in (_DOCUMENT, (None, None)):
        raise CsrfFailed
    if request.method == "POST":
        given = parameter(request, "_xsrf", "")
        if not hmac.compare_digest(given.encode(), visitor.xsrf_token.encode()):
            raise CsrfFailed
