"""A call as it reached us, before anything was decided about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import Caller


class ProxyRequest(NamedTuple):
    """A call as it reached us: ``raw_path`` and ``raw_query`` are undecoded, the path without leading slash.

    ``proxy_path`` is the path under which the caller reaches this API, with a slash at the end, and ``own_host`` the host
    (and port) under which the caller reaches us.
    """

    api: str
    method: str
    raw_path: str
    raw_query: str
    headers: Headers
    caller: Caller
    proxy_path: str
    own_host: str = ""
    body: AsyncIterator[bytes] | None = None
    length: int | None = None
