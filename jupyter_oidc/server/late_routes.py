"""Adds the routes of the extension when the first request for one of them arrives.

So a Jupyter server starts without the modules of the handlers; usually they are imported before the first request all
the same, because :mod:`jupyter_oidc.adapters.system.early_imports` begins as soon as the server listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_server.utils import url_path_join
from tornado.routing import AnyMatches, Router, Rule

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
        """Return the delegate for the first ``request`` below our prefix, and ``None`` for any other."""
        if not request.path.startswith(self._prefix):
            return None
        self._application.default_router.rules.remove(self._rule)
        self._add_routes()
        return self._application.find_handler(request)

    def _add_routes(self) -> None:
        """Add all routes.

        Those of the proxy come first: they are called most, and comparing their prefix costs least.
        """
        from jupyter_oidc.server.handlers.proxied import ProxiedKindMatcher
        from jupyter_oidc.server.handlers.proxy import BodilessProxyHandler, ProxyHandler
        from jupyter_oidc.server.handlers.proxy_socket import ProxySocketHandler
        from jupyter_oidc.server.kernel_fast_path import KernelFastPath
        from jupyter_oidc.server.routes import routes

        context, application = self._context, self._application
        given = {"context": context}
        application.add_handlers(
            ".*$",
            [
                Rule(ProxiedKindMatcher(context.proxy_prefix, "bodiless"), BodilessProxyHandler, given),
                Rule(ProxiedKindMatcher(context.proxy_prefix, "other"), ProxyHandler, given),
                Rule(ProxiedKindMatcher(context.proxy_prefix, "socket"), ProxySocketHandler, given),
            ],
        )
        application.add_handlers(
            ".*$",
            [
                (url_path_join(self._base_url, pattern), handler, arguments)
                for pattern, handler, arguments in routes(context)
            ],
        )
        # NOTE: Jupyter's own list takes handlers only; requests that the fast path refuses go on to them (ADR 24).
        application.default_router.rules.insert(0, Rule(AnyMatches(), KernelFastPath(application, context)))
