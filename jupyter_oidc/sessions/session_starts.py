"""Begins sessions: one that was stored is restored, and a sign-in installs a new one, perhaps after a question.

It refuses to drive a sign-in; ``sign_ins`` does, and hands over the tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.problems import SignInCancelled, StorageUnavailable
from jupyter_oidc.sessions.machine import SessionTransition, has_session
from jupyter_oidc.sessions.pending import Question
from jupyter_oidc.sessions.ports import DATABASE_AWAY
from jupyter_oidc.sessions.session_data import SessionData
from jupyter_oidc.sessions.summary import name_of, user_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.bearer_tokens import BearerTokens
    from jupyter_oidc.sessions.current_session import CurrentSession
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.orphans import Orphans
    from jupyter_oidc.sessions.session_store import SessionStore
    from jupyter_oidc.sessions.session_view import SessionView
    from jupyter_oidc.sessions.sign_out_pages import SignOutPages
    from jupyter_oidc.sessions.step_up import StepUp
    from jupyter_oidc.sessions.token_answers import Tokens


class SessionStarts:
    """Begins the sessions in ``current``; one that ``takes_over`` restores none, and calls that when it has tokens."""

    def __init__(
        self,
        current: CurrentSession,
        store: SessionStore,
        oidc_client: OidcClient,
        *,
        view: SessionView,
        tokens: BearerTokens,
        orphans: Orphans,
        pages: SignOutPages,
        clock: Clock,
        takes_over: Callable[[Secret | None], None] | None,
    ) -> None:
        self._current = current
        self._store = store
        self._oidc_client = oidc_client
        self._view = view
        self._tokens = tokens
        self._orphans = orphans
        self._pages = pages
        self._clock = clock
        self._takes_over = takes_over

    async def restore(self) -> bool:
        """Begin the session that is stored, if there is one and none has begun or ended meanwhile.

        Return whether that is settled: a database that does not answer is asked again.
        """
        if self._takes_over is not None:
            return True
        try:
            entry = await self._store.load()
        except StorageUnavailable as problem:
            self._current.reason = problem.detail
            self._current.awaits_database = problem.detail == DATABASE_AWAY
            return not self._current.awaits_database
        if self._current.awaits_database:
            self._current.awaits_database, self._current.reason = False, None
        if entry is None or self._current.boundaries:
            return True
        access = await self._store.load_access()
        if self._current.boundaries:
            return True
        data = SessionData.of_entry(entry, self._oidc_client.proof_key(entry.dpop_key))
        session = self._current.begin(data.with_shared(access, self._clock.now()))
        self._current.move(SessionTransition.RESTORED)
        if session.usable(session.sign_in_token) is None:
            self._tokens.refresh_soon(session)
        else:
            session.plan_refresh()
        return True

    def question(self, tokens: Tokens, *, silent: bool = False) -> Question | None:
        """Return the question to the user before ``tokens`` of another person replace the session, or ``None`` (A26).

        A ``silent`` sign-in does not replace another person without a question, not even after the end of their
        session: the provider's cookie in this browser chose the person, and no click.
        """
        self._current.apply_expiry()
        user, person = self._current.data.user, tokens.person
        if person is None:
            return None
        is_over = not has_session(self._current.raw_state)
        before = self._current.last_user if is_over and silent else None if is_over else user
        if before is None or before.sub == person.subject:
            return None
        return Question(name_of(before), name_of(user_of(person.subject, person.claims)), tokens, is_over)

    async def install(self, tokens: Tokens, step_up: StepUp) -> None:
        """Begin a new session, replacing an old one completely (S-6, A26).

        Step-ups that the same person's APIs demanded, and that of this sign-in, stay in force.
        Raises ``SignInCancelled`` if this service is closed: it would own no session, so the tokens are revoked.
        """
        current = self._current
        if current.closed:
            self._orphans.revoke_sign_in(tokens)
            raise SignInCancelled
        if self._takes_over is not None:
            takes_over, self._takes_over, self._view.settings_pending = self._takes_over, None, False
            takes_over(tokens.set.refresh_token)
        before, person = self._orphans.left_to_revoke(), tokens.person
        same = person is not None and person.subject == current.data.subject
        changes = has_session(current.raw_state) and not same
        data = SessionData.of_sign_in(tokens, current.settings, self._clock.now())
        session = current.begin(data, step_up.reached(person.acr if person else None))
        current.close_streams()
        self._pages.withdraw(current.settings.name)
        await self._store.replace(data.entry(current.settings))
        await self._store.share(data.shared_access())
        if before is not None and before.token != tokens.set.refresh_token:
            self._orphans.revoke(before)
        if not current.is_current(session):
            raise SignInCancelled
        changes = changes and has_session(current.raw_state)
        current.move(SessionTransition.PERSON_CHANGED if changes else SessionTransition.SIGNED_IN)
        session.plan_refresh()
        current.schedule_expiry()


def is_unsettled(restored: asyncio.Task[bool]) -> bool:
    """Return whether the stored session has to be looked for again."""
    return restored.done() and not restored.cancelled() and restored.exception() is None and not restored.result()
