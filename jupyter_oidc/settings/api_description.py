"""Reads the keys that describe an API to people: a path that works, its documentation, its OpenAPI document.

They open nothing in the proxy by themselves; where the document may be read from is judged here (ADR 52).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jupyter_oidc.language import N_
from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS

if TYPE_CHECKING:
    from jupyter_oidc.settings.key_reader import KeyReader

MAX_REFERENCE_CHARACTERS: Final = 2_048
"""Characters of a path or address in these settings."""

MAX_DOCUMENT_BYTES: Final = 5 * 1024 * 1024
"""Bytes of an OpenAPI document; a larger one is refused."""

FILE_PREFIX: Final = "file:"

_PATH: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})+")  # RFC 3986, 3.3
_QUERY: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*")  # RFC 3986, 3.4
_FRAGMENT: Final = _QUERY
_UNCLEAR: Final = re.compile(r"//|(\A|/)\.\.?(/|\Z)|%2[EeFf]|%5[Cc]|%25")


def read_example(keys: KeyReader, prefixes: tuple[str, ...]) -> str | None:
    """Return a path with its query, relative to ``base_url`` and below one of ``prefixes``."""
    key, value = "example", keys.take("example")
    if value is None:
        return None
    if not _is_text(value) or value.startswith("/") or not _is_plain_path(value):
        keys.at.add(key, N_("is not a plain path below base_url"), N_("Write for example 'items?limit=5'."))
        return None
    path = "/" + value.partition("?")[0]
    if not any(path.rstrip("/") == one.rstrip("/") or path.startswith(one.rstrip("/") + "/") for one in prefixes):
        instead = N_("Write a path below one of them, or open this one.")
        keys.at.add(key, N_("is a path that the path_prefixes do not open"), instead, "contradictory")
    return str(value)


def read_link(keys: KeyReader, key: str) -> str | None:
    """Return the https address of a page for people, which may have a query and a fragment."""
    value = keys.take(key)
    if value is None:
        return None
    if not _is_text(value) or not _is_address(value, loopback_http=keys.loopback_http):
        keys.at.add(key, N_("is not an https address"), N_("Write https://host/..."))
        return None
    return str(value)


def read_document(keys: KeyReader) -> str | None:
    """Return where the OpenAPI document is: a path below ``base_url``, an https address or ``file:PATH``."""
    key, value = "openapi", keys.take("openapi")
    if value is None:
        return None
    if _is_text(value):
        is_path = value.startswith("/") and len(value) > 1 and _is_plain_path(value[1:])
        is_file = value.startswith(FILE_PREFIX) and bool(value.removeprefix(FILE_PREFIX).strip())
        is_address = "#" not in value and _is_address(value, loopback_http=keys.loopback_http)
        if is_path or is_file or is_address:
            return str(value)
    instead = N_("Write a path below base_url, for example '/openapi.json', an https address, or 'file:PATH'.")
    keys.at.add(key, N_("does not say where a document is"), instead)
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_REFERENCE_CHARACTERS


def _is_plain_path(written: str) -> bool:
    """Return whether ``written`` is one path, for every server that reads it, with an optional query."""
    path, _, query = written.partition("?")
    return not path.startswith("/") and bool(
        _PATH.fullmatch(path) and _QUERY.fullmatch(query) and not _UNCLEAR.search(path)
    )


def _is_address(value: str, *, loopback_http: bool) -> bool:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or "@" in parts.netloc or not value.isascii() or re.search(r"[\s\\]", value):
        return False
    if not (
        (not parts.path or _PATH.fullmatch(parts.path))
        and _QUERY.fullmatch(parts.query)
        and _FRAGMENT.fullmatch(parts.fragment)
    ):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and loopback_http and host in LOOPBACK_HOSTS)
