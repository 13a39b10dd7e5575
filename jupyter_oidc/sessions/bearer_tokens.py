"""Gives out the tokens that calls are sent with, refreshed if need be.

A refresh is joined by each caller that needs its token, and outlives them (B28).
:meth:`BearerTokens._apply` is the one place that applies the outcome of a refresh.
It refuses to judge what a provider answers; ``refresh`` does.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from jupyter_oidc.background import defect_of
from jupyter_oidc.problems import AudienceRefused, Overloaded, Problem, StorageUnavailable
from jupyter_oidc.sessions import endings, refresh_policy
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, AccessToken, Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.machine import SessionTransition
from jupyter_oidc.sessions.refresh import Delayed, Ended, LeftElsewhere, OverMeanwhile, Refreshed
from jupyter_oidc.sessions.session_store import Deleted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.background import Background, Defect
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.current_session import CurrentSession
    from jupyter_oidc.sessions.grant import Bearer, TokenKey
    from jupyter_oidc.sessions.live_session import BearerSource, LiveSession
    from jupyter_oidc.sessions.orphans import Orphans
    from jupyter_oidc.sessions.ports import SystemPorts
    from jupyter_oidc.sessions.refresh import Refresh, RefreshOutcome
    from jupyter_oidc.sessions.session_data import SessionData
    from jupyter_oidc.sessions.session_store import SessionStore, StoreTransaction


class BearerTokens:
    """Gives out the tokens of the session in ``current``; ``restored`` returns once storage was looked at."""

    def __init__(
        self,
        current: CurrentSession,
        refresh: Refresh,
        store: SessionStore,
        *,
        orphans: Orphans,
        restored: Callable[[], Awaitable[None]],
        background: Background,
        report: Callable[[Defect], None],
        system: SystemPorts,
    ) -> None:
        self._current = current
        self._refresh = refresh
        self._store = store
        self._orphans = orphans
        self._restored = restored
        self._background = background
        self._report = report
        self._clock = system.clock
        self._event_log = system.event_log
        self.refreshing: set[asyncio.Task[Bearer]] = set()
        """The refreshes under way, those of a session that is over included."""

    # -- what callers ask for ------------------------------------------------------------------------------

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
        await self._restored()
        self._current.apply_expiry()
        session = self._current.active
        if session is None:
            return self._current.without_session()
        held = session.token(key, source)
        # NOTE: the API was right to refuse a token that has expired meanwhile; it is refreshed like any other.
        if rejected is not None and held is not None and held.secret == rejected and held.alive(self._clock.now()):
            session.refused_by_api = rejected
            if not session.may_force(key):
                return session.granted(held)
            return await self._join(session, key, source, replacing=held)
        if held is not None and (usable := session.usable(held)):
            return session.granted(usable)
        outcome = await self._join(session, key, source)
        if isinstance(outcome, TryLater) and held is not None and held.alive(self._clock.now()):
            return session.granted(held)
        return outcome

    def ready(self, key: TokenKey, source: BearerSource = "access_token") -> Granted | None:
        """Return a bearer token that is there without waiting, or ``None``; almost every call is served by this."""
        session = self._current.active
        usable = None if session is None else session.usable(session.token(key, source))
        return None if session is None or usable is None else session.granted(usable)

    async def refresh(self) -> Bearer:
        """Refresh the sign-in's access token now, unless it is younger than ten seconds (B25)."""
        await self._restored()
        self._current.apply_expiry()
        session = self._current.active
        if session is None:
            return self._current.without_session()
        usable = session.usable(session.sign_in_token)
        if usable is not None and session.schedule.just_refreshed(self._clock.now()):
            return session.granted(usable)
        return await self._refresh_sign_in_token(session)

    def refresh_soon(self, session: LiveSession) -> None:
        """Refresh the sign-in's access token of ``session`` in the background."""
        self._background.start(self._refresh_sign_in_token(session))

    def compare_soon(self) -> None:
        """Refresh in the background, because that compares the stored entry, which another server has changed."""
        if self._current.active is not None and not self._current.closed:
            self.refresh_soon(self._current.active)

    def refresh_is_due(self, session: LiveSession) -> None:
        """Do the same when the timer is due; after a defect the timer is started again (Q6.3)."""
        if self._current.active is not None:
            self._background.start(
                self._refresh_sign_in_token(session),
                after_defect=lambda: self._after_defect(session),
            )

    def _after_defect(self, session: LiveSession) -> None:
        self._current.delay(session, "internal_error", None)

    # -- one refresh for all who ask -----------------------------------------------------------------------

    async def _refresh_sign_in_token(self, session: LiveSession) -> Bearer:
        """Replace the sign-in's access token, unless another caller just did."""
        return await self._join(session, SIGN_IN_KEY, "access_token", replacing=session.sign_in_token)

    async def _join(
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
            if self._current.closed:  # another service is about to take over
                return TryLater(refresh_policy.RETRY_DELAY_SECONDS, "overloaded")
            task = self._background.start(self._refresh_or_delay(session, key, source, replacing))
            session.refreshes[key] = task
            task.add_done_callback(lambda _: session.refreshes.pop(key, None))
            self.refreshing.add(task)
            task.add_done_callback(self.refreshing.discard)
        await asyncio.wait((task,))
        if task.cancelled():  # NOTE: given up with this service; the waiting caller was not cancelled
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
            async with session.refresh_lock:
                return await self._refreshed(session, key, source, replacing)
        except AudienceRefused:
            raise
        except Problem as problem:
            return self._current.delay(session, problem.code, problem.retry_after)
        except Exception as error:  # noqa: BLE001 - a defect of ours; told by type and place, and survived
            self._report(defect_of(error))
            session.refresh_outcome_unknown = True
            return self._current.delay(session, "internal_error", None)

    async def _refreshed(
        self,
        session: LiveSession,
        key: TokenKey,
        source: BearerSource,
        replacing: AccessToken | None,
    ) -> Bearer:
        """Refresh for ``session``, which may have ended before this begins (B31)."""
        if not self._current.is_current(session):
            return self._current.without_session()
        token = session.token(key, source)
        if token is not None and token is not replacing and session.usable(token):
            return session.granted(token)
        if (resting := session.negative_tokens.lookup((key, source))) is not None:
            return resting
        if session.data.refresh_token is None:
            return await self._without_refresh_token(session, key, source)
        wait = session.schedule.seconds_to_wait()
        if wait > 0:
            return TryLater(wait, self._current.reason or "idp_unavailable", self._current.remedy)
        if key in session.exchanged:
            return await self._exchange_or_cache_failure(session, key)
        try:
            return await self._lock_and_refresh(session, key, source)
        except AudienceRefused:
            return await self._exchange_or_cache_failure(session, key)

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
        self._current.apply_expiry()
        return SignInNeeded("session_expired") if self._current.active else self._current.without_session()

    async def _lock_and_refresh(self, session: LiveSession, key: TokenKey, source: BearerSource) -> Bearer:
        """Refresh while no other server does; raises ``AudienceRefused``."""
        try:
            async with self._store.transaction() as transaction:
                outcome = await self._refresh.under_lock(session, key, source, transaction)
                return await self._apply(session, outcome, key, source, transaction)
        except Overloaded as problem:
            return TryLater(problem.retry_after or 1.0, problem.code)
        except StorageUnavailable as problem:
            return self._current.delay(session, problem.code, None, problem.action)

    async def _apply(
        self,
        session: LiveSession,
        outcome: RefreshOutcome,
        key: TokenKey,
        source: BearerSource,
        transaction: StoreTransaction,
    ) -> Bearer:
        """Apply ``outcome``, if ``session`` is still the present one; raises ``AudienceRefused`` (B31).

        The lock is still held, so that no other server comes between a refresh and its effect.
        """
        if self._current.is_current(session):
            match outcome:
                case Refreshed(data):
                    return self._take_effect(session, data, key, source)
                case Delayed(reason, seconds):
                    return self._current.delay(session, reason, seconds)
                case AudienceRefused():
                    raise outcome
                case Ended():
                    await self._end(outcome, transaction)
                case LeftElsewhere(stored):
                    signed_out = isinstance(stored, Deleted)
                    self._current.end(endings.SIGNED_OUT_ELSEWHERE if signed_out else endings.SIGNED_IN_ELSEWHERE)
                case OverMeanwhile():
                    pass
                case _:
                    assert_never(outcome)
        if isinstance(outcome, Ended):
            self._orphans.revoke(outcome.orphan)
        return self._current.without_session()

    def _take_effect(self, session: LiveSession, data: SessionData, key: TokenKey, source: BearerSource) -> Bearer:
        session.data = data
        self._current.move(SessionTransition.REFRESHED)
        session.schedule.succeeded()
        session.plan_refresh()
        token = session.token(key, source)
        if token is None or not token.alive(self._clock.now()):
            session.negative_tokens.add((key, source), refresh_policy.MAX_BACKOFF_SECONDS, "no_id_token_on_refresh")
            return TryLater(refresh_policy.MAX_BACKOFF_SECONDS, "no_id_token_on_refresh")
        return session.granted(token)

    async def _end(self, outcome: Ended, transaction: StoreTransaction) -> None:
        """Drop the session, here and in storage, because the provider ended it (F-6, F-8, B1)."""
        superseded = self._orphans.refresh_token() if outcome.keeps_token else None
        self._current.end(endings.ended_by_provider(outcome.reason), superseded=superseded)
        name = self._current.settings.name
        self._event_log.refusal(name, "refresh", outcome.reason, outcome.detail)
        try:
            await (transaction.clear_mark() if outcome.keeps_token else transaction.remove())
        except StorageUnavailable as trouble:
            self._event_log.refusal(name, "storage", trouble.code, trouble.detail)

    # -- where the refresh token gives no token for an API -------------------------------------------------

    async def _exchange_or_cache_failure(self, session: LiveSession, key: TokenKey) -> Bearer:
        """Exchange, and cache a refusal, so that the token is not requested again with every call (B25, B30)."""
        try:
            outcome = await self._exchange(session, key)
        except AudienceRefused:
            session.negative_tokens.add((key, "access_token"), refresh_policy.MIN_FORCED_REFRESH_INTERVAL_SECONDS, None)
            raise
        if isinstance(outcome, TryLater):
            session.negative_tokens.add((key, "access_token"), outcome.seconds, outcome.reason)
        return outcome

    async def _exchange(self, session: LiveSession, key: TokenKey) -> Bearer:
        """Get a token for ``key`` by exchanging the sign-in's, which is refreshed first if need be (RFC 8693, B30).

        Raises ``AudienceRefused`` if the provider has none for this API.
        """
        usable = session.usable(session.sign_in_token)
        base: Bearer
        if usable is not None:
            base = session.granted(usable)
        else:
            base = await self._lock_and_refresh(session, SIGN_IN_KEY, "access_token")
        if not isinstance(base, Granted):
            return base
        token = await self._refresh.exchange(session, key, base)
        if isinstance(token, TryLater):
            return token
        if isinstance(token, OverMeanwhile):
            return self._current.without_session()
        session.exchanged.add(key)
        session.data = replace(session.data, access={**session.data.access, key: token})
        return session.granted(token)
