"""Revokes tokens at the provider after a sign-out, in a few attempts that never delay the local part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.errors import Problem

if TYPE_CHECKING:
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.ports import Scheduler
    from jupyter_oidc.sessions.revocation import OrphanedToken, Revoked
    from jupyter_oidc.sessions.sign_out_pages import Ticket

MAX_REVOCATION_ATTEMPTS: Final = 3
"""Attempts to revoke a token in the background (D1)."""

FIRST_RETRY_DELAY_SECONDS: Final = 5.0
"""Seconds before the second attempt; doubled for each further one."""


@dataclass(frozen=True, slots=True)
class SignOut:
    """The result of a sign-out: the local session is always gone; ``end_session_url`` carries no token.

    With a ``ticket`` the browser goes there from a page of this server (ADR 39).
    """

    revoked: Revoked
    end_session_url: str | None
    ticket: Ticket | None = None


async def revoke_with_retries(
    oidc_client: OidcClient,
    orphan: OrphanedToken,
    scheduler: Scheduler,
    *,
    attempts: int = MAX_REVOCATION_ATTEMPTS,
) -> Revoked:
    """Revoke ``orphan``, trying ``attempts`` times; never raises a :class:`Problem`.

    Each attempt checks anew whether it may be revoked, because the person may have signed in again meanwhile.
    """
    for attempt in range(attempts):
        if attempt:
            await scheduler.sleep(FIRST_RETRY_DELAY_SECONDS * 2 ** (attempt - 1))
        try:
            outcome = await oidc_client.revoke(orphan)
        except Problem:
            continue
        if outcome != "failed":
            return outcome
    return "failed"
