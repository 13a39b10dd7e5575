"""Decide whether one call is repeated, and after how many seconds.

This module neither waits nor sends. A call that changes data is repeated only if it certainly did not reach the API,
or was refused there.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from jupyter_oidc.kernel.body import is_replayable
from jupyter_oidc.language import N_, told

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from jupyter_oidc.kernel.grant import GrantAuth

MAX_WAIT_SECONDS: Final = 60.0
"""Seconds that one call waits at most, all its pauses together."""

MAX_RETRIES: Final = 8
"""Repetitions of one call at most, even with short pauses."""

FIRST_PAUSE_SECONDS: Final = 0.5
"""Seconds of the first pause, if there is no ``Retry-After``; each further one is twice as long."""

MAX_PAUSE_SECONDS: Final = 16.0
"""Seconds up to which a pause grows by itself; ``Retry-After`` may name more."""

_BEFORE_THE_API: Final = {
    "idp_unavailable": N_("The provider cannot be reached."),
    "overloaded": N_("The Jupyter server is busy."),
    "broker_unavailable": N_("The broker of the sessions does not answer."),
}
"""Our own refusals before a call has reached the API, which end by themselves, with their sentences."""

_OF_THE_API: Final = {429: N_("The API asks for fewer calls."), 503: N_("The API is busy.")}

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110, 9.2.2

_NO_PAUSE_SECONDS: Final = 0.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A call is repeated after ``seconds``; ``why`` is a sentence for the user."""

    seconds: float
    why: str


@dataclass(slots=True)
class RetryState:
    """The retries and pauses of one call so far; both clients use it.

    ``patience`` is in seconds, ``now`` returns the wall seconds since 1970, ``chance`` a number from 0 to 1.
    """

    grants: GrantAuth
    patience: float = MAX_WAIT_SECONDS
    now: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    waited: float = 0.0
    pauses: int = 0
    new_grant: bool = False
    new_token: bool = False

    def after(self, request: httpx.Request, response: httpx.Response) -> Pause | None:
        """Return the pause before a repetition; ``None`` if the caller gets ``response``."""
        code = code_of(self.grants, response)
        if code == "grant_invalid":
            # NOTE: also if this call cannot be repeated, so that the next one gets a new grant.
            self.grants.refused(request)
        if not is_replayable(request):
            return None
        if code == "grant_invalid":
            return self._retry_once("new_grant")
        if code is not None:
            return self._pause(response, _BEFORE_THE_API[code]) if code in _BEFORE_THE_API else None
        if response.status_code == 401 and has_new_token(self.grants, response):
            return self._retry_once("new_token")
        if response.status_code not in _OF_THE_API or not _is_idempotent(request):
            return None
        if response.status_code == 503 and _retry_after_seconds(response, self.now()) is None:
            return None
        return self._pause(response, _OF_THE_API[response.status_code])

    def _retry_once(self, what: str) -> Pause | None:
        if getattr(self, what):
            return None
        setattr(self, what, True)
        return Pause(_NO_PAUSE_SECONDS, "")

    def _pause(self, response: httpx.Response, why: str) -> Pause | None:
        """Return the next pause: never shorter than ``Retry-After``, longer each time, and randomised."""
        grown = min(FIRST_PAUSE_SECONDS * 2**self.pauses, MAX_PAUSE_SECONDS)
        seconds = max(_retry_after_seconds(response, self.now()) or 0.0, grown / 2) + grown / 2 * self.chance()
        if self.pauses >= MAX_RETRIES or self.waited + seconds > self.patience:
            return None
        self.pauses += 1
        self.waited += seconds
        return Pause(seconds, told(why))


def code_of(grants: GrantAuth, response: httpx.Response) -> str | None:
    """Return the code of an error of jupyter_oidc itself; another server's header of that name is ignored."""
    return response.headers.get("X-OIDC-Error") if grants.is_ours(response.url) else None


def has_new_token(grants: GrantAuth, response: httpx.Response) -> bool:
    """Return whether our server got a new access token after it passed the call on, and could not repeat it itself."""
    return response.headers.get("X-OIDC-Retryable") == "true" and grants.is_ours(response.url)


def _is_idempotent(request: httpx.Request) -> bool:
    """Return whether the call is idempotent: by its method, or by an idempotency key of the caller."""
    return request.method in _IDEMPOTENT or "Idempotency-Key" in request.headers


def _retry_after_seconds(response: httpx.Response, now: float) -> float | None:
    """Return the seconds of ``Retry-After`` (RFC 9110, 10.2.3); ``None`` if there is none that can be read."""
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, when.replace(tzinfo=when.tzinfo or timezone.utc).timestamp() - now)
