"""Schedules the refreshes of one session: when the next one may begin, and the timer that begins it.

It counts failures, obeys ``Retry-After``, and limits the rate of forced refreshes, of refreshes that the user asks for,
and of those that a jumping wall clock causes.
It refuses to know tokens and states; how long to wait is computed in ``refresh_policy``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.sessions import refresh_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.sessions.ports import Cancellable, Scheduler


class RefreshSchedule:
    """Schedules one session's refreshes; its timer calls ``on_due`` when one is due."""

    def __init__(self, clock: Clock, scheduler: Scheduler, entropy: Entropy, on_due: Callable[[], None]) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self._entropy = entropy
        self._on_due = on_due
        self._timer: Cancellable | None = None
        self._failures = 0
        self._refusals = 0
        self._not_before = 0.0
        self._forced_at = -refresh_policy.MIN_FORCED_REFRESH_INTERVAL_SECONDS
        self._refreshed_at = -refresh_policy.MIN_REFRESH_INTERVAL_SECONDS
        self.retry_at: float | None = None
        """Wall seconds of the next attempt after a failure; ``None`` without one."""

    def seconds_to_wait(self) -> float:
        """Return the seconds until an attempt may begin; 0 or less if it may begin now."""
        return self._not_before - self._clock.now().monotonic

    def just_refreshed(self, now: Moment) -> bool:
        """Return whether the last refresh succeeded less than ten seconds ago (B25)."""
        return now.monotonic - self._refreshed_at < refresh_policy.MIN_REFRESH_INTERVAL_SECONDS

    def may_force(self) -> bool:
        """Return whether a token that an API refused may be replaced now: true once in 30 seconds (B27)."""
        now = self._clock.now().monotonic
        if now - self._forced_at < refresh_policy.MIN_FORCED_REFRESH_INTERVAL_SECONDS:
            return False
        self._forced_at = now
        return True

    def failed(self, seconds: float | None) -> float:
        """Schedule an attempt in ``seconds``, or by backoff; return the seconds until then (B6, B7, B8)."""
        self._failures += 1
        wait = seconds if seconds is not None else refresh_policy.backoff(self._failures, self._entropy.jitter())
        now = self._clock.now()
        self._not_before = now.monotonic + wait
        self.retry_at = now.wall + wait
        self._start(wait)
        return wait

    def refused(self) -> int:
        """Count a refusal by the provider; return their number since the last success, other failures not counted."""
        self._refusals += 1
        return self._refusals

    def succeeded(self) -> None:
        """Forget failures: there is a new token."""
        self._failures, self._refusals, self._not_before, self.retry_at = 0, 0, 0.0, None
        self._refreshed_at = self._clock.now().monotonic

    def plan(self, lifetime: float, left: float) -> None:
        """Set the timer before the expiry of a token of ``lifetime`` seconds, of which some are ``left``."""
        delay = refresh_policy.proactive_delay(lifetime, self._entropy.jitter())
        self._start(max(1.0, delay - (lifetime - left)))

    def stop(self) -> None:
        """Stop the timer."""
        self._start(None)

    def _start(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._scheduler.after(seconds, self._on_due)
