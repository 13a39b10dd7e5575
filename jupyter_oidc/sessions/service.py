"""The one owner of one provider's session.

It holds the tokens, moves the state machine, renews, and answers two questions: *what may be shown* (a
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
from jupyter_oidc.sessions import renewal
from jupyter_oidc.sessions.custody import Custody
from jupyter_oidc.sessions.dialogue import Spent, Unanswered, Unverified
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, AccessToken, Bearer, Granted, SignInNeeded, TokenKey, TryLater
from jupyter_oidc.sessions.honoured import honoured
from jupyter_oidc.sessions.keeping import SHORT_PATIENCE, Foreign, Gone, Keeper, Newer, News, Unchanged, Visit
from jupyter_oidc.sessions.machine import Happening, State, follow, has_session
from jupyter_oidc.sessions.pace import Pace
from jupyter_oidc.sessions.pending import Question, StepUp
from jupyter_oidc.sessions.ports import SessionEvent
from jupyter_oidc.sessions.provider_logout import AcceptedLogouts, concerns
from jupyter_oidc.sessions.readiness import Outages, readiness_of
from jupyter_oidc.sessions.registry import token_key
from jupyter_oidc.sessions.resting import Rests
from jupyter_oidc.sessions.revocation import Unwanted, unwanted_of
from jupyter_oidc.sessions.sign_ins import Owner, SignIns
from jupyter_oidc.sessions.sign_out import SignOut, revoke_patiently
from jupyter_oidc.sessions.summary import ApiAccess, Summary, name_of, user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from jupyter_oidc.background import Defect
    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.dialogue import Dialogue, Refused, Tokens
    from jupyter_oidc.sessions.pending import PendingSignIns
    from jupyter_oidc.sessions.ports import Cancellable, Entry, EntryLock, EventLog, Scheduler, Vault
    from jupyter_oidc.sessions.readiness import TokenOutlook
    from jupyter_oidc.sessions.revocation import Origin, Revoked
    from jupyter_oidc.sessions.sign_out_pages import SignOutPages
    from jupyter_oidc.sessions.summary import User
    from jupyter_oidc.settings import Api, Provider

BearerSource = Literal["access_token", "id_token"]

SETTLING_SECONDS: Final = 5.0
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
        dialogue: Dialogue,
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
        self._dialogue = dialogue
        self._keeper = Keeper(vault, lock, scheduler=scheduler, entropy=entropy, resaved=self._resaved)
        self._background = Background(self._report, expected=Problem)
        self._keeper.retry_by(
            lambda: self._background.start(self._keeper.try_again(), after_defect=self._keeper.try_again_later)
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
        self._held = Custody()
        self._latest: User | None = None
        self._changed = asyncio.Event()
        self._restored: asyncio.Task[None] | None = None
        self._takes_over = takes_over
        self._settings_pending = takes_over is not None
        self._one_at_a_time = asyncio.Lock()
        self._renewals: dict[TokenKey, asyncio.Task[Bearer]] = {}
        self._pace = Pace(clock, scheduler, entropy, self._timer_rang)
        self._outcome_open = False
        self._refused_by_api: Secret | None = None
        self._closed = False
        self._watching: set[Callable[[], None]] = set()
        self._step_ups: dict[str, StepUp] = {}
        self._in_force = StepUp()
        self._superseded: Unwanted | None = None
        self._end_timer: Cancellable | None = None
        self._beside: tuple[Origin, ...] = ()
        self._before: Callable[[], SessionService | None] = lambda: None
        dialogue.ask_before_revoking(self._living)
        self._logouts = logouts
        self._sign_out_pages = sign_out_pages
        self._exchanged: set[TokenKey] = set()
        self._rests = Rests(clock)
        self._told: tuple[int, tuple[ApiAccess, ...]] = (-1, ())
        self.outages = Outages(clock, self._wake)
        owner = Owner(
            ready=self._restore_once,
            question=self._question,
            begun=lambda: self._move(Happening.SIGN_IN_BEGUN),
            abandoned=self._sign_in_abandoned,
            install=self._install,
            throw_away=self._throw_away_sign_in,
            step_up_for=self._step_up_for,
            spawn=self._background.start,
        )
        self.sign_ins = SignIns(
            settings,
            owner,
            dialogue=dialogue,
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
        self._follow_the_clock()
        if self._sequence == sequence and seconds > 0:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
        return await self._summary_now()

    @property
    def state(self) -> State:
        """The current state."""
        self._follow_the_clock()
        return self._state

    @property
    def entitlements_known(self) -> bool:
        """Whether the provider listed what the person is entitled to; true of nobody, too."""
        return self._held.entitlements.known

    def token_ready(self, key: TokenKey) -> bool:
        """Return whether a call made now would carry a token without asking the provider first."""
        return self._usable(self._held.access.get(key)) is not None

    async def _summary_now(self) -> Summary:
        storage = "unsaved" if self._keeper.unsaved else await self._keeper.kind()
        self._follow_the_clock()
        held, settings = self._held, self.settings
        now, retry_at = self._clock.now(), self._pace.retry_at
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
            missing_scopes=tuple(s for s in self._dialogue.scopes() if s not in held.scopes) if held.subject else (),
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
        """Return what a call would find that needs the token of ``key``; nobody is asked for that."""
        now, held = self._clock.now(), self._held
        token = self._held_token(key, source)
        if token is not None and token.alive(now):
            return "there"
        if held.refresh_token is None and (source == "id_token" or key == SIGN_IN_KEY or not self._sign_in_lives(now)):
            return "ended"
        try:
            resting = self._rests.answer((key, source))
        except AudienceRefused:
            return "refused"
        return "delayed" if resting is not None or self._state is State.REFRESH_FAILED else "there"

    def _sign_in_lives(self, now: Moment) -> bool:
        access = self._held.access.get(SIGN_IN_KEY)
        return access is not None and access.alive(now)

    def _sequence_of(self, apis: tuple[ApiAccess, ...]) -> int:
        """Return the number of this summary; it grows if only time has changed what is said of an API."""
        sequence, told = self._told
        if sequence == self._sequence and told != apis:
            self._sequence += 1
        self._told = (self._sequence, apis)
        return self._sequence

    def _wake(self) -> None:
        """Let everybody look again who waits for a change."""
        self._sequence += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # -- signing in ----------------------------------------------------------------------------------------

    @property
    def may_sign_in_silently(self) -> bool:
        """Whether a page that opens may try now: nobody is in, nobody is on the way, and no other settings wait.

        Settings that wait come into force by an act of the user, and the opening of a page is none (ADR 30).
        """
        self._follow_the_clock()
        out = self._state in (State.SIGNED_OUT, State.SIGNED_OUT_EXPIRED)
        return out and not self._settings_pending and self.sign_ins.silent.may_begin()

    def _sign_in_abandoned(self) -> None:
        if self._state is State.SIGNING_IN:
            self._move(Happening.SIGN_IN_ABANDONED)

    def comes_after(self, before: Callable[[], SessionService | None]) -> None:
        """Say which service has the session that a sign-in here would replace, where it is another one (ADR 30)."""
        self._before = before

    def _question(self, tokens: Tokens, silent: bool) -> Question | None:  # noqa: FBT001 - what the owner is asked
        """Return what has to be asked before ``tokens`` are installed: another person does not take over by itself (A26)."""
        before = self._before()
        return (self if before is None else before).question_of_own(tokens, silent=silent)

    def question_of_own(self, tokens: Tokens, *, silent: bool = False) -> Question | None:
        """Return what has to be asked before ``tokens`` replace the session of this service.

        A ``silent`` sign-in follows nobody else by itself, not even after the end of their session: the provider's cookie
        in this browser chose the person, and no click.
        """
        self._follow_the_clock()
        user, person = self._held.user, tokens.person
        if person is None:
            return None
        is_over = not has_session(self._state)
        before = self._latest if is_over and silent else None if is_over else user
        if before is None or before.sub == person.subject:
            return None
        return Question(name_of(before), name_of(user_of(person.subject, person.claims)), tokens, is_over)

    async def _install(self, tokens: Tokens, step_up: StepUp) -> None:
        """Begin a new session, replacing an old one completely (S-6, A26).

        What the same person's APIs asked for, and what this sign-in asked for, goes on to hold.
        Raises ``SignInCancelled`` if this service is closed: nobody would end that session, so its tokens are revoked.
        """
        if self._closed:
            self._throw_away_sign_in(tokens)
            raise SignInCancelled
        if self._takes_over is not None:
            takes_over, self._takes_over, self._settings_pending = self._takes_over, None, False
            takes_over(tokens.set.refresh_token)
        before = self._own_token() or self._superseded
        same = tokens.person is not None and tokens.person.subject == self._held.subject
        changes = has_session(self._state) and not same
        reached = step_up.reached(tokens.person.acr if tokens.person else None)
        asked = {api: wanted for api, wanted in self._step_ups.items() if same and not reached.covers(wanted)}
        self._next_generation()
        self._step_ups, self._in_force = asked, reached
        generation = self._generation
        self._cut_off()
        self._sign_out_pages.withdraw(self.settings.name)
        self._held = Custody.of_sign_in(tokens, self.settings, self._clock.now())
        await self._keeper.keep(self._held.entry(self.settings))
        if before is not None and before.token != tokens.set.refresh_token:
            self._throw_away(before)
        if generation != self._generation:
            raise SignInCancelled
        changes = changes and has_session(self._state)
        self._move(Happening.PERSON_CHANGED if changes else Happening.SIGNED_IN)
        self._pace.plan(self._plannable())
        self._plan_end()

    # -- what time does ------------------------------------------------------------------------------------

    def _follow_the_clock(self) -> None:
        """Move to the state that the time of day asks for; timers do so too, and are late after a sleep."""
        if self._state is State.SIGNING_IN:
            self.sign_ins.notice_abandoned()
        if has_session(self._state) and self._seconds_to_end() == 0:
            self._end_by_time()

    def _seconds_to_end(self) -> float | None:
        """Return the seconds until nothing works any more; ``None`` if that is unknown, or a renewal decides (A25)."""
        now = self._clock.now()
        last = None if self._held.refresh_token is not None else self._held.last_token(self.settings, now)
        left = None if last is None else last.seconds_left(now)
        return None if left is None else max(0.0, left)

    def _plan_end(self) -> None:
        """Look at the clock again when this session ends by itself."""
        self._stop_end_timer()
        left = self._seconds_to_end()
        if left is not None and not self._closed:
            self._end_timer = self._scheduler.after(left, self._end_timer_rang)

    def _end_timer_rang(self) -> None:
        self._follow_the_clock()
        if has_session(self._state):
            self._plan_end()  # NOTE: the two clocks may differ by less than a timer can tell

    def _stop_end_timer(self) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
            self._end_timer = None

    def _end_by_time(self) -> None:
        """Without a refresh token the session ends when its last token does, and not before (A25)."""
        self._next_generation()
        self._held = Custody()
        self._move(Happening.ENDED, "not_refreshable")

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
        renewal, shared by all who ask, and none for the next 30 seconds (B27).
        Raises ``AudienceRefused`` if the provider has no token for this API.
        """
        await self._restore_once()
        self._follow_the_clock()
        if not has_session(self._state):
            return self._sign_in_needed()
        held = self._held_token(key, source)
        # NOTE: one that has expired meanwhile was refused rightly, and is renewed like any other.
        if rejected is not None and held is not None and held.secret == rejected and held.alive(self._clock.now()):
            self._refused_by_api = rejected
            if not self._may_force(key):
                return held.granted(self._generation, self._held.subject)
            return await self._renew(key, source, replacing=held)
        if held is not None and (usable := self._usable(held)):
            return usable.granted(self._generation, self._held.subject)
        outcome = await self._renew(key, source)
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

    def on_end(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``cut`` when this session ends on purpose: a sign-out, here or at the provider, or another person.

        What the provider refuses to renew ends by itself, and streams that flow already may go on (B1).
        Returns a function that forgets ``cut``.
        """
        self._watching.add(cut)
        return lambda: self._watching.discard(cut)

    def _cut_off(self) -> None:
        """Let everything that was opened with this session end (S-5)."""
        watching, self._watching = self._watching, set()
        for cut in watching:
            cut()

    def expect_step_up(self, api: str, wanted: StepUp) -> None:
        """Remember what ``api`` asked for, for the next sign-in that names it (RFC 9470, 4)."""
        earlier = self._step_ups.pop(api, StepUp())
        self._step_ups[api] = wanted.after(earlier)

    def _step_up_for(self, api: str | None) -> StepUp:
        """Return what ``api`` asked for, or without a name what was asked for last; and what is in force already.

        A sign-in takes the place of the one before it, so it must not be weaker than that.
        """
        asked = self._step_ups.get(api) if api is not None else next(reversed(self._step_ups.values()), None)
        return (asked or StepUp()).beside(self._in_force)

    def token_audience(self, key: TokenKey) -> tuple[str, ...] | None:
        """Return for whom the access token of ``key`` says it is; ``None`` if there is none, or it does not show."""
        held = self._held.access.get(key)
        return None if held is None else audience_of(held.secret)

    async def refresh(self) -> Bearer:
        """Renew the sign-in's access token now, unless it is younger than ten seconds (B25)."""
        await self._restore_once()
        self._follow_the_clock()
        if not has_session(self._state):
            return self._sign_in_needed()
        usable = self._usable(self._held.access.get(SIGN_IN_KEY))
        if usable is not None and self._pace.just_renewed(self._clock.now()):
            return usable.granted(self._generation, self._held.subject)
        return await self._renew_sign_in_token()

    def _may_force(self, key: TokenKey) -> bool:
        """Return whether a rejected token may be replaced now: join the attempt under way, or start one in 30 s."""
        return key in self._renewals or (self._held.refresh_token is not None and self._pace.may_force())

    def _held_token(self, key: TokenKey, source: BearerSource) -> AccessToken | None:
        return self._held.id_token if source == "id_token" else self._held.access.get(key)

    def _usable(self, token: AccessToken | None) -> AccessToken | None:
        if token is None:
            return None
        now, reserve = self._clock.now(), renewal.reserve(token.lifetime)
        alive = token.alive_by_monotonic_clock if self._pace.just_renewed(now) else token.alive
        return token if alive(now, reserve) else None

    async def _renew(
        self,
        key: TokenKey,
        source: BearerSource,
        *,
        replacing: AccessToken | None = None,
    ) -> Bearer:
        """Join the renewal for ``key`` that is under way, or start one; it outlives its callers (B28).

        A usable token is good enough, unless it is the one that the caller wants to be rid of.
        """
        task = self._renewals.get(key)
        if task is None:
            if self._closed:
                return TryLater(renewal.GRACE, "overloaded")  # another service is about to take over
            task = self._background.start(self._renew_or_delay(self._generation, key, source, replacing))
            self._renewals[key] = task
            task.add_done_callback(lambda _: self._renewals.pop(key, None))
        await asyncio.wait((task,))
        if task.cancelled():  # NOTE: given up with this service; whoever waits was not cancelled
            return TryLater(renewal.GRACE, "overloaded")
        return task.result()

    async def _renew_or_delay(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        replacing: AccessToken | None,
    ) -> Bearer:
        """Renew; whatever goes wrong that nobody foresaw is tried again later, and does not pass for a session (Q6.3).

        Raises ``AudienceRefused``.
        """
        try:
            return await self._renew_alone(generation, key, source, replacing)
        except AudienceRefused:
            raise
        except Problem as problem:
            return self._delay(generation, problem.code, problem.retry_after)
        except Exception as error:  # noqa: BLE001 - a defect of ours; told by type and place, and survived
            self._report(defect_of(error))
            self._outcome_open = True
            return self._delay(generation, "internal_error", None)

    async def _renew_alone(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        replacing: AccessToken | None,
    ) -> Bearer:
        """Renew for the session of ``generation``, which may have ended before this begins (B31)."""
        async with self._one_at_a_time:
            if generation != self._generation:
                return self._sign_in_needed()
            held = self._held
            token = self._held_token(key, source)
            if token is not None and token is not replacing and self._usable(token):
                return token.granted(generation, self._held.subject)
            if (resting := self._rests.answer((key, source))) is not None:
                return resting
            if held.refresh_token is None:
                return await self._cannot_renew(generation, key, source)
            wait = self._pace.seconds_to_wait()
            if wait > 0:
                return TryLater(wait, self._reason or "idp_unavailable", self._remedy)
            if key in self._exchanged:
                return await self._exchange_or_rest(generation, key)
            try:
                return await self._take_turn(generation, key, source)
            except AudienceRefused:
                return await self._exchange_or_rest(generation, key)

    async def _take_turn(self, generation: int, key: TokenKey, source: BearerSource) -> Bearer:
        """Renew while no other server does; raises ``AudienceRefused``."""
        try:
            async with self._keeper.turn() as visit:
                return await self._renew_in_turn(generation, key, source, visit)
        except Overloaded as problem:
            return TryLater(problem.retry_after or 1.0, problem.code)
        except StorageUnavailable as problem:
            return self._delay(generation, problem.code, None, problem.action)

    async def _exchange_or_rest(self, generation: int, key: TokenKey) -> Bearer:
        """Exchange; what the provider does not give is not asked for with every call (B25, B30)."""
        try:
            outcome = await self._exchange(generation, key)
        except AudienceRefused:
            self._rests.begin((key, "access_token"), renewal.FORCED_PAUSE, None)
            raise
        if isinstance(outcome, TryLater) and generation == self._generation:
            self._rests.begin((key, "access_token"), outcome.seconds, outcome.reason)
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
            base = await self._take_turn(generation, SIGN_IN_KEY, "access_token")
        if not isinstance(base, Granted):
            return base
        asked = self._clock.now()
        try:
            answer = await self._dialogue.exchange(base.secret, key, base.proof_key)
        except ProviderProblem as problem:
            return TryLater(problem.retry_after or renewal.GRACE, problem.code)
        if generation != self._generation:
            return self._sign_in_needed()
        if isinstance(answer, TokenUnavailable):
            return TryLater(answer.retry_after or renewal.GRACE, "idp_unavailable")
        if isinstance(answer, TokenError):
            self._note_refused_apis(key, answer.error, way="exchange")
        if not isinstance(answer, TokenSet):
            raise AudienceRefused
        self._check_honoured(key, answer, way="exchange")
        self._exchanged.add(key)
        token = AccessToken(answer.access_token, asked, answer.expires_in, base.proof_key)
        self._held = replace(self._held, access={**self._held.access, key: token})
        return token.granted(generation, self._held.subject)

    async def _renew_in_turn(self, generation: int, key: TokenKey, source: BearerSource, visit: Visit) -> Bearer:
        """Spend the refresh token that is stored now; nobody else does so meanwhile (B2, B10)."""
        known = self._held.entry(self.settings)
        if generation != self._generation or known is None:
            return self._sign_in_needed()
        news = await visit.news(known)
        if generation != self._generation:
            return self._sign_in_needed()
        spent = known.refresh_token
        match news:
            case Gone() | Foreign():
                return self._left_elsewhere(news)
            case Newer(entry=entry):
                spent = entry.refresh_token
                self._held = self._adopted(self._held, entry)
                self._outcome_open = False
        return await self._spend_in_turn(generation, key, source, visit, spent)

    def _adopted(self, held: Custody, entry: Entry) -> Custody:
        """Return ``held`` with the refresh token that another server has stored, and the key it is bound to."""
        return replace(held, refresh_token=entry.refresh_token, proof_key=self._dialogue.proof_key(entry.dpop_key))

    async def _spend_in_turn(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        visit: Visit,
        spent: Secret,
    ) -> Bearer:
        """Send ``spent``, and store what replaces it before anything else of the answer is judged (ADR 0025)."""
        await visit.spending()
        origin, began = self._own_origin(), self._clock.now().monotonic
        try:
            answer = await self._spend(spent, key, began)
        except (
            ProviderProblem,
            LocalProblem,
        ) as problem:  # the latter: a secret or file that has gone; nothing was sent
            if not self._outcome_open:
                await visit.settled()  # nothing was sent, or nothing was spent (B32)
            return self._delay(generation, problem.code, problem.retry_after)
        if isinstance(answer, Unanswered):
            self._outcome_open = True
            return self._delay(generation, "idp_unavailable", None)
        if answer.tokens.unreadable:
            return await self._end(generation, "successor_unreadable", "token.refresh_token", visit)
        if (successor := answer.tokens.refresh_token) is not None:
            left = await self._keep_successor(generation, Unwanted(successor, origin), visit)
            self._outcome_open = False
            if left is not None:
                return left
        return await self._judge(generation, key, source, visit, answer, began)

    async def _spend(self, spent: Secret, key: TokenKey, began: float) -> Spent | Unanswered:
        """Send the refresh token; once more after a second if no answer came, which covers a grace period (B5).

        The second attempt ends in time for others to have their turn, which ``began`` then (B12).
        """
        proof_key = self._held.proof_key
        answer = await self._dialogue.spend(spent, key, proof_key)
        if isinstance(answer, Unanswered):
            self._outcome_open = True
            left = self._left_of_turn(began) - renewal.GRACE
            if left > 0:
                await self._scheduler.sleep(renewal.GRACE)
                with suppress(asyncio.TimeoutError):
                    answer = await asyncio.wait_for(self._dialogue.spend(spent, key, proof_key), left)
        return answer

    def _left_of_turn(self, began: float) -> float:
        return renewal.LONGEST_TURN - (self._clock.now().monotonic - began)

    async def _keep_successor(self, generation: int, successor: Unwanted, visit: Visit) -> Bearer | None:
        """Store the token that replaces the spent one; return the answer if this session is over (F-4, B3).

        A session that is over does not want it any more.
        """
        news = await self._news_before_saving(generation, visit)
        if isinstance(news, Unchanged):
            after = replace(self._held, refresh_token=successor.token)
            if after.refresh_token == self._held.refresh_token:
                await visit.settled()
            else:
                await visit.save(after.entry(self.settings))
            if generation == self._generation:
                self._held = after
                return None
        left: Bearer | None = self._sign_in_needed()
        match news:
            case Gone() | Foreign():
                left = self._left_elsewhere(news)
            case Newer(entry=entry):
                self._held = self._adopted(self._held, entry)
                left = None
        self._throw_away(successor)
        return left

    async def _judge(
        self, generation: int, key: TokenKey, source: BearerSource, visit: Visit, spent: Spent, began: float
    ) -> Bearer:
        """Judge what came with the successor; whatever is wrong with it, the successor is kept already."""
        held = self._held
        kept = spent.tokens.refresh_token is not None
        try:
            answer: Tokens | Refused = await asyncio.wait_for(
                self._dialogue.judge(
                    spent, key, subject=held.subject, previous=held.identity, proof_key=held.proof_key
                ),
                max(self._left_of_turn(began), renewal.GRACE),
            )
        except asyncio.TimeoutError:
            answer = Unverified()
        except (IdTokenRejected, UserinfoRejected) as problem:
            reason = renewal.reason_of_rejection(problem)
            outcome = await self._end(generation, reason, problem.detail, visit)
            self._throw_away(unwanted_of(spent.tokens, self._dialogue.origin()))
            return outcome
        except (ProviderProblem, LocalProblem) as problem:  # the latter: a secret that an ID token is verified with
            self._outcome_open = self._outcome_open or not kept
            return self._delay(generation, problem.code, problem.retry_after)
        if isinstance(answer, TokenUnavailable):
            self._outcome_open = True
            return self._delay(generation, "idp_unavailable", answer.retry_after)
        if isinstance(answer, TokenError):
            lost = visit.interrupted or self._outcome_open
            return await self._refused(generation, key, answer, visit, lost=lost)
        if not kept:
            self._outcome_open = False
            await visit.settled()  # a success that names no successor leaves the token in force (RFC 6749, 6)
        if isinstance(answer, Unverified):
            return self._delay(generation, "idp_unavailable", None)
        return await self._renewed(generation, key, source, answer, visit)

    async def _news_before_saving(self, generation: int, visit: Visit) -> News | None:
        """Look once more before what was renewed is stored; ``None`` if this session has ended meanwhile (B31).

        Who signs in or out does not wait long for its turn, and must not be undone by us (D7).
        """
        known = self._held.entry(self.settings)
        if generation != self._generation or known is None:
            return None
        news = await visit.news(known)
        return news if generation == self._generation else None

    def _left_elsewhere(self, news: Gone | Foreign) -> Bearer:
        """Another server that shares the entry ended this session; what is stored is not ours to touch (D7)."""
        self._next_generation()
        self._held = Custody()
        self._cut_off()
        if isinstance(news, Gone):
            self.sign_ins.silent.signed_out()
            self._move(Happening.SIGNED_OUT, "signed_out_elsewhere")
        else:
            self._move(Happening.ENDED, "signed_in_elsewhere")
        return self._sign_in_needed()

    async def _renewed(
        self,
        generation: int,
        key: TokenKey,
        source: BearerSource,
        answer: Tokens,
        visit: Visit,
    ) -> Bearer:
        if generation != self._generation:
            return self._sign_in_needed()  # what ended the session took the successor with it
        self._check_honoured(key, answer.set, way="refresh")
        if answer.set.expires_in == 0:
            # NOTE: a provider that says so twice does not mean it; from now on the API decides (A13).
            answer = replace(answer, set=replace(answer.set, expires_in=None))
        after = self._held.absorbing(answer, key, self.settings)
        if after.entry(self.settings) != self._held.entry(self.settings):
            news = await self._news_before_saving(generation, visit)
            if isinstance(news, Unchanged):
                await visit.save(after.entry(self.settings))
            elif isinstance(news, (Gone, Foreign)):
                return self._left_elsewhere(news)
            if generation != self._generation:
                return self._sign_in_needed()
            if isinstance(news, Newer):
                after = self._adopted(after, news.entry)
        self._held = after
        self._move(Happening.RENEWED)
        self._pace.renewed(self._plannable())
        token = self._held_token(key, source)
        if token is None or not token.alive(self._clock.now()):
            self._rests.begin((key, source), renewal.LONGEST_WAIT, "no_id_token_on_refresh")
            return TryLater(renewal.LONGEST_WAIT, "no_id_token_on_refresh")
        return token.granted(generation, self._held.subject)

    async def _refused(self, generation: int, key: TokenKey, error: TokenError, visit: Visit, *, lost: bool) -> Bearer:
        """Judge a refusal; ``lost`` says that the token may have been spent without anybody storing the next."""
        verdict = renewal.judge_oauth_error(error.error, for_api=key != SIGN_IN_KEY)
        if isinstance(verdict, renewal.Ends):
            reason = "rotation_lost" if lost and error.error == "invalid_grant" else verdict.reason
            return await self._end(generation, reason, f"token.{error.error}", visit, keep=verdict.token_is_good)
        if isinstance(verdict, renewal.Doubts):
            return await self._doubted(generation, verdict.reason, error, visit)
        await visit.settled()
        if isinstance(verdict, renewal.RefusesAudience):
            self._note_refused_apis(key, error.error)
            raise AudienceRefused
        self._note_refusal(verdict.reason, error.error)
        return self._delay(generation, verdict.reason, verdict.seconds)

    async def _doubted(self, generation: int, reason: str, error: TokenError, visit: Visit) -> Bearer:
        """Keep trying, ever more rarely, while calls work; then say that signing in again helps (Q1.8).

        The refresh token stays until the next sign-in, as nobody said that it is dead.
        """
        if generation != self._generation:
            return self._sign_in_needed()
        refusals = self._pace.refused()
        left = self._seconds_of_use_left()
        if left == 0 and refusals >= renewal.REFUSALS_BEFORE_AN_END:
            return await self._end(generation, reason, f"token.{error.error}", visit, keep=True)
        await visit.settled()
        self._note_refusal(reason, error.error)
        pause = renewal.refusal_pause(refusals, self._entropy.jitter())
        return self._delay(generation, reason, min(pause, left) if left else pause)

    def _check_honoured(self, key: TokenKey, answer: TokenSet, *, way: str) -> None:
        """Raise ``AudienceRefused`` for a token that is not what ``key`` asks for (Q9.5)."""
        if not honoured(key, answer.access_token, answer.scopes, self.token_audience(SIGN_IN_KEY)):
            self._note_refused_apis(key, "ignored", way=way)
            raise AudienceRefused

    def _seconds_of_use_left(self) -> float | None:
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

    async def _cannot_renew(self, generation: int, key: TokenKey, source: BearerSource) -> Bearer:
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
            return await self._exchange_or_rest(generation, key)
        self._follow_the_clock()
        return SignInNeeded("session_expired") if has_session(self._state) else self._sign_in_needed()

    def _delay(self, generation: int, reason: str, seconds: float | None, remedy: str | None = None) -> Bearer:
        """Weather or a mistake in the settings: keep everything, try again later (B6, B7, B8)."""
        if generation != self._generation or not has_session(self._state):
            return self._sign_in_needed()
        wait = self._pace.failed(seconds)
        self._move(Happening.RENEWAL_DELAYED, reason)
        self._remedy = remedy
        return TryLater(wait, reason, remedy)

    async def _end(
        self,
        generation: int,
        reason: str,
        detail: str,
        visit: Visit,
        *,
        keep: bool = False,
    ) -> Bearer:
        """The provider ended the session: drop everything, here and in storage (F-6, F-8, B1).

        With ``keep`` the stored refresh token stays until the next sign-in replaces and revokes it (B9).
        """
        if generation == self._generation:
            superseded = self._own_token() if keep else None
            self._next_generation()
            self._held, self._superseded = Custody(), superseded
            self._move(Happening.ENDED, reason)
            self._event_log.refusal(self.settings.name, "refresh", reason, detail)
            try:
                await (visit.settled() if keep else visit.remove())
            except StorageUnavailable as trouble:
                self._event_log.refusal(self.settings.name, "storage", trouble.code, trouble.detail)
        return self._sign_in_needed()

    def _sign_in_needed(self) -> SignInNeeded:
        expired = self._state is State.SIGNED_OUT_EXPIRED
        return SignInNeeded("session_expired" if expired else "not_signed_in")

    # -- signing out ---------------------------------------------------------------------------------------

    async def sign_out(self, *, beside: tuple[Origin, ...] | None = None, bound: bool = False) -> SignOut:
        """End the session here at once, then tell the provider; a second call does nothing (D1, D2).

        ``beside`` are sessions that are to be spared, where it is not a person who signs out but the settings that go:
        then no page is offered. A page is ``bound`` to the browser that asks, if it is one (ADR 39).
        Raises ``StorageUnavailable`` if the stored entry could not be removed; everything else is done then (D3).
        """
        await self._restore_once()
        own, self._beside = self._own_token() or self._superseded, beside or ()
        refresh_token, origin = (own.token, own.origin) if own else (None, self._own_origin())
        subject = self._held.subject or None
        state = self._entropy.token(256)
        request = self._dialogue.logout_request(state) if subject and beside is None else None
        link = self.logout_link() if request else None
        hint = self._held.id_token.secret if self._held.id_token else None
        self._next_generation()
        generation, self._held = self._generation, Custody()
        self.sign_ins.abandon()
        self.sign_ins.silent.signed_out()
        self._cut_off()
        self._move(Happening.SIGNED_OUT)
        trouble: StorageUnavailable | None = None
        try:
            newest = await self._forget_stored(subject) or refresh_token
        except StorageUnavailable as problem:
            newest, trouble = refresh_token, problem
        revoked: Revoked = "nothing-to-revoke"
        if newest is not None:
            unwanted = Unwanted(newest, origin)
            revoked = await revoke_patiently(self._dialogue, unwanted, self._scheduler, attempts=1)
            if revoked == "failed":
                self._throw_away(unwanted)
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
        request = self._dialogue.logout_request()
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
        token = await self._dialogue.logout_token(raw)
        if self._logouts.knows(token):
            raise LogoutTokenInvalid(detail="logout_token.jti")
        await self._restore_once()
        held = self._held
        if has_session(self._state) and concerns(token, held.subject, held.sid):
            self._next_generation()
            self._held = Custody()
            self.sign_ins.silent.signed_out()
            self._cut_off()
            self._move(Happening.ENDED, "signed_out_at_provider")
            await self._forget_stored(held.subject)
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
            entry = await self._keeper.look()
        except StorageUnavailable as problem:
            self._reason = problem.detail
            return
        if entry is None or self._generation:
            return
        self._next_generation()
        self._held = Custody.of_entry(entry, self._dialogue.proof_key(entry.dpop_key))
        self._move(Happening.RESTORED)
        self._background.start(self._renew_sign_in_token())

    async def _forget_stored(self, subject: str | None) -> Secret | None:
        """Remove the entry of ``subject``, or any; return its refresh token, which another server may have renewed."""
        # NOTE: a renewal of our own has the turn; its answer is thrown away, and nobody needs to wait for it.
        stored = await self._keeper.forget(subject, patience=0.0 if self._renewals else SHORT_PATIENCE)
        return None if stored is None else stored.refresh_token

    def _resaved(self) -> None:
        if has_session(self._state):
            self._move(Happening.STORED, self._reason)

    # -- other settings ------------------------------------------------------------------------------------

    def settings_wait(self, waiting: bool) -> None:  # noqa: FBT001 - a property that others set and hear of
        """Say whether other settings wait for the next sign-in; whoever watches this session hears of a change."""
        if waiting != self._settings_pending:
            self._settings_pending = waiting
            self.tell("settings-changed")

    def narrow(self, settings: Provider) -> None:
        """Go on under ``settings``, whose APIs are narrower; what is open is closed, since some of it may be shut now."""
        self.settings = settings
        self._cut_off()
        self.tell("settings-changed")

    def follow_on(self, before: SessionService) -> None:
        """Count on from where ``before`` ends, so that nobody takes a summary of this session for one of that."""
        self._sequence += before._sequence + 1
        self._latest = self._latest or before._held.user or before._latest
        self.sign_ins.silent = before.sign_ins.silent

    def give_way(
        self, kept: Secret | None, beside: Callable[[], tuple[Origin, ...]]
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        """End this session at once, because one under other settings takes its place; what is stored is that one's now.

        Returns what is left to do: taking the refresh token back by the settings that it came by, unless it is ``kept`` or
        that could harm one of the sessions ``beside``, and closing.
        """
        unwanted = self._own_token() or self._superseded
        self._next_generation()
        self._held = Custody()
        self._cut_off()
        self._keeper.give_up_the_entry()
        self.sign_ins.abandon(only_ours=True)
        self._move(Happening.SIGNED_OUT)

        async def afterwards() -> None:
            self._beside = beside()
            if unwanted is not None and unwanted.token != kept:
                await revoke_patiently(self._dialogue, unwanted, self._scheduler)
            await self.aclose()

        return afterwards

    # -- inner workings ------------------------------------------------------------------------------------

    def _move(self, happening: Happening, reason: str | None = None) -> None:
        before, self._state = self._state, follow(self._state, happening)
        self._reason, self._remedy = reason, None
        self.tell(happening.value, reason)
        if (before, happening) == (State.REFRESH_FAILED, Happening.RENEWED):
            self.sign_ins.overtake(self._in_force)

    def tell(self, kind: str, reason: str | None = None) -> None:
        """Say that the summary has changed, as an event of this ``kind``."""
        self._wake()
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
            self._latest = self._held.user
        self._stop_end_timer()
        self._outcome_open = False
        self._superseded = None
        self._refused_by_api = None
        self._step_ups, self._in_force = {}, StepUp()
        self._exchanged.clear()
        self._rests.start_over()
        self._pace.start_over()

    def _plannable(self) -> float | None:
        """Return the lifetime of the sign-in's access token; ``None`` if it is unknown or nothing can be renewed."""
        access = self._held.access.get(SIGN_IN_KEY)
        return None if self._held.refresh_token is None or access is None else access.lifetime

    def _timer_rang(self) -> None:
        if has_session(self._state):
            self._background.start(self._renew_sign_in_token(), after_defect=self._timer_failed)

    def _timer_failed(self) -> None:
        self._delay(self._generation, "internal_error", None)

    async def _renew_sign_in_token(self) -> Bearer:
        """Replace the sign-in's access token, unless somebody just did."""
        return await self._renew(SIGN_IN_KEY, "access_token", replacing=self._held.access.get(SIGN_IN_KEY))

    @property
    def origin(self) -> Origin | None:
        """Where the tokens of the session that lives come from; ``None`` if none does."""
        return self._own_origin() if self._held.subject else None

    def _own_origin(self) -> Origin:
        return self._dialogue.origin(self._held.subject, self._held.sid)

    def _own_token(self) -> Unwanted | None:
        token = self._held.refresh_token
        return None if token is None else Unwanted(token, self._own_origin())

    def _living(self) -> tuple[Origin, ...]:
        """Return the sessions that no revocation of ours may harm."""
        return self._beside if self.origin is None else (self.origin, *self._beside)

    def _throw_away(self, unwanted: Unwanted | None) -> None:
        """Revoke a token that nobody wants any more, if that harms nobody."""
        if unwanted is not None:
            self._background.start(revoke_patiently(self._dialogue, unwanted, self._scheduler))

    def _throw_away_sign_in(self, tokens: Tokens) -> None:
        """Revoke what a sign-in brought that was cancelled meanwhile."""
        person = tokens.person
        origin = self._dialogue.origin(person.subject, person.sid) if person else self._dialogue.origin()
        if tokens.set.refresh_token is not None:
            self._throw_away(Unwanted(tokens.set.refresh_token, origin))

    def _report(self, defect: Defect) -> None:
        self._event_log.defect(f"provider {self.settings.name}", defect)

    async def aclose(self) -> None:
        """Settle, then close the provider connection; what the session holds stays as it is."""
        await self.settle()
        await self._dialogue.aclose()

    async def settle(self, *, process_ends: bool = False) -> None:
        """Stop timers and background work; waits up to 5 s (D10). A second call has nothing left to wait for.

        If the ``process_ends``, nobody answers any more to what a sign-in asks: its tokens are revoked (Q10.5).
        """
        self._closed = True
        if process_ends:
            self.sign_ins.abandon(only_ours=True)
        self.sign_ins.stop_asking()
        self._cut_off()
        self._pace.stop()
        self._stop_end_timer()
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLING_SECONDS
        while (busy := self._busy()) and (left := until - loop.time()) > 0:
            await asyncio.wait(busy, timeout=left)  # what ends may have begun to revoke something
        if late := self._busy():
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=1.0)  # who has a new refresh token stores it now
        await self._keeper.try_again()
        self._keeper.stop()

    def _busy(self) -> set[asyncio.Task[Any]]:
        return {*self._renewals.values(), *self._background}

    async def ends_with_process(self) -> bool:
        """Return whether there is a refresh token here that is stored nowhere else, so that nobody will use it again."""
        return (self._own_token() or self._superseded) is not None and await self._keeper.ends_with_process()

    def take_back(self, beside: tuple[Origin, ...]) -> asyncio.Task[None]:
        """End the session for good, because the process ends and took care of it alone (Q10.5, ADR 36).

        Its refresh token is revoked, once, unless that could harm one of the sessions ``beside``, which live on.
        """
        return self._background.start(self._take_back(beside))

    async def _take_back(self, beside: tuple[Origin, ...]) -> None:
        unwanted, self._beside = self._own_token() or self._superseded, beside
        self._keeper.give_up_the_entry()  # NOTE: a store that works again must not take what is revoked now
        self._next_generation()
        self._held = Custody()
        if has_session(self._state):
            self._move(Happening.SIGNED_OUT)
        if unwanted is None:
            return
        revoked: Revoked = "failed"
        try:
            revoked = await revoke_patiently(self._dialogue, unwanted, self._scheduler, attempts=1)
        finally:  # also where there is no more time for the provider's answer
            if revoked == "failed":
                self._event_log.refusal(self.settings.name, "stop", "idp_unavailable", "revocation")
