"""Where a proxied call goes: from the raw path to a URL that provably lies below the API's base URL.

The path is taken as it came over the wire, because a framework's decoded path has already lost what an
attacker wrote.
Nothing is repaired: a path that could mean two things is refused (C1, C2).
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from jupyter_oidc.errors import BadPath, QueryTooLong, RouteForbidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.settings import Api

LONGEST_QUERY: Final = 32_768
"""Bytes of query string that are forwarded (C3)."""

_PATH: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*\Z")  # RFC 3986, 3.3
_QUERY: Final = re.compile(r"[\x21\x22\x24-\x7e]*\Z")
_DOTS: Final = re.compile(r"\.{1,2}\Z")
_END_OF_SEGMENT: Final = re.compile(r"[;?#]")
_WORD: Final = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
_PLAIN: Final = re.compile(rf"(?:{_WORD}/)*(?:{_WORD})?\Z")
"""Almost every path, and none that could mean two things."""

_PORTS: Final = {"http": 80, "https": 443}
_NETLOC: Final = re.compile(
    r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:%]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{0,5}))?\Z"
)
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
"""A last label that makes a browser read the whole host as an IPv4 address."""

_SLASHES: Final = {
    ord(char): "/" if char in "\u2044\u2215\u29f8\u2571" else "\\" for char in "\u2044\u2215\u29f8\u2571\u2216\u29f5"
}
"""Characters that compatibility decomposition leaves alone and some servers take for a slash."""


def upstream_url(api: Api, raw_path: str, raw_query: str) -> str:
    """Return the upstream URL for ``raw_path`` (without a leading slash) and ``raw_query`` below ``api``.

    Raises ``BadPath`` for anything that could leave the base URL under any reading, ``RouteForbidden`` for a
    path outside the API's ``path_prefixes``, ``QueryTooLong`` for an overlong query.
    """
    _check_path(raw_path)
    if "/" not in api.path_prefixes and not any(_below("/" + raw_path, prefix) for prefix in api.path_prefixes):
        raise RouteForbidden
    if len(raw_query) > LONGEST_QUERY:
        raise QueryTooLong
    if not _QUERY.match(raw_query):
        raise BadPath("The query string holds a character that cannot be forwarded.")
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
    """Return where a redirect of the API may send the caller, or ``None`` if nowhere (C9, C10).

    One below the base URL leads through the proxy again; ``proxy_path`` is the path of this API's proxy, with a slash at
    the end.
    Anything else is made absolute, because it is relative to the API and the caller would take it for relative to
    Jupyter: a fetch follows it there with the XSRF header and the login cookie.
    What names Jupyter itself (``own_host``) in any spelling, or no web address that all read alike, leads nowhere.
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
        _check_path(rest)
    except BadPath:
        return target
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return proxy_path + rest + query + fragment


def _place(netloc: str) -> tuple[str, int | None]:
    """Return host and port in the one spelling that a browser makes of them all (WHATWG URL, 3.5).

    Raises ``ValueError`` for what this module and a browser might read differently: a backslash ends a host there, and
    escapes, letters beyond ASCII and numbers in other notations are turned into a name or address.
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


def _check_path(raw: str) -> None:
    """Refuse ``raw`` if it, or what one or two decodings make of it, is not a plain relative path."""
    if _PLAIN.match(raw):
        return
    if not _PATH.match(raw):
        raise BadPath
    reading = raw
    for _ in range(3):
        _check_reading(reading)
        if not reading.isascii():
            folded = _folded(reading)
            if any(folded.count(mark) != reading.count(mark) for mark in "/%@"):
                raise BadPath  # something that looks like a slash, an escape or a user name
            _check_reading(folded)
        try:
            decoded = unquote(reading, errors="strict")
        except UnicodeDecodeError:
            raise BadPath from None
        if decoded == reading:
            return
        if decoded.count("/") != reading.count("/"):
            raise BadPath  # an encoded slash
        reading = decoded
    raise BadPath  # NOTE: still changing after two decodings; three layers of escapes have no honest use


def _check_reading(reading: str) -> None:
    if reading.startswith(("/", "@")) or "//" in reading or "\\" in reading:
        raise BadPath
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in reading):
        raise BadPath
    for segment in reading.split("/"):
        # NOTE: a server that parses again after decoding ends the segment at ? and #, one that knows parameters at ;
        stem = _END_OF_SEGMENT.split(segment, maxsplit=1)[0]
        if _DOTS.match(stem.strip()) or (segment and not stem):
            raise BadPath


def _folded(reading: str) -> str:
    """Return what a server may make of ``reading`` that maps characters to their nearest ASCII relatives."""
    seen = "".join(char for char in reading if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", seen).translate(_SLASHES)


def _below(path: str, prefix: str) -> bool:
    stem = prefix.rstrip("/")
    return path == stem or path.startswith(stem + "/")


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
