"""Reads times and durations from reply headers: the pause before a retry, the cache lifetime, the peer's clock.

A malformed header is never an error: each function documents its default.
"""

from __future__ import annotations

import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RETRY_AFTER_SECONDS: Final = 3600.0
"""Seconds; a longer ``Retry-After`` is cut to this (B7)."""

_INVALID_RETRY_AFTER_SECONDS: Final = 5.0
_MAX_CACHE_LIFETIME_SECONDS: Final = 3600.0
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_MAX_AGE: Final = re.compile(r'max-age\s*=\s*"?([^",;\s]*)')
_UNCACHEABLE: Final = re.compile(r"(?:^|[,\s])no-(?:store|cache)(?:$|[,=\s])")


def http_date(text: str) -> float | None:
    """Return the wall seconds that ``text`` names (RFC 9110, 5.6.7), or ``None`` if it is no date."""
    try:
        moment = parsedate_to_datetime(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after_of(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait that ``Retry-After`` asks for: at most an hour, 5 if unreadable (B7).

    ``now`` is in wall seconds and only matters if the header holds a date; one in the past means zero.
    """
    text = headers.get("retry-after")
    if text is None:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    date = http_date(text)
    return _INVALID_RETRY_AFTER_SECONDS if date is None else min(max(date - now, 0.0), MAX_RETRY_AFTER_SECONDS)


def date_offset(headers: Mapping[str, str], now: float) -> float | None:
    """Return the peer's clock minus ours in seconds, by its ``Date`` header (A21)."""
    date = http_date(headers.get("date", ""))
    return None if date is None else date - now


def cache_lifetime(headers: Mapping[str, str]) -> float:
    """Return the seconds for which a reply may be cached: as the peer allows, at most an hour (D-10).

    An unreadable ``max-age`` or ``Expires`` counts as already stale (RFC 9111, 4.2.1).
    """
    control = headers.get("cache-control", "").lower()
    if _UNCACHEABLE.search(control):
        return 0.0
    ages = _MAX_AGE.findall(control)
    if ages:
        allowed = min(float(age) if _SECONDS.fullmatch(age) else 0.0 for age in ages)
        age = headers.get("age", "").strip()
        allowed -= float(age) if _SECONDS.fullmatch(age) else 0.0
    elif "expires" in headers:
        expires, date = http_date(headers["expires"]), http_date(headers.get("date", ""))
        allowed = 0.0 if expires is None or date is None else expires - date
    else:
        allowed = _MAX_CACHE_LIFETIME_SECONDS
    return min(max(allowed, 0.0), _MAX_CACHE_LIFETIME_SECONDS)
