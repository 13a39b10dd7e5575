"""Answers for the sessions of this process: :class:`LocalSessions` is the border that routes talk to (ADR 45).

It finds the session and the sign-in that a request is about, checks that the browser or caller may have it, and turns
the result into plain values.
It refuses to know HTTP: no header, path or cookie's name, and no host.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import (
    IdpUnavailable,
    RequestInvalid,
    StateInvalid,
    StateUsed,
    StorageUnavailable,
    UnknownFlow,
)
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.api import (
    Concerned,
    Departure,
    InitiatedLogin,
    PersonQuestion,
    ProviderEntry,
    SignedOut,
    StartedSignIn,
)
from jupyter_oidc.sessions.grant import Granted
from jupyter_oidc.sessions.pending import SignInOptions
from jupyter_oidc.sessions.plain_values import api_entry_of, provider_settings_of, sign_in_of, sign_out_form_of
from jupyter_oidc.sessions.retry_later import problem_without_token
from jupyter_oidc.sessions.silent import is_silent_sign_in_on
from jupyter_oidc.sessions.step_up import StepUp
from jupyter_oidc.sessions.strategy import Choice, choose

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.sessions.api import (
        ApiEntry,
        Parameters,
        ProviderSettings,
        Shown,
        SignIn,
        SignInRequest,
        SignOutForm,
    )
    from jupyter_oidc.sessions.delegation import Delegation, IssuedGrant, WorkerGrant
    from jupyter_oidc.sessions.pending import PendingSignIn, PendingSignIns
    from jupyter_oidc.sessions.registry import Sessions
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.sessions.sign_out_pages import SignOutPages
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.sessions.summary import Summary
    from jupyter_oidc.sessions.worker_grants import WorkerGrants


@dataclass(frozen=True, slots=True)
class LocalSessions:
    """The :class:`~jupyter_oidc.sessions.api.SessionApi` of the sessions in this process.

    ``instance`` is another text in every process and after every change of the settings.
    """

    sessions: Sessions
    pending: PendingSignIns
    pages: SignOutPages
    grants: WorkerGrants
    clock: Clock
    instance: str

    # -- what there is -------------------------------------------------------------------------------------

    async def providers(self, browser: Browser, *, under_hub: bool) -> tuple[ProviderEntry, ...]:
        """Return the providers in the order of the settings."""
        found = [(service, await service.view.summary()) for service in tuple(self.sessions)]
        return tuple(
            ProviderEntry(
                provider_settings_of(service.settings),
                summary.state.value,
                comes_back_silently=_comes_back_silently(service, browser, under_hub=under_hub),
            )
            for service, summary in found
        )

    async def settings(self, provider: str) -> ProviderSettings:
        """Return the settings in force."""
        return provider_settings_of(self.sessions.of_provider(provider).settings)

    async def every_settings(self) -> tuple[ProviderSettings, ...]:
        """Return the settings in force of all providers."""
        return tuple(provider_settings_of(service.settings) for service in self.sessions)

    async def apis(self) -> tuple[ApiEntry, ...]:
        """Return the APIs in the order of the settings."""
        entries = []
        for service in tuple(self.sessions):
            summary = await service.view.summary()
            entries += [
                api_entry_of(api, summary.state.value, access)
                for api, access in zip(service.settings.apis, summary.apis, strict=True)
            ]
        return tuple(entries)

    async def summary(self, provider: str, *, since: int = -1, wait_seconds: float = 0.0) -> Summary:
        """Return the session once its sequence number differs from ``since``, or after ``wait_seconds``."""
        summary = await self.sessions.of_provider(provider).view.changed_since(since, wait_seconds)
        return replace(summary, instance=self.instance)

    # -- sign-in -------------------------------------------------------------------------------------------

    async def begin_sign_in(self, provider: str, request: SignInRequest, *, under_hub: bool) -> StartedSignIn:
        """Begin a sign-in, at the settings that this caller may put in force (ADR 30)."""
        present = self.sessions.of_provider(provider)
        if request.silent and not (
            request.by_user and _comes_back_silently(present, request.browser, under_hub=under_hub)
        ):
            raise RequestInvalid(
                N_("No page may try to sign in by itself now."),
                action=N_("Sign in by the button."),
                detail="silent.not_now",
            )
        service = self.sessions.service_for_sign_in(provider, by_user=request.by_user)
        if request.api is not None and all(api.name != request.api for api in service.settings.apis):
            _, its_session = self.sessions.of_api(request.api)
            raise RequestInvalid(
                sentence("The API '{api}' belongs to another provider.", api=request.api),
                action=sentence("Sign in at '{name}'.", name=its_session.settings.name),
            )
        pending, ticket = await service.sign_ins.begin(
            request.caller,
            SignInOptions(
                next=request.next,
                prompt="none" if request.silent else request.prompt,
                silent=request.silent,
                login_hint=request.login_hint,
                ui_locales=request.ui_locales,
                step_up=StepUp(request.acr_values),
            ),
            api=request.api,
            strategy=request.strategy,
            browser=request.browser,
        )
        return StartedSignIn(self._told(pending), ticket or None)

    async def sign_in(self, provider: str, flow: str, *, wait_seconds: float = 0.0) -> SignIn:
        """Return the sign-in, as soon as it has ended, or after ``wait_seconds``."""
        pending = self.pending.find(flow, provider)
        if wait_seconds > 0:
            waiting = asyncio.ensure_future(pending.done.wait())
            try:
                await asyncio.wait([waiting], timeout=wait_seconds)
            finally:
                waiting.cancel()
            self.pending.sweep()
        return self._told(pending)

    async def cancel_sign_in(self, provider: str, flow: str) -> SignIn:
        """Cancel; a sign-in that has ended stays as it is."""
        pending = self.pending.find(flow, provider)
        self.sessions.of_sign_in(pending).sign_ins.cancel(pending)
        return self._told(pending)

    async def cancel_sign_ins(self, provider: str) -> Summary:
        """Cancel every sign-in that waits for the person, by whichever caller it was begun, and return the summary."""
        for pending in self.sessions.of_provider(provider).sign_ins.waiting():
            self.sessions.of_sign_in(pending).sign_ins.cancel(pending)
        return await self.summary(provider)

    async def complete_sign_in(self, provider: str, flow: str, caller: str, redirect_url: str) -> SignIn:
        """End the sign-in of ``caller`` with the address at which the provider left the browser (A32)."""
        pending = self.pending.find(flow, provider)
        await self.sessions.of_sign_in(pending).sign_ins.paste(pending, caller, Secret(redirect_url))
        return self._told(pending)

    async def use_ticket(self, ticket: str) -> SignIn:
        """Use a start ticket, once."""
        pending = self.pending.use_ticket(ticket)
        if pending.begun_with is not self.sessions.of_sign_in(pending).sign_ins.settings:
            # NOTE: a sign-in goes on under the settings that it was begun under, or not at all (ADR 30).
            raise StateInvalid(detail="start.settings")
        return self._told(pending)

    async def depart(
        self,
        provider: str,
        flow: str,
        redirect_uri: str,
        *,
        server_name: str = "",
        timeout_seconds: float | None = None,
    ) -> Departure:
        """Bind the sign-in to a browser, and return the provider's address for it."""
        pending = self.pending.find(flow, provider)
        sign_ins = self.sessions.of_sign_in(pending).sign_ins
        going = sign_ins.authorization_url(pending, redirect_uri, server_name=server_name)
        try:
            return Departure(*await asyncio.wait_for(going, timeout_seconds))
        except asyncio.TimeoutError:
            raise IdpUnavailable(detail="silent.slow") from None

    async def fail_sign_in(self, provider: str, flow: str, problem: Problem) -> None:
        """End the sign-in by a problem of its way to the provider."""
        pending = self.pending.find(flow, provider)
        self.sessions.of_sign_in(pending).sign_ins.give_up(pending, problem)

    async def sign_in_of_state(self, provider: str, state: str) -> SignIn | None:
        """Return the sign-in whose answer holds ``state``; whether this browser may end it is judged later."""
        self.sessions.of_provider(provider)
        pending = self.pending.of_answer(provider, state)
        return None if pending is None else self._told(pending)

    async def take_answer(
        self, provider: str, answer: Parameters, bindings: tuple[str, ...], *, only: str | None = None
    ) -> SignIn:
        """End a sign-in with the provider's answer, judged by the service that it was begun at (R-2, R-9)."""
        service, expected = self._answered(provider, answer), self._expected(provider, only)
        return self._told(await service.sign_ins.callback(list(answer), list(bindings), expected))

    async def refuse_answer(
        self, provider: str, answer: Parameters, bindings: tuple[str, ...], problem: Problem, *, only: str | None = None
    ) -> SignIn:
        """End the sign-in of an answer in a wrong form by ``problem``, or raise that (Q1.12)."""
        service, expected = self._answered(provider, answer), self._expected(provider, only)
        return self._told(service.sign_ins.refuse(list(answer), list(bindings), problem, expected))

    async def ended_sign_in(self, provider: str, flow: str, bindings: tuple[str, ...]) -> SignIn | None:
        """Return how a sign-in ended, to its own browser, else ``None``."""
        pending = self.pending.find(flow, provider)
        return self._told(pending) if self.pending.is_bound(pending, list(bindings)) else None

    async def retry_ticket(self, provider: str, flow: str) -> str:
        """Return a start ticket for another attempt like this one (E-1)."""
        pending = self.pending.find(flow, provider)
        return self.sessions.of_sign_in(pending).sign_ins.offer_again(pending)

    async def question(self, provider: str, flow: str, bindings: tuple[str, ...]) -> PersonQuestion:
        """Return the question to the person at the browser."""
        question = self._bound(provider, flow, bindings).question
        if question is None:
            raise StateUsed
        return PersonQuestion(question.now, question.instead, question.is_over)

    async def answer_question(self, provider: str, flow: str, bindings: tuple[str, ...], *, change: bool) -> SignIn:
        """Take the answer, which ends the sign-in."""
        pending = self._bound(provider, flow, bindings)
        await self.sessions.of_sign_in(pending).sign_ins.answer(pending, change=change)
        return self._told(pending)

    async def initiation(self, provider: str, parameters: Parameters) -> InitiatedLogin:
        """Read a third party's request for a sign-in (section I)."""
        service = self.sessions.of_provider(provider)
        asked = service.sign_ins.initiation(list(parameters))
        return InitiatedLogin(provider_settings_of(service.settings), asked.login_hint, asked.target)

    async def offer_sign_in(
        self, provider: str, caller: str, browser: Browser, *, next_path: str | None, login_hint: str | None
    ) -> str | None:
        """Return a start ticket for a sign-in that begins when it is used; ``None`` if no link is enough."""
        sign_ins = self.sessions.of_provider(provider).sign_ins
        return sign_ins.offer(caller, SignInOptions(next=next_path, login_hint=login_hint), browser)

    # -- the session ---------------------------------------------------------------------------------------

    async def refresh(self, provider: str) -> Summary:
        """Refresh the access token now."""
        service = self.sessions.of_provider(provider)
        match await service.tokens.refresh():
            case Granted():
                return replace(await service.view.summary(), instance=self.instance)
            case without_token:
                raise problem_without_token(without_token)

    async def sign_out(self, provider: str, *, bound: bool) -> SignedOut:
        """End the session here, then at the provider."""
        service = self.sessions.of_provider(provider)
        key = service.current.key
        result = await service.sign_outs.sign_out(bound=bound)
        if key is not None:
            with suppress(StorageUnavailable):  # NOTE: without their session they are refused anyway
                await self.grants.end_session(provider, key)
        return SignedOut(provider_settings_of(service.settings), result.revoked, result.end_session_url, result.ticket)

    async def sign_out_link(self, provider: str) -> str | None:
        """Return the link by which a person ends the provider's session."""
        return self.sessions.of_provider(provider).sign_outs.logout_link()

    async def sign_out_page_of_ticket(self, provider: str, ticket: str) -> str | None:
        """Return the page that ``ticket`` opens, and consume nothing."""
        self.sessions.of_provider(provider)
        return self.pages.page_of_ticket(provider, ticket)

    async def open_sign_out_page(
        self, provider: str, ticket: str, bindings: tuple[str, ...], shown: Shown
    ) -> SignOutForm:
        """Use the ticket, once."""
        self.sessions.of_provider(provider)
        return sign_out_form_of(self.pages.open(provider, ticket, bindings, shown))

    async def sign_out_page_of_state(self, provider: str, state: str) -> str | None:
        """Return the page whose sign-out ``state`` ends, and consume nothing."""
        self.sessions.of_provider(provider)
        return self.pages.page_of_state(provider, state)

    async def came_back(self, provider: str, state: str, bindings: tuple[str, ...]) -> bool:
        """Return whether ``state`` ends a sign-out that began on a page in this browser; true once."""
        self.sessions.of_provider(provider)
        return self.pages.came_back(provider, state, bindings)

    # -- workers -------------------------------------------------------------------------------------------

    async def delegate(self, delegation: Delegation) -> IssuedGrant:
        """Make a grant for workers, of the session whose APIs it names."""
        _, service = self.sessions.of_api(delegation.apis[0])
        for api in delegation.apis:
            if self.sessions.of_api(api)[1] is not service:
                raise RequestInvalid(
                    N_("One worker grant is for the APIs of one provider."),
                    action=N_("Make a grant for each provider."),
                    detail="worker.providers",
                )
        await service.view.summary()  # NOTE: a stored session is restored when it is first asked for
        key = service.current.key
        if service.current.active is None or key is None:
            raise problem_without_token(service.current.without_session())
        return await self.grants.issue(service.settings.name, delegation, key)

    async def worker_grants(self) -> tuple[WorkerGrant, ...]:
        """Return the grants that live."""
        return await self.grants.living()

    async def renew_worker_grants(self, grant_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Renew the leases of these grants."""
        return await self.grants.renew(grant_ids)

    async def revoke_worker_grant(self, grant_id: str) -> WorkerGrant | None:
        """End a grant and return it."""
        return await self.grants.revoke(grant_id)

    async def concerned_by_logout(self, provider: str, logout_token: str) -> Concerned:
        """Return whom the provider's logout token names, without any effect."""
        token = await self.sessions.of_provider(provider).sign_outs.judge_logout(Secret(logout_token))
        return Concerned(token.subject, token.sid)

    async def end_by_provider(self, provider: str, logout_token: str) -> None:
        """End the session that the provider's logout token names (B-14 to B-16)."""
        await self.sessions.of_provider(provider).sign_outs.end_by_provider(Secret(logout_token))

    # -- the sign-in of a request --------------------------------------------------------------------------

    def _told(self, pending: PendingSignIn) -> SignIn:
        return sign_in_of(pending, self.clock.now())

    def _answered(self, provider: str, answer: Parameters) -> SessionService:
        """Return the service at which the answered sign-in was begun, which judges the answer."""
        present = self.sessions.of_provider(provider)
        state = next((value for name, value in answer if name == "state"), None)
        pending = None if state is None else self.pending.of_answer(provider, state)
        return present if pending is None else self.sessions.of_sign_in(pending)

    def _expected(self, provider: str, only: str | None) -> PendingSignIn | None:
        """Return the sign-in ``only``; one that was forgotten is answered like a wrong state."""
        try:
            return None if only is None else self.pending.find(only, provider)
        except UnknownFlow:
            raise StateInvalid(detail="callback.state") from None

    def _bound(self, provider: str, flow: str, bindings: tuple[str, ...]) -> PendingSignIn:
        """Return the sign-in of this browser."""
        pending = self.pending.find(flow, provider)
        if not self.pending.is_bound(pending, list(bindings)):
            raise StateInvalid(detail="person.binding")
        return pending


def _comes_back_silently(service: SessionService, browser: Browser, *, under_hub: bool) -> bool:
    """Return whether a sign-in that a page begins by itself may begin now, and comes back to the callback route."""
    if not is_silent_sign_in_on(service.settings, under_hub=under_hub) or not service.may_sign_in_silently:
        return False
    # NOTE: as if the provider offered codes, since its metadata are unknown here; a choice of a code keeps the page.
    chosen = choose(service.settings, offers_device=True, browser=browser)
    return isinstance(chosen, Choice) and chosen.facts.ends_at_callback
