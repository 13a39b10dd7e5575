"""Polls the provider, never too often, until the person has used the code of a sign-in (A31).

After each ``authorization_pending`` it waits for the interval; ``slow_down`` makes the interval five seconds longer for
good; ``Retry-After`` is obeyed; a missing answer doubles the next pause, up to a minute.
It stops at the first definite answer, when the sign-in is over for any other reason, and at the latest when the code
has expired, even if the provider still answers ``authorization_pending``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Problem, UnknownFlow
from jupyter_oidc.protocol.device import SLOW_DOWN_SECONDS
from jupyter_oidc.protocol.token import TokenError, TokenUnavailable
from jupyter_oidc.sessions.oauth_errors import refusal_of
from jupyter_oidc.sessions.token_answers import NoResponse, Tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.sessions.pending import PendingSignIn
    from jupyter_oidc.sessions.ports import Scheduler

MAX_BACKOFF_SECONDS: Final = 60.0
"""Seconds to which missing answers make a pause grow; the interval itself may be longer."""

PollResult = Tokens | TokenError | TokenUnavailable | NoResponse


@dataclass(frozen=True, slots=True)
class CodeExpired:
    """The code expired unused."""

    problem: Problem


class DevicePoll:
    """Polls for one sign-in by code; ``interval`` is in seconds."""

    def __init__(
        self,
        pending: PendingSignIn,
        interval: float,
        *,
        ask: Callable[[], Awaitable[PollResult]],
        clock: Clock,
        scheduler: Scheduler,
    ) -> None:
        self._pending = pending
        self._interval = interval
        self._ask = ask
        self._clock = clock
        self._scheduler = scheduler
        self._failures = 0

    async def answer(self) -> Tokens | Problem | CodeExpired | None:
        """Return the provider's definite answer; ``None`` if the sign-in ended for another reason.

        Tokens are returned even then, because the caller has to revoke them.
        Raises the problem of an unusable answer: ``IdTokenRejected``, ``TokenResponseInvalid`` and the like.
        """
        pause = self._interval
        while True:
            left = self._pending.seconds_left(self._clock.now())
            await self._wait(min(pause, left))
            if self._pending.progress != "waiting":
                return None
            if pause >= left:  # NOTE: a request now would come before the interval is over
                return CodeExpired(_code_expired("device.expired"))
            asked = await self._ask()
            if isinstance(asked, Tokens):
                return asked
            if isinstance(asked, TokenError):
                self._failures = 0
                if (end := _outcome_of(asked.error)) is not None:
                    return end
                if asked.error == "slow_down":
                    self._interval += SLOW_DOWN_SECONDS
                pause = self._interval
            else:
                pause = self._after_failure(asked)

    def _after_failure(self, asked: TokenUnavailable | NoResponse) -> float:
        """Return the pause in seconds after no answer, or after one that only asks to wait (RFC 8628, 3.5)."""
        self._failures += 1
        wanted = asked.retry_after if isinstance(asked, TokenUnavailable) else None
        grown = min(self._interval * 2 ** min(self._failures, 10), MAX_BACKOFF_SECONDS)
        return max(self._interval, grown if wanted is None else wanted)

    async def _wait(self, seconds: float) -> None:
        """Return after ``seconds``, or when the sign-in has ended."""
        sleeping = asyncio.ensure_future(self._scheduler.sleep(seconds))
        ending = asyncio.ensure_future(self._pending.done.wait())
        try:
            await asyncio.wait((sleeping, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            ending.cancel()


def _outcome_of(error: str) -> Problem | CodeExpired | None:
    """Return how ``error`` ends a sign-in; ``None`` if it goes on."""
    match error:
        case "authorization_pending" | "slow_down":
            return None
        case "expired_token":
            return CodeExpired(_code_expired("device.expired_token"))
    return refusal_of(error, "token", by_code=True)


def _code_expired(detail: str) -> Problem:
    return UnknownFlow(
        N_("Nobody entered the code in time."), action=N_("Sign in again to get a new code."), detail=detail
    )
