"""Uses a refresh token and judges the reply; the outcome is a value, which the caller applies.

The order of the effects is the point of this module.
The stored entry is read again under the lock, since another server may have refreshed (B2, B10); the token is marked as
in use and sent; its successor is stored before the rest of the answer is judged (ADR 25).
It writes to the store, and to the session that it was given; it refuses to end a session and to move its state. Before
each of its effects it asks whether the session is still the present one (B31).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_oidc.problems import (
    AudienceRefused,
    IdTokenRejected,
    LocalProblem,
    ProviderProblem,
    StorageUnavailable,
    UserinfoRejected,
)
from jupyter_oidc.protocol.audience import audience_of
from jupyter_oidc.protocol.token import TokenError, TokenSet, TokenUnavailable
from jupyter_oidc.sessions import refresh_policy
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, AccessToken, TryLater, token_key
from jupyter_oidc.sessions.honoured import honoured
from jupyter_oidc.sessions.revocation import OrphanedToken, orphan_of
from jupyter_oidc.sessions.session_store import Deleted, OtherSubject, RotatedElsewhere, Same
from jupyter_oidc.sessions.token_answers import NoResponse, UnverifiableResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.grant import Granted, TokenKey
    from jupyter_oidc.sessions.live_session import BearerSource, LiveSession
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.ports import Entry, SystemPorts
    from jupyter_oidc.sessions.session_data import SessionData
    from jupyter_oidc.sessions.session_store import StoredState, StoreTransaction
    from jupyter_oidc.sessions.token_answers import RefreshReply, Refused, Tokens
    from jupyter_oidc.settings import Provider


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The provider gave new tokens, and the entry is stored; ``data`` are the session's from now on."""

    data: SessionData


@dataclass(frozen=True, slots=True)
class Ended:
    """The provider ended the session, for a ``reason`` of ours and a ``detail`` for the log (F-6, F-8, B1).

    With ``keeps_token`` the stored refresh token stays until the next sign-in replaces and revokes it (B9).
    ``orphan`` is to be revoked once the session has ended.
    """

    reason: str
    detail: str
    keeps_token: bool = False
    orphan: OrphanedToken | None = None


@dataclass(frozen=True, slots=True)
class LeftElsewhere:
    """Another server that shares the entry ended the session, as ``stored`` tells; the entry is not ours (D7)."""

    stored: Deleted | OtherSubject


@dataclass(frozen=True, slots=True)
class Delayed:
    """The refresh failed, and the session goes on; the next attempt is due in ``seconds`` (``None``: by backoff)."""

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class OverMeanwhile:
    """The session was no longer the present one before the refresh was complete."""


RefreshOutcome = Refreshed | Ended | LeftElsewhere | Delayed | AudienceRefused | OverMeanwhile
"""``AudienceRefused`` is the refusal of one API's own token; the session and all other tokens stay (B30)."""


class _SessionIsOver(Exception):
    """Ends the work for a session that is not the present one any more; never leaves this module."""


class Refresh:
    """Refreshes and exchanges tokens at one provider.

    ``settings`` returns those in force; ``is_current`` tells whether a session is still the present one; ``revoke``
    revokes a token that no session uses any more.
    """

    def __init__(
        self,
        settings: Callable[[], Provider],
        oidc_client: OidcClient,
        *,
        is_current: Callable[[LiveSession], bool],
        revoke: Callable[[OrphanedToken], None],
        system: SystemPorts,
    ) -> None:
        self._settings = settings
        self._oidc_client = oidc_client
        self._is_current = is_current
        self._revoke = revoke
        self._clock = system.clock
        self._scheduler = system.scheduler
        self._entropy = system.entropy
        self._event_log = system.event_log

    # -- by the refresh token ------------------------------------------------------------------------------

    async def under_lock(
        self, session: LiveSession, key: TokenKey, source: BearerSource, transaction: StoreTransaction
    ) -> RefreshOutcome:
        """Use the refresh token that is stored now, under the lock, for a token of ``key`` (B2, B10).

        It is not used if another process has just got such a token, and shares it.
        """
        try:
            return await self._spend_stored(session, key, source, transaction)
        except _SessionIsOver:
            return OverMeanwhile()
        except AudienceRefused as refused:
            return refused

    def _check_current(self, session: LiveSession) -> None:
        if not self._is_current(session):
            raise _SessionIsOver

    def _known_entry(self, session: LiveSession) -> Entry:
        self._check_current(session)
        known = session.data.entry(self._settings())
        if known is None:
            raise _SessionIsOver
        return known

    async def _spend_stored(
        self, session: LiveSession, key: TokenKey, source: BearerSource, transaction: StoreTransaction
    ) -> RefreshOutcome:
        known = self._known_entry(session)
        stored = await transaction.stored_state(known)  # NOTE: unknown in doubt, since a token is used once
        self._check_current(session)
        refresh_token = known.refresh_token
        match stored:
            case Deleted() | OtherSubject():
                return LeftElsewhere(stored)
            case RotatedElsewhere(entry=entry):
                refresh_token = entry.refresh_token
                session.data = self._adopted(session.data, entry)
                session.refresh_outcome_unknown = False
        before = session.token(key, "access_token")
        shared = session.data.with_shared(await transaction.load_access(), self._clock.now())
        self._check_current(session)
        after = shared.access.get(key)
        if source == "access_token" and after is not before and session.usable(after) is not None:
            return Refreshed(shared)
        return await self._spend(session, key, transaction, refresh_token)

    def _adopted(self, data: SessionData, entry: Entry) -> SessionData:
        """Return ``data`` with the refresh token that another server has stored, the key that it is bound to, and its sign-in."""
        proof_key = self._oidc_client.proof_key(entry.dpop_key)
        return replace(data, refresh_token=entry.refresh_token, proof_key=proof_key, signed_in_at=entry.signed_in_at)

    async def _spend(
        self, session: LiveSession, key: TokenKey, transaction: StoreTransaction, refresh_token: Secret
    ) -> RefreshOutcome:
        """Send ``refresh_token``, and store its successor before the rest of the answer is judged (ADR 0025)."""
        await transaction.mark_in_use()
        origin = self._oidc_client.origin(session.data.subject, session.data.sid)
        began = self._clock.now().monotonic
        try:
            reply = await self._send(session, key, refresh_token, began)
        except (ProviderProblem, LocalProblem) as problem:
            # NOTE: a local problem is a secret or file that has gone; nothing was sent.
            if not session.refresh_outcome_unknown:
                await transaction.clear_mark()  # the token was not sent, or not used (B32)
            return Delayed(problem.code, problem.retry_after)
        if isinstance(reply, NoResponse):
            session.refresh_outcome_unknown = True
            return Delayed("idp_unavailable")
        if reply.tokens.unreadable:
            return Ended("successor_unreadable", "token.refresh_token")
        if (successor := reply.tokens.refresh_token) is not None:
            left = await self._keep_successor(session, OrphanedToken(successor, origin), transaction)
            session.refresh_outcome_unknown = False
            if left is not None:
                return left
        return await self._judge(session, key, transaction, reply, began)

    async def _send(
        self, session: LiveSession, key: TokenKey, refresh_token: Secret, began: float
    ) -> RefreshReply | NoResponse:
        """Send the refresh token; once more after a second if no answer came, which covers a grace period (B5).

        The second attempt ends in time for other servers to get the lock, which is held since ``began`` (B12).
        """
        proof_key = session.data.proof_key
        reply = await self._oidc_client.send_refresh(refresh_token, key, proof_key)
        if isinstance(reply, NoResponse):
            session.refresh_outcome_unknown = True
            left = self._lock_seconds_left(began) - refresh_policy.RETRY_DELAY_SECONDS
            if left > 0:
                await self._scheduler.sleep(refresh_policy.RETRY_DELAY_SECONDS)
                with suppress(asyncio.TimeoutError):
                    reply = await asyncio.wait_for(self._oidc_client.send_refresh(refresh_token, key, proof_key), left)
        return reply

    def _lock_seconds_left(self, began: float) -> float:
        return refresh_policy.MAX_LOCK_HOLD_SECONDS - (self._clock.now().monotonic - began)

    async def _keep_successor(
        self, session: LiveSession, successor: OrphanedToken, transaction: StoreTransaction
    ) -> LeftElsewhere | OverMeanwhile | None:
        """Store the token that replaces the used one; return the outcome if this session is over (F-4, B3).

        If the session is over, the token is revoked instead.
        """
        stored = await self._stored_state_before_saving(session, transaction)
        if isinstance(stored, Same):
            after = replace(session.data, refresh_token=successor.token)
            if after.refresh_token == session.data.refresh_token:
                await transaction.clear_mark()
            else:
                known = session.data.entry(self._settings())
                await transaction.save(after.entry(self._settings()), successor_of=known)
            if self._is_current(session):
                session.data = after
                return None
        self._revoke(successor)
        match stored:
            case Deleted() | OtherSubject():
                return LeftElsewhere(stored)
            case RotatedElsewhere(entry=entry):
                session.data = self._adopted(session.data, entry)
                return None
        return OverMeanwhile()

    async def _stored_state_before_saving(
        self, session: LiveSession, transaction: StoreTransaction
    ) -> StoredState | None:
        """Compare the stored entry again before a refresh is saved; ``None`` if this session has ended meanwhile (B31).

        A sign-in or sign-out does not wait long for the lock, and a refresh must not undo it (D7).
        """
        known = session.data.entry(self._settings())
        if known is None or not self._is_current(session):
            return None
        try:
            stored: StoredState = await transaction.stored_state(known)
        except StorageUnavailable:
            stored = Same()  # the lock is still ours; a write that is repeated later looks again
        return stored if self._is_current(session) else None

    # -- the rest of the answer ----------------------------------------------------------------------------

    async def _judge(
        self, session: LiveSession, key: TokenKey, transaction: StoreTransaction, reply: RefreshReply, began: float
    ) -> RefreshOutcome:
        """Judge the reply to a refresh; its successor is stored already, even if a check fails."""
        data, kept = session.data, reply.tokens.refresh_token is not None
        try:
            answer: Tokens | Refused = await asyncio.wait_for(
                self._oidc_client.judge_refresh(
                    reply, key, subject=data.subject, previous=data.identity, proof_key=data.proof_key
                ),
                max(self._lock_seconds_left(began), refresh_policy.RETRY_DELAY_SECONDS),
            )
        except asyncio.TimeoutError:
            answer = UnverifiableResponse()
        except (IdTokenRejected, UserinfoRejected) as problem:
            orphan = orphan_of(reply.tokens, self._oidc_client.origin())
            return Ended(refresh_policy.reason_of_rejection(problem), problem.detail, orphan=orphan)
        except (ProviderProblem, LocalProblem) as problem:  # the latter: a secret that an ID token is verified with
            session.refresh_outcome_unknown = session.refresh_outcome_unknown or not kept
            return Delayed(problem.code, problem.retry_after)
        if isinstance(answer, TokenUnavailable):
            session.refresh_outcome_unknown = True
            return Delayed("idp_unavailable", answer.retry_after)
        if isinstance(answer, TokenError):
            return await self._judge_refusal(session, key, answer, transaction)
        if not kept:
            session.refresh_outcome_unknown = False
            await transaction.clear_mark()  # a success that names no successor leaves the token in force (RFC 6749, 6)
        if isinstance(answer, UnverifiableResponse):
            return Delayed("idp_unavailable")
        return await self._store_tokens(session, key, answer, transaction)

    async def _store_tokens(
        self, session: LiveSession, key: TokenKey, answer: Tokens, transaction: StoreTransaction
    ) -> RefreshOutcome:
        """Store what else has changed with ``answer``; what ended the session meanwhile took the successor with it."""
        self._check_current(session)
        self._check_honoured(session, key, answer.set, way="refresh")
        if answer.set.expires_in == 0:
            # NOTE: a lifetime of 0 twice is a provider's mistake; from now on the API decides (A13).
            answer = replace(answer, set=replace(answer.set, expires_in=None))
        settings = self._settings()
        after = session.data.absorbing(answer, key, settings)
        if after.entry(settings) != session.data.entry(settings):
            stored = await self._stored_state_before_saving(session, transaction)
            if isinstance(stored, Same):
                await transaction.save(after.entry(settings), successor_of=session.data.entry(settings))
            elif isinstance(stored, (Deleted, OtherSubject)):
                return LeftElsewhere(stored)
            self._check_current(session)
            if isinstance(stored, RotatedElsewhere):
                after = self._adopted(after, stored.entry)
        await transaction.share(after.shared_access())
        self._check_current(session)
        return Refreshed(after)

    async def _judge_refusal(
        self, session: LiveSession, key: TokenKey, error: TokenError, transaction: StoreTransaction
    ) -> RefreshOutcome:
        """Judge a refusal; the token may have been used without its successor being stored (B14)."""
        lost = transaction.interrupted or session.refresh_outcome_unknown
        verdict = refresh_policy.judge_oauth_error(error.error, for_api=key != SIGN_IN_KEY)
        if isinstance(verdict, refresh_policy.Ends):
            reason = "rotation_lost" if lost and error.error == "invalid_grant" else verdict.reason
            return Ended(reason, f"token.{error.error}", keeps_token=verdict.token_is_good)
        if isinstance(verdict, refresh_policy.Ambiguous):
            return await self._judge_ambiguous_refusal(session, verdict.reason, error, transaction)
        await transaction.clear_mark()
        if isinstance(verdict, refresh_policy.RefusesAudience):
            self._log_refused_apis(key, error.error)
            raise AudienceRefused
        self._log_refusal(verdict.reason, error.error)
        return Delayed(verdict.reason, verdict.seconds)

    async def _judge_ambiguous_refusal(
        self, session: LiveSession, reason: str, error: TokenError, transaction: StoreTransaction
    ) -> RefreshOutcome:
        """Keep trying, with growing pauses, while calls work; then end the session and ask for a sign-in (Q1.8).

        The refresh token stays until the next sign-in, as the provider did not say that it is invalid.
        """
        self._check_current(session)
        refusals = session.schedule.refused()
        left = session.usable_seconds_left()
        if left == 0 and refusals >= refresh_policy.MAX_REFUSALS:
            return Ended(reason, f"token.{error.error}", keeps_token=True)
        await transaction.clear_mark()
        self._log_refusal(reason, error.error)
        pause = refresh_policy.refusal_pause(refusals, self._entropy.jitter())
        return Delayed(reason, min(pause, left) if left else pause)

    # -- by exchange ---------------------------------------------------------------------------------------

    async def exchange(
        self, session: LiveSession, key: TokenKey, base: Granted
    ) -> AccessToken | TryLater | OverMeanwhile:
        """Get a token for ``key`` by exchanging ``base``, the sign-in's (RFC 8693, B30).

        Raises ``AudienceRefused`` if the provider has none for this API; the session stays as it is.
        """
        asked = self._clock.now()
        try:
            answer = await self._oidc_client.exchange(base.secret, key, base.proof_key)
        except ProviderProblem as problem:
            return TryLater(problem.retry_after or refresh_policy.RETRY_DELAY_SECONDS, problem.code)
        if not self._is_current(session):
            return OverMeanwhile()
        if isinstance(answer, TokenUnavailable):
            return TryLater(answer.retry_after or refresh_policy.RETRY_DELAY_SECONDS, "idp_unavailable")
        if isinstance(answer, TokenError):
            self._log_refused_apis(key, answer.error, way="exchange")
        if not isinstance(answer, TokenSet):
            raise AudienceRefused
        self._check_honoured(session, key, answer, way="exchange")
        return AccessToken(answer.access_token, asked, answer.expires_in, base.proof_key)

    def _check_honoured(self, session: LiveSession, key: TokenKey, answer: TokenSet, *, way: str) -> None:
        """Raise ``AudienceRefused`` for a token that does not match ``key`` (Q9.5)."""
        sign_in = session.sign_in_token
        of_sign_in = None if sign_in is None else audience_of(sign_in.secret)
        if not honoured(key, answer.access_token, answer.scopes, of_sign_in):
            self._log_refused_apis(key, "ignored", way=way)
            raise AudienceRefused

    def _log_refusal(self, reason: str, error: str, *, about: str = "refresh") -> None:
        self._event_log.refusal(self._settings().name, about, reason, f"token.{error}")

    def _log_refused_apis(self, key: TokenKey, error: str, *, way: str = "refresh") -> None:
        """Log the APIs whose token was refused, and the specification's error code (Q9.3)."""
        names = [api.name for api in self._settings().apis if token_key(api) == key]
        self._log_refusal("audience_refused", error, about=f"{way} for {', '.join(names) or 'no API'}")
