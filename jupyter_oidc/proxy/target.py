"""Where a proxied call goes: from the raw path to a URL that provably lies below the API's base URL.

The path is taken as it came over the wire, because a framework's decoded path has already lost what an
attacker wrote.
Nothing is repaired: a path that could mean two things is refused (C1, C2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from jupyter_oidc.errors import BadPath, HeadersTooLarge, RouteForbidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.settings import Api

LONGEST_QUERY: Final = 32_768
"""Bytes of query string that are forwarded (C3)."""

_PATH: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*\Z")  # RFC 3986, 3.3
_QUERY: Final = re.compile(r"[\x21\x22\x24-\x7e]*\Z")
_DOTS: Final = re.compile(r"\.{1,2}\Z")


def upstream_url(api: Api, raw_path: str, raw_query: str) -> str:
    """Return the upstream URL for ``raw_path`` (without a leading slash) and ``raw_query`` below ``api``.

    Raises ``BadPath`` for anything that could leave the base URL under any reading, ``RouteForbidden`` for a
    path outside the API's ``path_prefixes``, ``HeadersTooLarge`` for an overlong query.
    """
    _check_path(raw_path)
    if not any(_below("/" + raw_path, prefix) for prefix in api.path_prefixes):
        raise RouteForbidden
    if len(raw_query) > LONGEST_QUERY:
        raise HeadersTooLarge("The query string is longer than 32 KiB.")
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


def rewritten_location(api: Api, location: str, request_url: str, proxy_path: str) -> str:
    """Return ``location`` of an upstream redirect; one below the base URL leads through the proxy again (C9).

    ``proxy_path`` is the path of this API's proxy, with a slash at the end.
    Anything else is passed on as it is: the browser goes there without a token (C10).
    """
    target = urljoin(request_url, location)
    parts = urlsplit(target)
    below = target.partition("?")[0].partition("#")[0]
    if not below.startswith(api.base_url):
        return location
    rest = below[len(api.base_url) :]
    try:
        _check_path(rest)
    except BadPath:
        return location
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return proxy_path + rest + query + fragment


def _check_path(raw: str) -> None:
    """Refuse ``raw`` if it, or what one or two decodings make of it, is not a plain relative path."""
    if not _PATH.match(raw):
        raise BadPath
    reading = raw
    for _ in range(3):
        _check_reading(reading)
        decoded = unquote(reading, encoding="utf-8", errors="replace")
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
        if _DOTS.match(segment.partition(";")[0].strip()):
            raise BadPath


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
