"""Sign-ins that wait for the user: single use, bound to one browser, counted, ten minutes at most.

Only digests of the ticket, the state and the binding cookie are kept, so nothing in this memory can be
replayed against us.
The store is memory only by design: after a restart every callback is ``state_invalid`` (A28).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from jupyter_oidc.language import N_
from jupyter_oidc.problems import StateInvalid, StateUsed, UnknownFlow
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.lifetimes import SIGN_IN_LIFETIME_SECONDS
from jupyter_oidc.sessions.step_up import StepUp
from jupyter_oidc.strategies import facts_of

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.contract.strategy import Strategy
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.dpop import ProofKey
    from jupyter_oidc.sessions.token_answers import Tokens
    from jupyter_oidc.settings import Provider
    from jupyter_oidc.strategies import StrategyFacts

TICKET_LIFETIME_SECONDS: Final = 300.0
"""Seconds in which the start ticket must be used."""

QUESTION_LIFETIME_SECONDS: Final = 300.0
"""Seconds in which the user must answer whether another person replaces the signed-in one."""

FINISHED_LIFETIME_SECONDS: Final = 300.0
"""Seconds for which a finished sign-in can still be looked at (A2)."""

MAX_PENDING_PER_CALLER: Final = 20
MAX_PENDING: Final = 200


SignInState = Literal["waiting", "completed", "failed", "cancelled", "expired"]
"""The progress of a sign-in: it waits for the person or the provider, or has ended in one of four ways."""


@dataclass(frozen=True, slots=True)
class ShownCode:
    """The address that a person opens for a sign-in by code, and the code to enter there (RFC 8628, 3.3)."""

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None


@dataclass(frozen=True, slots=True)
class SignInOptions:
    """The options of one sign-in, as its caller chose them.

    ``next`` is a local path for afterwards, ``login_hint`` goes to the provider unchanged (I-3), and so do
    ``ui_locales``.
    A ``silent`` one is begun by a page that opens: the browser goes on to ``next`` by itself, after success and
    failure.
    """

    next: str | None = None
    prompt: str | None = None
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    step_up: StepUp = field(default_factory=StepUp)
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Asks the user whether ``instead`` replaces the signed-in ``now``; ``tokens`` are held until the answer (A26).

    ``is_over`` says that the session of ``now`` has ended.
    """

    now: str
    instead: str
    tokens: Tokens
    is_over: bool = False


@dataclass(slots=True, eq=False)
class PendingSignIn:
    """One sign-in attempt: a *transaction* in the words of the specification.

    ``nonce`` and ``verifier`` go into the authorization request; the answer is checked against them.
    ``metadata`` are those that it began with: its answer and tokens are judged by the same ones.
    ``redirect_uri`` is empty until a browser visits the start page, because only then is its host known.
    An ``offered`` one is a link that was not followed yet: it does not count as under way.
    ``code`` is set for a strategy that has one, and such a sign-in has neither ticket nor state.
    ``lifetime`` is in seconds.
    ``begun_with`` are the settings that it was begun under; a session that runs meanwhile may have others (ADR 30).
    An ``overtaken`` one is completed because the person signed in by another sign-in; its own answer is not used.
    One with a ``question`` has tokens of another person than the signed-in one, and waits for a click.
    One that is ``settling`` has its tokens, which are being stored: it is too late to cancel it.
    """

    flow: str
    begun_with: Provider
    caller: str
    begun: Moment
    nonce: str
    verifier: Secret
    options: SignInOptions = SignInOptions()
    strategy: Strategy = "server"
    code: ShownCode | None = None
    lifetime: float = SIGN_IN_LIFETIME_SECONDS
    offered: bool = False
    ticket_digest: bytes | None = None
    state_digest: bytes = b""
    binding_digest: bytes | None = None
    redirect_uri: str = ""
    metadata: Metadata | None = None
    proof_key: ProofKey | None = None
    consumed: bool = False
    settling: bool = False
    overtaken: bool = False
    question: Question | None = None
    progress: SignInState = "waiting"
    problem: Problem | None = None
    finished: Moment | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.begun_with.name

    @property
    def facts(self) -> StrategyFacts:
        """The entry of its strategy in the server's table."""
        return facts_of(self.strategy)

    def seconds_left(self, now: Moment) -> float:
        """Return the seconds left to finish; never negative."""
        return max(0.0, self.lifetime - (now.monotonic - self.begun.monotonic))


class PendingSignIns:
    """All sign-ins under way or finished within the last five minutes, of all providers."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._flows: dict[str, PendingSignIn] = {}

    def begin(
        self,
        settings: Provider,
        caller: str,
        options: SignInOptions,
        *,
        strategy: Strategy = "server",
        offered: bool = False,
    ) -> tuple[PendingSignIn, str]:
        """Open a sign-in under ``settings`` and return it with its one-time start ticket.

        Beyond 20 of one ``caller`` or 200 in all the oldest is dropped (A27).
        """
        self.sweep()
        self._make_room(caller)
        ticket = self._entropy.token(256)
        pending = PendingSignIn(
            flow=self._entropy.token(128),
            begun_with=settings,
            caller=caller,
            begun=self._clock.now(),
            nonce=self._entropy.token(256),
            verifier=Secret(self._entropy.token(256)),
            options=options,
            strategy=strategy,
            offered=offered,
            ticket_digest=_digest(ticket),
        )
        self._flows[pending.flow] = pending
        return pending, ticket

    def of_answer(self, provider: str, state: str) -> PendingSignIn | None:
        """Return the sign-in that ``state`` names, without judging whether this browser may finish it."""
        return next((one for one in self._flows.values() if one.provider == provider and has_state(one, state)), None)

    def find(self, flow: str, provider: str) -> PendingSignIn:
        """Return the sign-in ``flow`` of ``provider``; raises :class:`UnknownFlow`."""
        self.sweep()
        pending = self._flows.get(flow)
        if pending is None or pending.provider != provider:
            raise UnknownFlow
        return pending

    def waiting(self, provider: str) -> list[PendingSignIn]:
        """Return the sign-ins of ``provider`` that still wait for the user."""
        self.sweep()
        return [
            pending
            for pending in self._flows.values()
            if pending.provider == provider and pending.progress == "waiting" and not pending.offered
        ]

    def use_ticket(self, ticket: str) -> PendingSignIn:
        """Consume ``ticket`` and return its sign-in; raises :class:`StateInvalid` if it is not usable."""
        self.sweep()
        digest = _digest(ticket)
        for pending in self._flows.values():
            if pending.ticket_digest is not None and hmac.compare_digest(pending.ticket_digest, digest):
                pending.ticket_digest = None
                age = self._clock.now().monotonic - pending.begun.monotonic
                if pending.progress == "waiting" and age <= TICKET_LIFETIME_SECONDS:
                    return pending
        raise StateInvalid(
            N_("This sign-in link was already used, or it is older than five minutes."),
            action=N_("Go back to JupyterLab and sign in again."),
            detail="start.ticket",
        )

    def bind(self, pending: PendingSignIn, redirect_uri: str, server_name: str = "") -> tuple[str, str]:
        """Tie ``pending`` to one browser; return its ``state`` and the value of its binding cookie (A-4, A-9).

        A ``server_name`` is appended to the state behind a dot, which no random part holds; it tells a Hub where to
        send the browser and proves nothing.
        """
        state, binding = self._entropy.token(256), self._entropy.token(256)
        if server_name:
            state = f"{state}.{quote(server_name, safe='')}"
        pending.state_digest = _digest(state)
        pending.binding_digest = _digest(binding)
        pending.redirect_uri = redirect_uri
        return state, binding

    def of_state(
        self, provider: str, state: str, bindings: list[str], only: PendingSignIn | None = None
    ) -> PendingSignIn:
        """Return the sign-in that ``state`` belongs to, if one of the browser's ``bindings`` is its own.

        It is one whose answer comes to the callback route, or ``only`` that one, whose answer arrives elsewhere: an
        answer counts only at the place where it was expected.
        A wrong binding is answered exactly like an unknown state, and consumes nothing, so that no other browser can
        cancel a sign-in (A1, A4, A6).
        Raises :class:`StateInvalid`.
        """
        self.sweep()
        for pending in list(self._flows.values()):
            expected = pending.facts.ends_at_callback if only is None else pending is only
            if expected and pending.provider == provider and has_state(pending, state) and _bound(pending, bindings):
                return pending
        raise StateInvalid(detail="callback.state")

    def is_bound(self, pending: PendingSignIn, bindings: list[str]) -> bool:
        """Return whether one of the browser's ``bindings`` belongs to ``pending``."""
        return _bound(pending, bindings)

    def consume(self, pending: PendingSignIn) -> bool:
        """Mark the callback as used; return whether this call was the first (R-3, A3)."""
        if pending.consumed or pending.progress != "waiting":
            return False
        pending.consumed = True
        return True

    async def outcome(self, pending: PendingSignIn, seconds: float) -> None:
        """Wait up to ``seconds`` until ``pending`` is finished; raises :class:`StateUsed` if it is not (A3)."""
        try:
            await asyncio.wait_for(pending.done.wait(), seconds)
        except asyncio.TimeoutError:
            raise StateUsed from None

    def finish(self, pending: PendingSignIn, progress: SignInState, problem: Problem | None = None) -> bool:
        """End ``pending``; the first end counts, and the return value says whether this was it."""
        if pending.progress != "waiting":
            return False
        pending.progress = progress
        pending.problem = problem
        pending.finished = self._clock.now()
        pending.ticket_digest = None
        pending.proof_key = None
        pending.done.set()
        return True

    def sweep(self) -> None:
        """Expire sign-ins older than ten minutes, and drop those that were finished five minutes ago."""
        now = self._clock.now()
        for pending in list(self._flows.values()):
            if pending.progress == "waiting" and not pending.consumed and not pending.seconds_left(now):
                self.finish(pending, "expired")
            elif pending.finished and now.monotonic - pending.finished.monotonic > FINISHED_LIFETIME_SECONDS:
                del self._flows[pending.flow]

    def _make_room(self, caller: str) -> None:
        flows = self._flows
        own = [pending for pending in flows.values() if pending.caller == caller]
        dropped = own[: max(0, len(own) - MAX_PENDING_PER_CALLER + 1)]
        for pending in dropped:
            self.finish(pending, "cancelled")
            flows.pop(pending.flow)
        for pending in list(flows.values())[: max(0, len(flows) - MAX_PENDING + 1)]:
            self.finish(pending, "cancelled")
            flows.pop(pending.flow)


def has_state(pending: PendingSignIn, state: str) -> bool:
    """Return whether ``state`` is that of ``pending``."""
    return bool(pending.state_digest) and hmac.compare_digest(pending.state_digest, _digest(state))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _bound(pending: PendingSignIn, bindings: list[str]) -> bool:
    if pending.binding_digest is None:
        return False
    return any(hmac.compare_digest(pending.binding_digest, _digest(value)) for value in bindings)
