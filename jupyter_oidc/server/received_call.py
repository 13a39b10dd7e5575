"""Takes a proxied call out of a request of tornado's, for the handler and the fast path."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider

from jupyter_oidc.web.proxy_request_parsing import proxy_request

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import Caller
    from jupyter_oidc.proxy.request import ProxyRequest

_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
"""Characters that tornado turns into spaces in an argument."""

_OWN_LOGINS: Final = (IdentityProvider, PasswordIdentityProvider)
"""Identity providers that know one token only, the server's."""


def received_call(
    request: HTTPServerRequest,
    headers: Headers,
    prefix: str,
    caller: Caller,
    identity: Any,
) -> ProxyRequest:
    """Return ``request`` without its body, with its ``headers``, whose path is below ``prefix``; ``identity`` is the server's provider.

    Raises ``BadPath`` as :func:`~jupyter_oidc.web.proxy_request_parsing.proxy_request` does.
    """
    return proxy_request(
        request.method or "",
        request.uri or "",
        headers,
        request.host,
        prefix,
        caller,
        partial(_is_login_token, caller, identity),
    )


def _is_login_token(caller: Caller, identity: Any, value: str) -> bool:
    """Return whether a parameter ``token`` of this ``value`` is a login at this server.

    Another identity provider than Jupyter's own may accept any token as a login: JupyterHub does, and JupyterLab puts
    the user's token into the address of every WebSocket there.
    """
    if caller == "browser" and type(identity) not in _OWN_LOGINS:
        return True
    return bool(identity.token) and _CONTROL.sub(" ", value).strip() == identity.token
