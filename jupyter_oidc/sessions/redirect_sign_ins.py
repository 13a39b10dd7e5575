"""Takes sign-ins by redirect to their tokens: the browser goes to the provider, and its answer comes back or is pasted.

It refuses to end a sign-in by itself: :class:`SignInEndings` does, with the tokens or the refusal.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Problem, ResponseMalformed, StateInvalid, StateUsed, UnknownFlow
from jupyter_oidc.protocol.authorization import Declined, state_of
from jupyter_oidc.protocol.pasted import read_pasted
from jupyter_oidc.protocol.token import TokenError
from jupyter_oidc.sessions.oauth_errors import no_choice_of_accounts, refusal_of
from jupyter_oidc.sessions.pending import PendingSignIn, has_state

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.pending import PendingSignIns
    from jupyter_oidc.sessions.sign_in_client import SignInClient
    from jupyter_oidc.sessions.sign_in_endings import SessionCallbacks, SignInEndings

DUPLICATE_CALLBACK_WAIT_SECONDS = 10.0
"""Seconds that a second callback waits for the result of the first (A3)."""


class RedirectSignIns:
    """Sends browsers to the provider named ``provider``, and takes their answers."""

    def __init__(
        self,
        provider: str,
        client: SignInClient,
        callbacks: SessionCallbacks,
        endings: SignInEndings,
        pending: PendingSignIns,
    ) -> None:
        self._provider = provider
        self._client = client
        self._callbacks = callbacks
        self._endings = endings
        self._pending = pending

    async def authorization_url(
        self, pending: PendingSignIn, redirect_uri: str, *, server_name: str = ""
    ) -> tuple[str, str]:
        """Bind ``pending`` to a browser; return the provider's URL and the value of the binding cookie.

        ``server_name`` is put at the end of the state, for a Hub that sends the browser on.
        """
        await self._callbacks.ready()
        if pending.offered:
            pending.offered = False
            self._endings.under_way(pending)
        state, binding = self._pending.bind(pending, redirect_uri, server_name)
        try:
            return await self._client.authorization_url(pending, state), binding
        except Problem as problem:
            self._endings.give_up(pending, problem)
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
        pending = self._pending.of_state(self._provider, state, bindings, only)
        return await self._answered(pending, parameters)

    def refuse(
        self,
        parameters: list[tuple[str, str]],
        bindings: list[str],
        problem: Problem,
        only: PendingSignIn | None = None,
    ) -> PendingSignIn:
        """End the sign-in of a malformed answer by ``problem``, and return it.

        It is the sign-in whose state the answer names, if the answer comes from its own browser; no other browser can
        end a sign-in. Raises ``problem`` if there is none, or it is over.
        """
        for name, value in parameters:
            if name != "state":
                continue
            with suppress(StateInvalid):
                pending = self._pending.of_state(self._provider, value, bindings, only)
                if self._pending.consume(pending):
                    self._endings.give_up(pending, problem)
                    return pending
                if pending.options.silent:
                    pending.consumed = True
                    return pending
        raise problem

    async def paste(self, pending: PendingSignIn, caller: str, pasted: Secret) -> PendingSignIn:
        """End ``pending`` with the address that its caller copied from the browser (A32).

        A text that is no answer to this sign-in consumes nothing, so the person may try again; the first one with its
        state consumes it, in success and in failure (R-3).
        Raises ``UnknownFlow`` for any other caller, ``ResponseMalformed``, ``StateInvalid`` and ``StateUsed``.
        """
        if pending.caller != caller or pending.facts.answer != "pasted":
            raise UnknownFlow(detail="paste.caller")
        if pending.overtaken:
            return pending
        if not pending.redirect_uri:
            raise ResponseMalformed(
                N_("Nobody has opened the sign-in page of this sign-in yet."),
                action=N_("Open the sign-in page, sign in there, then copy the address at which the browser ends."),
                detail="paste.early",
            )
        parameters = read_pasted(pasted, pending.redirect_uri)
        if not has_state(pending, state_of(parameters)):
            raise StateInvalid(
                N_("What was pasted belongs to another sign-in."),
                action=N_("Open the sign-in page that was shown last, and copy the address at which the browser ends."),
                detail="paste.state",
            )
        if pending.consumed or pending.progress != "waiting":
            raise StateUsed
        return await self._answered(pending, parameters)

    async def _answered(self, pending: PendingSignIn, parameters: list[tuple[str, str]]) -> PendingSignIn:
        if not self._pending.consume(pending):
            if pending.options.silent:
                return await self._came_back(pending)
            if pending.progress == "waiting" and pending.question is None:
                await self._pending.outcome(pending, DUPLICATE_CALLBACK_WAIT_SECONDS)
            elif pending.progress in ("cancelled", "expired"):
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

    async def _redeem(self, pending: PendingSignIn, parameters: list[tuple[str, str]]) -> None:
        try:
            answer = await self._client.redeem(pending, parameters)
            if isinstance(answer, Declined):
                chooses = pending.options.prompt == "select_account"
                no_choice = no_choice_of_accounts(answer.error) if chooses else None
                self._endings.give_up(pending, no_choice or refusal_of(answer.error, "authorization"))
            elif isinstance(answer, TokenError):
                self._endings.give_up(pending, refusal_of(answer.error, "token"))
            else:
                await self._endings.accept(pending, answer)
        except Problem as problem:
            self._endings.give_up(pending, problem)
        finally:
            self._endings.end_of_work(pending)
