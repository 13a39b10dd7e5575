"""Parses a proxied request for the handler and the fast path: the API, the path below it and the caller."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider

from jupyter_oidc.errors import BadPath
from jupyter_oidc.proxy.request import Person, ProxyRequest
from jupyter_oidc.proxy.target import without_reserved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tornado.httputil import HTTPServerRequest

    from jupyter_oidc.proxy.ports import Caller

_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
"""Characters that tornado turns into spaces in an argument."""

_OWN_LOGINS: Final = (IdentityProvider, PasswordIdentityProvider)
"""Identity providers that know one token only, the server's."""


def proxy_request(
    request: HTTPServerRequest,
    prefix: str,
    caller: Caller,
    identity: Any,
    *,
    body: AsyncIterator[bytes] | None = None,
    length: int | None = None,
) -> ProxyRequest:
    """Return ``request``, whose path is below ``prefix``, as received; ``identity`` is the server's identity provider.

    Raises ``BadPath`` if the prefix is spelled in another way, or the slash after the API's name is missing.
    """
    raw_path = (request.uri or "").partition("?")[0]
    if not raw_path.startswith(prefix):
        raise BadPath
    name, slash, rest = raw_path[len(prefix) :].partition("/")
    if not slash:
        raise BadPath("An API is called with a slash after its name.")
    query = request.query
    if query:
        query = without_reserved(query, lambda key, value: _is_reserved(key, value, caller, identity))
    return ProxyRequest(
        api=name,
        method=request.method or "",
        raw_path=rest,
        raw_query=query,
        headers=list(request.headers.get_all()),
        caller=caller,
        proxy_path=f"{prefix}{name}/",
        own_host=request.host,
        person=Person(),
        body=body,
        length=length,
    )


def _is_reserved(name: str, value: str, caller: Caller, identity: Any) -> bool:
    """Return whether a parameter is Jupyter's own, which never reaches an API: its token or its XSRF value.

    Another identity provider than Jupyter's own may accept any token as a login: JupyterHub does, and JupyterLab puts
    the user's token into the address of every WebSocket there.
    """
    if name != "token":
        return name == "_xsrf"
    if caller == "browser" and type(identity) not in _OWN_LOGINS:
        return True
    return bool(identity.token) and _CONTROL.sub(" ", value).strip() == identity.token
