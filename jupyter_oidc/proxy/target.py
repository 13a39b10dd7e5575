"""Builds the target of a proxied call: from the raw path to a URL that provably lies below the API's base URL.

It uses the path as received over the wire, because a framework's decoded path hides the attacker's own spelling.
An ambiguous path is refused (:mod:`jupyter_oidc.proxy.path`).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from jupyter_oidc.language import N_
from jupyter_oidc.problems import BadPath, QueryTooLong
from jupyter_oidc.proxy.path import check_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.settings import Api

MAX_QUERY_CHARACTERS: Final = 32_768
"""Bytes of query string that are forwarded (C3)."""

_QUERY: Final = re.compile(r"[\x21\x22\x24-\x7e]*\Z")
_PORTS: Final = {"http": 80, "https": 443}
_NETLOC: Final = re.compile(
    r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:%]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{0,5}))?\Z"
)
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
"""A last label that makes a browser read the whole host as an IPv4 address."""


def upstream_url(api: Api, raw_path: str, raw_query: str) -> str:
    """Return the upstream URL for ``raw_path`` (without a leading slash) and ``raw_query`` below ``api``.

    Raises ``BadPath`` for a path that could leave the base URL in any reading, ``RouteForbidden`` for a
    path outside the API's ``path_prefixes``, ``QueryTooLong`` for an overlong query.
    """
    check_path(raw_path, api.path_prefixes, api.path_data)
    if len(raw_query) > MAX_QUERY_CHARACTERS:
        raise QueryTooLong
    if not _QUERY.match(raw_query):
        raise BadPath(N_("The query string holds a character that cannot be forwarded."))
    url = api.base_url + raw_path
    _assert_below(url, api.base_url)
    return f"{url}?{raw_query}" if raw_query else url


def without_reserved(raw_query: str, is_reserved: Callable[[str, str], bool]) -> str:
    """Return ``raw_query`` byte for byte, less the parameters that belong to the Jupyter server (C3).

    ``is_reserved`` gets each decoded name and value.
    """
    kept = [part for part in raw_query.split("&") if not _reserved(part, is_reserved)]
    return "&".join(kept)


def rewritten_location(api: Api, location: str, request_url: str, proxy_path: str, own_host: str) -> str | None:
    """Return the address to which a redirect of the API may send the caller, or ``None`` (C9, C10).

    One below the base URL leads through the proxy again; ``proxy_path`` is the path of this API's proxy, with a slash
    at the end.
    Any other is made absolute, because it is relative to the API and the caller would resolve it against Jupyter: a
    fetch follows it there with the XSRF header and the login cookie.
    An address of Jupyter itself (``own_host``) in any spelling, or one that clients read differently, gives ``None``.
    """
    try:
        target = urljoin(request_url, location)
        parts = urlsplit(target)
        if parts.scheme not in _PORTS:
            return None
        host, port = _place(parts.netloc)
        own, own_port = _place(own_host)
        own_ports = (own_port,) if own_port else tuple(_PORTS.values())
        if host == own and (port or _PORTS[parts.scheme]) in own_ports:
            return None
    except ValueError:
        return None
    below = target.partition("?")[0].partition("#")[0]
    if not below.startswith(api.base_url):
        return target
    rest = below[len(api.base_url) :]
    try:
        check_path(rest, data=api.path_data)
    except BadPath:
        return target
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return proxy_path + rest + query + fragment


def _place(netloc: str) -> tuple[str, int | None]:
    """Return host and port in the normal form of a browser (WHATWG URL, 3.5).

    Raises ``ValueError`` for a host that this module and a browser might read differently: in a browser a backslash
    ends a host, and escapes, letters beyond ASCII and numbers in other notations become a name or address.
    """
    match = _NETLOC.match(netloc)
    if match is None:
        raise ValueError
    host, port = match[1].lower().rstrip("."), int(match[2]) if match[2] else None
    if host.startswith("["):
        host = str(IPv6Address(host[1:-1]))
    elif _NUMBER.match(host.rpartition(".")[2]):
        host = str(IPv4Address(host))
    return host, port


def _assert_below(url: str, base_url: str) -> None:
    """Compare the finished URL with the configuration once more, part by part, after parsing."""
    made, base = urlsplit(url), urlsplit(base_url)
    if (made.scheme, made.netloc) != (base.scheme, base.netloc) or not made.path.startswith(base.path):
        raise BadPath


def _reserved(part: str, is_reserved: Callable[[str, str], bool]) -> bool:
    name, _, value = part.partition("=")
    return is_reserved(_decoded(name), _decoded(value))


def _decoded(text: str) -> str:
    return unquote(text.replace("+", " "))
