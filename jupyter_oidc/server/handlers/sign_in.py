"""Routes that begin, watch and cancel a sign-in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyter_server.utils import url_path_join

from jupyter_oidc.errors import RequestInvalid
from jupyter_oidc.secret import Secret
from jupyter_oidc.server.access_rule import allow
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.redirects import local_path
from jupyter_oidc.server.views import progress_view, started_view
from jupyter_oidc.sessions.pending import SignInOptions
from jupyter_oidc.sessions.step_up import StepUp

if TYPE_CHECKING:
    from jupyter_oidc.sessions.service import SessionService


class SignInHandler(OidcHandler):
    """``providers/{p}/sign-in``: begin."""

    @allow("user", "kernel", action="write")
    async def post(self, provider: str) -> None:
        """Open a sign-in; the reply holds the address at which the browser starts it."""
        wish = self.envelope("sign-in.request")
        services = self.services
        if wish.get("silent"):
            self._check_silent(wish, services.sessions.of_provider(provider))
            wish["prompt"] = "none"
        session = services.sessions.service_for_sign_in(provider, by_user=self.kernel_id is None)
        if "api" in wish and all(api.name != wish["api"] for api in session.settings.apis):
            _, its_session = services.sessions.of_api(wish["api"])
            raise RequestInvalid(
                f"The API '{wish['api']}' belongs to another provider.",
                action=f"Sign in at '{its_session.settings.name}'.",
            )
        next_path = local_path(wish.get("next"), self.base_url)
        if wish.get("next") and next_path is None:
            self.log.info("jupyter_oidc: next_rejected [%s]", self.request_id)
        pending, ticket = await session.sign_ins.begin(
            self.caller_name,
            SignInOptions(
                next=next_path,
                prompt=wish.get("prompt"),
                silent=bool(wish.get("silent")),
                login_hint=wish.get("login_hint"),
                ui_locales=tuple(wish.get("ui_locales", ())),
                step_up=StepUp(tuple(wish.get("acr_values", ()))),
            ),
            api=wish.get("api"),
            strategy=wish.get("strategy", "auto"),
            browser=self.browser,
        )
        start = url_path_join("jupyter-oidc", "start", quote(ticket, safe=""))
        public = self.context.public_url(session.settings)
        start_url = url_path_join(self.base_url, start) if ticket else None
        address = f"{public}{start}" if ticket and public else None
        self.answer(started_view(pending, start_url, address, services.clock.now()), status=201)

    def _check_silent(self, wish: dict[str, Any], session: SessionService) -> None:
        """Raise ``RequestInvalid`` unless a page may try to sign in by itself, and asks for the only form of that."""
        if not set(wish) <= {"silent", "next"}:
            raise RequestInvalid("'silent' goes with 'next' and with nothing else.", detail="silent.with")
        if not self.can_try_silent_sign_in(session):
            raise RequestInvalid(
                "No page may try to sign in by itself now.", action="Sign in by the button.", detail="silent.not_now"
            )


class SignInProgressHandler(OidcHandler):
    """``providers/{p}/sign-in/{flow}``: watch or cancel."""

    _track_activity = False

    @allow("user", "kernel", action="read")
    async def get(self, provider: str, flow: str) -> None:
        """Return the progress; with ``wait``, as soon as the sign-in is finished."""
        pending = self.services.pending.find(flow, provider)
        seconds = self.seconds_to_wait()
        if seconds:
            waiting = asyncio.ensure_future(pending.done.wait())
            try:
                await asyncio.wait([waiting], timeout=seconds)
            finally:
                waiting.cancel()
            self.services.pending.sweep()
        self.answer(progress_view(pending, self.services.clock.now()))

    @allow("user", "kernel", action="write")
    async def delete(self, provider: str, flow: str) -> None:
        """Cancel; a sign-in that is already finished stays as it is."""
        pending = self.services.pending.find(flow, provider)
        self.services.sessions.of_sign_in(pending).sign_ins.cancel(pending)
        self.answer(progress_view(pending, self.services.clock.now()))


class CompleteHandler(OidcHandler):
    """``providers/{p}/sign-in/{flow}/complete``: the address at which the provider left the browser, pasted."""

    @allow("user", "kernel", action="write")
    async def post(self, provider: str, flow: str) -> None:
        """End the sign-in with the pasted address, if its caller sends it, and return the progress."""
        services = self.services
        pasted = Secret(self.envelope("complete.request")["redirect_url"])
        pending = services.pending.find(flow, provider)
        await services.sessions.of_sign_in(pending).sign_ins.paste(pending, self.caller_name, pasted)
        self.answer(progress_view(pending, services.clock.now()))
