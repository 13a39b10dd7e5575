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

_DOWN_FAMILIES: Final = (
    "openai-",
    "ratelimit",
    "x-amz-",
    "x-amzn-",
    "x-api-version",
    "x-b3-",
    "x-cache",
    "x-correlation-id",
    "x-count",
    "x-cursor",
    "x-github-",
    "x-goog-",
    "x-has-more",
    "x-ms-",
    "x-next",
    "x-page",
    "x-pagination",
    "x-per-page",
    "x-prev",
    "x-process-time",
    "x-rate-limit",
    "x-ratelimit",
    "x-request-id",
    "x-response-time",
    "x-runtime",
    "x-total",
    "x-trace",
)
"""Beginnings of names that many APIs use to number, page, limit and trace; anything else is a setting of the API."""

_PLAIN_VALUE: Final = re.compile(r"[\t\x20-\x7e]*\Z")
"""What goes up is ASCII: the upstream client writes anything else in another encoding than it came."""

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*("|\\?\Z)')
"""Matches at every quote, if only up to the end, so that no value is read again and again from each of its quotes."""

_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")  # RFC 9110, 5.5
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2

FIXED: Final[Headers] = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
]
"""Set on every proxied reply, and never taken from an upstream."""


def headers_up(received: Iterable[tuple[str, str]], more: frozenset[str] = frozenset()) -> Headers:
    """Return the request headers that go to the API, without ``Authorization``, which the adapter adds.

    ``more`` are lower-case names that this API's settings add to the list.
    Names named by ``Connection`` are dropped like all hop-by-hop headers (C5, C6).
    Raises ``BadHeader`` for a value that cannot be forwarded byte for byte (C8).
    """
    received = list(received)
    hop_by_hop = {
        word.strip().lower() for name, value in received if name.lower() == "connection" for word in value.split(",")
    }
    up: Headers = []
    for name, value in received:
        lower = name.lower()
        if (lower not in _UP and lower not in more) or lower in hop_by_hop:
            continue
        if not _PLAIN_VALUE.match(value):
            raise BadHeader
        up.append((name, value))
    return up


def headers_down(received: Iterable[tuple[str, str]], more: frozenset[str] = frozenset()) -> Headers:
    """Return the reply headers that come back, with the fixed ones, and caching confined to this user (C22).

    ``more`` are lower-case names that this API's settings add to the list.
    """
    down: Headers = []
    cache: list[str] = []
    for name, value in received:
        lower = name.lower()
        if not (lower in _DOWN or lower in more or lower.startswith(_DOWN_FAMILIES)):
            continue
        if not _NAME.match(name) or not _VALUE.match(value):
            continue
        if lower == "cache-control":
            cache += [word.strip() for word in value.split(",")]
        elif lower != "www-authenticate" or asks_no_password(value):
            down.append((name, value))
    return [*down, ("Cache-Control", _private(cache)), *FIXED]


def asks_no_password(challenge: str) -> bool:
    """Return whether every scheme in a ``WWW-Authenticate`` is one that no browser prompts for (C11).

    A ``Basic``, ``Digest``, ``Negotiate`` or ``NTLM`` behind a first ``Bearer`` counts (RFC 9110, 11.6.1).
    A quote that does not end could hide one, so it counts as one.
    """
    if any(quoted[1] != '"' for quoted in _QUOTED.finditer(challenge)):
        return False
    for part in _QUOTED.sub('""', challenge).split(","):
        words = part.split()
        if words and "=" not in words[0] and words[0].lower() not in ("bearer", "dpop"):
            return False
    return True


def _private(cache: list[str]) -> str:
    kept = [
        word
        for word in cache
        if word and word.partition("=")[0].strip().lower() not in ("public", "private", "s-maxage")
    ]
    return ", ".join(["private", *(kept or ["no-cache"])])
