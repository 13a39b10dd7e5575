"""Begins and offers the sign-ins of one provider, and chooses the way of each.

Two modules drive one to its tokens, by redirect and by code; one ends it, by whichever way the tokens came.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import RequestInvalid
from jupyter_oidc.protocol.device import offers_device_grant
from jupyter_oidc.protocol.discovery import check_offered
from jupyter_oidc.protocol.initiation import Initiation, read_initiation
from jupyter_oidc.sessions.device_sign_ins import DeviceSignIns
from jupyter_oidc.sessions.oauth_errors import NO_CHOICE_DETAIL
from jupyter_oidc.sessions.pending import PendingSignIn, SignInOptions
from jupyter_oidc.sessions.redirect_sign_ins import RedirectSignIns
from jupyter_oidc.sessions.request_parameters import demanded_step_up, supports_prompt
from jupyter_oidc.sessions.sign_in_endings import SessionCallbacks, SignInEndings
from jupyter_oidc.sessions.silent import SILENT_SIGN_IN_TIMEOUT_SECONDS, SilentSignIns
from jupyter_oidc.sessions.strategy import Choice, Impossible, choose
from jupyter_oidc.strategies import facts_of_setting

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.contract.strategy import RequestedStrategy
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.sessions.oidc_client import OidcClient
    from jupyter_oidc.sessions.pending import PendingSignIns
    from jupyter_oidc.sessions.ports import EventLog, Scheduler
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.settings import Provider
    from jupyter_oidc.strategies import StrategyFacts

__all__ = ["DEFAULT_OPTIONS", "SessionCallbacks", "SignIns"]

DEFAULT_OPTIONS = SignInOptions()


class SignIns:
    """Begins the sign-ins at the provider in ``settings``, and answers for those under way."""

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
        self.silent = SilentSignIns(clock)
        self._callbacks = callbacks
        self._client = client = oidc_client.sign_in
        self._pending = pending
        self._endings = endings = SignInEndings(
            settings,
            callbacks,
            pending=pending,
            scheduler=scheduler,
            event_log=event_log,
            on_signed_in=self._signed_in,
        )
        self._by_code = DeviceSignIns(
            settings, client, callbacks, endings, pending=pending, clock=clock, scheduler=scheduler
        )
        by_redirect = RedirectSignIns(settings.name, client, callbacks, endings, pending)
        # NOTE: what callers ask of a sign-in under way is answered by the part that knows, without a step in between.
        self.authorization_url, self.callback = by_redirect.authorization_url, by_redirect.callback
        self.refuse, self.paste = by_redirect.refuse, by_redirect.paste
        self.answer, self.cancel, self.give_up = endings.answer, endings.cancel, endings.give_up
        self.abandon, self.stop_polling = endings.abandon, endings.stop_polling
        self.close = endings.close
        self.overtake, self.notice_abandoned = endings.overtake, endings.notice_abandoned
        self.waiting = endings.waiting

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
            for named in (strategy, self.settings.redirect_strategy):
                if (facts := facts_of_setting(named)) is not None and facts.has_code:
                    check_offered(metadata, "device_authorization_endpoint")
            raise chosen.problem()
        self._client.check_ready(metadata, by_code=chosen.facts.has_code)
        demanded = self._callbacks.step_up_for(api)
        if not demanded.acr_values:
            demanded = replace(demanded, acr_values=options.step_up.acr_values)
        options = replace(options, step_up=demanded)
        self._check_prompt(options, chosen.facts, metadata)
        demanded_step_up(self.settings, options)
        if chosen.facts.has_code:
            return await self._by_code.begin(metadata, caller, options, chosen.strategy), ""
        pending, ticket = self._pending.begin(self.settings, caller, options, strategy=chosen.strategy)
        pending.metadata = metadata
        if options.silent:
            pending.lifetime = SILENT_SIGN_IN_TIMEOUT_SECONDS
            self.silent.begun(pending)
        else:
            self._endings.under_way(pending)
        return pending, ticket

    def _check_prompt(self, options: SignInOptions, facts: StrategyFacts, metadata: Metadata) -> None:
        """Refuse a sign-in that must fail: by code with ``prompt=none``, or a silent one that comes too soon.

        A prompt that the provider does not list is refused, too (Initiating User Registration 1.0, 4).
        """
        if options.prompt == "none" and facts.has_code:
            raise RequestInvalid(
                N_("A sign-in by code needs somebody who enters it, so it cannot be silent."),
                action=N_("Leave 'prompt' out, or choose another strategy."),
                detail="prompt.device",
            )
        if not facts.has_code and options.prompt and not supports_prompt(metadata, options.prompt):
            raise RequestInvalid(
                sentence("The provider does not list the prompt '{prompt}'.", prompt=options.prompt),
                action=N_("Leave 'prompt' out."),
                detail="prompt.unlisted",
            )
        if options.silent and (not facts.ends_at_callback or not self.silent.may_begin()):
            raise RequestInvalid(
                N_("No page may try to sign in by itself now."),
                action=N_("Sign in by the button."),
                detail="silent.not_now",
            )

    def initiation(self, parameters: list[tuple[str, str]]) -> Initiation:
        """Parse a third party's request for a sign-in; raises ``RequestInvalid`` (section I)."""
        return read_initiation(parameters, self.settings.issuer)

    def offer(self, caller: str, options: SignInOptions, browser: Browser = "here") -> str | None:
        """Return a start ticket for a sign-in that begins when the ticket is used.

        The provider is not contacted before.
        ``None`` if this provider's sign-ins do not come back to this server in a browser, so that a link is not enough.
        """
        chosen = choose(self.settings, offers_device=False, browser=browser)
        if isinstance(chosen, Impossible) or not chosen.facts.comes_back:
            return None
        _, ticket = self._pending.begin(self.settings, caller, options, strategy=chosen.strategy, offered=True)
        return ticket

    def offer_again(self, failed: PendingSignIn) -> str:
        """Return a start ticket for another attempt like ``failed``; it begins when the ticket is used."""
        # NOTE: a user who clicks can answer a prompt; the same silent attempt would fail in the same way.
        options = replace(failed.options, prompt=None) if failed.options.prompt == "none" else failed.options
        if failed.problem is not None and failed.problem.detail == NO_CHOICE_DETAIL:
            options = replace(options, prompt="login")
        _, ticket = self._pending.begin(self.settings, failed.caller, options, strategy=failed.strategy, offered=True)
        return ticket

    def _signed_in(self, pending: PendingSignIn) -> None:
        self.silent.signed_in(pending)
