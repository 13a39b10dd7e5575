"""Begins, offers, answers and cancels the sign-ins of one provider; each has exactly one end.

It drives a sign-in to its tokens and hands those to the session service.
It refuses to hold a session, to move the state machine or to keep a token itself; the service does, through its
:class:`SessionCallbacks`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jupyter_oidc.errors import (
    IdpUnavailable,
    Problem,
    RequestInvalid,
    ResponseMalformed,
    SignInCancelled,
    StateInvalid,
    StateUsed,
    UnknownFlow,
)
from jupyter_oidc.protocol.authorization import Declined, state_of
from jupyter_oidc.protocol.device import DeviceAuthorization, offers_device_grant
from jupyter_oidc.protocol.discovery import check_offered
from jupyter_oidc.protocol.initiation import Initiation, read_initiation
from jupyter_oidc.protocol.pasted import read_pasted
from jupyter_oidc.protocol.token import TokenError
from jupyter_oidc.sessions.device_poll import CodeExpired, DevicePoll
from jupyter_oidc.sessions.oauth_errors import refusal_of
from jupyter_oidc.sessions.pending import (
    QUESTION_LIFETIME_SECONDS,
    SIGN_IN_LIFETIME_SECONDS,
    PendingSignIn,
    Progress,
    Question,
    ShownCode,
    SignInOptions,
    has_state,
)
from jupyter_oidc.sessions.request_parameters import demanded_step_up, supports_prompt
from jupyter_oidc.sessions.silent import SILENT_SIGN_IN_TIMEOUT_SECONDS, SilentSignIns
from jupyter_oidc.sessions.strategy import Choice, Impossible, choose

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.pending import PendingSignIns, StepUp
    from jupyter_oidc.sessions.ports import EventLog, Scheduler
    from jupyter_oidc.sessions.strategy import Browser, RequestedStrategy, Strategy
    from jupyter_oidc.sessions.token_answers import Tokens
    from jupyter_oidc.settings import Provider

DEFAULT_OPTIONS = SignInOptions()
DUPLICATE_CALLBACK_WAIT_SECONDS = 10.0
"""Seconds that a second callback waits for the result of the first (A3)."""


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


class SignIns:
    """Begins and ends the sign-ins at the provider in ``settings``."""

    def __init__(
        self,
        settings: Provider,
        callbacks: SessionCallbacks,
        *,
        oidc_client: OidcClient,
        pending: PendingSignIns,
        clock: Clock,
        scheduler: Scheduler,
        event_log: EventLog,
    ) -> None:
        self.settings = settings
        self._callbacks = callbacks
        self._client = oidc_client.sign_in
        self._pending = pending
        self._clock = clock
        self._scheduler = scheduler
        self._event_log = event_log
        self.silent = SilentSignIns(clock)

    async def choice(self, browser: Browser, strategy: RequestedStrategy = "auto") -> Choice | Impossible:
        """Return the strategy that a sign-in would take now, and why; asks the provider for its metadata."""
        return self._choice(await self._client.metadata(), browser, strategy)

    def _choice(self, metadata: Metadata, browser: Browser, strategy: RequestedStrategy) -> Choice | Impossible:
        return choose(self.settings, offers_device=offers_device_grant(metadata), browser=browser, requested=strategy)

    async def begin(
        self,
        caller: str,
        options: SignInOptions = DEFAULT_OPTIONS,
        *,
        api: str | None = None,
        strategy: RequestedStrategy = "auto",
        browser: Browser = "here",
    ) -> tuple[PendingSignIn, str]:
        """Open a sign-in and return it with its start ticket, which is empty for a sign-in by code.

        If ``api`` (or, without one, any API) demanded a stronger sign-in, this one is as strong (RFC 9470, 4).
        The provider is asked for its metadata first, so that a provider that is down or misconfigured is
        reported here and not in a window that the user has to close again (A23, D-5).
        """
        await self._callbacks.ready()
        metadata = await self._client.metadata()
        chosen = self._choice(metadata, browser, strategy)
        if isinstance(chosen, Impossible):
            if "device" in (strategy, self.settings.redirect_strategy):
                check_offered(metadata, "device_authorization_endpoint")
            raise chosen.problem()
        self._client.check_ready(metadata, by_code=chosen.strategy == "device")
        demanded = self._callbacks.step_up_for(api)
        if not demanded.acr_values:
            demanded = replace(demanded, acr_values=options.step_up.acr_values)
        options = replace(options, step_up=demanded)
        self._check_prompt(options, chosen.strategy, metadata)
        demanded_step_up(self.settings, options)
        if chosen.strategy == "device":
            return await self._begin_device(metadata, caller, options), ""
        pending, ticket = self._pending.begin(self.settings.name, caller, options, strategy=chosen.strategy)
        pending.metadata = metadata
        pending.begun_with = self.settings
        if options.silent:
            pending.lifetime = SILENT_SIGN_IN_TIMEOUT_SECONDS
            self.silent.begun(pending)
        else:
            self._under_way(pending)
        return pending, ticket

    def _check_prompt(self, options: SignInOptions, strategy: Strategy, metadata: Metadata) -> None:
        """Refuse a sign-in that must fail: by code with ``prompt=none``, or a silent one that comes too soon.

        A prompt that the provider does not list is refused, too (Initiating User Registration 1.0, 4).
        """
        if options.prompt == "none" and strategy == "device":
            raise RequestInvalid(
                "A sign-in by code needs somebody who enters it, so it cannot be silent.",
                action="Leave 'prompt' out, or choose another strategy.",
                detail="prompt.device",
            )
        if strategy != "device" and options.prompt and not supports_prompt(metadata, options.prompt):
            raise RequestInvalid(
                f"The provider does not list the prompt '{options.prompt}'.",
                action="Leave 'prompt' out.",
                detail="prompt.unlisted",
            )
        if options.silent and (strategy != "server" or not self.silent.may_begin()):
            raise RequestInvalid(
                "No page may try to sign in by itself now.", action="Sign in by the button.", detail="silent.not_now"
            )

    def initiation(self, parameters: list[tuple[str, str]]) -> Initiation:
        """Parse a third party's request for a sign-in; raises ``RequestInvalid`` (section I)."""
        return read_initiation(parameters, self.settings.issuer)

    def offer(self, caller: str, options: SignInOptions, browser: Browser = "here") -> str | None:
        """Return a start ticket for a sign-in that begins when the ticket is used; the provider is not contacted before.

        ``None`` if this provider's sign-ins do not come back to this server in a browser, so that a link is not enough.
        """
        chosen = choose(self.settings, offers_device=False, browser=browser)
        if isinstance(chosen, Impossible) or chosen.strategy in ("device", "paste"):
            return None
        pending, ticket = self._pending.begin(
            self.settings.name, caller, options, strategy=chosen.strategy, offered=True
        )
        pending.begun_with = self.settings
        return ticket

    def offer_again(self, failed: PendingSignIn) -> str:
        """Return a start ticket for another attempt like ``failed``; it begins when the ticket is used."""
        # NOTE: a user who clicks can answer a prompt; the same silent attempt would fail in the same way.
        options = replace(failed.options, prompt=None) if failed.options.prompt == "none" else failed.options
        pending, ticket = self._pending.begin(
            self.settings.name, failed.caller, options, strategy=failed.strategy, offered=True
        )
        pending.begun_with = self.settings
        return ticket

    async def authorization_url(
        self, pending: PendingSignIn, redirect_uri: str, *, server_name: str = ""
    ) -> tuple[str, str]:
        """Bind ``pending`` to a browser; return the provider's URL and the value of the binding cookie.

        ``server_name`` is put at the end of the state, for a Hub that sends the browser on.
        """
        await self._callbacks.ready()
        if pending.offered:
            pending.offered = False
            self._under_way(pending)
        state, binding = self._pending.bind(pending, redirect_uri, server_name)
        try:
            return await self._client.authorization_url(pending, state), binding
        except Problem as problem:
            self.give_up(pending, problem)
            raise

    async def callback(
        self, parameters: list[tuple[str, str]], bindings: list[str], only: PendingSignIn | None = None
    ) -> PendingSignIn:
        """End the sign-in that ``parameters`` belong to, and return it with its progress.

        A sign-in whose answer arrives elsewhere than at the callback route is ended by the caller that expects it, as
        ``only``.

        The first callback with a state consumes it, in success and in failure; a second one waits for the result
        of the first and gets the same answer (R-3, A2, A3).
        Raises ``StateInvalid``, ``StateUsed`` or ``ResponseMalformed`` if it belongs to no sign-in.
        """
        try:
            state = state_of(parameters)
        except ResponseMalformed as problem:
            return self.refuse(parameters, bindings, problem, only)
        pending = self._pending.of_state(self.settings.name, state, bindings, only)
        return await self._answered(pending, parameters)

    def refuse(
        self,
        parameters: list[tuple[str, str]],
        bindings: list[str],
        problem: ResponseMalformed,
        only: PendingSignIn | None = None,
    ) -> PendingSignIn:
        """End the sign-in of a malformed answer by ``problem``, and return it.

        It is the sign-in whose state the answer names, if the answer comes from its own browser; no other browser can end a
        sign-in. Raises ``problem`` if there is none, or it is over.
        """
        for name, value in parameters:
            if name != "state":
                continue
            with suppress(StateInvalid):
                pending = self._pending.of_state(self.settings.name, value, bindings, only)
                if self._pending.consume(pending):
                    self.give_up(pending, problem)
                    return pending
                if pending.options.silent:
                    pending.consumed = True
                    return pending
        raise problem

    async def _answered(self, pending: PendingSignIn, parameters: list[tuple[str, str]]) -> PendingSignIn:
        if not self._pending.consume(pending):
            if pending.options.silent:
                return await self._came_back(pending)
            if pending.progress is Progress.WAITING and pending.question is None:
                await self._pending.outcome(pending, DUPLICATE_CALLBACK_WAIT_SECONDS)
            elif pending.progress in (Progress.CANCELLED, Progress.EXPIRED):
                raise StateUsed
            return pending
        # The exchange goes on when the browser closes the connection: the code can be used only once (T-10).
        exchange = self._callbacks.spawn(self._redeem(pending, parameters))
        await asyncio.wait((exchange,))
        if not exchange.cancelled():  # NOTE: cancelled by us, it has ended ``pending`` all the same
            exchange.result()
        return pending

    async def _came_back(self, pending: PendingSignIn) -> PendingSignIn:
        """Accept a late or repeated return of a silent sign-in's browser, so that its page opens all the same."""
        pending.consumed = True
        if pending.question is None:
            with suppress(StateUsed):
                await self._pending.outcome(pending, DUPLICATE_CALLBACK_WAIT_SECONDS)
        return pending

    async def paste(self, pending: PendingSignIn, caller: str, pasted: Secret) -> PendingSignIn:
        """End ``pending`` with the address that its caller copied from the browser (A32).

        A text that is no answer to this sign-in consumes nothing, so the person may try again; the first one with its
        state consumes it, in success and in failure (R-3).
        Raises ``UnknownFlow`` for any other caller, ``ResponseMalformed``, ``StateInvalid`` and ``StateUsed``.
        """
        if pending.caller != caller or pending.strategy != "paste":
            raise UnknownFlow(detail="paste.caller")
        if pending.overtaken:
            return pending
        if not pending.redirect_uri:
            raise ResponseMalformed(
                "Nobody has opened the sign-in page of this sign-in yet.",
                action="Open the sign-in page, sign in there, then copy the address at which the browser ends.",
                detail="paste.early",
            )
        parameters = read_pasted(pasted, pending.redirect_uri)
        if not has_state(pending, state_of(parameters)):
            raise StateInvalid(
                "What was pasted belongs to another sign-in.",
                action="Open the sign-in page that was shown last, and copy the address at which the browser ends.",
                detail="paste.state",
            )
        if pending.consumed or pending.progress is not Progress.WAITING:
            raise StateUsed
        return await self._answered(pending, parameters)

    def cancel(self, pending: PendingSignIn) -> None:
        """Cancel ``pending``; one that is already finished, or about to be, stays as it is."""
        if not pending.settling:
            self._pending.finish(pending, Progress.CANCELLED, SignInCancelled())
            self._drop_question(pending)
        self.notice_abandoned()

    def abandon(self, *, only_ours: bool = False) -> None:
        """Cancel every sign-in under way; a code that still arrives for one is not redeemed.

        With ``only_ours`` sign-ins that were begun under other settings of the same provider go on.
        """
        for pending in self._pending.waiting(self.settings.name):
            if only_ours and pending.begun_with is not self.settings:
                continue
            self._pending.finish(pending, Progress.CANCELLED, SignInCancelled())
            self._drop_question(pending)
        self.notice_abandoned()

    def stop_polling(self) -> None:
        """Cancel the sign-ins by code, so that the provider is not polled any more."""
        for pending in self._pending.waiting(self.settings.name):
            if pending.strategy == "device" and not pending.settling:
                self._pending.finish(pending, Progress.CANCELLED, SignInCancelled())

    def give_up(self, pending: PendingSignIn, problem: Problem) -> None:
        """End ``pending`` by ``problem``, and wake those that wait for it."""
        if self._pending.finish(pending, Progress.FAILED, problem):
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
                self._pending.finish(pending, Progress.COMPLETED)

    def notice_abandoned(self) -> None:
        """Call ``abandoned`` if no sign-in is under way any more."""
        if all(pending.options.silent for pending in self._pending.waiting(self.settings.name)):
            self._callbacks.abandoned()

    def _under_way(self, pending: PendingSignIn) -> None:
        self._callbacks.begun()
        self._scheduler.after(pending.lifetime + 1, self.notice_abandoned)

    # -- by redirect ---------------------------------------------------------------------------------------

    async def _redeem(self, pending: PendingSignIn, parameters: list[tuple[str, str]]) -> None:
        try:
            answer = await self._client.redeem(pending, parameters)
            if isinstance(answer, Declined):
                self.give_up(pending, refusal_of(answer.error, "authorization"))
            elif isinstance(answer, TokenError):
                self.give_up(pending, refusal_of(answer.error, "token"))
            else:
                await self._accept(pending, answer)
        except Problem as problem:
            self.give_up(pending, problem)
        finally:
            self._end_of_work(pending)

    async def _accept(self, pending: PendingSignIn, tokens: Tokens) -> None:
        """Begin a session with ``tokens``, unless ``pending`` was cancelled meanwhile, perhaps by a sign-out."""
        if pending.progress is not Progress.WAITING:
            self._callbacks.revoke_orphan(tokens)
            self.give_up(pending, SignInCancelled())
            return
        question = self._callbacks.question(tokens, pending.options.silent)
        if question is None:
            await self._settle(pending, tokens)
        elif pending.strategy == "server":
            pending.question = question
            self._scheduler.after(QUESTION_LIFETIME_SECONDS, lambda: self._question_expired(pending))
        else:
            self._callbacks.revoke_orphan(tokens)
            self.give_up(pending, _another_person("sign_in.another_person"))

    async def _settle(self, pending: PendingSignIn, tokens: Tokens) -> None:
        pending.settling = True
        await self._callbacks.install(tokens, pending.options.step_up)
        self.silent.signed_in(pending)
        self._pending.finish(pending, Progress.COMPLETED)
        self.overtake(pending.options.step_up.reached(tokens.person.acr if tokens.person else None))

    # -- another person ------------------------------------------------------------------------------------

    async def answer(self, pending: PendingSignIn, *, change: bool) -> None:
        """Sign in the other person if ``change`` is true, else keep the present session (A26).

        The first answer counts; raises ``StateUsed`` for any other.
        """
        question = pending.question
        if question is None or pending.settling or pending.progress is not Progress.WAITING:
            raise StateUsed
        if not change:
            self.give_up(pending, _another_person("sign_in.person_kept"))
            self._drop_question(pending)
            return
        pending.question, pending.settling = None, True
        await asyncio.shield(self._callbacks.spawn(self._install_other(pending, question.tokens)))

    async def _install_other(self, pending: PendingSignIn, tokens: Tokens) -> None:
        try:
            await self._settle(pending, tokens)
        except Problem as problem:
            self.give_up(pending, problem)
        finally:
            self._end_of_work(pending)

    def _question_expired(self, pending: PendingSignIn) -> None:
        if pending.question is not None:
            self.give_up(pending, _another_person("sign_in.question"))
            self._drop_question(pending)

    def _drop_question(self, pending: PendingSignIn) -> None:
        """Drop and revoke the tokens of the other person."""
        question, pending.question = pending.question, None
        if question is not None:
            self._callbacks.revoke_orphan(question.tokens)

    def _end_of_work(self, pending: PendingSignIn) -> None:
        if pending.question is not None:
            return
        # NOTE: reached with a waiting sign-in only through a defect or at shutdown; no caller must wait on.
        if self._pending.finish(pending, Progress.FAILED, IdpUnavailable(detail="sign_in.interrupted")):
            self.notice_abandoned()

    # -- by code -------------------------------------------------------------------------------------------

    async def _begin_device(self, metadata: Metadata, caller: str, options: SignInOptions) -> PendingSignIn:
        """Request a device code and a user code, and start to poll whether the person has used the latter."""
        pending, _ = self._pending.begin(self.settings.name, caller, options, strategy="device")
        pending.metadata = metadata
        pending.ticket_digest = None
        pending.begun_with = self.settings
        try:
            given = await self._client.authorize_device(pending, max_lifetime_seconds=SIGN_IN_LIFETIME_SECONDS)
        except Problem as problem:
            self.give_up(pending, problem)
            raise
        except asyncio.CancelledError:
            self.cancel(pending)  # the caller has left, and the code was never shown
            raise
        if pending.progress is not Progress.WAITING:
            raise SignInCancelled  # by a sign-out meanwhile, or by another of the same caller
        pending.lifetime = given.lifetime
        pending.proof_key = self._client.new_proof_key()
        pending.code = ShownCode(given.user_code, given.verification_uri, given.verification_uri_complete)
        self._under_way(pending)
        self._callbacks.spawn(self._ask_until_answered(pending, given))
        return pending

    async def _ask_until_answered(self, pending: PendingSignIn, given: DeviceAuthorization) -> None:
        """Poll for ``pending``, as its only such task, until the sign-in ends (A31)."""
        proof_key = pending.proof_key
        poll = DevicePoll(
            pending,
            given.interval,
            ask=lambda: self._client.redeem_device(given.device_code, pending, proof_key),
            clock=self._clock,
            scheduler=self._scheduler,
        )
        try:
            answer = await poll.answer()
            if isinstance(answer, CodeExpired):
                self._pending.finish(pending, Progress.EXPIRED, answer.problem)
                self.notice_abandoned()
            elif isinstance(answer, Problem):
                self.give_up(pending, answer)
            elif answer is not None:
                # NOTE: consumed, so that it cannot expire while its tokens are being stored.
                self._pending.consume(pending)
                await self._accept(pending, answer)
        except Problem as problem:
            self.give_up(pending, problem)
        finally:
            self._end_of_work(pending)


def _another_person(detail: str) -> SignInCancelled:
    return SignInCancelled(
        "Somebody else is signed in, so nothing was changed.",
        action="Sign out first, then sign in again.",
        detail=detail,
    )
