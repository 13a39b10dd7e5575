"""Routes that show, refresh and end sessions."""

from __future__ import annotations

import re
from typing import Final

from jupyter_server.utils import url_path_join

from jupyter_oidc.errors import NotSignedIn, RequestInvalid, SessionExpired
from jupyter_oidc.server.access_rule import allow
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.views import provider_view, sign_out_view, summary_view
from jupyter_oidc.sessions.grant import Granted, SignInNeeded, TryLater
from jupyter_oidc.sessions.retry_later import retry_later_problem
from jupyter_oidc.sessions.sign_out_pages import TICKET_SECONDS

_SEQUENCE: Final = re.compile(r"-?[0-9]{1,17}\Z")


class ProvidersHandler(OidcHandler):
    """``providers``: names and states."""

    _track_activity = False

    @allow("user", "kernel", action="read")
    async def get(self) -> None:
        """List the providers in the order of the settings."""
        told = [(await service.view.summary(), service) for service in self.services.sessions]
        views = [provider_view(summary, silent=self.can_try_silent_sign_in(service)) for summary, service in told]
        self.answer({"providers": views})


class SessionHandler(OidcHandler):
    """``providers/{p}/session``: the summary; polling it never uses the network (D16)."""

    _track_activity = False

    @allow("user", "kernel", action="read")
    async def get(self, provider: str) -> None:
        """Return the summary; with ``wait`` and ``sequence``, once it differs from that sequence."""
        session = self.services.sessions.of_provider(provider)
        summary = await session.view.changed_since(self._sequence(), self.seconds_to_wait())
        etag = f'"{self.services.instance}-{summary.sequence}"'
        self.set_header("ETag", etag)
        if self.request.headers.get("If-None-Match") == etag:
            self.set_status(304)
            self.set_header("Cache-Control", "no-store")
            self.finish()
        else:
            self.answer(summary_view(summary, self.context.sharing_mode))

    def compute_etag(self) -> str | None:
        """Leave the ETag to the verb."""
        return None

    def _sequence(self) -> int:
        text = self.get_query_argument("sequence", "-1")
        if not _SEQUENCE.match(text):
            raise RequestInvalid("'sequence' is not a whole number.")
        return int(text)


class RefreshHandler(OidcHandler):
    """``providers/{p}/refresh``: refresh now."""

    @allow("user", "kernel", action="write")
    async def post(self, provider: str) -> None:
        """Refresh the access token and return the summary."""
        self.envelope("refresh.request")
        session = self.services.sessions.of_provider(provider)
        match await session.tokens.refresh():
            case Granted():
                self.answer(summary_view(await session.view.summary(), self.context.sharing_mode))
            case SignInNeeded(code="session_expired"):
                raise SessionExpired
            case SignInNeeded():
                raise NotSignedIn
            case TryLater() as later:
                raise retry_later_problem(later)


class SignOutHandler(OidcHandler):
    """``providers/{p}/sign-out``: end the session here, then at the provider."""

    @allow("user", "kernel", action="write")
    async def post(self, provider: str) -> None:
        """Sign out and report the result of each step; a sign-out page is bound to the requesting browser."""
        self.envelope("sign-out.request")
        session = self.services.sessions.of_provider(provider)
        is_browser = self.kernel_id is None and "Sec-Fetch-Site" in self.request.headers
        result = await session.sign_outs.sign_out(bound=is_browser)
        link, ticket = result.end_session_url, result.ticket
        if ticket is None:
            self.answer(sign_out_view(result, link, link))
            return
        below = url_path_join("jupyter-oidc/providers", provider, "sign-out", ticket.value)
        path, public = url_path_join(self.base_url, below), self.context.public_url(session.settings)
        if ticket.binding is not None:
            self.remember_sign_out(ticket.page, ticket.binding, path, TICKET_SECONDS)
        self.answer(sign_out_view(result, path, f"{public}{below}" if public else None))
