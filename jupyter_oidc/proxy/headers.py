"""Which headers go up to an API and which come back down: two lists, and nothing else passes (law 8).

``Authorization`` is always ours.
A reply shares its origin with JupyterLab, so it is sandboxed and may not be sniffed, whatever the upstream
says (C23, C24).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jupyter_oidc.errors import BadHeader

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = list[tuple[str, str]]

_UP: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-digest",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-type",
        "digest",
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-event-id",
        "prefer",
        "range",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-request-id",
    },
)

_DOWN: Final = frozenset(
    {
        "accept-patch",
        "accept-post",
        "accept-ranges",
        "age",
        "allow",
        "cache-control",
        "content-digest",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "date",
        "deprecation",
        "digest",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
        "preference-applied",
        "retry-after",
        "server-timing",
        "sunset",
        "traceresponse",
        "vary",
        "warning",
        "www-authenticate",
    },
)

_DOWN_FAMILIES: Final = ("x-", "ratelimit")
_NOT_DOWN: Final = (
    "x-oidc-",
    "x-frame-options",
    "x-content-type-options",
    "x-xss-protection",
    "x-accel-",
    "x-sendfile",
)

_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")  # RFC 9110, 5.5
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2

FIXED: Final[Headers] = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
]
"""Set on every proxied reply, and never taken from an upstream."""


def headers_up(received: Iterable[tuple[str, str]]) -> Headers:
    """Return the request headers that go to the API, without ``Authorization``, which the adapter adds.

    Names named by ``Connection`` are dropped like all hop-by-hop headers (C5, C6).
    Raises ``BadHeader`` for a value that cannot be forwarded safely (C8).
    """
    received = list(received)
    hop_by_hop = {
        word.strip().lower() for name, value in received if name.lower() == "connection" for word in value.split(",")
    }
    up: Headers = []
    for name, value in received:
        lower = name.lower()
        if lower not in _UP or lower in hop_by_hop:
            continue
        if not _VALUE.match(value):
            raise BadHeader
        up.append((name, value))
    return up


def headers_down(received: Iterable[tuple[str, str]]) -> Headers:
    """Return the reply headers that come back, with the fixed ones, and caching confined to this user (C22)."""
    down: Headers = []
    cache: list[str] = []
    for name, value in received:
        lower = name.lower()
        if not _comes_down(lower) or not _NAME.match(name) or not _VALUE.match(value):
            continue
        if lower == "cache-control":
            cache += [word.strip() for word in value.split(",")]
        elif lower != "www-authenticate" or not value.lstrip().lower().startswith("basic"):
            down.append((name, value))
    return [*down, ("Cache-Control", _private(cache)), *FIXED]


def _comes_down(lower: str) -> bool:
    if lower.startswith(_NOT_DOWN):
        return False
    return lower in _DOWN or lower.startswith(_DOWN_FAMILIES)


def _private(cache: list[str]) -> str:
    kept = [
        word
        for word in cache
        if word and word.partition("=")[0].strip().lower() not in ("public", "private", "s-maxage")
    ]
    return ", ".join(["private", *(kept or ["no-cache"])])
