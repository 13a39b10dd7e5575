"""Computes in one word whether an API can be called; every client translates that word and computes none itself.

The word follows from soft gating and the result of the last call: the API itself decides, and no call is held back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from jupyter_oidc.problems import TlsUntrusted, UpstreamTimeout, UpstreamUnreachable
from jupyter_oidc.sessions.machine import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock

Readiness = Literal[
    "ready",
    "sign_in_needed",
    "expired",
    "renewal_delayed",
    "refused",
    "missing_entitlement",
    "unreachable",
]
TokenOutlook = Literal["there", "ended", "delayed", "refused"]
"""The token for a call: there, or obtainable; none without a sign-in; none until a delay is over; none for this API."""

OUTAGE_LIFETIME_SECONDS: Final = 300.0
"""Seconds without a call after which it is unknown whether an API is still down."""

_OUTAGES: Final = (UpstreamUnreachable, UpstreamTimeout, TlsUntrusted)


def readiness_of(state: State, token: TokenOutlook, *, missing: bool, unreachable: bool) -> Readiness:
    """Return the first obstacle for a call, or ``ready``."""
    if state in (State.SIGNED_OUT, State.SIGNING_IN):
        return "sign_in_needed"
    if state is State.SIGNED_OUT_EXPIRED or token == "ended":
        return "expired"
    if token == "refused":
        return "refused"
    if token == "delayed":
        return "renewal_delayed"
    if missing:
        return "missing_entitlement"
    return "unreachable" if unreachable else "ready"


class Outages:
    """The APIs that the last call could not reach; ``changed`` is called when one is added or removed."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._since: dict[str, float] = {}

    def note(self, api: str, error: BaseException) -> None:
        """Remember that a call to ``api`` ended by ``error``, if that says that the API could not be reached."""
        if isinstance(error, _OUTAGES):
            known, self._since[api] = self.lasts(api), self._clock.now().monotonic
            if not known:
                self._changed()

    def over(self, api: str) -> None:
        """Remember that ``api`` has answered."""
        if self._since and self._since.pop(api, None) is not None:
            self._changed()

    def lasts(self, api: str) -> bool:
        """Return whether the last call to ``api``, not long ago, could not reach it."""
        since = self._since.get(api)
        return since is not None and self._clock.now().monotonic - since < OUTAGE_LIFETIME_SECONDS
