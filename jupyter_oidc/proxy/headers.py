"""Filters the headers to an API and back by lists, and reports those that were held back (law 8, ADR 33).

``Authorization`` is always ours.
A reply shares its origin with JupyterLab, so it is sandboxed and may not be sniffed, even if the upstream
says otherwise (C23, C24).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jupyter_oidc.problems import BadHeader

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = list[tuple[str, str]]

_REQUEST_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "accept-version",
        "api-version",
        "baggage",
        "cache-control",
        "client-request-id",
        "consistencylevel",
        "content-digest",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-range",
        "content-type",
        "correlation-id",
        "date",
        "depth",
        "digest",
        "idempotency-key",
        "if",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-event-id",
        "lock-token",
        "overwrite",
        "pragma",
        "prefer",
        "range",
        "repr-digest",
        "request-id",
        "return-client-request-id",
        "slug",
        "traceparent",
        "tracestate",
        "user-agent",
        "want-content-digest",
        "want-digest",
        "x-api-version",
        "x-correlation-id",
        "x-request-id",
        "x-requested-with",
    },
)

_REQUEST_HEADER_PREFIXES: Final = (
    *("anthropic-", "grpc-", "if-", "odata-", "openai-", "tus-", "upload-", "x-amz-", "x-b3-", "x-github-", "x-goog-"),
    *("x-ms-", "x-stainless-", "x-upload-content-"),
)
"""Beginnings of names for versions, conditions, formats and tracing; ``_UNSAFE_NAME_PART`` excludes some of them."""

_UNSAFE_NAME_PART: Final = re.compile(
    r"source|dest|override|method|rewrite|redirect|forward|host|orig|auth|token|key|assert|iap|secret"
)
"""Parts of a name that could evade the lists of methods and paths, or that prove an identity (ADR 33)."""

_UNREPORTED: Final = frozenset(
    {
        *("authorization", "connection", "content-length", "cookie", "cookie2", "dnt", "expect", "forwarded", "host"),
        *("http2-settings", "keep-alive", "origin", "priority", "referer", "te", "trailer", "transfer-encoding"),
        *("upgrade", "upgrade-insecure-requests", "via", "x-real-ip", "x-scheme", "x-xsrftoken", "x-csrftoken"),
    },
)
_UNREPORTED_PREFIXES: Final = ("proxy-", "sec-", "x-forwarded", "x-oidc-")
"""Headers that every client sends, or a proxy in front of Jupyter: callers need no report of them."""

MAX_REPORTED_NAMES: Final = 20
MAX_REPORTED_NAME_CHARACTERS: Final = 64

_RESPONSE_HEADERS: Final = frozenset(
    {
        "accept-patch",
        "accept-post",
        "accept-ranges",
        "age",
        "allow",
        "azure-asyncoperation",
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
        "operation-location",
        "preference-applied",
        "retry-after",
        "server-timing",
        "repr-digest",
        "request-id",
        "sunset",
        "tracestate",
        "traceparent",
        "traceresponse",
        "vary",
        "warning",
        "www-authenticate",
    },
)

_USUAL_SPELLINGS: Final = {
    **{name: name.title() for name in _RESPONSE_HEADERS},
    "azure-asyncoperation": "Azure-AsyncOperation",
    "content-md5": "Content-MD5",
    "etag": "ETag",
    "www-authenticate": "WWW-Authenticate",
}
"""The usual spelling of each response header, in which it is returned."""

_SPELLING_OF: Final = {
    spelt: usual for lower, usual in _USUAL_SPELLINGS.items() for spelt in (lower, lower.title(), usual)
}
"""The same by the spellings that almost every API uses, so that one look-up suffices (ADR 17)."""

_RESPONSE_HEADER_PREFIXES: Final = (
    "anthropic-",
    "docker-",
    "grpc-",
    "odata-",
    "openai-",
    "ratelimit",
    "tus-",
    "upload-",
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
"""Beginnings of names that many APIs use for numbering, paging, limits, tracing and protocol versions.

A page gets any other header only by a setting of the API.
"""

_RESERVED_RESPONSE_HEADERS: Final = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings"),
        *("set-cookie", "set-cookie2", "dpop-nonce", "x-content-type-options", "content-security-policy"),
        *("cross-origin-resource-policy", "referrer-policy", "clear-site-data"),
    },
)
_RESERVED_RESPONSE_PREFIXES: Final = (
    *("access-control-", "proxy-", "x-oidc-"),
    *("x-accel-", "x-sendfile", "x-lighttpd-", "x-litespeed-", "x-reproxy-"),
    *("cdn-", "surrogate-", "edge-", "pragma"),
)
"""Headers that not even a kernel gets: hop-by-hop (RFC 9110, 7.6.1), cookies, ours and Jupyter's own (ADR 33).

An API must not give orders to a proxy or a cache in front of Jupyter; only this server may.
"""

_PLAIN_VALUE: Final = re.compile(r"[\t\x20-\x7e]*\Z")
"""An ASCII value: the upstream client would send other characters in another encoding than they were received."""

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*("|\\?\Z)')
"""Matches at every quote, an open one up to the end, so that matching takes linear time."""

_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")  # RFC 9110, 5.5
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")  # RFC 9110, 5.6.2

_REVALIDATE: Final = "private, no-cache"
"""The ``Cache-Control`` of a reply that has none itself."""

FIXED_HEADERS: Final[Headers] = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
]
"""Set on every proxied reply, and never taken from an upstream."""


def filter_request_headers(
    received: Iterable[tuple[str, str]], extra: frozenset[str] = frozenset(), own_headers: frozenset[str] = frozenset()
) -> tuple[Headers, list[str]]:
    """Return the request headers that go to the API, without ``Authorization``, and the names of those held back.

    ``extra`` are lower-case names that this API's settings add to the list, ``own_headers`` our own.
    Headers that ``Connection`` names are dropped like all hop-by-hop headers (C5, C6).
    Raises ``BadHeader`` for a value that cannot be forwarded byte for byte (C8).
    """
    forwarded: Headers = []
    held: list[str] = []
    hop_by_hop: set[str] = set()
    for name, value in received:
        lower = name.lower()
        if lower in own_headers:
            held.append(name)
        elif lower in _REQUEST_HEADERS or lower in extra:
            forwarded.append((name, value))
        elif lower == "connection":
            hop_by_hop.update(word.strip().lower() for word in value.split(","))
        elif lower not in _UNREPORTED:
            if lower.startswith(_REQUEST_HEADER_PREFIXES) and _NAME.match(name) and not _UNSAFE_NAME_PART.search(lower):
                forwarded.append((name, value))
            else:
                held.append(name)
    if hop_by_hop:
        forwarded = [(name, value) for name, value in forwarded if name.lower() not in hop_by_hop]
    for _, value in forwarded:
        if not _PLAIN_VALUE.match(value):
            raise BadHeader
    return forwarded, _reported(held) if held else held


def _reported(held: list[str]) -> list[str]:
    """Return the names in ``held`` to report to the caller, each once, and as many as fit."""
    names = {
        name.lower(): name
        for name in held
        if len(name) <= MAX_REPORTED_NAME_CHARACTERS
        and _NAME.match(name)
        and not name.lower().startswith(_UNREPORTED_PREFIXES)
    }
    return list(names.values())[:MAX_REPORTED_NAMES]


def filter_response_headers(
    received: Iterable[tuple[str, str]], extra: frozenset[str] = frozenset(), *, to_kernel: bool = False
) -> Headers:
    """Return the reply headers that come back, with the fixed ones, and caching confined to this user (C22).

    ``extra`` are lower-case names that this API's settings add to the list. Names on our own list come back as they are
    usually spelled, all others as the API spells them.
    A kernel has no origin that a header could affect, so it gets every header that is not ours (ADR 33).
    """
    forwarded: Headers = []
    cache: list[str] = []
    hop_by_hop: set[str] = set()
    for name, value in received:
        spelling = _SPELLING_OF.get(name)
        if spelling is None:
            if to_kernel:
                spelling = _response_name_for_kernel(name)
                if spelling is None and name.lower() == "connection":
                    hop_by_hop.update(word.strip().lower() for word in value.split(","))
            else:
                spelling = _response_name(name, extra)
        if spelling is None or not _VALUE.match(value):
            continue
        if spelling == "Cache-Control":
            cache += [word.strip() for word in value.split(",")]
        elif spelling != "WWW-Authenticate" or to_kernel or asks_no_password(value):
            forwarded.append((spelling, value))
    if hop_by_hop:
        forwarded = [
            (name, value) for name, value in forwarded if name in _SPELLING_OF or name.lower() not in hop_by_hop
        ]
    return [*forwarded, ("Cache-Control", _private_cache_control(cache) if cache else _REVALIDATE), *FIXED_HEADERS]


def _response_name(name: str, extra: frozenset[str]) -> str | None:
    """Return the name under which the header ``name`` comes back, or ``None`` if it does not."""
    lower = name.lower()
    usual = _USUAL_SPELLINGS.get(lower)
    if usual is not None:
        return usual
    return name if _NAME.match(name) and (lower in extra or lower.startswith(_RESPONSE_HEADER_PREFIXES)) else None


def _response_name_for_kernel(name: str) -> str | None:
    lower = name.lower()
    usual = _USUAL_SPELLINGS.get(lower)
    if usual is not None:
        return usual
    alike = lower.replace("_", "-")  # NOTE: some libraries treat both as one name
    if (
        not _NAME.match(name)
        or alike in _RESERVED_RESPONSE_HEADERS
        or alike.startswith(_RESERVED_RESPONSE_PREFIXES)
        or alike.endswith("cache-control")
    ):
        return None
    return "Refresh" if lower == "refresh" else name


def asks_no_password(challenge: str) -> bool:
    """Return whether no scheme in a ``WWW-Authenticate`` makes a browser prompt for a password (C11).

    A ``Basic``, ``Digest``, ``Negotiate`` or ``NTLM`` behind a first ``Bearer`` counts (RFC 9110, 11.6.1).
    An open quote could hide one, so it counts as one.
    """
    if any(quoted[1] != '"' for quoted in _QUOTED.finditer(challenge)):
        return False
    for part in _QUOTED.sub('""', challenge).split(","):
        words = part.split()
        if words and "=" not in words[0] and words[0].lower() not in ("bearer", "dpop"):
            return False
    return True


def _private_cache_control(cache: list[str]) -> str:
    kept = [
        word
        for word in cache
        if word and word.partition("=")[0].strip().lower() not in ("public", "private", "s-maxage")
    ]
    return ", ".join(["private", *kept]) if kept else _REVALIDATE
