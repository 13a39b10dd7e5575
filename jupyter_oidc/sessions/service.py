"""Owns the session at one provider.

It holds the tokens, moves the state machine, refreshes, and answers two questions: *what may be shown* (a
summary) and *what may go out* (a bearer token).
Each session is an object of its own (:class:`~jupyter_oidc.sessions.live_session.LiveSession`); whatever comes back from
the provider for one that is not the present one is thrown away, so nothing resurrects a session (B31).
It refuses to know HTTP requests, kernels or Jupyter users.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.background import Background, defect_of
from jupyter_oidc.clock import utc_text
from jupyter_oidc.errors import (
    AudienceRefused,
    IdTokenRejected,
    LocalProblem,
    LogoutTokenInvalid,
    Overloaded,
    Problem,
    ProviderProblem,
    SignInCancelled,
    StorageUnavailable,
    UserinfoRejected,
)
from jupyter_oidc.protocol.audience import audience_of
from jupyter_oidc.protocol.token import TokenError, TokenSet, TokenUnavailable
from jupyter_oidc.sessions import endings, refresh_policy
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, AccessToken, Bearer, Granted, SignInNeeded, TokenKey, TryLater
from jupyter_oidc.sessions.honoured import honoured
from jupyter_oidc.sessions.live_session import BearerSource, LiveSession
from jupyter_oidc.sessions.machine import SessionTransition, State, has_session, next_state
from jupyter_oidc.sessions.oidc_client import NoResponse, RefreshReply, UnverifiableResponse
from jupyter_oidc.sessions.pending import Question, StepUp
from jupyter_oidc.sessions.ports import SessionEvent
from jupyter_oidc.sessions.provider_logout import AcceptedLogouts, concerns
from jupyter_oidc.sessions.readiness import Outages, readiness_of
from jupyter_oidc.sessions.registry import token_key
from jupyter_oidc.sessions.revocation import OrphanedToken, orphan_of
from jupyter_oidc.sessions.session_data import SessionData
from jupyter_oidc.sessions.session_store import (
    USER_LOCK_TIMEOUT_SECONDS,
    Deleted,
    OtherSubject,
    RotatedElsewhere,
    Same,
    SessionStore,
    StoredState,
    StoreTransaction,
)
from jupyter_oidc.sessions.sign_ins import SessionCallbacks, SignIns
from jupyter_oidc.sessions.sign_out import SignOut, revoke_with_retries
from jupyter_oidc.sessions.summary import ApiAccess, Summary, name_of, user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from jupyter_oidc.background import Defect
    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.oidc_client import OidcClient, Refused, Tokens
    from jupyter_oidc.sessions.pending import PendingSignIns
    from jupyter_oidc.sessions.ports import Entry, EntryLock, EventLog, Scheduler, Vault
    from jupyter_oidc.sessions.readiness import TokenOutlook
    from jupyter_oidc.sessions.revocation import Origin, Revoked
    from jupyter_oidc.sessions.sign_out_pages import SignOutPages
    from jupyter_oidc.sessions.summary import User
    from jupyter_oidc.settings import Api, Provider

_NO_DATA: Final = SessionData()
"""What is held while there is no session."""

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds for work that is under way when a service closes; after that it is cancelled."""


class SessionService:
    """Owns the session at the provider in ``settings``.

    With ``takes_over`` it waits for a sign-in of its own, restores no stored session before that, and calls
    ``takes_over`` with the new refresh token once it has the tokens: the service that it replaces ends then (ADR 30).
    """

    def __init__(
        self,
        settings: Provider,
        *,
        oidc_client: OidcClient,
        vault: Vault,
        lock: EntryLock,
        pending: PendingSignIns,
        clock: Clock,
        entropy: Entropy,
        scheduler: Scheduler,
        event_log: EventLog,
        logouts: AcceptedLogouts,
        sign_out_pages: SignOutPages,
        takes_over: Callable[[Secret | None], None] | None = None,
    ) -> None:
        self.settings = settings
        self._oidc_client = oidc_client
        self._store = SessionStore(vault, lock, scheduler=scheduler, entropy=entropy, on_saved_late=self._saved_late)
        self._background = Background(self._report, expected=Problem)
        self._store.set_retry(
            lambda: self._background.start(self._store.retry(), after_defect=self._store.schedule_retry)
        )
        self._clock = clock
        self._entropy = entropy
        self._scheduler = scheduler
        self._event_log = event_log
        self._state = State.SIGNED_OUT
        self._reason: str | None = None
        self._remedy: str | None = None
        self._sequence = 0
        self._session: LiveSession | None = None
        self._boundaries = 0  # grows whenever a session begins or ends
        self._refreshing: set[asyncio.Task[Bearer]] = set()
        self._last_user: User | None = None
        self._changed = asyncio.Event()
        self._restored: asyncio.Task[None] | None = None
        self._takes_over = takes_over
        self._settings_pending = takes_over is not None
        self._closed = False
        self._stream_closers: set[Callable[[], None]] = set()
        self._step_ups: dict[str, StepUp] = {}
        self._superseded_token: OrphanedToken | None = None
        self._spared_origins: tuple[Origin, ...] = ()
        self._predecessor: Callable[[], SessionService | None] = lambda: None
        oidc_client.ask_before_revoking(self._living_origins)
        self._logouts = logouts
        self._sign_out_pages = sign_out_pages
        self._last_apis: tuple[int, tuple[ApiAccess, ...]] = (-1, ())
        self.outages = Outages(clock, self._notify_waiters)
        callbacks = SessionCallbacks(
            ready=self._restore_once,
            question=self._question,
            begun=lambda: self._move(SessionTransition.SIGN_IN_BEGUN),
            abandoned=self._sign_in_abandoned,
            install=self._install,
            revoke_orphan=self._revoke_orphaned_sign_in,
            step_up_for=self._step_up_for,
            spawn=self._background.start,
        )
        self.sign_ins = SignIns(
            settings,
            callbacks,
            oidc_client=oidc_client,
            pending=pending,
            clock=clock,
            scheduler=scheduler,
            event_log=event_log,
        )

    # -- the one session -----------------------------------------------------------------------------------

    def _is_current(self, session: LiveSession) -> bool:
        """Return whether ``session`` is still the one; what comes back for any other is thrown away (B31)."""
        return session is self._session

    @property
    def _held(self) -> SessionData:
        return _NO_DATA if self._session is None else self._session.data

    def _new_session(self, data: SessionData, reached: StepUp | None = None) -> LiveSession:
        """Begin a session with ``data``; the one before is dropped."""
        self._drop_session()
        self._session = LiveSession(
            self._boundaries,
            data,
            clock=self._clock,
            scheduler=self._scheduler,
            entropy=self._entropy,
            on_refresh_due=self._refresh_is_due,
            reached_step_up=reached,
        )
        return self._session

    def _drop_session(self) -> None:
        session, self._session = self._session, None
        self._boundaries += 1
        if session is not None:
            session.stop_timers()
            self._last_user = session.data.user or self._last_user
        self._superseded_token = None
        self._step_ups = {}

    def _end_session(self, ending: endings.Ending, *, superseded: OrphanedToken | None = None) -> None:
        """End the session; ``superseded`` is its refresh token, if that is revoked at the next sign-in only (B9)."""
        self._drop_session()
        self._superseded_token = superseded
        if ending.abandons != "none":
            self.sign_ins.abandon(only_ours=ending.abandons == "ours")
        if ending.counts_as_sign_out:
            self.sign_ins.silent.signed_out()
        if ending.closes_streams:
            self._close_streams()
        self._move(ending.transition, ending.reason)

    # -- what may be shown ---------------------------------------------------------------------------------

    async def summary(self) -> Summary:
        """Return the session as a client may see it; the first call reads the storage, none uses the network."""
        await self._restore_once()
        return await self._summary_now()

    async def changed_since(self, sequence: int, seconds: float) -> Summary:
        """Return the summary once its sequence number differs from ``sequence``, or after ``seconds``."""
        await self._restore_once()
        self._apply_expiry()
        if self._sequence == sequence and seconds > 0:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
        return await self._summary_now()

    @property
    def state(self) -> State:
        """The current state."""
        self._apply_expiry()
        return self._state

    @property
    def entitlements_known(self) -> bool:
        """Whether the provider listed the entitlements of the person; true without a session, too."""
        return self._held.entitlements.known

    def token_ready(self, key: TokenKey) -> bool:
        """Return whether a call made now would carry a token without asking the provider first."""
        return self._session is not None and self._session.usable(self._session.token(key, "access_token")) is not None

    async def _summary_now(self) -> Summary:
        storage = "unsaved" if self._store.unsaved else await self._store.kind()
        self._apply_expiry()
        held, settings = self._held, self.settings
        now = self._clock.now()
        retry_at = None if self._session is None else self._session.schedule.retry_at
        last = held.last_token(settings, now)
        left = last.seconds_left(now) if last else None
        apis = tuple(self._access_to(api) for api in settings.apis)
        return Summary(
            provider=settings.name,
            issuer=settings.issuer,
            state=self._state,
            reason=self._reason,
            sequence=self._sequence_of(apis),
            user=held.user,
            entitlements=held.shown.names,
            entitlements_more=held.shown.more,
            entitlements_known=held.shown.known,
            scopes=held.scopes,
            missing_scopes=tuple(s for s in self._oidc_client.scopes() if s not in held.scopes) if held.subject else (),
            signed_in_at=held.signed_in_at,
            access_expires_at=None if left is None else now.wall + left,
            expires_in=None if left is None else max(0, int(left)),
            refreshable=held.refresh_token is not None,
            storage=storage,
            retry_at=None if retry_at is None else max(retry_at, now.wall),
            apis=apis,
            settings_pending=self._settings_pending,
        )

    def _access_to(self, api: Api) -> ApiAccess:
        missing = self._held.entitlements.missing(api.requires)
        readiness = readiness_of(
            self._state,
            self._outlook(token_key(api), api.bearer_token_source),
            missing=bool(missing),
            unreachable=self.outages.lasts(api.name),
        )
        return ApiAccess(api.name, readiness, allowed=not missing, missing=missing)

    def _outlook(self, key: TokenKey, source: BearerSource) -> TokenOutlook:
        """Return whether a call would get the token of ``key``; the provider is not asked."""
        now, held = self._clock.now(), self._held
        session = self._session
        token = None if session is None else session.token(key, source)
        if token is not None and token.alive(now):
            return "there"
        if session is None:
            return "ended"
        if held.refresh_token is None and (
            source == "id_token" or key == SIGN_IN_KEY or not self._has_live_sign_in_token(now)
        ):
            return "ended"
        try:
            resting = session.negative_tokens.lookup((key, source))
        except AudienceRefused:
            return "refused"
        return "delayed" if resting is not None or self._state is State.REFRESH_FAILED else "there"

    def _has_live_sign_in_token(self, now: Moment) -> bool:
        access = self._held.access.get(SIGN_IN_KEY)
        return access is not None and access.alive(now)

    def _sequence_of(self, apis: tuple[ApiAccess, ...]) -> int:
        """Return the sequence number of this summary; it also grows if an API's access changed by time alone."""
        sequence, told = self._last_apis
        if sequence == self._sequence and told != apis:
            self._sequence += 1
        self._last_apis = (self._sequence, apis)
        return self._sequence

    def _notify_waiters(self) -> None:
        """Wake every waiter for a change of the summary."""
        self._sequence += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # -- signing in ----------------------------------------------------------------------------------------

    @property
    def may_sign_in_silently(self) -> bool:
        """Whether a page that opens may try now: no session, no sign-in under way, and no other settings waiting.

        Waiting settings come into force by an act of the user, and the opening of a page is none (ADR 30).
        """
        self._apply_expiry()
        out = self._state in (State.SIGNED_OUT, State.SIGNED_OUT_EXPIRED)
        return out and not self._settings_pending and self.sign_ins.silent.may_begin()

    def _sign_in_abandoned(self) -> None:
        if self._state is State.SIGNING_IN:
            self._move(SessionTransition.SIGN_IN_ABANDONED)

    def set_predecessor(self, before: Callable[[], SessionService | None]) -> None:
        """Set the function that returns the other service whose session a sign-in here would replace (ADR 30)."""
        self._predecessor = before

    def _question(self, tokens: Tokens, silent: bool) -> Question | None:  # noqa: FBT001 - a callback
        """Return the question to the user before ``tokens`` of another person are installed, or ``None`` (A26)."""
        before = self._predecessor()
        return (self if before is None else before).question_of_own(tokens, silent=silent)

    def question_of_own(self, tokens: Tokens, *, silent: bool = False) -> Question | None:
        """Return the question to the user before ``tokens`` replace the session of this service, or ``None``.

        A ``silent`` sign-in does not replace another person without a question, not even after the end of their
        session:
        the provider's cookie in this browser chose the person, and no click.
        """
        self._apply_expiry()
        user, person = self._held.user, tokens.person
        if person is None:
            return None
        is_over = not has_session(self._state)
        before = self._last_user if is_over and silent else None if is_over else user
        if before is None or before.sub == person.subject:
            return None
        return Question(name_of(before), name_of(user_of(person.subject, person.claims)), tokens, is_over)

    async def _install(self, tokens: Tokens, step_up: StepUp) -> None:
        """Begin a new session, replacing an old one completely (S-6, A26).

        Step-ups that the same person's APIs demanded, and that of this sign-in, stay in force.
        Raises ``SignInCancelled`` if this service is closed: it would own no session, so the tokens are revoked.
        """
        if self._closed:
            self._revoke_orphaned_sign_in(tokens)
            raise SignInCancelled
        if self._takes_over is not None:
            takes_over, self._takes_over, self._settings_pending = self._takes_over, None, False
            takes_over(tokens.set.refresh_token)
        before = self._own_token() or self._superseded_token
        same = tokens.person is not None and tokens.person.subject == self._held.subject
        changes = has_session(self._state) and not same
        reached = step_up.reached(tokens.person.acr if tokens.person else None)
        asked = {api: wanted for api, wanted in self._step_ups.items() if same and not reached.covers(wanted)}
        session = self._new_session(SessionData.of_sign_in(tokens, self.settings, self._clock.now()), reached)
        self._step_ups = asked
        self._close_streams()
        self._sign_out_pages.withdraw(self.settings.name)
        await self._store.replace(session.data.entry(self.settings))
        if before is not None and before.token != tokens.set.refresh_token:
            self._revoke_orphan(before)
        if not self._is_current(session):
            raise SignInCancelled
        changes = changes and has_session(self._state)
        self._move(SessionTransition.PERSON_CHANGED if changes else SessionTransition.SIGNED_IN)
        session.schedule.plan(session.refreshable_lifetime())
        self._schedule_expiry()

    # -- expiry --------------------------------------------------------------------------------------------

    def _apply_expiry(self) -> None:
        """Move to the state that the clock demands; timers do so too, and are late after a sleep of the machine."""
        if self._state is State.SIGNING_IN:
            self.sign_ins.notice_abandoned()
        if has_session(self._state) and self._seconds_to_end() == 0:
            self._expire()

    def _seconds_to_end(self) -> float | None:
        return None if self._session is None else self._session.seconds_to_end(self.settings)

    def _schedule_expiry(self) -> None:
        """Start a timer for the time at which this session ends by itself."""
        if self._session is not None:
            left = None if self._closed else self._session.seconds_to_end(self.settings)
            self._session.start_end_timer(left, self._end_timer_fired)

    def _end_timer_fired(self) -> None:
        self._apply_expiry()
        if has_session(self._state):
            self._schedule_expiry()  # NOTE: the two clocks may differ by less than a timer can tell

    def _expire(self) -> None:
        """End a session without a refresh token when its last token expires, and not before (A25)."""
        self._end_session(endings.EXPIRED)

    # -- bearer tokens -------------------------------------------------------------------------------------

    async def bearer(
        self,
        key: TokenKey,
        source: BearerSource = "access_token",
        *,
        rejected: Secret | None = None,
    ) -> Bearer:
        """Return a bearer token for one upstream call.

        ``rejected`` is a token that the API refused although it had not expired: it causes one forced refresh, shared
        by all callers, and none for the next 30 seconds (B27).
        Raises ``AudienceRefused`` if the provider has no token for this API.
        """
        await self._restore_once()
        self._apply_expiry()
        session = self._session
        if session is None or not has_session(self._state):
            return self._sign_in_needed()
        held = session.token(key, source)
        # NOTE: the API was right to refuse a token that has expired meanwhile; it is refreshed like any other.
        if rejected is not None and held is not None and held.secret == rejected and held.alive(self._clock.now()):
            session.refused_by_api = rejected
            if not session.may_force(key):
                return session.granted(held)
            return await self._join_refresh(session, key, source, replacing=held)
        if held is not None and (usable := session.usable(held)):
            return session.granted(usable)
        outcome = await self._join_refresh(session, key, source)
        if isinstance(outcome, TryLater) and held is not None and held.alive(self._clock.now()):
            return session.granted(held)
        return outcome

    def ready(self, key: TokenKey, source: BearerSource = "access_token") -> Granted | None:
        """Return a bearer token that is there without waiting, or ``None``; almost every call is served by this."""
        session = self._session
        if session is None or self._restored is None or not has_session(self._state):
            return None
        usable = session.usable(session.token(key, source))
        return None if usable is None else session.granted(usable)

    def is_current(self, generation: int) -> bool:
        """Return whether the session of ``generation`` is still this service's; a closed service has none."""
        return not self._closed and self._session is not None and self._session.number == generation

    def on_session_end(self, close_stream: Callable[[], None]) -> Callable[[], None]:
        """Call ``close_stream`` when this session ends on purpose: by a sign-out, at either side, or another person.

        When a session ends because the provider refuses to refresh it, open streams may go on (B1).
        Returns a function that removes ``close_stream``.
        """
        self._stream_closers.add(close_stream)
        return lambda: self._stream_closers.discard(close_stream)

    def _close_streams(self) -> None:
        """Close every stream that was opened with this session (S-5)."""
        closing, self._stream_closers = self._stream_closers, set()
        for close_stream in closing:
            close_stream()

    def expect_step_up(self, api: str, wanted: StepUp) -> None:
        """Remember the step-up that ``api`` demanded, for the next sign-in that names it (RFC 9470, 4)."""
        earlier = self._step_ups.pop(api, StepUp())
        self._step_ups[api] = wanted.after(earlier)

    def _step_up_for(self, api: str | None) -> StepUp:
        """Return the step-up that ``api`` demanded, or without a name the last one, combined with the one in force.

        A sign-in replaces the one before it, so it must not be weaker than that.
        """
        asked = self._step_ups.get(api) if api is not None else next(reversed(self._step_ups.values()), None)
        return (asked or StepUp()).combined_with(self._session.reached_step_up if self._session else StepUp())

    def token_audience(self, key: TokenKey) -> tuple[str, ...] | None:
        """Return the audience in the access token of ``key``; ``None`` if there is no token, or it cannot be read."""
        held = self._held.access.get(key)
        return None if held is None else audience_of(held.secret)

    async def refresh(self) -> Bearer:
        """Refresh the sign-in's access token now, unless it is younger than ten seconds (B25)."""
        await self._restore_once()
        self._apply_expiry()
        session = self._session
        if session is None or not has_session(self._state):
            return self._sign_in_needed()
        usable = session.usable(session.sign_in_token)
        if usable is not None and session.schedule.just_refreshed(self._clock.now()):
            return session.granted(usable)
        return await self._refresh_sign_in_token(session)

    async def _join_refresh(
        self,
        session: LiveSession,
        key: TokenKey,
        source: BearerSource,
        *,
        replacing: AccessToken | None = None,
    ) -> Bearer:
        """Join the refresh for ``key`` that is under way, or start one; it outlives its callers (B28).

        A usable token is returned as it is, unless it is the one that the caller wants to replace.
        """
        task = session.refreshes.get(key)
        if task is None:
            if self._closed:
                return TryLater(
                    refresh_policy.RETRY_DELAY_SECONDS, "overloaded"
                )  # another service is about to take over
            task = self._background.start(self._refresh_or_delay(session, key, source, replacing))
            session.refreshes[key] = task
            task.add_done_callback(lambda _: session.refreshes.pop(key, None))
            self._refreshing.add(task)
            task.add_done_callback(self._refreshing.discard)
        await asyncio.wait((task,))
        if task.cancelled():  # NOTE: cancelled with this service; the waiting caller was not cancelled
            return TryLater(refresh_policy.RETRY_DELAY_SECONDS, "overloaded")
        return task.result()

    async def _refresh_or_delay(
        self,
        session: LiveSession,
        key: TokenKey,
        source: BearerSource,
        replacing: AccessToken | None,
    ) -> Bearer:
        """Refresh; after an unexpected exception try again later, and leave the session as it is (Q6.3).

        Raises ``AudienceRefused``.
        """
        try:
            return await self._refresh_exclusively(session, key, source, replacing)
        except AudienceRefused:
            raise
        except Problem as problem:
            return self._delay(session, problem.code, problem.retry_after)
        except Exception as error:  # noqa: BLE001 - a defect of ours; logged by type and place, and survived
            self._report(defect_of(error))
            session.refresh_outcome_unknown = True
            return self._delay(session, "internal_error", None)

    async def _refresh_exclusively(
        self,
        session: LiveSession,
        key: TokenKey,
        source: BearerSource,
        replacing: AccessToken | None,
    ) -> Bearer:
        """Refresh for ``session``, which may have ended before this begins (B31)."""
        async with session.refresh_lock:
            if not self._is_current(session):
                return self._sign_in_needed()
            held = session.data
            token = session.token(key, source)
            if token is not None and token is not replacing and session.usable(token):
                return session.granted(token)
            if (resting := session.negative_tokens.lookup((key, source))) is not None:
                return resting
            if held.refresh_token is None:
                return await self._without_refresh_token(session, key, source)
            wait = session.schedule.seconds_to_wait()
            if wait > 0:
                return TryLater(wait, self._reason or "idp_unavailable", self._remedy)
            if key in session.exchanged:
                return await self._exchange_or_cache_failure(session, key)
            try:
                return await self._lock_and_refresh(session, key, source)
            except AudienceRefused:
                return await self._exchange_or_cache_failure(session, key)

    async def _lock_and_refresh(self, session: LiveSession, key: TokenKey, source: BearerSource) -> Bearer:
        """Refresh while no other server does; raises ``AudienceRefused``."""
        try:
            async with self._store.transaction() as transaction:
                return await self._refresh_under_lock(session, key, source, transaction)
        except Overloaded as problem:
            return TryLater(problem.retry_after or 1.0, problem.code)
        except StorageUnavailable as problem:
            return self._delay(session, problem.code, None, problem.action)

    async def _exchange_or_cache_failure(self, session: LiveSession, key: TokenKey) -> Bearer:
        """Exchange, and cache a refusal, so that the token is not requested again with every call (B25, B30)."""
        try:
            outcome = await self._exchange(session, key)
        except AudienceRefused:
            session.negative_tokens.add((key, "access_token"), refresh_policy.MIN_FORCED_REFRESH_INTERVAL_SECONDS, None)
            raise
        if isinstance(outcome, TryLater) and self._is_current(session):
            session.negative_tokens.add((key, "access_token"), outcome.seconds, outcome.reason)
        return outcome

    async def _exchange(self, session: LiveSession, key: TokenKey) -> Bearer:
        """Get a token for ``key`` by exchanging the sign-in's, where the refresh token gives none (RFC 8693, B30).

        Raises ``AudienceRefused`` if the provider has none for this API; the session stays as it is.
        """
        usable = session.usable(session.sign_in_token)
        base: Bearer
        if usable is not None:
            base = session.granted(usable)
        else:
            base = await self._lock_and_refresh(session, SIGN_IN_KEY, "access_token")
        if not isinstance(base, Granted):
            return base
        asked = self._clock.now()
        try:
            answer = await self._oidc_client.exchange(base.secret, key, base.proof_key)
        except ProviderProblem as problem:
            return TryLater(problem.retry_after or refresh_policy.RETRY_DELAY_SECONDS, problem.code)
        if not self._is_current(session):
            return self._sign_in_needed()
        if isinstance(answer, TokenUnavailable):
            return TryLater(answer.retry_after or refresh_policy.RETRY_DELAY_SECONDS, "idp_unavailable")
        if isinstance(answer, TokenError):
            self._note_refused_apis(key, answer.error, way="exchange")
        if not isinstance(answer, TokenSet):
            raise AudienceRefused
        self._check_honoured(key, answer, way="exchange")
        session.exchanged.add(key)
        token = AccessToken(answer.access_token, asked, answer.expires_in, base.proof_key)
        session.data = replace(session.data, access={**session.data.access, key: token})
        return session.granted(token)

    async def _refresh_under_lock(
        self, session: LiveSession, key: TokenKey, source: BearerSource, transaction: StoreTransaction
    ) -> Bearer:
        """Use the refresh token that is stored now, under the lock (B2, B10)."""
        known = session.data.entry(self.settings)
        if not self._is_current(session) or known is None:
            return self._sign_in_needed()
        stored = await transaction.stored_state(known)
        if not self._is_current(session):
            return self._sign_in_needed()
        refresh_token = known.refresh_token
        match stored:
            case Deleted() | OtherSubject():
                return self._ended_elsewhere(stored)
            case RotatedElsewhere(entry=entry):
                refresh_token = entry.refresh_token
                session.data = self._adopted(session.data, entry)
                session.refresh_outcome_unknown = False
        return await self._send_under_lock(session, key, source, transaction, refresh_token)

    def _adopted(self, held: SessionData, entry: Entry) -> SessionData:
        """Return ``held`` with the refresh token that another server has stored, and the key that it is bound to."""
        return replace(held, refresh_token=entry.refresh_token, proof_key=self._oidc_client.proof_key(entry.dpop_key))

    async def _send_under_lock(
        self,
        session: LiveSession,
        key: TokenKey,
        source: BearerSource,
        transaction: StoreTransaction,
        refresh_token: Secret,
    ) -> Bearer:
        """Send ``refresh_token``, and store its successor before the rest of the answer is judged (ADR 0025)."""
        await transaction.mark_in_use()
        origin, began = self._oidc_client.origin(session.data.subject, session.data.sid), self._clock.now().monotonic
        try:
            answer = await self._send_refresh(session, refresh_token, key, began)
        except (
            ProviderProblem,
            LocalProblem,
        ) as problem:  # the latter: a secret or file that has gone; nothing was sent
            if not session.refresh_outcome_unknown:
                await transaction.clear_mark()  # the token was not sent, or not used (B32)
            return self._delay(session, problem.code, problem.retry_after)
        if isinstance(answer, NoResponse):
            session.refresh_outcome_unknown = True
            return self._delay(session, "idp_unavailable", None)
        if answer.tokens.unreadable:
            return await self._end(session, "successor_unreadable", "token.refresh_token", transaction)
        if (successor := answer.tokens.refresh_token) is not None:
            left = await self._keep_successor(session, OrphanedToken(successor, origin), transaction)
            session.refresh_outcome_unknown = False
            if left is not None:
                return left
        return await self._handle_refresh_reply(session, key, source, transaction, answer, began)

    async def _send_refresh(
        self, session: LiveSession, refresh_token: Secret, key: TokenKey, began: float
    ) -> RefreshReply | NoResponse:
        """Send the refresh token; once more after a second if no answer came, which covers a grace period (B5).

        The second attempt ends in time for other servers to get the lock, which is held since ``began`` (B12).
        """
        proof_key = session.data.proof_key
        answer = await self._oidc_client.send_refresh(refresh_token, key, proof_key)
        if isinstance(answer, NoResponse):
            session.refresh_outcome_unknown = True
            left = self._lock_seconds_left(began) - refresh_policy.RETRY_DELAY_SECONDS
            if left > 0:
                await self._scheduler.sleep(refresh_policy.RETRY_DELAY_SECONDS)
                with suppress(asyncio.TimeoutError):
                    answer = await asyncio.wait_for(self._oidc_client.send_refresh(refresh_token, key, proof_key), left)
        return answer

    def _lock_seconds_left(self, began: float) -> float:
        return refresh_policy.MAX_LOCK_HOLD_SECONDS - (self._clock.now().monotonic - began)

    async def _keep_successor(
        self, session: LiveSession, successor: OrphanedToken, transaction: StoreTransaction
    ) -> Bearer | None:
        """Store the token that replaces the used one; return the answer if this session is over (F-4, B3).

        If the session is over, the token is revoked instead.
        """
        stored = await self._stored_state_before_saving(session, transaction)
        if isinstance(stored, Same):
            after = replace(session.data, refresh_token=successor.token)
            if after.refresh_token == session.data.refresh_token:
                await transaction.clear_mark()
            else:
                await transaction.save(after.entry(self.settings))
            if self._is_current(session):
                session.data = after
                return None
        left: Bearer | None = self._sign_in_needed()
        match stored:
            case Deleted() | OtherSubject():
                left = self._ended_elsewhere(stored)
            case RotatedElsewhere(entry=entry):
                session.data = self._adopted(session.data, entry)
                left = None
        self._revoke_orphan(successor)
        return left

    async def _handle_refresh_reply(
        self,
        session: LiveSession,
        key: TokenKey,
        source: BearerSource,
        transaction: StoreTransaction,
        refresh_reply: RefreshReply,
        began: float,
    ) -> Bearer:
        """Judge the reply to a refresh; its successor is stored already, even if a check fails."""
        held = session.data
        kept = refresh_reply.tokens.refresh_token is not None
        try:
            answer: Tokens | Refused = await asyncio.wait_for(
                self._oidc_client.judge_refresh(
                    refresh_reply, key, subject=held.subject, previous=held.identity, proof_key=held.proof_key
                ),
                max(self._lock_seconds_left(began), refresh_policy.RETRY_DELAY_SECONDS),
            )
        except asyncio.TimeoutError:
            answer = UnverifiableResponse()
        except (IdTokenRejected, UserinfoRejected) as problem:
            reason = refresh_policy.reason_of_rejection(problem)
            outcome = await self._end(session, reason, problem.detail, transaction)
            self._revoke_orphan(orphan_of(refresh_reply.tokens, self._oidc_client.origin()))
            return outcome
        except (ProviderProblem, LocalProblem) as problem:  # the latter: a secret that an ID token is verified with
            session.refresh_outcome_unknown = session.refresh_outcome_unknown or not kept
            return self._delay(session, problem.code, problem.retry_after)
        if isinstance(answer, TokenUnavailable):
            session.refresh_outcome_unknown = True
            return self._delay(session, "idp_unavailable", answer.retry_after)
        if isinstance(answer, TokenError):
            lost = transaction.interrupted or session.refresh_outcome_unknown
            return await self._handle_refusal(session, key, answer, transaction, lost=lost)
        if not kept:
            session.refresh_outcome_unknown = False
            await transaction.clear_mark()  # a success that names no successor leaves the token in force (RFC 6749, 6)
        if isinstance(answer, UnverifiableResponse):
            return self._delay(session, "idp_unavailable", None)
        return await self._apply_refresh(session, key, source, answer, transaction)

    async def _stored_state_before_saving(
        self, session: LiveSession, transaction: StoreTransaction
    ) -> StoredState | None:
        """Compare the stored entry again before a refresh is saved; ``None`` if this session has ended meanwhile (B31).

        A sign-in or sign-out does not wait long for the lock, and a refresh must not undo it (D7).
        """
        known = session.data.entry(self.settings)
        if not self._is_current(session) or known is None:
            return None
        stored = await transaction.stored_state(known)
        return stored if self._is_current(session) else None

    def _ended_elsewhere(self, stored: Deleted | OtherSubject) -> Bearer:
        """End this session, as another server that shares the entry did; the stored entry is not ours to touch (D7)."""
        self._end_session(endings.SIGNED_OUT_ELSEWHERE if isinstance(stored, Deleted) else endings.SIGNED_IN_ELSEWHERE)
        return self._sign_in_needed()

    async def _apply_refresh(
        self,
        session: LiveSession,
        key: TokenKey,
        source: BearerSource,
        answer: Tokens,
        transaction: StoreTransaction,
    ) -> Bearer:
        if not self._is_current(session):
            return self._sign_in_needed()  # the end of the session removed the successor, too
        self._check_honoured(key, answer.set, way="refresh")
        if answer.set.expires_in == 0:
            # NOTE: a lifetime of 0 twice is a provider's mistake; from now on the API decides (A13).
            answer = replace(answer, set=replace(answer.set, expires_in=None))
        after = session.data.absorbing(answer, key, self.settings)
        if after.entry(self.settings) != session.data.entry(self.settings):
            stored = await self._stored_state_before_saving(session, transaction)
            if isinstance(stored, Same):
                await transaction.save(after.entry(self.settings))
            elif isinstance(stored, (Deleted, OtherSubject)):
                return self._ended_elsewhere(stored)
            if not self._is_current(session):
                return self._sign_in_needed()
            if isinstance(stored, RotatedElsewhere):
                after = self._adopted(after, stored.entry)
        session.data = after
        self._move(SessionTransition.REFRESHED)
        session.schedule.refreshed(session.refreshable_lifetime())
        token = session.token(key, source)
        if token is None or not token.alive(self._clock.now()):
            session.negative_tokens.add((key, source), refresh_policy.MAX_BACKOFF_SECONDS, "no_id_token_on_refresh")
            return TryLater(refresh_policy.MAX_BACKOFF_SECONDS, "no_id_token_on_refresh")
        return session.granted(token)

    async def _handle_refusal(
        self, session: LiveSession, key: TokenKey, error: TokenError, transaction: StoreTransaction, *, lost: bool
    ) -> Bearer:
        """Judge a refusal; ``lost`` says that the token may have been used without its successor being stored."""
        verdict = refresh_policy.judge_oauth_error(error.error, for_api=key != SIGN_IN_KEY)
        if isinstance(verdict, refresh_policy.Ends):
            reason = "rotation_lost" if lost and error.error == "invalid_grant" else verdict.reason
            return await self._end(session, reason, f"token.{error.error}", transaction, keep=verdict.token_is_good)
        if isinstance(verdict, refresh_policy.Ambiguous):
            return await self._handle_ambiguous_refusal(session, verdict.reason, error, transaction)
        await transaction.clear_mark()
        if isinstance(verdict, refresh_policy.RefusesAudience):
            self._note_refused_apis(key, error.error)
            raise AudienceRefused
        self._note_refusal(verdict.reason, error.error)
        return self._delay(session, verdict.reason, verdict.seconds)

    async def _handle_ambiguous_refusal(
        self, session: LiveSession, reason: str, error: TokenError, transaction: StoreTransaction
    ) -> Bearer:
        """Keep trying, with growing pauses, while calls work; then end the session and ask for a sign-in (Q1.8).

        The refresh token stays until the next sign-in, as the provider did not say that it is invalid.
        """
        if not self._is_current(session):
            return self._sign_in_needed()
        refusals = session.schedule.refused()
        left = session.usable_seconds_left()
        if left == 0 and refusals >= refresh_policy.MAX_REFUSALS:
            return await self._end(session, reason, f"token.{error.error}", transaction, keep=True)
        await transaction.clear_mark()
        self._note_refusal(reason, error.error)
        pause = refresh_policy.refusal_pause(refusals, self._entropy.jitter())
        return self._delay(session, reason, min(pause, left) if left else pause)

    def _check_honoured(self, key: TokenKey, answer: TokenSet, *, way: str) -> None:
        """Raise ``AudienceRefused`` for a token that does not match ``key`` (Q9.5)."""
        if not honoured(key, answer.access_token, answer.scopes, self.token_audience(SIGN_IN_KEY)):
            self._note_refused_apis(key, "ignored", way=way)
            raise AudienceRefused

    def _note_refusal(self, reason: str, error: str, *, about: str = "refresh") -> None:
        self._event_log.refusal(self.settings.name, about, reason, f"token.{error}")

    def _note_refused_apis(self, key: TokenKey, error: str, *, way: str = "refresh") -> None:
        """Log the APIs whose token was refused, and the specification's error code (Q9.3)."""
        names = [api.name for api in self.settings.apis if token_key(api) == key]
        self._note_refusal("audience_refused", error, about=f"{way} for {', '.join(names) or 'no API'}")

    async def _without_refresh_token(self, session: LiveSession, key: TokenKey, source: BearerSource) -> Bearer:
        """Grant a token that has not expired; after the expiry the person has to sign in again (A25).

        Raises ``AudienceRefused`` for an API that needs a token of its own, if there is none by exchange.
        """
        now, sign_in = self._clock.now(), session.sign_in_token
        token = session.token(key, source)
        if token is not None and token.alive(now):
            return session.granted(token)
        if sign_in is not None and sign_in.alive(now):
            if source == "id_token":
                return SignInNeeded("session_expired")
            return await self._exchange_or_cache_failure(session, key)
        self._apply_expiry()
        return SignInNeeded("session_expired") if has_session(self._state) else self._sign_in_needed()

    def _delay(self, session: LiveSession, reason: str, seconds: float | None, remedy: str | None = None) -> Bearer:
        """Keep the session and try again later, after a transient failure or a mistake in the settings (B6, B7, B8)."""
        if not self._is_current(session) or not has_session(self._state):
            return self._sign_in_needed()
        wait = session.schedule.failed(seconds)
        self._move(SessionTransition.REFRESH_DELAYED, reason)
        self._remedy = remedy
        return TryLater(wait, reason, remedy)

    async def _end(
        self,
        session: LiveSession,
        reason: str,
        detail: str,
        transaction: StoreTransaction,
        *,
        keep: bool = False,
    ) -> Bearer:
        """Drop the session, here and in storage, because the provider ended it (F-6, F-8, B1).

        With ``keep`` the stored refresh token stays until the next sign-in replaces and revokes it (B9).
        """
        if self._is_current(session):
            self._end_session(endings.ended_by_provider(reason), superseded=self._own_token() if keep else None)
            self._event_log.refusal(self.settings.name, "refresh", reason, detail)
            try:
                await (transaction.clear_mark() if keep else transaction.remove())
            except StorageUnavailable as trouble:
                self._event_log.refusal(self.settings.name, "storage", trouble.code, trouble.detail)
        return self._sign_in_needed()

    def _sign_in_needed(self) -> SignInNeeded:
        expired = self._state is State.SIGNED_OUT_EXPIRED
        return SignInNeeded("session_expired" if expired else "not_signed_in")

    # -- signing out ---------------------------------------------------------------------------------------

    async def sign_out(self, *, spared: tuple[Origin, ...] | None = None, bound: bool = False) -> SignOut:
        """End the session here at once, then tell the provider; a second call does nothing (D1, D2).

        ``spared`` are sessions that no revocation may harm; it is given when the settings were removed, not when a
        person signs out, and then no sign-out page is offered. ``bound`` ties a page to the requesting browser (ADR
        39).
        Raises ``StorageUnavailable`` if the stored entry could not be removed; every other step is done then (D3).
        """
        await self._restore_once()
        own, self._spared_origins = self._own_token() or self._superseded_token, spared or ()
        refresh_token, origin = (own.token, own.origin) if own else (None, self._own_origin())
        subject = self._held.subject or None
        state = self._entropy.token(256)
        request = self._oidc_client.logout_request(state) if subject and spared is None else None
        link = self.logout_link() if request else None
        hint = self._held.id_token.secret if self._held.id_token else None
        self._end_session(endings.SIGNED_OUT)
        boundaries = self._boundaries
        trouble: StorageUnavailable | None = None
        try:
            newest = await self._remove_stored(subject) or refresh_token
        except StorageUnavailable as problem:
            newest, trouble = refresh_token, problem
        revoked: Revoked = "nothing-to-revoke"
        if newest is not None:
            orphan = OrphanedToken(newest, origin)
            revoked = await revoke_with_retries(self._oidc_client, orphan, self._scheduler, attempts=1)
            if revoked == "failed":
                self._revoke_orphan(orphan)
        if trouble is not None:
            raise StorageUnavailable(
                "You are signed out here, but the stored session could not be removed.",
                action=f"{trouble.action} Then sign out again.",
                detail=trouble.detail,
            )
        if request is None or link is None or boundaries != self._boundaries:
            return SignOut(revoked, None)
        if self.settings.sign_out_method == "link" or not request.takes_form:
            return SignOut(revoked, link)
        ticket = self._sign_out_pages.offer(self.settings.name, request, hint, state, bound=bound)
        return SignOut(revoked, link, ticket)

    def logout_link(self) -> str | None:
        """Return the link by which a person ends the provider's session; it carries no token."""
        request = self._oidc_client.logout_request()
        return None if request is None else request.url

    async def end_by_provider(self, raw: Secret) -> None:
        """End the session that the logout token ``raw`` names; naming none is no error (B-14, B-15, D6).

        The token counts as used only when every step is done, so the provider may send it again after a failure.
        Raises ``LogoutTokenInvalid`` for a token that fails a check, or that could not take effect (B-16).
        """
        try:
            await self._end_by_provider(raw)
        except Problem as problem:
            refused = problem if isinstance(problem, LogoutTokenInvalid) else None
            refused = refused or LogoutTokenInvalid(detail=f"logout_token.{problem.code}")
            self._event_log.refusal(self.settings.name, "backchannel-logout", refused.code, refused.detail)
            raise refused from None

    async def _end_by_provider(self, raw: Secret) -> None:
        token = await self._oidc_client.logout_token(raw)
        if self._logouts.knows(token):
            raise LogoutTokenInvalid(detail="logout_token.jti")
        await self._restore_once()
        held = self._held
        if has_session(self._state) and concerns(token, held.subject, held.sid):
            self._end_session(endings.SIGNED_OUT_AT_PROVIDER)
            await self._remove_stored(held.subject)
        self._logouts.remember(token, self._clock.now().wall, self.settings.clock_skew)

    # -- storage -------------------------------------------------------------------------------------------

    async def _restore_once(self) -> None:
        if self._restored is None:
            self._restored = self._background.start(self._restore(), after_defect=self._restore_failed)
        if not self._restored.done():
            await asyncio.shield(self._restored)

    def _restore_failed(self) -> None:
        self._reason = "internal_error"

    async def _restore(self) -> None:
        if self._takes_over is not None:
            return
        try:
            entry = await self._store.load()
        except StorageUnavailable as problem:
            self._reason = problem.detail
            return
        if entry is None or self._boundaries:
            return
        session = self._new_session(SessionData.of_entry(entry, self._oidc_client.proof_key(entry.dpop_key)))
        self._move(SessionTransition.RESTORED)
        self._background.start(self._refresh_sign_in_token(session))

    async def _remove_stored(self, subject: str | None) -> Secret | None:
        """Remove the entry of ``subject``, or any.

        Return its refresh token, which another server may have refreshed.
        """
        # NOTE: a refresh of our own holds the lock; its answer will be dropped, so this does not wait for it.
        stored = await self._store.remove(
            subject, timeout_seconds=0.0 if self._refreshing else USER_LOCK_TIMEOUT_SECONDS
        )
        return None if stored is None else stored.refresh_token

    def _saved_late(self) -> None:
        if has_session(self._state):
            self._move(SessionTransition.STORED, self._reason)

    # -- other settings ------------------------------------------------------------------------------------

    def set_settings_pending(self, waiting: bool) -> None:  # noqa: FBT001 - a property with a setter that notifies
        """Set whether other settings wait for the next sign-in, and publish a change."""
        if waiting != self._settings_pending:
            self._settings_pending = waiting
            self.publish("settings-changed")

    def narrow(self, settings: Provider) -> None:
        """Go on under ``settings``, whose APIs are narrower.

        Open streams are closed, as some may not be allowed any more.
        """
        self.settings = settings
        self._close_streams()
        self.publish("settings-changed")

    def continue_from(self, before: SessionService) -> None:
        """Continue the sequence of ``before``, so that no client takes a summary of this session for one of that."""
        self._sequence += before._sequence + 1
        self._last_user = self._last_user or before._held.user or before._last_user
        self.sign_ins.silent = before.sign_ins.silent

    def hand_over(
        self, kept: Secret | None, spared: Callable[[], tuple[Origin, ...]]
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        """End this session at once, because one under other settings replaces it.

        The stored entry belongs to that one now.
        Returns a coroutine function for the rest: it revokes the refresh token under its own settings, unless the token
        is ``kept`` or that could harm one of the sessions ``spared``, and closes this service.
        """
        orphan = self._own_token() or self._superseded_token
        self._store.detach()
        self._end_session(endings.HANDED_OVER)

        async def afterwards() -> None:
            self._spared_origins = spared()
            if orphan is not None and orphan.token != kept:
                await revoke_with_retries(self._oidc_client, orphan, self._scheduler)
            await self.aclose()

        return afterwards

    # -- internals -----------------------------------------------------------------------------------------

    def _move(self, transition: SessionTransition, reason: str | None = None) -> None:
        before, self._state = self._state, next_state(self._state, transition)
        self._reason, self._remedy = reason, None
        self.publish(transition.value, reason)
        recovered = (before, transition) == (State.REFRESH_FAILED, SessionTransition.REFRESHED)
        if recovered and self._session is not None:
            self.sign_ins.overtake(self._session.reached_step_up)

    def publish(self, kind: str, reason: str | None = None) -> None:
        """Publish a change of the summary as an event of this ``kind``."""
        self._notify_waiters()
        self._event_log.session(
            SessionEvent(
                self.settings.name,
                kind,
                reason,
                self._sequence,
                utc_text(self._clock.now().wall),
            ),
        )

    def _refresh_is_due(self) -> None:
        if self._session is not None and has_session(self._state):
            session = self._session
            self._background.start(
                self._refresh_sign_in_token(session),
                after_defect=lambda: self._due_refresh_failed(session),
            )

    def _due_refresh_failed(self, session: LiveSession) -> None:
        self._delay(session, "internal_error", None)

    async def _refresh_sign_in_token(self, session: LiveSession) -> Bearer:
        """Replace the sign-in's access token, unless another caller just did."""
        return await self._join_refresh(session, SIGN_IN_KEY, "access_token", replacing=session.sign_in_token)

    @property
    def origin(self) -> Origin | None:
        """The origin of the living session's tokens; ``None`` without a session."""
        return self._own_origin() if self._held.subject else None

    def _own_origin(self) -> Origin:
        return self._oidc_client.origin(self._held.subject, self._held.sid)

    def _own_token(self) -> OrphanedToken | None:
        token = self._held.refresh_token
        return None if token is None else OrphanedToken(token, self._own_origin())

    def _living_origins(self) -> tuple[Origin, ...]:
        """Return the sessions that no revocation of ours may harm."""
        return self._spared_origins if self.origin is None else (self.origin, *self._spared_origins)

    def _revoke_orphan(self, orphan: OrphanedToken | None) -> None:
        """Revoke an orphaned token, if that harms no living session."""
        if orphan is not None:
            self._background.start(revoke_with_retries(self._oidc_client, orphan, self._scheduler))

    def _revoke_orphaned_sign_in(self, tokens: Tokens) -> None:
        """Revoke the tokens of a sign-in that was cancelled meanwhile."""
        person = tokens.person
        origin = self._oidc_client.origin(person.subject, person.sid) if person else self._oidc_client.origin()
        if tokens.set.refresh_token is not None:
            self._revoke_orphan(OrphanedToken(tokens.set.refresh_token, origin))

    def _report(self, defect: Defect) -> None:
        self._event_log.defect(f"provider {self.settings.name}", defect)

    async def aclose(self) -> None:
        """Settle, then close the provider connection; the session's data stay as they are."""
        await self.settle()
        await self._oidc_client.aclose()

    async def settle(self, *, process_ends: bool = False) -> None:
        """Stop timers and background work; waits up to 5 s (D10). A second call returns at once.

        With ``process_ends`` the user can no longer answer a sign-in's question: its tokens are revoked (Q10.5).
        """
        self._closed = True
        if process_ends:
            self.sign_ins.abandon(only_ours=True)
        self.sign_ins.stop_polling()
        self._close_streams()
        if self._session is not None:
            self._session.stop_timers()
        loop = asyncio.get_running_loop()
        until = loop.time() + CLOSE_TIMEOUT_SECONDS
        while (busy := self._running_tasks()) and (left := until - loop.time()) > 0:
            await asyncio.wait(busy, timeout=left)  # a task that ends may have started a revocation
        if late := self._running_tasks():
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=1.0)  # a task with a new refresh token stores it now
        await self._store.retry()
        self._store.stop()

    def _running_tasks(self) -> set[asyncio.Task[Any]]:
        return set(self._background)

    async def ends_with_process(self) -> bool:
        """Return whether a refresh token is held in memory only, so that it cannot be used after this process."""
        return (self._own_token() or self._superseded_token) is not None and await self._store.ends_with_process()

    def end_and_revoke(self, spared: tuple[Origin, ...]) -> asyncio.Task[None]:
        """End the session for good, because the process ends and only its memory holds the session (Q10.5, ADR 36).

        Its refresh token is revoked, in one attempt, unless that could harm one of the sessions ``spared``, which live
        on.
        """
        return self._background.start(self._end_and_revoke(spared))

    async def _end_and_revoke(self, spared: tuple[Origin, ...]) -> None:
        orphan, self._spared_origins = self._own_token() or self._superseded_token, spared
        self._store.detach()  # NOTE: a store that works again must not receive a token that is revoked now
        if has_session(self._state):
            self._end_session(endings.PROCESS_ENDS)
        else:
            self._drop_session()
        if orphan is None:
            return
        revoked: Revoked = "failed"
        try:
            revoked = await revoke_with_retries(self._oidc_client, orphan, self._scheduler, attempts=1)
        finally:  # also if no time is left for the provider's answer
            if revoked == "failed":
                self._event_log.refusal(self.settings.name, "stop", "idp_unavailable", "revocation")
