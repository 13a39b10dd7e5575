"""Makes a handler of tornado's for each route of the table: it reads the request, runs the function, writes the reply."""

from __future__ import annotations

from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_server.base.handlers import APIHandler
from tornado.web import authenticated

from jupyter_oidc.language import speaking
from jupyter_oidc.problems import Forbidden, StateInvalid
from jupyter_oidc.server.broker import forwarded_of
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.jupyter_front import JupyterFront
from jupyter_oidc.server.loopback import LoopbackListener
from jupyter_oidc.server.problems import problem_of
from jupyter_oidc.web.access_rule import public_route
from jupyter_oidc.web.cookies import sign_in_bindings, sign_in_cookie
from jupyter_oidc.web.front import Call
from jupyter_oidc.web.pages import show_problem
from jupyter_oidc.web.redirects import require_browser_on_this_machine
from jupyter_oidc.web.reply import redirect
from jupyter_oidc.web.request import fields_of
from jupyter_oidc.web.routes.callback import end_sign_in, show_outcome
from jupyter_oidc.web.routes.grants import make_grant, revoke_grant, show_grants
from jupyter_oidc.web.table import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.problems import Problem
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.sessions.api import SessionApi, SignIn
    from jupyter_oidc.web.reply import Reply
    from jupyter_oidc.web.table import RouteFunction


@authenticated
def _redirect_to_login(_handler: RouteHandler) -> None:
    """Send a browser without a login to Jupyter's or the Hub's login page, which sends it back here."""


class RouteHandler(OidcHandler):
    """Serves ``route``: the base of the handlers that :func:`handler_of` makes."""

    route: ClassVar[Route]

    _leads_to_login = False

    @property
    def home(self) -> str:
        """The address of JupyterLab for this browser."""
        return str(self.base_url)

    @cached_property
    def front(self) -> JupyterFront:
        """The front of this request."""
        return JupyterFront(self, self.home, self._open_listener)

    async def serve(self, function: RouteFunction, arguments: tuple[str, ...]) -> None:
        """Run ``function`` and send its reply, or that of the broker, which runs the same one."""
        broker = self.context.broker
        if broker is not None:
            needs_page = self.route.problems != "json"
            leases = self.context.worker_leases if function in (make_grant, show_grants, revoke_grant) else None
            if leases is not None and function is not revoke_grant:
                await leases.end_forsaken()
            reply = await broker.ask(self.received(), forwarded_of(self, needs_page=needs_page))
            if leases is not None and function is make_grant:
                leases.made(reply, self.kernel_run)
            if leases is not None and function is revoke_grant and reply.status == 200:
                leases.revoked(*arguments)
            self.send(reply)
            return
        with speaking(self.language):
            reply = await function(self.call(), *arguments)
        self.send(reply)

    def call(self) -> Call:
        """Return this request as the argument of a route."""
        return Call(self.received(), self.front, self.session_api, lambda: self.services.catalogue)

    def session_api(self) -> SessionApi:
        """Return what routes may ask of the sessions; raises ``ConfigurationInvalid`` with all findings."""
        return self.services.session_api

    async def _open_listener(self, sign_in: SignIn) -> str:
        """Open a listener for the end of ``sign_in`` and return the address to which the browser goes first."""
        request = self.request
        require_browser_on_this_machine(request.host, request.remote_ip or "")
        listener = LoopbackListener(
            self.session_api(),
            sign_in,
            home=f"{request.protocol}://{request.host}{self.base_url}",
            nonce=self.context.entropy.token(256),
        )
        given, listeners = {"context": self.context, "listener": listener}, self.context.loopback_listeners
        path = f"{self.base_url}jupyter-oidc/providers/{sign_in.provider}/callback"
        uri = sign_in.settings.redirect_uri or f"http://127.0.0.1{path}"
        return await listeners.open(self.application, LoopbackHandler, given, listener, uri=uri)

    def on_finish(self) -> None:
        """Drop the front, which refers to this handler: no cycle may stay behind (ADR 17)."""
        super().on_finish()
        self.__dict__.pop("front", None)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Show a problem as the route says, and send a browser without a login to the login page."""
        info, shown = kwargs.get("exc_info"), self.route.problems
        problem = problem_of(info[1]) if info else None
        if problem is None or not self.route.shows_page(self.request.headers.get("Accept", "")):
            super().write_error(status_code, **kwargs)
        elif shown == "page to a browser" and self._needs_login(problem):
            self.set_header("Cache-Control", "no-store")
            self._leads_to_login = True
            _redirect_to_login(self)
        else:
            with speaking(self.language):
                page = show_problem(self.front, self.disclosed(problem), title=self.route.failure)
            self.send(page)

    def _needs_login(self, problem: Problem) -> bool:
        return self.request.method == "GET" and not self.current_user and isinstance(problem, Forbidden)

    def get_login_url(self) -> str:
        """Return Jupyter's login page, for a browser that shows pages; any other client is refused as by any API."""
        return str(super(APIHandler, self).get_login_url() if self._leads_to_login else super().get_login_url())


def handler_of(route: Route) -> type[RouteHandler]:
    """Return the handler of ``route``; its access rules are those of the functions."""
    verbs = {method.lower(): _verb_of(function) for method, function in route.verbs}
    own = {"route": route, "_track_activity": route.tracks_activity, "__module__": __name__, "__doc__": route.path}
    return type(f"{route.name}Handler", (RouteHandler,), {**own, **verbs})


def _verb_of(function: RouteFunction) -> Callable[..., Awaitable[None]]:
    @wraps(function)
    async def verb(self: RouteHandler, *arguments: str) -> None:
        await self.serve(function, arguments)

    return verb


class LoopbackHandler(RouteHandler):
    """The one page of a :class:`~jupyter_oidc.server.loopback.LoopbackListener`: its beginning, its answer, its end."""

    route = Route("Loopback", "", (), problems="page")

    def initialize(self, context: Context, listener: LoopbackListener | None = None) -> None:
        """Store the listener that this request came through."""
        super().initialize(context)
        assert listener is not None  # noqa: S101 - the listener itself made this handler
        self.listener = listener

    @property
    def home(self) -> str:
        """The address of JupyterLab, which has another origin than this page."""
        return self.listener.home

    @property
    def provider_name(self) -> str:
        """The provider of the sign-in that this listener is for."""
        return self.listener.provider

    @public_route(protection="a one-time nonce of 256 random bits, then state and binding cookie (R-2)")
    async def get(self) -> None:
        """Begin with the nonce, end with the provider's answer, and show how it ended."""
        call, provider, answer = self.call(), self.listener.provider, fields_of(self.request.query)
        with speaking(self.language):
            match [name for name, _ in answer or ()]:
                case ["start"]:
                    self.send(await self._begin(call, (answer or ())[0][1]))
                case ["flow"]:
                    self.send(await show_outcome(call, provider, (answer or ())[0][1]))
                    await self._note_last_page(call)
                case _:
                    self.send(await end_sign_in(call, provider, answer, only=self.listener.flow))

    async def _begin(self, call: Call, nonce: str) -> Reply:
        listener = self.listener
        if not listener.consume_nonce(nonce):
            raise StateInvalid(detail="loopback.start")
        going = await call.sessions.depart(listener.provider, listener.flow, listener.redirect_uri)
        cookie = sign_in_cookie(listener.flow, going.binding, listener.redirect_uri, form_post=False)
        return redirect(going.url).with_cookies(cookie)

    async def _note_last_page(self, call: Call) -> None:
        """Let the listener close once its own browser has seen the end; any page may request this address."""
        provider, flow = self.listener.provider, self.listener.flow
        ended = await call.sessions.ended_sign_in(provider, flow, sign_in_bindings(call.request, flow))
        if ended is not None and ended.state != "waiting":
            self.listener.last_page_shown.set()
