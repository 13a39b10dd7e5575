"""Counters for the server's ``/metrics``: names from the settings and stable words, nothing about anybody (DESIGN 8)."""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import Counter

CALLS: Final = "jupyter_oidc_calls"
BYTES: Final = "jupyter_oidc_reply_bytes"
SESSIONS: Final = "jupyter_oidc_session_events"
REFUSALS: Final = "jupyter_oidc_refusals"


@cache
def _counter(name: str, about: str, labels: tuple[str, ...]) -> Counter:
    """Return the counter ``name``; a process has one of each, however many servers it runs."""
    return Counter(name, about, labels)


@cache
def _calls(api: str, caller: str, outcome: str) -> Counter:
    about = "Proxied calls; outcome is the class of the API's status, or what became of the call."
    return _counter(CALLS, about, ("api", "caller", "outcome")).labels(api, caller, outcome)


@cache
def _bytes(api: str) -> Counter:
    return _counter(BYTES, "Bytes of reply bodies that went through the proxy.", ("api",)).labels(api)


def count_call(api: str, caller: str, outcome: str, size: int) -> None:
    """Count one call to ``api`` with ``size`` bytes of reply."""
    _calls(api, caller, outcome).inc()
    if size:
        _bytes(api).inc(size)


def count_session(provider: str, kind: str) -> None:
    """Count something that happened to the session at ``provider``."""
    _counter(SESSIONS, "What happened to sessions.", ("provider", "kind")).labels(provider, kind).inc()


def count_refusal(provider: str, refused: str) -> None:
    """Count a refusal by its code."""
    _counter(REFUSALS, "Refused sign-ins, renewals and logouts.", ("provider", "code")).labels(provider, refused).inc()
