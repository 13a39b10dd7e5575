"""Holds which session of one provider is the present one, and in which state that is.

It begins and ends sessions, moves the state machine, publishes each change and wakes those that wait for one.
A late answer, from the provider or from storage, belongs to one session; :meth:`CurrentSession.is_current` is the one
place that tells whether that session is still the present one (B31, ADR 42).
It refuses to know the provider and storage.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from jupyter_oidc.clock import utc_text
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.sessions import endings
from jupyter_oidc.sessions.delegation import SessionKey
from jupyter_oidc.sessions.grant import SignInNeeded, TryLater
from jupyter_oidc.sessions.live_session import LiveSession
from jupyter_oidc.sessions.machine import SessionTransition, State, has_session, next_state
from jupyter_oidc.sessions.ports import DATABASE_RETRIED, SessionEvent
from jupyter_oidc.sessions.session_data import SessionData
from jupyter_oidc.sessions.step_up import StepUp

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.sessions.grant import Bearer
    from jupyter_oidc.sessions.ports import SystemPorts
    from jupyter_oidc.sessions.revocation import OrphanedToken
    from jupyter_oidc.sessions.sign_ins import SignIns
    from jupyter_oidc.sessions.summary import User
    from jupyter_oidc.settings import Provider

UNREAD_RETRY_SECONDS: Final = 2.0
"""Seconds after which a caller should ask again while the store does not answer."""

_NO_DATA: Final = SessionData()
"""The data while there is no session."""


class CurrentSession:
    """Holds the session at the provider in ``settings``; :meth:`connect` comes before its use."""

    _sign_ins: SignIns
    _on_refresh_due: Callable[[LiveSession], None]

    def __init__(
        self,
        settings: Provider,
        system: SystemPorts,
    ) -> None:
        self.settings = settings
        self.live: LiveSession | None = None
        self.boundaries = 0
        """Grows whenever a session begins or ends."""
        self.raw_state = State.SIGNED_OUT
        """The state as it was set last; :attr:`state` is that of this moment."""
        self.reason: str | None = None
        self.remedy: str | None = None
        self.awaits_database = False
        self.sequence = 0
        self.last_user: User | None = None
        self.superseded_token: OrphanedToken | None = None
        """A refresh token that is revoked at the next sign-in only (B9)."""
        self.closed = False
        self._system = system
        self._changed = asyncio.Event()
        self._stream_closers: set[Callable[[], None]] = set()
        self._step_ups: dict[str, StepUp] = {}
        self._told_of_sign_in = False

    def connect(self, sign_ins: SignIns, on_refresh_due: Callable[[LiveSession], None]) -> None:
        """Set the sign-ins of this provider, and the function that a session's timer calls when a refresh is due."""
        self._sign_ins = sign_ins
        self._on_refresh_due = on_refresh_due

    # -- which session -------------------------------------------------------------------------------------

    def is_current(self, session: LiveSession) -> bool:
        """Return whether ``session`` is still the present one; an answer for any other is dropped (B31)."""
        return session is self.live

    def has_number(self, number: int) -> bool:
        """Return whether the session of ``number`` is still the present one; a closed service has none."""
        return not self.closed and self.live is not None and self.live.number == number

    @property
    def is_unread(self) -> bool:
        """Whether it is not known yet if a session is stored, because the database does not answer."""
        return self.awaits_database and not self.boundaries

    @property
    def key(self) -> SessionKey | None:
        """What tells the present session from every other, in other processes too; ``None`` without one."""
        data = self.data
        signed_in_at = None if self.closed else data.signed_in_at
        return None if signed_in_at is None else SessionKey(data.subject, signed_in_at)

    @property
    def data(self) -> SessionData:
        """The data of the session; empty without one."""
        return _NO_DATA if self.live is None else self.live.data

    @property
    def active(self) -> LiveSession | None:
        """The session, if calls may work with it."""
        return self.live if has_session(self.raw_state) else None

    def begin(self, data: SessionData, reached: StepUp | None = None) -> LiveSession:
        """Begin a session with ``data``; the one before is dropped.

        Step-ups that the same person's APIs demanded, and that this sign-in has not ``reached``, stay in force.
        """
        same = reached is not None and data.subject != "" and data.subject == self.data.subject
        asked = self._step_ups if same else {}
        self.drop()
        self._step_ups = {api: wanted for api, wanted in asked.items() if not reached or not reached.covers(wanted)}
        self.live = LiveSession(
            self.boundaries,
            data,
            system=self._system,
            on_refresh_due=self._refresh_timer_fired,
            reached_step_up=reached,
        )
        return self.live

    def _refresh_timer_fired(self) -> None:
        # NOTE: a session is in no cycle of references, so that its tokens go with it when it is dropped.
        if self.live is not None:
            self._on_refresh_due(self.live)

    def drop(self) -> None:
        """Drop the session, and the superseded token of the last one."""
        session, self.live = self.live, None
        self.boundaries += 1
        if session is not None:
            session.stop_timers()
            self.last_user = session.data.user or self.last_user
        self.superseded_token = None
        self._step_ups = {}

    def end(self, ending: endings.Ending, *, superseded: OrphanedToken | None = None) -> None:
        """End the session; ``superseded`` is its refresh token, if that is revoked at the next sign-in only (B9)."""
        self.drop()
        self.superseded_token = superseded
        if ending.abandons != "none":
            self._sign_ins.abandon(only_ours=ending.abandons == "ours")
        if ending.counts_as_sign_out:
            self._sign_ins.silent.signed_out()
        if ending.closes_streams:
            self.close_streams()
        self.move(ending.transition, ending.reason)

    # -- its state -----------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The current state."""
        self.apply_expiry()
        return self.raw_state

    def move(self, transition: SessionTransition, reason: str | None = None) -> None:
        """Change the state by ``transition``, for ``reason``, and publish it."""
        before, self.raw_state = self.raw_state, next_state(self.raw_state, transition)
        self.reason, self.remedy = reason, None
        if transition in (SessionTransition.SIGNED_IN, SessionTransition.PERSON_CHANGED):
            self._told_of_sign_in = self.sign_in_under_way  # NOTE: another may still wait for the person
        self.publish(transition.value, reason)
        recovered = (before, transition) == (State.REFRESH_FAILED, SessionTransition.REFRESHED)
        if recovered and self.live is not None:
            self._sign_ins.overtake(self.live.reached_step_up)

    def sign_in_begun(self) -> None:
        """Move the machine, because a sign-in is under way."""
        self._told_of_sign_in = True
        self.move(SessionTransition.SIGN_IN_BEGUN)

    def sign_in_abandoned(self) -> None:
        """Move the machine back, because no sign-in is under way any more; beside a session, only publish that."""
        told, self._told_of_sign_in = self._told_of_sign_in, False
        if self.raw_state is State.SIGNING_IN:
            self.move(SessionTransition.SIGN_IN_ABANDONED)
        elif told and has_session(self.raw_state):
            self.publish(SessionTransition.SIGN_IN_ABANDONED.value, self.reason)

    @property
    def sign_in_under_way(self) -> bool:
        """Whether a sign-in waits for the person; one that has its tokens already does not."""
        return any(not pending.settling for pending in self._sign_ins.waiting())

    def saved_late(self) -> None:
        """Publish that an entry is stored that could not be stored before."""
        if has_session(self.raw_state):
            self.move(SessionTransition.STORED, self.reason)

    def delay(self, session: LiveSession, reason: str, seconds: float | None, remedy: str | None = None) -> Bearer:
        """Keep the session and try again later, after a transient failure or a mistake in the settings (B6, B7, B8)."""
        if not self.is_current(session) or not has_session(self.raw_state):
            return self.without_session()
        wait = session.schedule.failed(seconds)
        self.move(SessionTransition.REFRESH_DELAYED, reason)
        self.remedy = remedy
        return TryLater(wait, reason, remedy)

    def without_session(self) -> SignInNeeded | TryLater:
        """Return the answer to a call that needs a token, without a session; a store that is away may hold one."""
        if self.is_unread:
            return TryLater(UNREAD_RETRY_SECONDS, StorageUnavailable.code, DATABASE_RETRIED)
        expired = self.raw_state is State.SIGNED_OUT_EXPIRED
        return SignInNeeded("session_expired" if expired else "not_signed_in")

    def publish(self, kind: str, reason: str | None = None) -> None:
        """Publish a change of the summary as an event of this ``kind``."""
        self.notify_waiters()
        moment = utc_text(self._system.clock.now().wall)
        self._system.event_log.session(SessionEvent(self.settings.name, kind, reason, self.sequence, moment))

    def notify_waiters(self) -> None:
        """Wake every waiter for a change of the summary."""
        self.sequence += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait_for_change(self, seconds: float) -> None:
        """Return when the summary changes, or after ``seconds``."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    # -- expiry -------------------------------------------------------------------------------------------

    def apply_expiry(self) -> None:
        """Move to the state that the clock demands; timers do so too, and are late after a sleep of the machine.

        A session without a refresh token ends when its last token expires, and not before (A25).
        """
        if self.raw_state is State.SIGNING_IN:
            self._sign_ins.notice_abandoned()
        session = self.active
        if session is not None and session.seconds_to_end(self.settings) == 0:
            self.end(endings.EXPIRED)

    def schedule_expiry(self) -> None:
        """Start a timer for the time at which this session ends by itself."""
        if self.live is not None:
            left = None if self.closed else self.live.seconds_to_end(self.settings)
            self.live.start_end_timer(left, self._end_timer_fired)

    def _end_timer_fired(self) -> None:
        self.apply_expiry()
        if has_session(self.raw_state):
            self.schedule_expiry()  # NOTE: the two clocks may differ by less than a timer can tell

    def narrow(self, settings: Provider) -> None:
        """Go on under ``settings``, whose APIs are narrower.

        Open streams are closed, as some may not be allowed any more.
        """
        self.settings = settings
        self.close_streams()
        self.publish("settings-changed")

    def continue_from(self, before: CurrentSession) -> None:
        """Continue the sequence numbers of ``before``, and remember its user."""
        self.sequence += before.sequence + 1
        self.last_user = self.last_user or before.data.user or before.last_user

    def close(self) -> None:
        """Stop all timers and close all streams; the session's data stay as they are."""
        self.closed = True
        self.close_streams()
        if self.live is not None:
            self.live.stop_timers()

    # -- streams and step-ups ------------------------------------------------------------------------------

    def on_session_end(self, close_stream: Callable[[], None]) -> Callable[[], None]:
        """Call ``close_stream`` when this session ends on purpose: by a sign-out, at either side, or another person.

        When a session ends because the provider refuses to refresh it, open streams may go on (B1).
        Returns a function that removes ``close_stream``.
        """
        self._stream_closers.add(close_stream)
        return lambda: self._stream_closers.discard(close_stream)

    def close_streams(self) -> None:
        """Close every stream that was opened with this session (S-5)."""
        closing, self._stream_closers = self._stream_closers, set()
        for close_stream in closing:
            close_stream()

    def expect_step_up(self, api: str, wanted: StepUp) -> None:
        """Remember the step-up that ``api`` demanded, for the next sign-in that names it (RFC 9470, 4)."""
        earlier = self._step_ups.pop(api, StepUp())
        self._step_ups[api] = wanted.after(earlier)

    def step_up_for(self, api: str | None) -> StepUp:
        """Return the step-up that ``api`` demanded, or without a name the last one, combined with the one in force.

        A sign-in replaces the one before it, so it must not be weaker than that.
        """
        asked = self._step_ups.get(api) if api is not None else next(reversed(self._step_ups.values()), None)
        return (asked or StepUp()).combined_with(self.live.reached_step_up if self.live else StepUp())
