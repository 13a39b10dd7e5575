"""Adds the routes of the extension when the first request for one of them arrives.

So a Jupyter server starts without the modules of the handlers. Usually a thread has imported them before the first
request (:mod:`jupyter_oidc.adapters.system.early_imports`, which begins as soon as the server listens); a request that
is faster imports them itself, and the server answers nothing else meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_server.utils import url_path_join
from tornado.routing import AnyMatches, Router, Rule
from tornado.web import ErrorHandler

from jupyter_oidc.adapters.telemetry.named_log import SERVER
from jupyter_oidc.background import defect_of

if TYPE_CHECKING:
    from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
    from tornado.web import Application

    from jupyter_oidc.server.context import Context


class LateRoutes(Router):
    """The target of a rule in front of all others, until it has made the routes that take its place."""

    def __init__(self, application: Application, context: Context, base_url: str) -> None:
        self._application = application
        self._context = context
        self._base_url = base_url
        self._prefix = url_path_join(base_url, "jupyter-oidc") + "/"
        self._rule = Rule(AnyMatches(), self)
        application.default_router.rules.insert(0, self._rule)

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> HTTPMessageDelegate | None:
        """Return the delegate for the first ``request`` below our prefix, and ``None`` for any other.

        If the routes cannot be made, that request is answered with status 500, and the next one tries again.
        """
        if not request.path.startswith(self._prefix):
            return None
        try:
            rules, fast_paths = self._made()
        except Exception as error:  # noqa: BLE001 - whatever a module raises that is imported
            defect = defect_of(error)
            SERVER.error("jupyter_oidc: its routes cannot be made (%s at %s)", defect.kind, defect.place)
            return self._application.get_handler_delegate(request, ErrorHandler, {"status_code": 500})
        self._application.default_router.rules.remove(self._rule)
        self._application.add_handlers(".*$", rules)
        # NOTE: Jupyter's own list takes handlers only; requests that the fast path refuses go on to them (ADR 24).
        self._application.default_router.rules[:0] = [Rule(AnyMatches(), fast_path) for fast_path in fast_paths]
        return self._application.find_handler(request)

    def _made(self) -> tuple[list[Any], list[Router]]:
        """Return the rules of all routes, and the fast path, which there is none of on the way to a broker.

        Those of the proxy come first: they are called most, and comparing their prefix costs least.
        """
        from jupyter_oidc.server.handlers.proxied import ProxiedKindMatcher
        from jupyter_oidc.server.handlers.proxy import BodilessProxyHandler, ProxyHandler
        from jupyter_oidc.server.handlers.proxy_socket import ProxySocketHandler
        from jupyter_oidc.server.kernel_fast_path import KernelFastPath
        from jupyter_oidc.server.routes import routes

        context, given = self._context, {"context": self._context}
        proxy = (
            Rule(ProxiedKindMatcher(context.proxy_prefix, "bodiless"), BodilessProxyHandler, given),
            Rule(ProxiedKindMatcher(context.proxy_prefix, "other"), ProxyHandler, given),
            Rule(ProxiedKindMatcher(context.proxy_prefix, "socket"), ProxySocketHandler, given),
        )
        others = [
            (url_path_join(self._base_url, pattern), handler, arguments)
            for pattern, handler, arguments in routes(context)
        ]
        fast_paths: list[Router] = [] if context.broker else [KernelFastPath(self._application, context)]
        return [*proxy, *others], fast_paths
