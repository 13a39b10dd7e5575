"""Every path of the extension, with the handler of tornado's that serves it: those of the table, and Jupyter's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.server.handlers.command import CommandHandler, CommandsHandler
from jupyter_oidc.server.handlers.kernel_grant import KernelGrantHandler
from jupyter_oidc.server.handlers.proxy import ProxyHandler
from jupyter_oidc.server.route_handler import handler_of
from jupyter_oidc.web.proxy_request_parsing import API_PATH
from jupyter_oidc.web.table import TABLE

if TYPE_CHECKING:
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.server.handler import OidcHandler

ROUTES: Final[tuple[tuple[str, type[OidcHandler]], ...]] = (
    *((f"/{route.pattern}", handler_of(route)) for route in TABLE),
    (f"/{API_PATH}(.*)", ProxyHandler),
    (r"/jupyter-oidc/kernel/grant", KernelGrantHandler),
    (r"/jupyter-oidc/commands", CommandsHandler),
    (r"/jupyter-oidc/commands/([^/]+)", CommandHandler),
)
"""``(pattern below base_url, handler)`` of every route, including the proxy's."""


def routes(context: Context) -> list[tuple[str, type[OidcHandler], dict[str, Any]]]:
    """Return pattern, handler and arguments of the routes, without that of the proxy.

    :class:`~jupyter_oidc.server.late_routes.LateRoutes` adds the proxy by its prefix, before all others.
    """
    return [(pattern, handler, {"context": context}) for pattern, handler in ROUTES if handler is not ProxyHandler]
