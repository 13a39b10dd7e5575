"""Parses a proxied request for every front: the API, the path below it, and the query without Jupyter's own parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import BadPath
from jupyter_oidc.proxy.request import Person, ProxyRequest
from jupyter_oidc.proxy.target import without_reserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import Caller

API_PATH: Final = "jupyter-oidc/api/"
"""The path above the APIs, below the base URL of the Jupyter server."""


def proxy_request(
    method: str,
    target: str,
    headers: Headers,
    host: str,
    prefix: str,
    caller: Caller,
    is_login_token: Callable[[str], bool],
) -> ProxyRequest:
    """Return the call to ``target``, the path and query of a request line as received, whose path is below ``prefix``.

    ``is_login_token`` returns whether the value of a parameter ``token`` signs a caller in at this server: such a
    parameter never reaches an API, and neither does the server's XSRF value (C3).
    Raises ``BadPath`` if the prefix is spelled in another way, or the slash after the API's name is missing.
    """
    raw_path, _, query = target.partition("?")
    if not raw_path.startswith(prefix):
        raise BadPath
    name, slash, rest = raw_path[len(prefix) :].partition("/")
    if not slash:
        raise BadPath(N_("An API is called with a slash after its name."))
    if query:
        query = without_reserved(query, lambda key, value: key == "_xsrf" or (key == "token" and is_login_token(value)))
    return ProxyRequest(
        api=name,
        method=method,
        raw_path=rest,
        raw_query=query,
        headers=headers,
        caller=caller,
        proxy_path=f"{prefix}{name}/",
        own_host=host,
        person=Person(),
    )
