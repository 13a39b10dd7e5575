"""Revokes tokens that no session uses any more, where that harms no living session (Q9.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.problems import Problem
from jupyter_oidc.sessions.revocation import OrphanedToken

if TYPE_CHECKING:
    from jupyter_oidc.background import Background
    from jupyter_oidc.sessions.current_session import CurrentSession
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.ports import Entry, Scheduler
    from jupyter_oidc.sessions.revocation import Origin, Revoked
    from jupyter_oidc.sessions.token_answers import Tokens

MAX_REVOCATION_ATTEMPTS: Final = 3
"""Attempts to revoke a token in the background (D1)."""

FIRST_RETRY_DELAY_SECONDS: Final = 5.0
"""Seconds before the second attempt; doubled for each further one."""


class Orphans:
    """Revokes the tokens that the session in ``current``, or a cancelled sign-in, leaves behind.

    ``spared`` are sessions of other services that no revocation may harm.
    """

    def __init__(
        self, current: CurrentSession, oidc_client: OidcClient, scheduler: Scheduler, background: Background
    ) -> None:
        self.spared: tuple[Origin, ...] = ()
        self._current = current
        self._oidc_client = oidc_client
        self._scheduler = scheduler
        self._background = background
        oidc_client.ask_before_revoking(self._living)

    @property
    def living(self) -> Origin | None:
        """The origin of the living session's tokens; ``None`` without a session."""
        return self.origin() if self._current.data.subject else None

    def origin(self) -> Origin:
        """Return the origin of the session's tokens, as far as that is known."""
        return self._oidc_client.origin(self._current.data.subject, self._current.data.sid)

    def refresh_token(self) -> OrphanedToken | None:
        """Return the refresh token of the session as an orphan, which it is after the end."""
        token = self._current.data.refresh_token
        return None if token is None else OrphanedToken(token, self.origin())

    def left_to_revoke(self) -> OrphanedToken | None:
        """Return the refresh token of the session, or the superseded one of the session before."""
        return self.refresh_token() or self._current.superseded_token

    def revoke(self, orphan: OrphanedToken | None) -> None:
        """Revoke ``orphan`` in the background, trying a few times."""
        if orphan is not None:
            self._background.start(self.revoke_now(orphan))

    def revoke_entry(self, entry: Entry) -> None:
        """Revoke the refresh token of ``entry`` in the background."""
        self.revoke(OrphanedToken(entry.refresh_token, self._oidc_client.origin(entry.subject, entry.sid)))

    async def revoke_now(self, orphan: OrphanedToken, *, attempts: int = MAX_REVOCATION_ATTEMPTS) -> Revoked:
        """Revoke ``orphan``, trying ``attempts`` times; never raises a :class:`Problem`.

        Each attempt checks anew whether it may be revoked, because the person may have signed in again meanwhile.
        """
        for attempt in range(attempts):
            if attempt:
                await self._scheduler.sleep(FIRST_RETRY_DELAY_SECONDS * 2 ** (attempt - 1))
            try:
                outcome = await self._oidc_client.revoke(orphan)
            except Problem:
                continue
            if outcome != "failed":
                return outcome
        return "failed"

    def revoke_sign_in(self, tokens: Tokens) -> None:
        """Revoke the tokens of a sign-in that was cancelled meanwhile."""
        person = tokens.person
        origin = self._oidc_client.origin(person.subject, person.sid) if person else self._oidc_client.origin()
        if tokens.set.refresh_token is not None:
            self.revoke(OrphanedToken(tokens.set.refresh_token, origin))

    def _living(self) -> tuple[Origin, ...]:
        """Return the sessions that no revocation of ours may harm."""
        return self.spared if self.living is None else (self.living, *self.spared)
