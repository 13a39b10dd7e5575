"""Ends a session on purpose: a person signs out, the provider says so, other settings take over, or the process ends.

The local part is done first and at once; the provider's part, a revocation or a page, never holds it up.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_oidc.language import N_, joined, sentence
from jupyter_oidc.problems import LogoutTokenInvalid, Problem, StorageUnavailable
from jupyter_oidc.sessions import endings
from jupyter_oidc.sessions.provider_logout import concerns
from jupyter_oidc.sessions.revocation import OrphanedToken
from jupyter_oidc.sessions.session_store import USER_LOCK_TIMEOUT_SECONDS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sized

    from jupyter_oidc.background import Background
    from jupyter_oidc.protocol.logout_token import LogoutToken
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.api import SignOutTicket
    from jupyter_oidc.sessions.current_session import CurrentSession
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.orphans import Orphans
    from jupyter_oidc.sessions.ports import SystemPorts
    from jupyter_oidc.sessions.provider_logout import AcceptedLogouts
    from jupyter_oidc.sessions.revocation import Origin, Revoked
    from jupyter_oidc.sessions.session_store import SessionStore
    from jupyter_oidc.sessions.sign_out_pages import SignOutPages


@dataclass(frozen=True, slots=True)
class SignOut:
    """The result of a sign-out: the local session is always gone; ``end_session_url`` carries no token.

    With a ``ticket`` the browser goes there from a page of this server (ADR 39).
    """

    revoked: Revoked
    end_session_url: str | None
    ticket: SignOutTicket | None = None


class SignOuts:
    """Ends the session in ``current`` on purpose; ``restored`` returns once storage was looked at.

    ``refreshing`` are the refreshes under way; ``close`` closes the whole service.
    """

    def __init__(
        self,
        current: CurrentSession,
        store: SessionStore,
        oidc_client: OidcClient,
        *,
        orphans: Orphans,
        restored: Callable[[], Awaitable[None]],
        refreshing: Sized,
        background: Background,
        close: Callable[[], Awaitable[None]],
        logouts: AcceptedLogouts,
        pages: SignOutPages,
        system: SystemPorts,
    ) -> None:
        self._current = current
        self._store = store
        self._oidc_client = oidc_client
        self._orphans = orphans
        self._restored = restored
        self._refreshing = refreshing
        self._background = background
        self._close = close
        self._logouts = logouts
        self._pages = pages
        self._clock = system.clock
        self._entropy = system.entropy
        self._event_log = system.event_log

    async def sign_out(self, *, spared: tuple[Origin, ...] | None = None, bound: bool = False) -> SignOut:
        """End the session here at once, then tell the provider; a second call does nothing (D1, D2).

        ``spared`` are sessions that no revocation may harm; it is given when the settings were removed, not when a
        person signs out, and then no sign-out page is offered. ``bound`` ties a page to the requesting browser
        (ADR 39).
        Raises ``StorageUnavailable`` if the stored entry could not be removed; every other step is done then (D3).
        """
        await self._restored()
        current, settings = self._current, self._current.settings
        own, self._orphans.spared = self._orphans.left_to_revoke(), spared or ()
        refresh_token, origin = (own.token, own.origin) if own else (None, self._orphans.origin())
        subject = current.data.subject or None
        state = self._entropy.token(256)
        request = self._oidc_client.logout_request(state) if subject and spared is None else None
        link = self.logout_link() if request else None
        hint = current.data.id_token.secret if current.data.id_token else None
        current.end(endings.SIGNED_OUT)
        boundaries = current.boundaries
        trouble: StorageUnavailable | None = None
        try:
            newest = await self._remove_stored(subject) or refresh_token
        except StorageUnavailable as problem:
            newest, trouble = refresh_token, problem
        revoked: Revoked = "nothing-to-revoke"
        if newest is not None:
            orphan = OrphanedToken(newest, origin)
            revoked = await self._orphans.revoke_now(orphan, attempts=1)
            if revoked == "failed":
                self._orphans.revoke(orphan)
        if trouble is not None:
            raise StorageUnavailable(
                N_("You are signed out here, but the stored session could not be removed."),
                action=joined(trouble.action, sentence("Then sign out again.")),
                detail=trouble.detail,
            )
        if request is None or link is None or boundaries != current.boundaries:
            return SignOut(revoked, None)
        if settings.sign_out_method == "link" or not request.takes_form:
            return SignOut(revoked, link)
        return SignOut(revoked, link, self._pages.offer(settings.name, request, hint, state, bound=bound))

    def logout_link(self) -> str | None:
        """Return the link by which a person ends the provider's session; it carries no token."""
        request = self._oidc_client.logout_request()
        return None if request is None else request.url

    async def end_by_provider(self, raw: Secret) -> None:
        """End the session that the logout token ``raw`` names; naming none is no error (B-14, B-15, D6).

        The token counts as used only when every step is done, so the provider may send it again after a failure.
        Raises ``LogoutTokenInvalid`` for a token that fails a check, or that could not take effect (B-16).
        """
        with self._refusing_logouts():
            await self._end_by_provider(raw)

    async def judge_logout(self, raw: Secret) -> LogoutToken:
        """Return what the logout token ``raw`` says, without any effect; raises ``LogoutTokenInvalid``."""
        with self._refusing_logouts():
            return await self._oidc_client.logout_token(raw)

    @contextmanager
    def _refusing_logouts(self) -> Iterator[None]:
        """Turn every problem with a logout token into ``LogoutTokenInvalid``, and record it."""
        try:
            yield
        except Problem as problem:
            refused = problem if isinstance(problem, LogoutTokenInvalid) else None
            refused = refused or LogoutTokenInvalid(detail=f"logout_token.{problem.code}")
            name = self._current.settings.name
            self._event_log.refusal(name, "backchannel-logout", refused.code, refused.detail)
            raise refused from None

    async def _end_by_provider(self, raw: Secret) -> None:
        token = await self._oidc_client.logout_token(raw)
        if self._logouts.knows(token):
            raise LogoutTokenInvalid(detail="logout_token.jti")
        await self._restored()
        data = self._current.data
        if self._current.active is not None and concerns(token, data.subject, data.sid):
            self._current.end(endings.SIGNED_OUT_AT_PROVIDER)
            await self._remove_stored(data.subject)
        self._logouts.remember(token, self._clock.now().wall, self._current.settings.clock_skew)

    async def _remove_stored(self, subject: str | None) -> Secret | None:
        """Remove the entry of ``subject``, or any.

        Return its refresh token, which another server may have refreshed.
        """
        # NOTE: a refresh of our own holds the lock; its answer will be dropped, so this does not wait for it.
        seconds = 0.0 if len(self._refreshing) else USER_LOCK_TIMEOUT_SECONDS
        stored = await self._store.remove(subject, timeout_seconds=seconds)
        return None if stored is None else stored.refresh_token

    def hand_over(
        self, kept: Secret | None, spared: Callable[[], tuple[Origin, ...]]
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        """End this session at once, because one under other settings replaces it.

        The stored entry belongs to that one now.
        Returns a coroutine function for the rest: it revokes the refresh token under its own settings, unless the token
        is ``kept`` or that could harm one of the sessions ``spared``, and closes this service.
        """
        orphan = self._orphans.left_to_revoke()
        self._store.detach()
        self._current.end(endings.HANDED_OVER)

        async def afterwards() -> None:
            self._orphans.spared = spared()
            if orphan is not None and orphan.token != kept:
                await self._orphans.revoke_now(orphan)
            await self._close()

        return afterwards

    async def ends_with_process(self) -> bool:
        """Return whether a refresh token is held in memory only, so that it cannot be used after this process."""
        return self._orphans.left_to_revoke() is not None and await self._store.ends_with_process()

    def end_and_revoke(self, spared: tuple[Origin, ...]) -> asyncio.Task[None]:
        """End the session for good, because the process ends and only its memory holds the session (Q10.5, ADR 36).

        Its refresh token is revoked, in one attempt, unless that could harm one of the sessions ``spared``, which
        live on.
        """
        return self._background.start(self._end_and_revoke(spared))

    async def _end_and_revoke(self, spared: tuple[Origin, ...]) -> None:
        orphan, self._orphans.spared = self._orphans.left_to_revoke(), spared
        self._store.detach()  # NOTE: a store that works again must not receive a token that is revoked now
        if self._current.active is not None:
            self._current.end(endings.PROCESS_ENDS)
        else:
            self._current.drop()
        if orphan is None:
            return
        revoked: Revoked = "failed"
        try:
            revoked = await self._orphans.revoke_now(orphan, attempts=1)
        finally:  # also if no time is left for the provider's answer
            if revoked == "failed":
                self._event_log.refusal(self._current.settings.name, "stop", "idp_unavailable", "revocation")
