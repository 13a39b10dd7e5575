"""Holds everything that belongs to one session, and to no other.

A :class:`LiveSession` is made at a sign-in or when a stored entry is restored, and dropped when the session ends;
nothing of it reaches the next one, because the next one is another object (ADR 42).
It refuses to know the state machine, storage and the provider; the session service says when a session begins and ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from jupyter_oidc.sessions import refresh_policy
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.negative_token_cache import NegativeTokenCache
from jupyter_oidc.sessions.refresh_schedule import RefreshSchedule
from jupyter_oidc.sessions.step_up import StepUp

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.grant import AccessToken, Bearer, TokenKey
    from jupyter_oidc.sessions.ports import Cancellable, SystemPorts
    from jupyter_oidc.sessions.session_data import SessionData
    from jupyter_oidc.settings import Provider

BearerSource = Literal["access_token", "id_token"]


class LiveSession:
    """One session; ``number`` tells it from the others of its service, ``on_refresh_due`` is called by its timer.

    ``data`` is replaced as a whole.
    """

    def __init__(
        self,
        number: int,
        data: SessionData,
        *,
        system: SystemPorts,
        on_refresh_due: Callable[[], None],
        reached_step_up: StepUp | None = None,
    ) -> None:
        self.number = number
        self.data = data
        self.schedule = RefreshSchedule(system.clock, system.scheduler, system.entropy, on_refresh_due)
        self.negative_tokens = NegativeTokenCache(system.clock)
        self.exchanged: set[TokenKey] = set()
        """The keys whose tokens the provider gives by exchange only (B30)."""
        self.refused_by_api: Secret | None = None
        self.refresh_outcome_unknown = False
        """Whether the refresh token may have been spent without an answer that names the next."""
        self.reached_step_up = reached_step_up or StepUp()
        self.refresh_lock = asyncio.Lock()
        self.refreshes: dict[TokenKey, asyncio.Task[Bearer]] = {}
        self._clock = system.clock
        self._scheduler = system.scheduler
        self._end_timer: Cancellable | None = None

    # -- tokens --------------------------------------------------------------------------------------------

    @property
    def sign_in_token(self) -> AccessToken | None:
        """The access token of the sign-in itself."""
        return self.data.access.get(SIGN_IN_KEY)

    def token(self, key: TokenKey, source: BearerSource) -> AccessToken | None:
        """Return the token that calls of ``key`` go out with, however old it is."""
        return self.data.id_token if source == "id_token" else self.data.access.get(key)

    def usable(self, token: AccessToken | None) -> AccessToken | None:
        """Return ``token`` if it will survive the way to an API."""
        if token is None:
            return None
        now, reserve = self._clock.now(), refresh_policy.reserve(token.lifetime)
        alive = token.alive_by_monotonic_clock if self.schedule.just_refreshed(now) else token.alive
        return token if alive(now, reserve) else None

    def granted(self, token: AccessToken) -> Granted:
        """Return ``token`` as the answer to who may send it."""
        return Granted(token.secret, self.number, token.proof_key, self.data.subject)

    def may_force(self, key: TokenKey) -> bool:
        """Return whether a rejected token may be replaced now: join the attempt under way, or start one in 30 s."""
        return key in self.refreshes or (self.data.refresh_token is not None and self.schedule.may_force())

    # -- time ----------------------------------------------------------------------------------------------

    def plan_refresh(self) -> None:
        """Plan the next refresh before the sign-in's access token expires; none if that is unknown, or not possible (F-3)."""
        access, now = self.sign_in_token, self._clock.now()
        left = None if self.data.refresh_token is None or access is None else access.seconds_left(now)
        if access is None or access.lifetime is None or left is None:
            self.schedule.stop()
        else:
            self.schedule.plan(access.lifetime, left)

    def usable_seconds_left(self) -> float | None:
        """Return for how long calls may still work with the sign-in's access token, 0 if no more; ``None``: unknown."""
        access = self.sign_in_token
        if access is None or access.secret == self.refused_by_api:
            return 0.0
        left = access.seconds_left(self._clock.now())
        return None if left is None else max(left, 0.0)

    def seconds_to_end(self, settings: Provider) -> float | None:
        """Return the seconds until nothing works any more; ``None`` if that is unknown, or a refresh decides (A25)."""
        now = self._clock.now()
        last = None if self.data.refresh_token is not None else self.data.last_token(settings, now)
        left = None if last is None else last.seconds_left(now)
        return None if left is None else max(0.0, left)

    def start_end_timer(self, seconds: float | None, ended: Callable[[], None]) -> None:
        """Call ``ended`` after ``seconds``, and no more at any moment that was set before; ``None``: not at all."""
        self.stop_end_timer()
        if seconds is not None:
            self._end_timer = self._scheduler.after(seconds, ended)

    def stop_end_timer(self) -> None:
        """Stop the timer for the end of this session."""
        if self._end_timer is not None:
            self._end_timer.cancel()
            self._end_timer = None

    def stop_timers(self) -> None:
        """Start nothing by timer any more: the session is over, or its service closes."""
        self.schedule.stop()
        self.stop_end_timer()
