"""Rewrites addresses in a reply's head: those below the API's base URL lead through the proxy again (C9, C10).

A caller that follows one to the API's own host would arrive there without a token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jupyter_oidc.proxy.target import rewritten_location

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.settings import Api

ADDRESS_HEADERS: Final = frozenset(
    {"Location", "Content-Location", "Operation-Location", "Azure-AsyncOperation", "Link", "Refresh"}
)
"""Headers whose value is an address, or holds some, as :mod:`jupyter_oidc.proxy.headers` spells them."""

_LINK: Final = re.compile(r'''<([^<>"]*)>|((?i:\banchor)\s*=\s*")([^"\\]*)"|"(?:[^"\\]|\\.)*"''')
"""A target, an anchor, and any other quoted text, which stays as it is (RFC 8288, 3)."""

_REFRESH: Final = re.compile(r"""(\s*[0-9.]*\s*[;,]?\s*(?i:url)\s*=\s*)["']?([^"']*)["']?\s*\Z""")


def lead_through_proxy(
    api: Api, headers: Headers, request_url: str, proxy_path: str, own_host: str
) -> tuple[Headers, list[str]]:
    """Return ``headers`` with every address below the base URL of ``api`` rewritten to the proxy at ``proxy_path``.

    The second value names the headers that lead to other hosts, which get no token. A header with a forbidden address
    (:func:`rewritten_location` returns ``None``) is left out.
    """
    outside: dict[str, None] = {}

    def rewrite(name: str, address: str) -> str:
        leads = rewritten_location(api, address.strip(), request_url, proxy_path, own_host)
        if leads is None:
            raise _ForbiddenAddress
        if not leads.startswith(proxy_path):
            outside[name] = None
        return leads

    kept: Headers = []
    for name, value in headers:
        if name not in ADDRESS_HEADERS:
            kept.append((name, value))
            continue
        try:
            kept.append((name, _rewritten(name, value, rewrite)))
        except _ForbiddenAddress:
            continue
    # NOTE: clients differ in which of two locations they follow, so both are dropped (C10).
    if sum(name == "Location" for name, _ in headers) > 1:
        kept = [(name, value) for name, value in kept if name != "Location"]
    return kept, list(outside)


class _ForbiddenAddress(Exception):
    """An address to which no caller may be sent."""


def _rewritten(name: str, value: str, rewrite: Callable[[str, str], str]) -> str:
    if name == "Link":
        return _LINK.sub(lambda found: _link_part(found, rewrite), value)
    if name != "Refresh":
        return rewrite(name, value)
    found = _REFRESH.match(value)
    return f"{found[1]}{rewrite(name, found[2])}" if found else value


def _link_part(found: re.Match[str], rewrite: Callable[[str, str], str]) -> str:
    if found[1] is not None:
        return f"<{rewrite('Link', found[1])}>"
    return found[0] if found[2] is None else f'{found[2]}{rewrite("Link", found[3])}"'
