"""Counters for the server's ``/metrics``: names from the settings and stable words, nothing about a person (DESIGN 8).

Every proxied call is counted, so the counts are plain numbers, which become metrics when ``/metrics`` is read.
A process has one of each counter, however many servers it runs.
"""

from __future__ import annotations

from collections import Counter as Numbers
from functools import cache
from typing import TYPE_CHECKING, Final

from prometheus_client import REGISTRY, Counter
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS: Final = "jupyter_oidc_calls"
BYTES: Final = "jupyter_oidc_reply_bytes"
SESSIONS: Final = "jupyter_oidc_session_events"
CALL_REFUSALS: Final = "jupyter_oidc_call_refusals"
REFUSALS: Final = "jupyter_oidc_refusals"


class _Calls(Collector):
    """Counts proxied calls and the bytes of their replies."""

    def __init__(self) -> None:
        self.calls: Numbers[tuple[str, str, str]] = Numbers()
        self.bytes: Numbers[str] = Numbers()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield both counters as they are now."""
        about = "Proxied calls; outcome is the class of the API's status, or what became of the call."
        calls = CounterMetricFamily(CALLS, about, labels=("api", "caller", "outcome"))
        for labels, number in sorted(self.calls.items()):
            calls.add_metric(labels, number)
        sizes = CounterMetricFamily(BYTES, "Bytes of reply bodies that went through the proxy.", labels=("api",))
        for api, number in sorted(self.bytes.items()):
            sizes.add_metric((api,), number)
        yield calls
        yield sizes


_CALLS: Final = _Calls()
REGISTRY.register(_CALLS)


@cache
def _counter(name: str, about: str, labels: tuple[str, ...]) -> Counter:
    return Counter(name, about, labels)


def count_call(api: str, caller: str, outcome: str, size: int) -> None:
    """Count one call to ``api`` with ``size`` bytes of reply."""
    _CALLS.calls[api, caller, outcome] += 1
    _CALLS.bytes[api] += size


def count_call_refusal(api: str, refused: str) -> None:
    """Count a call to ``api`` that failed here or on its way, by its code."""
    _counter(CALL_REFUSALS, "Proxied calls that failed here or on their way.", ("api", "code")).labels(
        api, refused
    ).inc()


def count_session(provider: str, kind: str) -> None:
    """Count an event of the given ``kind`` of the session at ``provider``."""
    _counter(SESSIONS, "What happened to sessions.", ("provider", "kind")).labels(provider, kind).inc()


def count_refusal(provider: str, refused: str) -> None:
    """Count a refusal by its code."""
    _counter(REFUSALS, "Refused sign-ins, renewals and logouts.", ("provider", "code")).labels(provider, refused).inc()
