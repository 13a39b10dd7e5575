"""The route table: every path of the extension and the handler that serves it (DESIGN 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.server.handlers.apis import ApisHandler
from jupyter_oidc.server.handlers.browser import (
    CallbackHandler,
    PersonHandler,
    SignedOutHandler,
    SignOutPageHandler,
    StartHandler,
)
from jupyter_oidc.server.handlers.command import CommandHandler, CommandsHandler
from jupyter_oidc.server.handlers.diagnostics import DiagnosticsHandler
from jupyter_oidc.server.handlers.initiate import InitiateLoginHandler
from jupyter_oidc.server.handlers.kernel_grant import KernelGrantHandler
from jupyter_oidc.server.handlers.provider_logout import BackchannelLogoutHandler
from jupyter_oidc.server.handlers.proxy import ProxyHandler
from jupyter_oidc.server.handlers.sessions import ProvidersHandler, RefreshHandler, SessionHandler, SignOutHandler
from jupyter_oidc.server.handlers.sign_in import CompleteHandler, SignInHandler, SignInProgressHandler

if TYPE_CHECKING:
    from jupyter_oidc.server.handler import Context, OidcHandler

_PROVIDER: Final = r"/jupyter-oidc/providers/([^/]+)"

ROUTES: Final[tuple[tuple[str, type[OidcHandler]], ...]] = (
    (r"/jupyter-oidc/providers", ProvidersHandler),
    (_PROVIDER + r"/session", SessionHandler),
    (_PROVIDER + r"/sign-in", SignInHandler),
    (_PROVIDER + r"/sign-in/([^/]+)", SignInProgressHandler),
    (_PROVIDER + r"/sign-in/([^/]+)/complete", CompleteHandler),
    (r"/jupyter-oidc/start/([^/]+)", StartHandler),
    (_PROVIDER + r"/callback", CallbackHandler),
    (_PROVIDER + r"/callback/person", PersonHandler),
    (_PROVIDER + r"/refresh", RefreshHandler),
    (_PROVIDER + r"/sign-out", SignOutHandler),
    (_PROVIDER + r"/sign-out/([^/]+)", SignOutPageHandler),
    (_PROVIDER + r"/signed-out", SignedOutHandler),
    (_PROVIDER + r"/initiate-login", InitiateLoginHandler),
    (_PROVIDER + r"/backchannel-logout", BackchannelLogoutHandler),
    (r"/jupyter-oidc/apis", ApisHandler),
    (r"/jupyter-oidc/api/(.*)", ProxyHandler),
    (r"/jupyter-oidc/kernel/grant", KernelGrantHandler),
    (r"/jupyter-oidc/commands", CommandsHandler),
    (r"/jupyter-oidc/commands/([^/]+)", CommandHandler),
    (r"/jupyter-oidc/diagnostics", DiagnosticsHandler),
)
"""``(pattern below base_url, handler)`` of every route, including the proxy's, which the extension adds itself."""


def routes(context: Context) -> list[tuple[str, type[OidcHandler], dict[str, Any]]]:
    """Return the routes in the form that ``ExtensionApp.handlers`` takes, without that of the proxy.

    ``JupyterOIDC.initialize_handlers`` adds the proxy by its prefix, before all others.
    """
    return [(pattern, handler, {"context": context}) for pattern, handler in ROUTES if handler is not ProxyHandler]
