"""Takes sign-ins by code to their tokens: the person enters a code elsewhere, and the provider is polled (RFC 8628; A31).

It refuses to end a sign-in that has an answer by itself: :class:`SignInEndings` does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jupyter_oidc.problems import Problem, SignInCancelled
from jupyter_oidc.sessions.device_poll import CodeExpired, DevicePoll
from jupyter_oidc.sessions.lifetimes import SIGN_IN_LIFETIME_SECONDS
from jupyter_oidc.sessions.pending import ShownCode

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.contract.strategy import Strategy
    from jupyter_oidc.protocol.device import DeviceAuthorization
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.sessions.pending import PendingSignIn, PendingSignIns, SignInOptions
    from jupyter_oidc.sessions.ports import Scheduler
    from jupyter_oidc.sessions.sign_in_client import SignInClient
    from jupyter_oidc.sessions.sign_in_endings import SessionCallbacks, SignInEndings
    from jupyter_oidc.settings import Provider


class DeviceSignIns:
    """Begins sign-ins by code at the provider in ``settings``."""

    def __init__(
        self,
        settings: Provider,
        client: SignInClient,
        callbacks: SessionCallbacks,
        endings: SignInEndings,
        *,
        pending: PendingSignIns,
        clock: Clock,
        scheduler: Scheduler,
    ) -> None:
        self._settings = settings
        self._client = client
        self._callbacks = callbacks
        self._endings = endings
        self._pending = pending
        self._clock = clock
        self._scheduler = scheduler

    async def begin(self, metadata: Metadata, caller: str, options: SignInOptions, strategy: Strategy) -> PendingSignIn:
        """Request a device code and a user code, and start to poll whether the person has used the latter."""
        pending, _ = self._pending.begin(self._settings, caller, options, strategy=strategy)
        pending.metadata = metadata
        pending.ticket_digest = None
        try:
            given = await self._client.authorize_device(pending, max_lifetime_seconds=SIGN_IN_LIFETIME_SECONDS)
        except Problem as problem:
            self._endings.give_up(pending, problem)
            raise
        except asyncio.CancelledError:
            self._endings.cancel(pending)  # the caller has left, and the code was never shown
            raise
        if pending.progress != "waiting":
            raise SignInCancelled  # by a sign-out meanwhile, or by another of the same caller
        pending.lifetime = given.lifetime
        pending.proof_key = self._client.new_proof_key()
        pending.code = ShownCode(given.user_code, given.verification_uri, given.verification_uri_complete)
        self._endings.under_way(pending)
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
                self._pending.finish(pending, "expired", answer.problem)
                self._endings.notice_abandoned()
            elif isinstance(answer, Problem):
                self._endings.give_up(pending, answer)
            elif answer is not None:
                # NOTE: consumed, so that it cannot expire while its tokens are being stored.
                self._pending.consume(pending)
                await self._endings.accept(pending, answer)
        except Problem as problem:
            self._endings.give_up(pending, problem)
        finally:
            self._endings.end_of_work(pending)
