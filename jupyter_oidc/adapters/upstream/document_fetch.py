"""Fetches a public document by the network settings of an API, without its token and without any other secret.

It goes the API's way: its certificate authorities, its forward proxy, its judgement of private addresses (C34, C35, H-1).
A redirect is not followed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstreamReply
    from jupyter_oidc.settings import Api

_HEADERS: Final = [("Accept", "application/json, application/yaml, */*;q=0.5"), ("Accept-Encoding", "identity")]


async def fetch_document(api: Api, url: str, read: Callable[[HttpUpstreamReply], Awaitable[bytes]]) -> bytes:
    """Send a GET to ``url`` and return what ``read`` makes of the reply; raises the problems of a call to an API."""
    way = replace(
        api,
        base_url=url,
        headers=(),
        client_certificate=None,
        client_certificate_key=None,
        client_certificate_password=None,
    )
    upstream = HttpUpstream()
    try:
        reply = await upstream.open_public(way, url, list(_HEADERS))
        try:
            return await read(reply)
        finally:
            reply.drop()
    finally:
        await upstream.aclose()
