"""Ends sign-ins, each once: by a session, a refusal, a cancellation, or another sign-in that came first.

The way by which the tokens came makes no difference here.
It refuses to hold a session, to move the state machine or to keep a token itself; the session service does, through its
:class:`SessionCallbacks`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_oidc.language import N_
from jupyter_oidc.problems import IdpUnavailable, Problem, SignInCancelled, StateUsed
from jupyter_oidc.sessions.pending import QUESTION_LIFETIME_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from jupyter_oidc.sessions.pending import PendingSignIn, PendingSignIns, Question
    from jupyter_oidc.sessions.ports import EventLog, Scheduler
    from jupyter_oidc.sessions.step_up import StepUp
    from jupyter_oidc.sessions.token_answers import Tokens
    from jupyter_oidc.settings import Provider


@dataclass(frozen=True, slots=True)
class SessionCallbacks:
    """The functions of the session service that its sign-ins call.

    ``ready`` returns once storage was read; ``question`` returns the question to the user before ``install``, if there
    is one, with stricter rules after a silent sign-in;
    ``begun`` and ``abandoned`` say that sign-ins are under way, or none any more; ``install`` begins a session with the
    step-up that was requested, ``revoke_orphan`` revokes tokens that become no session; ``step_up_for`` returns the
    step-up that an API demanded; ``spawn`` runs work in the background.
    """

    ready: Callable[[], Awaitable[None]]
    question: Callable[[Tokens, bool], Question | None]
    begun: Callable[[], None]
    abandoned: Callable[[], None]
    install: Callable[[Tokens, StepUp], Awaitable[None]]
    revoke_orphan: Callable[[Tokens], None]
    step_up_for: Callable[[str | None], StepUp]
    spawn: Callable[[Coroutine[Any, Any, object]], asyncio.Task[object]]


class SignInEndings:
    """Ends the sign-ins at the provider in ``settings``; ``on_signed_in`` is called with each that began a session."""

    def __init__(
        self,
        settings: Provider,
        callbacks: SessionCallbacks,
        *,
        pending: PendingSignIns,
        scheduler: Scheduler,
        event_log: EventLog,
        on_signed_in: Callable[[PendingSignIn], None],
    ) -> None:
        self.settings = settings
        self._callbacks = callbacks
        self._pending = pending
        self._scheduler = scheduler
        self._event_log = event_log
        self._on_signed_in = on_signed_in
        self._asked: set[PendingSignIn] = set()
        self._closed = False

    def under_way(self, pending: PendingSignIn) -> None:
        """Call ``begun``, and ``abandoned`` once ``pending`` has expired, if no other is under way then."""
        self._callbacks.begun()
        self._scheduler.after(pending.lifetime + 1, self.notice_abandoned)

    def cancel(self, pending: PendingSignIn) -> None:
        """Cancel ``pending``; one that is already finished, or about to be, stays as it is."""
        if not pending.settling:
            self._pending.finish(pending, "cancelled", SignInCancelled())
            self._drop_question(pending)
        self.notice_abandoned()

    def abandon(self, *, only_ours: bool = False) -> None:
        """Cancel every sign-in under way; a code that still arrives for one is not redeemed.

        With ``only_ours`` sign-ins that were begun under other settings of the same provider go on.
        """
        for pending in self._pending.waiting(self.settings.name):
            if only_ours and pending.begun_with is not self.settings:
                continue
            self._pending.finish(pending, "cancelled", SignInCancelled())
            self._drop_question(pending)
        self.notice_abandoned()

    def stop_polling(self) -> None:
        """Cancel the sign-ins by code, so that the provider is not polled any more."""
        for pending in self._pending.waiting(self.settings.name):
            if pending.facts.has_code and not pending.settling:
                self._pending.finish(pending, "cancelled", SignInCancelled())

    def give_up(self, pending: PendingSignIn, problem: Problem) -> None:
        """End ``pending`` by ``problem``, and wake those that wait for it."""
        if self._pending.finish(pending, "failed", problem):
            self._event_log.refusal(self.settings.name, pending.flow, problem.code, problem.detail)
        self.notice_abandoned()

    def overtake(self, proved: StepUp) -> None:
        """Complete every sign-in that only waits for a session, because another sign-in has begun one.

        One that demands more than was ``proved`` goes on; so does one with a prompt for the person.
        """
        for pending in self._pending.waiting(self.settings.name):
            options = pending.options
            if not pending.consumed and options.prompt in (None, "none") and proved.covers(options.step_up):
                pending.overtaken = True
                self._pending.finish(pending, "completed")
        self.notice_abandoned()

    def notice_abandoned(self) -> None:
        """Call ``abandoned`` if no sign-in is under way any more."""
        if not self.waiting():
            self._callbacks.abandoned()

    def waiting(self) -> list[PendingSignIn]:
        """Return the sign-ins that wait for the person; a silent one waits for nobody."""
        return [pending for pending in self._pending.waiting(self.settings.name) if not pending.options.silent]

    def end_of_work(self, pending: PendingSignIn) -> None:
        """End ``pending`` if the work on it has ended without an end of its own; a question is left open."""
        if pending.question is not None:
            return
        # NOTE: reached with a waiting sign-in only through a defect or at shutdown; no caller must wait on.
        if self._pending.finish(pending, "failed", IdpUnavailable(detail="sign_in.interrupted")):
            self.notice_abandoned()

    async def accept(self, pending: PendingSignIn, tokens: Tokens) -> None:
        """Begin a session with ``tokens``, unless ``pending`` was cancelled meanwhile, perhaps by a sign-out."""
        if pending.progress != "waiting":
            self._callbacks.revoke_orphan(tokens)
            self.give_up(pending, SignInCancelled())
            return
        question = self._callbacks.question(tokens, pending.options.silent)
        if question is None:
            await self._settle(pending, tokens)
        elif pending.facts.ends_at_callback and not self._closed:
            pending.question = question
            self._asked.add(pending)
            self._scheduler.after(QUESTION_LIFETIME_SECONDS, lambda: self._question_expired(pending))
        else:
            self._callbacks.revoke_orphan(tokens)
            self.give_up(pending, _another_person("sign_in.another_person"))

    async def _settle(self, pending: PendingSignIn, tokens: Tokens) -> None:
        pending.settling = True
        await self._callbacks.install(tokens, pending.options.step_up)
        self._on_signed_in(pending)
        self._pending.finish(pending, "completed")
        self.overtake(pending.options.step_up.reached(tokens.person.acr if tokens.person else None))

    # -- another person ------------------------------------------------------------------------------------

    async def answer(self, pending: PendingSignIn, *, change: bool) -> None:
        """Sign in the other person if ``change`` is true, else keep the present session (A26).

        The first answer counts; raises ``StateUsed`` for any other.
        """
        question = pending.question
        if question is None or pending.settling or pending.progress != "waiting":
            raise StateUsed
        if not change:
            self.give_up(pending, _another_person("sign_in.person_kept"))
            self._drop_question(pending)
            return
        self._asked.discard(pending)
        pending.question, pending.settling = None, True
        await asyncio.shield(self._callbacks.spawn(self._install_other(pending, question.tokens)))

    async def _install_other(self, pending: PendingSignIn, tokens: Tokens) -> None:
        try:
            await self._settle(pending, tokens)
        except Problem as problem:
            self.give_up(pending, problem)
        finally:
            self.end_of_work(pending)

    def close(self) -> None:
        """End the sign-ins that wait for the user's answer here, and ask no question any more: no answer can come."""
        self._closed = True
        for pending in tuple(self._asked):
            self._question_expired(pending)

    def _question_expired(self, pending: PendingSignIn) -> None:
        if pending.question is not None:
            self.give_up(pending, _another_person("sign_in.question"))
            self._drop_question(pending)

    def _drop_question(self, pending: PendingSignIn) -> None:
        """Drop and revoke the tokens of the other person."""
        self._asked.discard(pending)
        question, pending.question = pending.question, None
        if question is not None:
            self._callbacks.revoke_orphan(question.tokens)


def _another_person(detail: str) -> SignInCancelled:
    return SignInCancelled(
        N_("Somebody else is signed in, so nothing was changed."),
        action=N_("Sign out first, then sign in again."),
        detail=detail,
    )
