"""Routes that a browser walks through during a sign-in and after a sign-out; they need no Jupyter login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_server.utils import url_path_join

from jupyter_oidc.errors import Problem, ResponseMalformed, SignInDeclined
from jupyter_oidc.server.door import open_door
from jupyter_oidc.server.handler import OidcHandler, fields_of
from jupyter_oidc.server.pages import Page, html_of, policy_of
from jupyter_oidc.server.problems import problem_of
from jupyter_oidc.server.redirects import redirect_uri_for, starts_elsewhere
from jupyter_oidc.sessions.pending import LIFETIME, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_oidc.sessions.pending import PendingSignIn
    from jupyter_oidc.sessions.service import SessionService

COOKIE: Final = "jupyter-oidc-flow-"
MOST_COOKIES: Final = 50


class PageHandler(OidcHandler):
    """Base of routes that answer with a page instead of JSON."""

    def show(self, page: Page, status: int = 200) -> None:
        """Send ``page``, uncacheable, unframeable, and without telling anybody where the browser was."""
        nonce = self.context.entropy.token(128)
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", policy_of(nonce))
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.finish(html_of(page, nonce), set_content_type="text/html; charset=UTF-8")

    def show_problem(self, problem: Problem, *, again: str | None = None) -> None:
        """Send a page that says what went wrong and what to do next (E-1)."""
        declined = isinstance(problem, SignInDeclined)
        links = [("Try again", again)] if again else []
        self.set_header("X-OIDC-Error", problem.code)
        self.show(
            Page(
                title="Sign-in was declined" if declined else "Sign-in did not work",
                lines=(problem.message, problem.action),
                mark="\N{BALLOT X}" if declined else "\N{WARNING SIGN}",
                links=(*links, ("Back to JupyterLab", self.base_url)),
                small=f"{problem.code} · {self.request_id}",
            ),
            # A page is read by a person: 400 for what went wrong here, 502 or 503 for the provider (E-1).
            problem.status if problem.status in (502, 503) else 400,
        )

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Show any problem as a page."""
        info = kwargs.get("exc_info")
        problem = problem_of(info[1]) if isinstance(info, tuple) else None
        if problem is None:
            super().write_error(status_code, **kwargs)
        else:
            self.show_problem(problem)


class StartHandler(PageHandler):
    """``start/{ticket}``: bind the browser, then send it to the provider."""

    @open_door(protection="a one-time ticket of 256 random bits, good for five minutes")
    async def get(self, ticket: str) -> None:
        """Use the ticket once; a browser on another host than the redirect URI's is sent there first."""
        services = self.services
        hopped = self.get_query_argument("hop", "") == "1"
        elsewhere = self._elsewhere() if not hopped else None
        if elsewhere:
            self._go(f"{elsewhere}{self.request.path}?hop=1")
            return
        pending = services.pending.use_ticket(ticket)
        session = services.sessions.of_provider(pending.provider)
        callback = url_path_join(self.base_url, "jupyter-oidc/providers", pending.provider, "callback")
        settings = session.settings
        try:
            redirect_uri = redirect_uri_for(
                settings.redirect_uri,
                protocol=self.request.protocol,
                host=self.request.host,
                callback_path=callback,
            )
        except Problem as problem:
            session.give_up(pending, problem)
            raise
        url, binding = await session.authorization_url(pending, redirect_uri)
        form_post = settings.response_mode == "form_post"
        self.set_cookie(
            COOKIE + pending.flow,
            binding,
            path=urlsplit(redirect_uri).path,
            max_age=int(LIFETIME),
            httponly=True,
            secure=form_post or redirect_uri.startswith("https:"),
            samesite="None" if form_post else "Lax",
        )
        self._go(url)

    def _elsewhere(self) -> str | None:
        """Return where to start instead, if every provider's pinned redirect URI is on one other host."""
        pinned = {service.settings.redirect_uri for service in self.services.sessions}
        origins = {starts_elsewhere(uri, self.request.host) for uri in pinned if uri}
        return origins.pop() if len(origins) == 1 and None not in pinned else None

    def _go(self, url: str) -> None:
        self.set_status(302)
        self.set_header("Location", url)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish()


class CallbackHandler(PageHandler):
    """``providers/{p}/callback``: the end of a sign-in."""

    @open_door(protection="state and binding cookie (R-2, R-9)")
    async def get(self, provider: str) -> None:
        """Take the provider's answer from the query; without one, show how the sign-in ended."""
        session = self.services.sessions.of_provider(provider)
        parameters = fields_of(self.request.query)
        if parameters is not None and [name for name, _ in parameters] == ["flow"]:
            self._show_end(session, parameters[0][1])
        elif session.settings.response_mode == "form_post":
            raise ResponseMalformed(detail="callback.method")
        else:
            await self._end(session, parameters)

    @open_door(protection="state and binding cookie (R-2, R-9)")
    async def post(self, provider: str) -> None:
        """Take the provider's answer from a form (Form Post Response Mode, 2)."""
        session = self.services.sessions.of_provider(provider)
        if session.settings.response_mode != "form_post":
            raise ResponseMalformed(detail="callback.method")
        await self._end(session, self.form())

    async def _end(self, session: SessionService, parameters: list[tuple[str, str]] | None) -> None:
        if parameters is None:
            raise ResponseMalformed(detail="callback.encoding")
        pending = await session.callback(parameters, self._bindings())
        if pending.progress is Progress.COMPLETED:
            self.set_status(303)
            self.set_header("Location", f"{self.request.path}?flow={pending.flow}")
            self.set_header("Cache-Control", "no-store")
            self.set_header("Referrer-Policy", "no-referrer")
            self.finish()
        else:
            self.show_problem(pending.problem or ResponseMalformed(), again=self._again(session, pending))

    def _show_end(self, session: SessionService, flow: str) -> None:
        pending = self.services.pending.find(flow, session.settings.name)
        if not self.services.pending.is_bound(pending, self._bindings()):
            self.show(Page("This sign-in is over", ("You can close this window.",), "\N{CHECK MARK}"))
        elif pending.progress is Progress.COMPLETED:
            self.show(
                Page(
                    "You are signed in",
                    ("You can close this window and go back to JupyterLab.",),
                    "\N{CHECK MARK}",
                    links=(("Back to JupyterLab", pending.next or self.base_url),),
                    closes=True,
                ),
            )
        else:
            self.show_problem(pending.problem or ResponseMalformed())

    def _again(self, session: SessionService, pending: PendingSignIn) -> str:
        """Return the start of another attempt, which begins by a click and never by itself (E-1)."""
        return url_path_join(self.base_url, "jupyter-oidc", "start", session.offer(pending))

    def _bindings(self) -> list[str]:
        """Return the values of the browser's binding cookies."""
        return bindings_in(self.request.headers.get_list("Cookie"))


def bindings_in(headers: Iterable[str]) -> list[str]:
    """Return the values of the first 50 binding cookies in the ``Cookie`` headers, those of one name included.

    Whatever else is in the jar is passed over, because every program on this host, whatever its port, can put things
    there that no cookie may hold; ours need no quotes.
    """
    pairs = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
    return [value for name, _, value in pairs if name.startswith(COOKIE)][:MOST_COOKIES]


class SignedOutHandler(PageHandler):
    """``providers/{p}/signed-out``: the page after a sign-out; works for anybody, does nothing (L-7)."""

    @open_door(protection="has no side effect and shows nothing about anybody")
    async def get(self, provider: str) -> None:
        """Say that the browser is signed out."""
        self.services.sessions.of_provider(provider)
        self.show(
            Page(
                "You are signed out",
                ("You can close this window.",),
                "\N{CHECK MARK}",
                links=(("Back to JupyterLab", self.base_url),),
            ),
        )
