"""The provider's part of a sign-out: revocation that is tried a few times and never holds up the local part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from jupyter_oidc.errors import Problem

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.dialogue import Dialogue
    from jupyter_oidc.sessions.ports import Scheduler

Revoked = Literal["done", "failed", "not-supported", "nothing-to-revoke"]

ATTEMPTS: Final = 3
"""How often a failed revocation is tried again in the background (D1)."""

PAUSE: Final = 5.0
"""Seconds before the second attempt; doubled for each further one."""


@dataclass(frozen=True, slots=True)
class SignOut:
    """What happened: the local session is always gone; ``end_session_url`` carries no token (ADR 0009)."""

    revoked: Revoked
    end_session_url: str | None


async def revoke_patiently(
    dialogue: Dialogue,
    refresh_token: Secret,
    scheduler: Scheduler,
    *,
    attempts: int = ATTEMPTS,
) -> Revoked:
    """Revoke ``refresh_token``, trying ``attempts`` times; never raises a :class:`Problem`."""
    for attempt in range(attempts):
        if attempt:
            await scheduler.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            outcome = await dialogue.revoke(refresh_token)
        except Problem:
            continue
        if outcome is None:
            return "not-supported"
        if outcome:
            return "done"
    return "failed"
