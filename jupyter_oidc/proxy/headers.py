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

_USUAL_NAMES: Final = {
    **{name: name.title() for name in _DOWN},
    "content-md5": "Content-MD5",
    "etag": "ETag",
    "www-authenticate": "WWW-Authenticate",
}
"""How each of them is usually spelled, which is how it comes down."""

_USUAL: Final = {spelt: usual for lower, usual in _USUAL_NAMES.items() for spelt in (lower, lower.title(), usual)}
"""The same for the spellings that almost every API uses, so that they need not be looked into (ADR 17)."""

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

_ASK_AGAIN: Final = "private, no-cache"
"""What a cache is told of a reply that says nothing itself."""

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
    up: Headers = []
    hop_by_hop: set[str] = set()
    for name, value in received:
        lower = name.lower()
        if lower == "connection":
            hop_by_hop.update(word.strip().lower() for word in value.split(","))
        elif lower in _UP or lower in more:
            up.append((name, value))
    if hop_by_hop:
        up = [(name, value) for name, value in up if name.lower() not in hop_by_hop]
    for _, value in up:
        if not _PLAIN_VALUE.match(value):
            raise BadHeader
    return up


def headers_down(received: Iterable[tuple[str, str]], more: frozenset[str] = frozenset()) -> Headers:
    """Return the reply headers that come back, with the fixed ones, and caching confined to this user (C22).

    ``more`` are lower-case names that this API's settings add to the list. Names on our own list come back as they are
    usually spelled, all others as the API spells them.
    """
    down: Headers = []
    cache: list[str] = []
    for name, value in received:
        passing = _USUAL.get(name) or _name_down(name, more)
        if passing is None or not _VALUE.match(value):
            continue
        if passing == "Cache-Control":
            cache += [word.strip() for word in value.split(",")]
        elif passing != "WWW-Authenticate" or asks_no_password(value):
            down.append((passing, value))
    return [*down, ("Cache-Control", _private(cache) if cache else _ASK_AGAIN), *FIXED]


def _name_down(name: str, more: frozenset[str]) -> str | None:
    """Return the name under which the header ``name`` comes back, or ``None`` if it does not."""
    lower = name.lower()
    usual = _USUAL_NAMES.get(lower)
    if usual is not None:
        return usual
    return name if _NAME.match(name) and (lower in more or lower.startswith(_DOWN_FAMILIES)) else None


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
    return ", ".join(["private", *kept]) if kept else _ASK_AGAIN
