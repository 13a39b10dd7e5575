"""Serves the session at one provider: joins the parts that begin it, show it, give out its tokens and end it.

Each session is an object of its own (:class:`~jupyter_oidc.sessions.live_session.LiveSession`).
``current_session`` knows which one is present, and the answers of the provider for any other one are dropped (B31,
ADR 42).
It refuses to know HTTP requests, kernels or Jupyter users.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.background import Background
from jupyter_oidc.problems import Problem
from jupyter_oidc.sessions.bearer_tokens import BearerTokens
from jupyter_oidc.sessions.current_session import CurrentSession
from jupyter_oidc.sessions.local_tokens import LocalTokens
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.orphans import Orphans
from jupyter_oidc.sessions.owned_timers import OwnedTimers
from jupyter_oidc.sessions.ports import SystemPorts
from jupyter_oidc.sessions.readiness import Outages
from jupyter_oidc.sessions.refresh import Refresh
from jupyter_oidc.sessions.session_starts import SessionStarts, is_unsettled
from jupyter_oidc.sessions.session_store import SessionStore
from jupyter_oidc.sessions.session_view import SessionView
from jupyter_oidc.sessions.sign_ins import SessionCallbacks, SignIns
from jupyter_oidc.sessions.sign_out import SignOuts

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.background import Defect
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.pending import PendingSignIns, Question
    from jupyter_oidc.sessions.ports import EntryLock, EventLog, Scheduler, Vault
    from jupyter_oidc.sessions.provider_logout import AcceptedLogouts
    from jupyter_oidc.sessions.revocation import Origin
    from jupyter_oidc.sessions.shared_tokens import SharedTokens
    from jupyter_oidc.sessions.sign_out_pages import SignOutPages
    from jupyter_oidc.sessions.token_answers import Tokens
    from jupyter_oidc.settings import Provider

CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""For work that is under way when a service closes; after that it is cancelled."""


class SessionService:
    """Serves the session at the provider in ``settings``.

    With ``takes_over`` it waits for a sign-in of its own, restores no stored session before that, and calls
    ``takes_over`` with the new refresh token once it has the tokens: the service that it replaces ends then (ADR 30).
    """

    def __init__(
        self,
        settings: Provider,
        *,
        oidc_client: OidcClient,
        vault: Vault,
        lock: EntryLock,
        pending: PendingSignIns,
        clock: Clock,
        entropy: Entropy,
        scheduler: Scheduler,
        event_log: EventLog,
        logouts: AcceptedLogouts,
        sign_out_pages: SignOutPages,
        shared_tokens: SharedTokens,
        takes_over: Callable[[Secret | None], None] | None = None,
    ) -> None:
        self._timers = timers = OwnedTimers(scheduler)
        system = SystemPorts(clock, timers, entropy, event_log)
        self._oidc_client = oidc_client
        self._event_log = event_log
        self._restored: asyncio.Task[bool] | None = None
        self._predecessor: Callable[[], SessionService | None] = lambda: None
        self._background = Background(self._report, expected=Problem)
        self.current = current = CurrentSession(settings, system)
        self._store = store = SessionStore(
            vault,
            lock,
            scheduler=timers,
            entropy=entropy,
            on_saved_late=current.saved_late,
            on_overtaken=lambda: tokens.compare_soon(),  # noqa: PLW0108 - they are made below
            on_dropped=lambda entry: orphans.revoke_entry(entry),  # noqa: PLW0108 - as above
            shared=shared_tokens,
        )
        store.set_retry(lambda: self._background.start(store.retry(), after_defect=store.schedule_retry))
        self._orphans = orphans = Orphans(current, oidc_client, timers, self._background)
        refresh = Refresh(
            lambda: current.settings,
            oidc_client,
            is_current=current.is_current,
            revoke=orphans.revoke,
            system=system,
        )
        self.tokens = tokens = BearerTokens(
            current,
            refresh,
            store,
            orphans=orphans,
            restored=self._restore_once,
            background=self._background,
            report=self._report,
            system=system,
        )
        self.sign_outs = SignOuts(
            current,
            store,
            oidc_client,
            orphans=orphans,
            restored=self._restore_once,
            refreshing=tokens.refreshing,
            background=self._background,
            close=self.aclose,
            logouts=logouts,
            pages=sign_out_pages,
            system=system,
        )
        outages = Outages(clock, current.notify_waiters)
        self.for_proxy = LocalTokens(tokens, current, outages)
        self.view = view = SessionView(
            current,
            store,
            restored=self._restore_once,
            scopes=oidc_client.scopes,
            outages=outages,
            sign_in_under_way=lambda: current.sign_in_under_way,
            clock=clock,
            settings_pending=takes_over is not None,
        )
        self.starts = starts = SessionStarts(
            current,
            store,
            oidc_client,
            view=view,
            tokens=tokens,
            orphans=orphans,
            pages=sign_out_pages,
            clock=clock,
            takes_over=takes_over,
        )
        callbacks = SessionCallbacks(
            ready=self._restore_once,
            question=self._question,
            begun=current.sign_in_begun,
            abandoned=current.sign_in_abandoned,
            install=starts.install,
            revoke_orphan=orphans.revoke_sign_in,
            step_up_for=current.step_up_for,
            spawn=self._background.start,
        )
        self.sign_ins = SignIns(
            settings,
            callbacks,
            oidc_client=oidc_client,
            pending=pending,
            clock=clock,
            scheduler=timers,
            event_log=event_log,
        )
        current.connect(self.sign_ins, tokens.refresh_is_due)

    @property
    def settings(self) -> Provider:
        """The settings in force."""
        return self.current.settings

    @property
    def state(self) -> State:
        """The current state."""
        return self.current.state

    @property
    def origin(self) -> Origin | None:
        """The origin of the living session's tokens; ``None`` without a session."""
        return self._orphans.living

    @property
    def may_sign_in_silently(self) -> bool:
        """Whether a page that opens may try now: no session, no sign-in under way, and no other settings waiting.

        Waiting settings come into force by an act of the user, and the opening of a page is none (ADR 30).
        """
        out = self.state in (State.SIGNED_OUT, State.SIGNED_OUT_EXPIRED)
        return out and not self.view.settings_pending and self.sign_ins.silent.may_begin()

    # -- its beginning -------------------------------------------------------------------------------------

    async def _restore_once(self) -> None:
        if self._restored is None or is_unsettled(self._restored):
            self._restored = self._background.start(self.starts.restore(), after_defect=self._restore_failed)
        if not self._restored.done():
            await asyncio.shield(self._restored)

    def _restore_failed(self) -> None:
        self.current.reason = "internal_error"

    def _report(self, defect: Defect) -> None:
        self._event_log.defect(f"provider {self.settings.name}", defect)

    # -- other settings ------------------------------------------------------------------------------------

    def set_predecessor(self, before: Callable[[], SessionService | None]) -> None:
        """Set the function that returns the other service whose session a sign-in here would replace (ADR 30)."""
        self._predecessor = before

    def _question(self, tokens: Tokens, silent: bool) -> Question | None:  # noqa: FBT001 - a callback
        """Return the question to the user before ``tokens`` of another person are installed, or ``None`` (A26)."""
        before = self._predecessor()
        return (self if before is None else before).starts.question(tokens, silent=silent)

    def continue_from(self, before: SessionService) -> None:
        """Continue the sequence of ``before``, so that no client takes a summary of this session for one of that."""
        self.current.continue_from(before.current)
        self.sign_ins.silent = before.sign_ins.silent

    # -- its end -------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Settle, then close the client; connections stay open (ADR 43), and the session's data as they are."""
        await self.settle()
        await self._oidc_client.aclose()

    async def settle(self, *, process_ends: bool = False) -> None:
        """Stop timers and background work; waits up to 5 s (D10). A second call returns at once.

        A question that waits for the user is dropped, and its tokens are revoked; with ``process_ends`` every sign-in
        ends (Q10.5).
        """
        self.current.closed = True
        if process_ends:
            self.sign_ins.abandon(only_ours=True)
        self.sign_ins.stop_polling()
        self.sign_ins.close()
        self.current.close()
        await self._background.settle(CLOSE_TIMEOUT_SECONDS)  # a task that ends may have started a revocation
        await self._store.retry()
        self._store.stop()
        self._timers.close()
