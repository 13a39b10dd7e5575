"""Owns the session at one provider.

It holds the tokens, moves the state machine, refreshes, and answers two questions: *what may be shown* (a
summary) and *what may go out* (a bearer token).
A **generation** number grows with every sign-in and sign-out; whatever comes back from the provider for an
older generation is thrown away, so nothing resurrects a session (B31).
It refuses to know HTTP requests, kernels or Jupyter users.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

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
from jupyter_oidc.sessions import refresh_policy
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, AccessToken, Bearer, Granted, SignInNeeded, TokenKey, TryLater
from jupyter_oidc.sessions.honoured import honoured
from jupyter_oidc.sessions.machine import SessionTransition, State, has_session, next_state
from jupyter_oidc.sessions.negative_token_cache import NegativeTokenCache
from jupyter_oidc.sessions.oidc_client import NoResponse, RefreshReply, UnverifiableResponse
from jupyter_oidc.sessions.pending import Question, StepUp
from jupyter_oidc.sessions.ports import SessionEvent
from jupyter_oidc.sessions.provider_logout import AcceptedLogouts, concerns
from jupyter_oidc.sessions.readiness import Outages, readiness_of
from jupyter_oidc.sessions.refresh_schedule import RefreshSchedule
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
    from jupyter_oidc.sessions.ports import Cancellable, Entry, EntryLock, EventLog, Scheduler, Vault
    from jupyter_oidc.sessions.readiness import TokenOutlook
    from jupyter_oidc.sessions.revocation import Origin, Revoked
    from jupyter_oidc.sessions.sign_out_pages import SignOutPages
    from jupyter_oidc.sessions.summary import User
    from jupyter_oidc.settings import Api, Provider

BearerSource = Literal["access_token", "id_token"]

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""For work that is under way when a service closes; after that it is cancelled."""


class SessionService:
    """Owns the session at the provider in ``settings``.

    One that ``takes_over`` waits for a sign-in of its own, restores nothing before, and calls that with the new refresh
    token when it has the tokens: the one that it replaces gives way then (ADR 30).
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
        self._generation = 0
        self._held = SessionData()
        self._last_user: User | None = None
        self._changed = asyncio.Event()
        self._restored: asyncio.Task[None] | None = None
        self._takes_over = takes_over
        self._settings_pending = takes_over is not None
        self._refresh_lock = asyncio.Lock()
        self._refreshes: dict[TokenKey, asyncio.Task[Bearer]] = {}
        self._refresh_schedule = RefreshSchedule(clock, scheduler, entropy, self._refresh_is_due)
        self._refresh_outcome_unknown = False
        self._refused_by_api: Secret | None = None
        self._closed = False
        self._stream_closers: set[Callable[[], None]] = set()
        self._step_ups: dict[str, StepUp] = {}
        self._reached_step_up = StepUp()
        self._superseded_token: OrphanedToken | None = None
        self._end_timer: Cancellable | None = None
        self._spared_origins: tuple[Origin, ...] = ()
        self._predecessor: Callable[[], SessionService | None] = lambda: None
        oidc_client.ask_before_revoking(self._living_origins)
        self._logouts = logouts
        self._sign_out_pages = sign_out_pages
        self._exchanged: set[TokenKey] = set()
        self._negative_tokens = NegativeTokenCache(clock)
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

    # -- what may be shown ---------------------------------------------------------------------------------

    async def summary(self) -> Summary:
        """Return the session as a client may see it; the first call looks into storage, none into the network."""
        await self._restore_once()
        return await self._summary_now()

    async def changed_since(self, sequence: int, seconds: float) -> Summary:
        """Return the summary once its sequence differs from ``sequence``, or after ``seconds``."""
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
        return self._usable(self._held.access.get(key)) is not None

    async def _summary_now(self) -> Summary:
        storage = "unsaved" if self._store.unsaved else await self._store.kind()
        self._apply_expiry()
        held, settings = self._held, self.settings
        now, retry_at = self._clock.now(), self._refresh_schedule.retry_at
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
        """Return what a call that needs the token of ``key`` would find; the provider is not asked."""
        now, held = self._clock.now(), self._held
        token = self._held_token(key, source)
        if token is not None and token.alive(now):
            return "there"
        if held.refresh_token is None and (
            source == "id_token" or key == SIGN_IN_KEY or not self._has_live_sign_in_token(now)
        ):
            return "ended"
        try:
            resting = self._negative_tokens.lookup((key, source))
        except AudienceRefused:
            return "refused"
        return "delayed" if resting is not None or self._state is State.REFRESH_FAILED else "there"

    def _has_live_sign_in_token(self, now: Moment) -> bool:
        access = self._held.access.get(SIGN_IN_KEY)
        return access is not None and access.alive(now)

    def _sequence_of(self, apis: tuple[ApiAccess, ...]) -> int:
        """Return the number of this summary; it grows if only time has changed what is said of an API."""
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

        Settings that wait come into force by an act of the user, and the opening of a page is none (ADR 30).
        """
        self._apply_expiry()
        out = self._state in (State.SIGNED_OUT, State.SIGNED_OUT_EXPIRED)
        return out and not self._settings_pending and self.sign_ins.silent.may_begin()

    def _sign_in_abandoned(self) -> None:
        if self._state is State.SIGNING_IN:
            self._move(SessionTransition.SIGN_IN_ABANDONED)

    def set_predecessor(self, before: Callable[[], SessionService | None]) -> None:
        """Say which service has the session that a sign-in here would replace, where it is another one (ADR 30)."""
        self._predecessor = before

    def _question(self, tokens: Tokens, silent: bool) -> Question | None:  # noqa: FBT001 - what the owner is asked
        """Return what has to be asked before ``tokens`` are installed: another person does not take over by itself (A26)."""
        before = self._predecessor()
        return (self if before is None else before).question_of_own(tokens, silent=silent)

    def question_of_own(self, tokens: Tokens, *, silent: bool = False) -> Question | None:
        """Return what has to be asked before ``tokens`` replace the session of this service.

        A ``silent`` sign-in does not replace another person by itself, not even after the end of their session: the
        provider's cookie in this browser chose the person, and no click.
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

        What the same person's APIs asked for, and what this sign-in asked for, goes on to hold.
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
        self._next_generation()
        self._step_ups, self._reached_step_up = asked, reached
        generation = self._generation
        self._close_streams()
        self._sign_out_pages.withdraw(self.settings.name)
        self._held = SessionData.of_sign_in(tokens, self.settings, self._clock.now())
        await self._store.replace(self._held.entry(self.settings))
        if before is not None and before.token != tokens.set.refresh_token:
            self._revoke_orphan(before)
        if generation != self._generation:
            raise SignInCancelled
        changes = changes and has_session(self._state)
        self._move(SessionTransition.PERSON_CHANGED if changes else SessionTransition.SIGNED_IN)
        self._refresh_schedule.plan(self._refreshable_lifetime())
        self._schedule_expiry()

    # -- what time does ------------------------------------------------------------------------------------

    def _apply_expiry(self) -> None:
        """Move to the state that the time of day asks for; timers do so too, and are late after a sleep."""
        if self._state is State.SIGNING_IN:
            self.sign_ins.notice_abandoned()
        if has_session(self._state) and self._seconds_to_end() == 0:
            self._expire()

    def _seconds_to_end(self) -> float | None:
        """Return the seconds until nothing works any more; ``None`` if that is unknown, or a refresh decides (A25)."""
        now = self._clock.now()
        last = None if self._held.refresh_token is not None else self._held.last_token(self.settings, now)
        left = None if last is None else last.seconds_left(now)
        return None if left is None else max(0.0, left)

    def _schedule_expiry(self) -> None:
        """Start a timer for the moment at which this session ends by itself."""
        self._stop_end_timer()
        left = self._seconds_to_end()
        if left is not None and not self._closed:
            self._end_timer = self._scheduler.after(left, self._end_timer_fired)

    def _end_timer_fired(self) -> None:
        self._apply_expiry()
        if has_session(self._state):
            self._schedule_expiry()  # NOTE: the two clocks may differ by less than a timer can tell

    def _stop_end_timer(self) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
            self._end_timer = None

    def _expire(self) -> None:
        """Without a refresh token the session ends when its last token does, and not before (A25)."""
        self._next_generation()
        self._held = SessionData()
        self._move(SessionTransition.ENDED, "not_refreshable")

    # -- what may go out -----------------------------------------------------------------------------------

    async def bearer(
        self,
        key: TokenKey,
        source: BearerSource = "access_token",
        *,
        rejected: Secret | None = None,
    ) -> Bearer:
        """Return a bearer token for one upstream call.

        ``rejected`` is a token that the upstream refused although it had not expired: it earns one forced
        refresh, shared by all who ask, and none for the next 30 seconds (B27).
        Raises ``AudienceRefused`` if the provider has no token for this API.
        """
        await self._restore_once()
        self._apply_expiry()
        if not has_session(self._state):
            return self._sign_in_needed()
        held = self._held_token(key, source)
        # NOTE: one that has expired meanwhile was refused rightly, and is refreshed like any other.
        if rejected is not None and held is not None and held.secret == rejected and held.alive(self._clock.now()):
            self._refused_by_api = rejected
            if not self._may_force(key):
                return held.granted(self._generation, self._held.subject)
            return await self._join_refresh(key, source, replacing=held)
        if held is not None and (usable := self._usable(held)):
            return usable.granted(self._generation, self._held.subject)
        outcome = await self._join_refresh(key, source)
        if isinstance(outcome, TryLater) and held is not None and held.alive(self._clock.now()):
            return held.granted(self._generation, self._held.subject)
        return outcome

    def ready(self, key: TokenKey, source: BearerSource = "access_token") -> Granted | None:
        """Return the bearer token that needs no waiting for, if there is one; the way that almost every call takes."""
        if self._restored is None or not has_session(self._state):
            return None
        usable = self._usable(self._held_token(key, source))
        return None if usable is None else usable.granted(self._generation, self._held.subject)

    def is_current(self, generation: int) -> bool:
        """Return whether the session of ``generation`` is still the one, and this its service: a closed one has none."""
        return not self._closed and generation == self._generation

    def on_session_end(self, close_stream: Callable[[], None]) -> Callable[[], None]:
        """Call ``close_stream`` when this session ends on purpose: a sign-out, here or at the provider, or another person.

        What the provider refuses to refresh ends by itself, and streams that flow already may go on (B1).
        Returns a function that forgets ``close_stream``.
        """
        self._stream_closers.add(close_stream)
        return lambda: self._stream_closers.discard(close_stream)

    def _close_streams(self) -> None:
        """Close every stream that was opened with this session (S-5)."""
        closing, self._stream_closers = self._stream_closers, set()
        for close_stream in closing:
            close_stream()

    def expect_step_up(self, api: str, wanted: StepUp) -> None:
        """Remember what ``api`` asked for, for the next sign-in that names it (RFC 9470, 4)."""
        earlier = self._step_ups.pop(api, StepUp())
        self._step_ups[api] = wanted.after(earlier)

    def _step_up_for(self, api: str | None) -> StepUp:
        """Return what ``api`` asked for, or without a name what was asked for last; and what is in force already.

        A sign-in takes the place of the one before it, so it must not be weaker than that.
        """
        asked = self._step_ups.get(api) if api is not None else next(reversed(self._step_ups.values()), None)
        return (asked or StepUp()).combined_with(self._reached_step_up)

    def token_audience(self, key: TokenKey) -> tuple[str, ...] | None:
        """Return for whom the access token of ``key`` says it is; ``None`` if there is none, or it does not show."""
        held = self._held.access.get(key)
        return None if held is None else audience_of(held.secret)

    async def refresh(self) -> Bearer:
        """Refresh the sign-in's access token now, unless it is younger than ten seconds (B25)."""
        await self._restore_once()
        self._apply_expiry()
        if not has_session(self._state):
            return self._sign_in_needed()
        usable = self._usable(self._held.access.get(SIGN_IN_KEY))
        if usable is not None and self._refresh_schedule.just_refreshed(self._clock.now()):
            return usable.granted(self._generation, self._held.subject)
        return await self._refresh_sign_in_token()

    def _may_force(self, key: TokenKey) -> bool:
        """Return whether a rejected token may be replaced now: join the attempt under way, or start one in 30 s."""
        return key in self._refreshes or (self._held.refresh_token is not None and self._refresh_schedule.may_force())

    def _held_token(self, key: TokenKey, source: BearerSource) -> AccessToken | None:
        return self._held.id_token if source == "id_token" else self._held.access.get(key)

    def _usable(self, token: AccessToken | None) -> AccessToken | None:
        if token is None:
            return None
        now, reserve = self._clock.now(), refresh_policy.reserve(token.lifetime)
        alive = token.alive_by_monotonic_clock if self._refresh_schedule.just_refreshed(now) else token.alive
        return token if alive(now, reserve) else None

    async def _join_refresh(
        self,
        key: TokenKey,
        source: BearerSource,
        *,
        replacing: AccessToken | None = None,
    ) -> Bearer:
        """Join the refresh for ``key`` that is under way, or start one; it outlives its callers (B28).

        A usable token is good enough, unless it is the one that the caller wants to be rid of.
        """
        task = self._refreshes.get(key)
        if task is None:
            if self._closed:
                return TryLater(
                    refresh_policy.RETRY_DELAY_SECONDS, "overloaded"
                )  # another service is about to take over
            task = self._background.start(self._refresh_or_delay(self._generation, key, source, replacing))
            self._refreshes[key] = task
            task.add_done_callback(lambda _: self._refreshes.pop(key, None))
        await asyncio.wait((task,))
        if task.cancelled():  # NOTE: given up with this service; the waiting caller was not cancelled
            return TryLater(refresh_policy.RETRY_DELAY_SECONDS, "overloaded")
        return task.result()

    async def _refresh_or_delay(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        replacing: AccessToken | None,
    ) -> Bearer:
        """Refresh; after an unexpected exception try again later, and let nothing pass for a session (Q6.3).

        Raises ``AudienceRefused``.
        """
        try:
            return await self._refresh_exclusively(generation, key, source, replacing)
        except AudienceRefused:
            raise
        except Problem as problem:
            return self._delay(generation, problem.code, problem.retry_after)
        except Exception as error:  # noqa: BLE001 - a defect of ours; told by type and place, and survived
            self._report(defect_of(error))
            self._refresh_outcome_unknown = True
            return self._delay(generation, "internal_error", None)

    async def _refresh_exclusively(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        replacing: AccessToken | None,
    ) -> Bearer:
        """Refresh for the session of ``generation``, which may have ended before this begins (B31)."""
        async with self._refresh_lock:
            if generation != self._generation:
                return self._sign_in_needed()
            held = self._held
            token = self._held_token(key, source)
            if token is not None and token is not replacing and self._usable(token):
                return token.granted(generation, self._held.subject)
            if (resting := self._negative_tokens.lookup((key, source))) is not None:
                return resting
            if held.refresh_token is None:
                return await self._without_refresh_token(generation, key, source)
            wait = self._refresh_schedule.seconds_to_wait()
            if wait > 0:
                return TryLater(wait, self._reason or "idp_unavailable", self._remedy)
            if key in self._exchanged:
                return await self._exchange_or_cache_failure(generation, key)
            try:
                return await self._lock_and_refresh(generation, key, source)
            except AudienceRefused:
                return await self._exchange_or_cache_failure(generation, key)

    async def _lock_and_refresh(self, generation: int, key: TokenKey, source: BearerSource) -> Bearer:
        """Refresh while no other server does; raises ``AudienceRefused``."""
        try:
            async with self._store.transaction() as transaction:
                return await self._refresh_under_lock(generation, key, source, transaction)
        except Overloaded as problem:
            return TryLater(problem.retry_after or 1.0, problem.code)
        except StorageUnavailable as problem:
            return self._delay(generation, problem.code, None, problem.action)

    async def _exchange_or_cache_failure(self, generation: int, key: TokenKey) -> Bearer:
        """Exchange; what the provider does not give is not asked for with every call (B25, B30)."""
        try:
            outcome = await self._exchange(generation, key)
        except AudienceRefused:
            self._negative_tokens.add((key, "access_token"), refresh_policy.MIN_FORCED_REFRESH_INTERVAL_SECONDS, None)
            raise
        if isinstance(outcome, TryLater) and generation == self._generation:
            self._negative_tokens.add((key, "access_token"), outcome.seconds, outcome.reason)
        return outcome

    async def _exchange(self, generation: int, key: TokenKey) -> Bearer:
        """Get a token for ``key`` by exchanging the sign-in's, where the refresh token gives none (RFC 8693, B30).

        Raises ``AudienceRefused`` if the provider has none for this API; nothing else is touched by that.
        """
        usable = self._usable(self._held.access.get(SIGN_IN_KEY))
        base: Bearer
        if usable is not None:
            base = usable.granted(generation, self._held.subject)
        else:
            base = await self._lock_and_refresh(generation, SIGN_IN_KEY, "access_token")
        if not isinstance(base, Granted):
            return base
        asked = self._clock.now()
        try:
            answer = await self._oidc_client.exchange(base.secret, key, base.proof_key)
        except ProviderProblem as problem:
            return TryLater(problem.retry_after or refresh_policy.RETRY_DELAY_SECONDS, problem.code)
        if generation != self._generation:
            return self._sign_in_needed()
        if isinstance(answer, TokenUnavailable):
            return TryLater(answer.retry_after or refresh_policy.RETRY_DELAY_SECONDS, "idp_unavailable")
        if isinstance(answer, TokenError):
            self._note_refused_apis(key, answer.error, way="exchange")
        if not isinstance(answer, TokenSet):
            raise AudienceRefused
        self._check_honoured(key, answer, way="exchange")
        self._exchanged.add(key)
        token = AccessToken(answer.access_token, asked, answer.expires_in, base.proof_key)
        self._held = replace(self._held, access={**self._held.access, key: token})
        return token.granted(generation, self._held.subject)

    async def _refresh_under_lock(
        self, generation: int, key: TokenKey, source: BearerSource, transaction: StoreTransaction
    ) -> Bearer:
        """Spend the refresh token that is stored now, under the lock (B2, B10)."""
        known = self._held.entry(self.settings)
        if generation != self._generation or known is None:
            return self._sign_in_needed()
        stored = await transaction.stored_state(known)
        if generation != self._generation:
            return self._sign_in_needed()
        refresh_token = known.refresh_token
        match stored:
            case Deleted() | OtherSubject():
                return self._ended_elsewhere(stored)
            case RotatedElsewhere(entry=entry):
                refresh_token = entry.refresh_token
                self._held = self._adopted(self._held, entry)
                self._refresh_outcome_unknown = False
        return await self._send_under_lock(generation, key, source, transaction, refresh_token)

    def _adopted(self, held: SessionData, entry: Entry) -> SessionData:
        """Return ``held`` with the refresh token that another server has stored, and the key it is bound to."""
        return replace(held, refresh_token=entry.refresh_token, proof_key=self._oidc_client.proof_key(entry.dpop_key))

    async def _send_under_lock(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        transaction: StoreTransaction,
        refresh_token: Secret,
    ) -> Bearer:
        """Send ``refresh_token``, and store what replaces it before anything else of the answer is judged (ADR 0025)."""
        await transaction.mark_in_use()
        origin, began = self._own_origin(), self._clock.now().monotonic
        try:
            answer = await self._send_refresh(refresh_token, key, began)
        except (
            ProviderProblem,
            LocalProblem,
        ) as problem:  # the latter: a secret or file that has gone; nothing was sent
            if not self._refresh_outcome_unknown:
                await transaction.clear_mark()  # nothing was sent, or nothing was spent (B32)
            return self._delay(generation, problem.code, problem.retry_after)
        if isinstance(answer, NoResponse):
            self._refresh_outcome_unknown = True
            return self._delay(generation, "idp_unavailable", None)
        if answer.tokens.unreadable:
            return await self._end(generation, "successor_unreadable", "token.refresh_token", transaction)
        if (successor := answer.tokens.refresh_token) is not None:
            left = await self._keep_successor(generation, OrphanedToken(successor, origin), transaction)
            self._refresh_outcome_unknown = False
            if left is not None:
                return left
        return await self._handle_refresh_reply(generation, key, source, transaction, answer, began)

    async def _send_refresh(self, refresh_token: Secret, key: TokenKey, began: float) -> RefreshReply | NoResponse:
        """Send the refresh token; once more after a second if no answer came, which covers a grace period (B5).

        The second attempt ends in time for other servers to get the lock, which is held since ``began`` (B12).
        """
        proof_key = self._held.proof_key
        answer = await self._oidc_client.send_refresh(refresh_token, key, proof_key)
        if isinstance(answer, NoResponse):
            self._refresh_outcome_unknown = True
            left = self._lock_seconds_left(began) - refresh_policy.RETRY_DELAY_SECONDS
            if left > 0:
                await self._scheduler.sleep(refresh_policy.RETRY_DELAY_SECONDS)
                with suppress(asyncio.TimeoutError):
                    answer = await asyncio.wait_for(self._oidc_client.send_refresh(refresh_token, key, proof_key), left)
        return answer

    def _lock_seconds_left(self, began: float) -> float:
        return refresh_policy.MAX_LOCK_HOLD_SECONDS - (self._clock.now().monotonic - began)

    async def _keep_successor(
        self, generation: int, successor: OrphanedToken, transaction: StoreTransaction
    ) -> Bearer | None:
        """Store the token that replaces the spent one; return the answer if this session is over (F-4, B3).

        A session that is over does not want it any more.
        """
        stored = await self._stored_state_before_saving(generation, transaction)
        if isinstance(stored, Same):
            after = replace(self._held, refresh_token=successor.token)
            if after.refresh_token == self._held.refresh_token:
                await transaction.clear_mark()
            else:
                await transaction.save(after.entry(self.settings))
            if generation == self._generation:
                self._held = after
                return None
        left: Bearer | None = self._sign_in_needed()
        match stored:
            case Deleted() | OtherSubject():
                left = self._ended_elsewhere(stored)
            case RotatedElsewhere(entry=entry):
                self._held = self._adopted(self._held, entry)
                left = None
        self._revoke_orphan(successor)
        return left

    async def _handle_refresh_reply(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        transaction: StoreTransaction,
        refresh_reply: RefreshReply,
        began: float,
    ) -> Bearer:
        """Judge the reply to a refresh; whatever is wrong with it, the successor is kept already."""
        held = self._held
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
            outcome = await self._end(generation, reason, problem.detail, transaction)
            self._revoke_orphan(orphan_of(refresh_reply.tokens, self._oidc_client.origin()))
            return outcome
        except (ProviderProblem, LocalProblem) as problem:  # the latter: a secret that an ID token is verified with
            self._refresh_outcome_unknown = self._refresh_outcome_unknown or not kept
            return self._delay(generation, problem.code, problem.retry_after)
        if isinstance(answer, TokenUnavailable):
            self._refresh_outcome_unknown = True
            return self._delay(generation, "idp_unavailable", answer.retry_after)
        if isinstance(answer, TokenError):
            lost = transaction.interrupted or self._refresh_outcome_unknown
            return await self._handle_refusal(generation, key, answer, transaction, lost=lost)
        if not kept:
            self._refresh_outcome_unknown = False
            await transaction.clear_mark()  # a success that names no successor leaves the token in force (RFC 6749, 6)
        if isinstance(answer, UnverifiableResponse):
            return self._delay(generation, "idp_unavailable", None)
        return await self._apply_refresh(generation, key, source, answer, transaction)

    async def _stored_state_before_saving(self, generation: int, transaction: StoreTransaction) -> StoredState | None:
        """Look once more before what was refreshed is stored; ``None`` if this session has ended meanwhile (B31).

        A sign-in or sign-out does not wait long for the lock, and must not be undone by us (D7).
        """
        known = self._held.entry(self.settings)
        if generation != self._generation or known is None:
            return None
        stored = await transaction.stored_state(known)
        return stored if generation == self._generation else None

    def _ended_elsewhere(self, stored: Deleted | OtherSubject) -> Bearer:
        """End this session, as another server that shares the entry did; the stored entry is not ours to touch (D7)."""
        self._next_generation()
        self._held = SessionData()
        self._close_streams()
        if isinstance(stored, Deleted):
            self.sign_ins.silent.signed_out()
            self._move(SessionTransition.SIGNED_OUT, "signed_out_elsewhere")
        else:
            self._move(SessionTransition.ENDED, "signed_in_elsewhere")
        return self._sign_in_needed()

    async def _apply_refresh(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        answer: Tokens,
        transaction: StoreTransaction,
    ) -> Bearer:
        if generation != self._generation:
            return self._sign_in_needed()  # what ended the session took the successor with it
        self._check_honoured(key, answer.set, way="refresh")
        if answer.set.expires_in == 0:
            # NOTE: a provider that says so twice does not mean it; from now on the API decides (A13).
            answer = replace(answer, set=replace(answer.set, expires_in=None))
        after = self._held.absorbing(answer, key, self.settings)
        if after.entry(self.settings) != self._held.entry(self.settings):
            stored = await self._stored_state_before_saving(generation, transaction)
            if isinstance(stored, Same):
                await transaction.save(after.entry(self.settings))
            elif isinstance(stored, (Deleted, OtherSubject)):
                return self._ended_elsewhere(stored)
            if generation != self._generation:
                return self._sign_in_needed()
            if isinstance(stored, RotatedElsewhere):
                after = self._adopted(after, stored.entry)
        self._held = after
        self._move(SessionTransition.REFRESHED)
        self._refresh_schedule.refreshed(self._refreshable_lifetime())
        token = self._held_token(key, source)
        if token is None or not token.alive(self._clock.now()):
            self._negative_tokens.add((key, source), refresh_policy.MAX_BACKOFF_SECONDS, "no_id_token_on_refresh")
            return TryLater(refresh_policy.MAX_BACKOFF_SECONDS, "no_id_token_on_refresh")
        return token.granted(generation, self._held.subject)

    async def _handle_refusal(
        self, generation: int, key: TokenKey, error: TokenError, transaction: StoreTransaction, *, lost: bool
    ) -> Bearer:
        """Judge a refusal; ``lost`` says that the token may have been spent without anybody storing the next."""
        verdict = refresh_policy.judge_oauth_error(error.error, for_api=key != SIGN_IN_KEY)
        if isinstance(verdict, refresh_policy.Ends):
            reason = "rotation_lost" if lost and error.error == "invalid_grant" else verdict.reason
            return await self._end(generation, reason, f"token.{error.error}", transaction, keep=verdict.token_is_good)
        if isinstance(verdict, refresh_policy.Ambiguous):
            return await self._handle_ambiguous_refusal(generation, verdict.reason, error, transaction)
        await transaction.clear_mark()
        if isinstance(verdict, refresh_policy.RefusesAudience):
            self._note_refused_apis(key, error.error)
            raise AudienceRefused
        self._note_refusal(verdict.reason, error.error)
        return self._delay(generation, verdict.reason, verdict.seconds)

    async def _handle_ambiguous_refusal(
        self, generation: int, reason: str, error: TokenError, transaction: StoreTransaction
    ) -> Bearer:
        """Keep trying, ever more rarely, while calls work; then say that signing in again helps (Q1.8).

        The refresh token stays until the next sign-in, as the provider did not say that it is dead.
        """
        if generation != self._generation:
            return self._sign_in_needed()
        refusals = self._refresh_schedule.refused()
        left = self._usable_seconds_left()
        if left == 0 and refusals >= refresh_policy.MAX_REFUSALS:
            return await self._end(generation, reason, f"token.{error.error}", transaction, keep=True)
        await transaction.clear_mark()
        self._note_refusal(reason, error.error)
        pause = refresh_policy.refusal_pause(refusals, self._entropy.jitter())
        return self._delay(generation, reason, min(pause, left) if left else pause)

    def _check_honoured(self, key: TokenKey, answer: TokenSet, *, way: str) -> None:
        """Raise ``AudienceRefused`` for a token that is not what ``key`` asks for (Q9.5)."""
        if not honoured(key, answer.access_token, answer.scopes, self.token_audience(SIGN_IN_KEY)):
            self._note_refused_apis(key, "ignored", way=way)
            raise AudienceRefused

    def _usable_seconds_left(self) -> float | None:
        """Return for how long calls may still work with the sign-in's access token, 0 if no more; ``None``: unknown."""
        access = self._held.access.get(SIGN_IN_KEY)
        if access is None or access.secret == self._refused_by_api:
            return 0.0
        left = access.seconds_left(self._clock.now())
        return None if left is None else max(left, 0.0)

    def _note_refusal(self, reason: str, error: str, *, about: str = "refresh") -> None:
        self._event_log.refusal(self.settings.name, about, reason, f"token.{error}")

    def _note_refused_apis(self, key: TokenKey, error: str, *, way: str = "refresh") -> None:
        """Write down whose token was refused, and in which words of the specification (Q9.3)."""
        names = [api.name for api in self.settings.apis if token_key(api) == key]
        self._note_refusal("audience_refused", error, about=f"{way} for {', '.join(names) or 'no API'}")

    async def _without_refresh_token(self, generation: int, key: TokenKey, source: BearerSource) -> Bearer:
        """Grant what is still alive; what has ended cannot come back, and the person has to sign in again (A25).

        Raises ``AudienceRefused`` for an API that needs a token of its own, if there is none by exchange.
        """
        now, sign_in = self._clock.now(), self._held.access.get(SIGN_IN_KEY)
        token = self._held_token(key, source)
        if token is not None and token.alive(now):
            return token.granted(self._generation, self._held.subject)
        if sign_in is not None and sign_in.alive(now):
            if source == "id_token":
                return SignInNeeded("session_expired")
            return await self._exchange_or_cache_failure(generation, key)
        self._apply_expiry()
        return SignInNeeded("session_expired") if has_session(self._state) else self._sign_in_needed()

    def _delay(self, generation: int, reason: str, seconds: float | None, remedy: str | None = None) -> Bearer:
        """Keep everything and try again later, after a transient failure or a mistake in the settings (B6, B7, B8)."""
        if generation != self._generation or not has_session(self._state):
            return self._sign_in_needed()
        wait = self._refresh_schedule.failed(seconds)
        self._move(SessionTransition.REFRESH_DELAYED, reason)
        self._remedy = remedy
        return TryLater(wait, reason, remedy)

    async def _end(
        self,
        generation: int,
        reason: str,
        detail: str,
        transaction: StoreTransaction,
        *,
        keep: bool = False,
    ) -> Bearer:
        """Drop everything, here and in storage, because the provider ended the session (F-6, F-8, B1).

        With ``keep`` the stored refresh token stays until the next sign-in replaces and revokes it (B9).
        """
        if generation == self._generation:
            superseded = self._own_token() if keep else None
            self._next_generation()
            self._held, self._superseded_token = SessionData(), superseded
            self._move(SessionTransition.ENDED, reason)
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

        ``spared`` are sessions that are to be spared, where it is not a person who signs out but the settings that go:
        then no page is offered. A page is ``bound`` to the browser that asks, if it is one (ADR 39).
        Raises ``StorageUnavailable`` if the stored entry could not be removed; everything else is done then (D3).
        """
        await self._restore_once()
        own, self._spared_origins = self._own_token() or self._superseded_token, spared or ()
        refresh_token, origin = (own.token, own.origin) if own else (None, self._own_origin())
        subject = self._held.subject or None
        state = self._entropy.token(256)
        request = self._oidc_client.logout_request(state) if subject and spared is None else None
        link = self.logout_link() if request else None
        hint = self._held.id_token.secret if self._held.id_token else None
        self._next_generation()
        generation, self._held = self._generation, SessionData()
        self.sign_ins.abandon()
        self.sign_ins.silent.signed_out()
        self._close_streams()
        self._move(SessionTransition.SIGNED_OUT)
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
        if request is None or link is None or generation != self._generation:
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

        The token counts as used only when everything is done, so the provider may send it again after a failure.
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
            self._next_generation()
            self._held = SessionData()
            self.sign_ins.silent.signed_out()
            self._close_streams()
            self._move(SessionTransition.ENDED, "signed_out_at_provider")
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
        if entry is None or self._generation:
            return
        self._next_generation()
        self._held = SessionData.of_entry(entry, self._oidc_client.proof_key(entry.dpop_key))
        self._move(SessionTransition.RESTORED)
        self._background.start(self._refresh_sign_in_token())

    async def _remove_stored(self, subject: str | None) -> Secret | None:
        """Remove the entry of ``subject``, or any; return its refresh token, which another server may have refreshed."""
        # NOTE: a refresh of our own holds the lock; its answer is thrown away, so this does not wait for it.
        stored = await self._store.remove(
            subject, timeout_seconds=0.0 if self._refreshes else USER_LOCK_TIMEOUT_SECONDS
        )
        return None if stored is None else stored.refresh_token

    def _saved_late(self) -> None:
        if has_session(self._state):
            self._move(SessionTransition.STORED, self._reason)

    # -- other settings ------------------------------------------------------------------------------------

    def set_settings_pending(self, waiting: bool) -> None:  # noqa: FBT001 - a property that others set and hear of
        """Set whether other settings wait for the next sign-in, and publish a change of that."""
        if waiting != self._settings_pending:
            self._settings_pending = waiting
            self.publish("settings-changed")

    def narrow(self, settings: Provider) -> None:
        """Go on under ``settings``, whose APIs are narrower; what is open is closed, since some of it may be shut now."""
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
        """End this session at once, because one under other settings takes its place; what is stored is that one's now.

        Returns what is left to do: taking the refresh token back by the settings that it came by, unless it is ``kept`` or
        that could harm one of the sessions ``spared``, and closing.
        """
        orphan = self._own_token() or self._superseded_token
        self._next_generation()
        self._held = SessionData()
        self._close_streams()
        self._store.detach()
        self.sign_ins.abandon(only_ours=True)
        self._move(SessionTransition.SIGNED_OUT)

        async def afterwards() -> None:
            self._spared_origins = spared()
            if orphan is not None and orphan.token != kept:
                await revoke_with_retries(self._oidc_client, orphan, self._scheduler)
            await self.aclose()

        return afterwards

    # -- inner workings ------------------------------------------------------------------------------------

    def _move(self, transition: SessionTransition, reason: str | None = None) -> None:
        before, self._state = self._state, next_state(self._state, transition)
        self._reason, self._remedy = reason, None
        self.publish(transition.value, reason)
        if (before, transition) == (State.REFRESH_FAILED, SessionTransition.REFRESHED):
            self.sign_ins.overtake(self._reached_step_up)

    def publish(self, kind: str, reason: str | None = None) -> None:
        """Say that the summary has changed, as an event of this ``kind``."""
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

    def _next_generation(self) -> None:
        self._generation += 1
        if self._held.user is not None:
            self._last_user = self._held.user
        self._stop_end_timer()
        self._refresh_outcome_unknown = False
        self._superseded_token = None
        self._refused_by_api = None
        self._step_ups, self._reached_step_up = {}, StepUp()
        self._exchanged.clear()
        self._negative_tokens.clear()
        self._refresh_schedule.reset()

    def _refreshable_lifetime(self) -> float | None:
        """Return the lifetime of the sign-in's access token; ``None`` if it is unknown or nothing can be refreshed."""
        access = self._held.access.get(SIGN_IN_KEY)
        return None if self._held.refresh_token is None or access is None else access.lifetime

    def _refresh_is_due(self) -> None:
        if has_session(self._state):
            self._background.start(self._refresh_sign_in_token(), after_defect=self._due_refresh_failed)

    def _due_refresh_failed(self) -> None:
        self._delay(self._generation, "internal_error", None)

    async def _refresh_sign_in_token(self) -> Bearer:
        """Replace the sign-in's access token, unless another caller just did."""
        return await self._join_refresh(SIGN_IN_KEY, "access_token", replacing=self._held.access.get(SIGN_IN_KEY))

    @property
    def origin(self) -> Origin | None:
        """Where the tokens of the session that lives come from; ``None`` if none does."""
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
        """Revoke an orphaned token, if that harms no session that lives."""
        if orphan is not None:
            self._background.start(revoke_with_retries(self._oidc_client, orphan, self._scheduler))

    def _revoke_orphaned_sign_in(self, tokens: Tokens) -> None:
        """Revoke what a sign-in brought that was cancelled meanwhile."""
        person = tokens.person
        origin = self._oidc_client.origin(person.subject, person.sid) if person else self._oidc_client.origin()
        if tokens.set.refresh_token is not None:
            self._revoke_orphan(OrphanedToken(tokens.set.refresh_token, origin))

    def _report(self, defect: Defect) -> None:
        self._event_log.defect(f"provider {self.settings.name}", defect)

    async def aclose(self) -> None:
        """Settle, then close this session's client; connections stay open, and what the session holds stays as it is."""
        await self.settle()
        await self._oidc_client.aclose()

    async def settle(self, *, process_ends: bool = False) -> None:
        """Stop timers and background work; waits up to 5 s (D10). A second call has nothing left to wait for.

        If the ``process_ends``, the question of a sign-in can no longer be answered: its tokens are revoked (Q10.5).
        """
        self._closed = True
        if process_ends:
            self.sign_ins.abandon(only_ours=True)
        self.sign_ins.stop_polling()
        self._close_streams()
        self._refresh_schedule.stop()
        self._stop_end_timer()
        loop = asyncio.get_running_loop()
        until = loop.time() + CLOSE_TIMEOUT_SECONDS
        while (busy := self._running_tasks()) and (left := until - loop.time()) > 0:
            await asyncio.wait(busy, timeout=left)  # what ends may have begun to revoke something
        if late := self._running_tasks():
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=1.0)  # who has a new refresh token stores it now
        await self._store.retry()
        self._store.stop()

    def _running_tasks(self) -> set[asyncio.Task[Any]]:
        return {*self._refreshes.values(), *self._background}

    async def ends_with_process(self) -> bool:
        """Return whether a refresh token is held here and stored nowhere else, so that it will not be used again."""
        return (self._own_token() or self._superseded_token) is not None and await self._store.ends_with_process()

    def end_and_revoke(self, spared: tuple[Origin, ...]) -> asyncio.Task[None]:
        """End the session for good, because the process ends and took care of it alone (Q10.5, ADR 36).

        Its refresh token is revoked, once, unless that could harm one of the sessions ``spared``, which live on.
        """
        return self._background.start(self._end_and_revoke(spared))

    async def _end_and_revoke(self, spared: tuple[Origin, ...]) -> None:
        orphan, self._spared_origins = self._own_token() or self._superseded_token, spared
        self._store.detach()  # NOTE: a store that works again must not take what is revoked now
        self._next_generation()
        self._held = SessionData()
        if has_session(self._state):
            self._move(SessionTransition.SIGNED_OUT)
        if orphan is None:
            return
        revoked: Revoked = "failed"
        try:
            revoked = await revoke_with_retries(self._oidc_client, orphan, self._scheduler, attempts=1)
        finally:  # also where there is no more time for the provider's answer
            if revoked == "failed":
                self._event_log.refusal(self.settings.name, "stop", "idp_unavailable", "revocation")
