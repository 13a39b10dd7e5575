"""Routes that a browser visits during a sign-in and a sign-out; those that ask its user need a Jupyter login."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import authenticated
from typing_extensions import assert_never

from jupyter_oidc.errors import (
    Forbidden,
    IdpUnavailable,
    Problem,
    RequestInvalid,
    ResponseMalformed,
    SignInDeclined,
    StateInvalid,
    StateUsed,
)
from jupyter_oidc.server.access_rule import allow, public_route
from jupyter_oidc.server.handler import SIGN_OUT_COOKIE_PREFIX, OidcHandler, cookies_in, fields_of
from jupyter_oidc.server.loopback import LoopbackListener
from jupyter_oidc.server.pages import Page, html_of, policy_of
from jupyter_oidc.server.problems import problem_of
from jupyter_oidc.server.redirects import redirect_uri_for, require_browser_on_this_machine, starts_elsewhere
from jupyter_oidc.server.sign_out_page import shown_how, sign_out_html, sign_out_policy
from jupyter_oidc.sessions.pending import SIGN_IN_LIFETIME_SECONDS, Progress
from jupyter_oidc.sessions.sign_out_pages import RETURN_SECONDS
from jupyter_oidc.sessions.strategy import pins_server
from jupyter_oidc.settings.redirect_uri import leads_through_hub

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_oidc.server.handler import Context
    from jupyter_oidc.sessions.pending import PendingSignIn
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.sessions.sign_out_pages import Shown
    from jupyter_oidc.settings import Provider

BINDING_COOKIE_PREFIX: Final = "jupyter-oidc-flow-"

SILENT_REDIRECT_TIMEOUT_SECONDS: Final = 5.0
"""Seconds from the start of a silent sign-in to the redirect to the provider; the page itself waits ten."""


class PageHandler(OidcHandler):
    """Base of routes that answer with a page instead of JSON."""

    def show(self, page: Page, status: int = 200) -> None:
        """Send ``page``, uncacheable, unframeable, and with no referrer."""
        nonce = self.context.entropy.token(128)
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", policy_of(nonce, form=page.form is not None))
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.finish(html_of(page, nonce), set_content_type="text/html; charset=UTF-8")

    @property
    def home(self) -> str:
        """The address of JupyterLab."""
        return str(self.base_url)

    def redirect_to(self, url: str) -> None:
        """Send the browser to ``url``."""
        self.set_status(302)
        self.set_header("Location", url)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish()

    def redirect_to_target(self, pending: PendingSignIn) -> None:
        """Send the browser on to the page that tried a silent sign-in, with no trace of it in the address (R-10)."""
        self.set_status(303)
        self.set_header("Location", self.target_of(pending))
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish()

    def target_of(self, pending: PendingSignIn) -> str:
        """Return the address at which the person goes on: a path of this server, on JupyterLab's origin."""
        return urljoin(self.home, pending.options.next or self.base_url)

    def bind_browser(
        self, pending: PendingSignIn, binding: str, redirect_uri: str, *, form_post: bool, path: str | None = None
    ) -> None:
        """Set the binding cookie for the path that the provider sends the browser back to (A-9, A-10).

        ``path`` is the last path on the way back, if a server in between redirects the browser.
        """
        self.set_cookie(
            BINDING_COOKIE_PREFIX + pending.flow,
            binding,
            path=path or urlsplit(redirect_uri).path,
            max_age=int(SIGN_IN_LIFETIME_SECONDS),
            httponly=True,
            secure=form_post or redirect_uri.startswith("https:"),
            samesite="None" if form_post else "Lax",
        )

    what = "Sign-in"
    """The action that failed, as a problem's page names it."""

    def show_problem(self, problem: Problem, *, again: str | None = None, onward: str | None = None) -> None:
        """Send a page with the problem and the next action (E-1); ``onward`` leads to the provider."""
        declined = isinstance(problem, SignInDeclined)
        links = [("Try again", again)] if again else []
        links += [("Sign out at the provider", onward)] if onward else []
        self.set_header("X-OIDC-Error", problem.code)
        self.show(
            Page(
                title="Sign-in was declined" if declined else f"{self.what} did not work",
                lines=(problem.message, problem.action),
                mark="\N{BALLOT X}" if declined else "\N{WARNING SIGN}",
                links=(*links, ("Back to JupyterLab", self.home)),
                small=f"{problem.code} · {self.request_id}",
            ),
            _page_status(problem),
        )

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Show any problem as a page."""
        info = kwargs.get("exc_info")
        problem = problem_of(info[1]) if isinstance(info, tuple) else None
        if problem is None:
            super().write_error(status_code, **kwargs)
        else:
            self.note_refusal(problem)
            self.show_problem(problem)


def _page_status(problem: Problem) -> int:
    """Return the status of a page: 502 or 503 for the provider, 408 for a slow body, mostly 400 for the rest (E-1).

    The browser brought an answer that names another issuer, so it may not be the provider's, and is no 502 (A7).
    """
    came_with_the_browser = problem.detail == "callback.iss"
    return problem.status if problem.status in (401, 403, 405, 408, 502, 503) and not came_with_the_browser else 400


class StartHandler(PageHandler):
    """``start/{ticket}``: bind the browser, then send it to the provider."""

    @public_route(protection="a one-time ticket of 256 random bits, good for five minutes")
    async def get(self, ticket: str) -> None:
        """Use the ticket once; a browser on another host than the redirect URI's is sent there first."""
        services = self.services
        is_redirected = self.get_query_argument("hop", "") == "1"
        other_origin = self._other_start_origin() if not is_redirected else None
        if other_origin:
            self.redirect_to(f"{other_origin}{self.request.path}?hop=1")
            return
        pending = services.pending.use_ticket(ticket)
        session = services.sessions.of_sign_in(pending)
        try:
            await self._start(session, pending)
        except Problem as problem:
            session.sign_ins.give_up(pending, problem)
            self.note_refusal(problem, pending.flow, is_audited=True)
            if pending.options.silent:
                self.redirect_to_target(pending)
            else:
                self.show_problem(problem)

    async def _start(self, session: SessionService, pending: PendingSignIn) -> None:
        """Send the browser on, by the place where the provider's answer is to arrive."""
        answer = pending.facts.answer
        match answer:
            case "callback":
                await self._start_redirect(session, pending)
            case "listener":
                await self._start_loopback(session, pending)
            case "pasted":
                await self._start_paste(session, pending)
            case "polled":  # NOTE: such a sign-in has no ticket, so no browser gets here
                raise StateInvalid(detail="start.ticket")
            case _:
                assert_never(answer)

    async def _start_redirect(self, session: SessionService, pending: PendingSignIn) -> None:
        """Send the browser to the provider, from where it comes back to the callback route."""
        settings = session.settings
        redirect_uri = redirect_uri_for(
            settings.redirect_uri,
            protocol=self.request.protocol,
            host=self.request.host,
            callback_path=self._callback_path(pending),
        )
        by_hub = leads_through_hub(redirect_uri, pending.provider)
        # NOTE: the Hub sends a browser to its user's default server; a named one is found by the end of the state.
        named = os.environ.get("JUPYTERHUB_SERVER_NAME", "") if by_hub else ""
        going = session.sign_ins.authorization_url(pending, redirect_uri, server_name=named)
        try:
            # NOTE: later the user may have begun to work in the page, and it must not navigate away then.
            url, binding = await asyncio.wait_for(
                going, SILENT_REDIRECT_TIMEOUT_SECONDS if pending.options.silent else None
            )
        except asyncio.TimeoutError:
            raise IdpUnavailable(detail="silent.slow") from None
        form_post = settings.response_mode == "form_post"
        path = self._callback_path(pending) if by_hub else None
        self.bind_browser(pending, binding, redirect_uri, form_post=form_post, path=path)
        self.redirect_to(url)

    async def _start_loopback(self, session: SessionService, pending: PendingSignIn) -> None:
        """Open a listener on this machine and send the browser there first."""
        require_browser_on_this_machine(self.request.host, self.request.remote_ip or "")
        listener = LoopbackListener(
            session,
            pending,
            home=f"{self.request.protocol}://{self.request.host}{self.base_url}",
            nonce=self.context.entropy.token(256),
        )
        uri = session.settings.redirect_uri or f"http://127.0.0.1{self._callback_path(pending)}"
        given = {"context": self.context}
        seconds = pending.seconds_left(self.services.clock.now())
        listeners = self.context.loopback_listeners
        self.redirect_to(
            await listeners.open(self.application, LoopbackHandler, given, listener, uri=uri, seconds=seconds)
        )

    async def _start_paste(self, session: SessionService, pending: PendingSignIn) -> None:
        """Send the browser to the provider; the person copies the address at which it ends."""
        url, _ = await session.sign_ins.authorization_url(pending, session.settings.redirect_uri or "")
        self.redirect_to(url)

    def _callback_path(self, pending: PendingSignIn) -> str:
        return str(url_path_join(self.base_url, "jupyter-oidc/providers", pending.provider, "callback"))

    def _other_start_origin(self) -> str | None:
        """Return the origin to start at instead, if every provider's pinned redirect URI is on one other host."""
        every = [service.settings for service in self.services.sessions]
        addresses = {self._address_of(one) for one in every if pins_server(one)}
        origins = {starts_elsewhere(one, self.request.host) for one in addresses}
        return origins.pop() if len(origins) == 1 and all(pins_server(one) for one in every) else None

    def _address_of(self, settings: Provider) -> str:
        """Return an address at the host to which the browser comes back in the end."""
        uri = settings.redirect_uri or ""
        if leads_through_hub(uri, settings.name) and self.context.browser_location.has_own_host:
            return self.context.public_url(settings) or f"{self.request.protocol}://{self.request.host}"
        return uri


class CallbackHandler(PageHandler):
    """``providers/{p}/callback``: the end of a sign-in."""

    @property
    def expected_sign_in(self) -> PendingSignIn | None:
        """The one sign-in that may end here; ``None`` for every one that comes back to the server."""
        return None

    @public_route(protection="state and binding cookie (R-2, R-9)")
    async def get(self, provider: str) -> None:
        """Take the provider's answer from the query; without one, show how the sign-in ended."""
        parameters = fields_of(self.request.query)
        session = self._session(provider, parameters)
        if parameters is not None and [name for name, _ in parameters] == ["flow"]:
            self.show_outcome(session, parameters[0][1])
        elif session.settings.response_mode == "form_post":
            self.refuse(session, ResponseMalformed(detail="callback.method"))
        else:
            await self.end(session, parameters)

    @public_route(protection="state and binding cookie (R-2, R-9)")
    async def post(self, provider: str) -> None:
        """Take the provider's answer from a form (Form Post Response Mode, 2)."""
        parameters = self.form()
        session = self._session(provider, parameters)
        if session.settings.response_mode != "form_post":
            self.refuse(session, ResponseMalformed(detail="callback.method"))
            return
        await self.end(session, parameters)

    def _session(self, provider: str, parameters: list[tuple[str, str]] | None) -> SessionService:
        """Return the service at which the answered sign-in was begun, which judges the answer."""
        session = self.services.sessions.of_provider(provider)
        state = next((value for name, value in parameters or () if name == "state"), None)
        pending = None if state is None else self.services.pending.of_answer(provider, state)
        return session if pending is None else self.services.sessions.of_sign_in(pending)

    async def end(self, session: SessionService, parameters: list[tuple[str, str]] | None) -> None:
        """End the sign-in with the provider's answer, and remove the answer from the address bar (R-10)."""
        if parameters is None:
            self.refuse(session, ResponseMalformed(detail="callback.encoding"))
            return
        flow = self._flow_of(parameters)
        self.note_refusal(None, flow or "")
        pending = await session.sign_ins.callback(parameters, self._bindings(flow), self.expected_sign_in)
        if pending.options.silent and pending.question is None:
            self.redirect_to_target(pending)
        elif pending.progress is Progress.COMPLETED:
            self.set_status(303)
            self.set_header("Location", f"{self.request.path}?flow={pending.flow}")
            self.set_header("Cache-Control", "no-store")
            self.set_header("Referrer-Policy", "no-referrer")
            self.finish()
        elif pending.question is not None:
            self.set_status(303)
            self.set_header("Location", f"{self.request.path}/person?flow={pending.flow}")
            self.set_header("Cache-Control", "no-store")
            self.set_header("Referrer-Policy", "no-referrer")
            self.finish()
        else:
            self._show_failure(pending, again=self._retry_url(session, pending))

    def refuse(self, session: SessionService, problem: ResponseMalformed) -> None:
        """End the sign-in of an answer in a wrong form, and show the fault (Q1.12)."""
        text = self.request.query if self.request.method == "GET" else self.body.decode("latin-1")
        try:
            parameters = parse_qsl(text, keep_blank_values=True)
        except ValueError:
            parameters = []
        pending = session.sign_ins.refuse(
            parameters, self._bindings(self._flow_of(parameters)), problem, self.expected_sign_in
        )
        if pending.options.silent:
            self.redirect_to_target(pending)
        else:
            self.show_problem(problem, again=self._retry_url(session, pending))

    def show_outcome(self, session: SessionService, flow: str) -> None:
        """Show how the sign-in ``flow`` ended, to the browser that took part in it."""
        pending = self.services.pending.find(flow, session.settings.name)
        if not self.services.pending.is_bound(pending, self._bindings(pending.flow)):
            self.show(Page("This sign-in is over", ("You can close this window.",), "\N{CHECK MARK}"))
        elif pending.progress is Progress.COMPLETED:
            told = "You can close this window and go back to JupyterLab."
            self.show(
                Page(
                    "You are signed in already" if pending.overtaken else "You are signed in",
                    ("You got in by another way meanwhile, so nothing was changed.", told)
                    if pending.overtaken
                    else (told,),
                    "\N{CHECK MARK}",
                    links=(("Back to JupyterLab", self.target_of(pending)),),
                    closes=True,
                ),
            )
        else:
            self._show_failure(pending)

    def _show_failure(self, pending: PendingSignIn, *, again: str | None = None) -> None:
        """Show how a sign-in failed; the audit trail has the failure already."""
        problem = pending.problem or ResponseMalformed()
        self.note_refusal(problem, pending.flow, is_audited=True)
        self.show_problem(problem, again=again)

    def _retry_url(self, session: SessionService, pending: PendingSignIn) -> str:
        """Return the start of another attempt, which begins by a click and never by itself (E-1)."""
        return url_path_join(self.home, "jupyter-oidc", "start", session.sign_ins.offer_again(pending))

    def _flow_of(self, parameters: list[tuple[str, str]]) -> str | None:
        """Return the sign-in whose state the browser brings; whether it belongs to this browser is judged later."""
        states = [value for name, value in parameters if name == "state"]
        return self.services.pending.flow_of_state(states[0]) if len(states) == 1 else None

    def _bindings(self, flow: str | None) -> list[str]:
        """Return the values of the browser's cookies for the sign-in ``flow``."""
        return binding_cookies(self.request.headers.get_list("Cookie"), flow) if flow is not None else []


def binding_cookies(headers: Iterable[str], flow: str) -> list[str]:
    """Return the values of the first eight binding cookies of ``flow`` in the ``Cookie`` headers.

    State leads to the flow and the flow to its one cookie, so cookies of other sign-ins do not count.
    """
    return cookies_in(headers, BINDING_COOKIE_PREFIX + flow)


@authenticated
def _redirect_to_login(_handler: PageHandler) -> None:
    """Send a browser without a login to Jupyter's or the Hub's login page, which sends it back here."""


class LoginPageHandler(PageHandler):
    """Base of pages with a question to Jupyter's user, on routes that other callers may try too."""

    _leads_to_login = False

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Show a problem as a page to a browser, and as JSON to every other client."""
        reads_pages = "text/html" in self.request.headers.get("Accept", "")
        if reads_pages and self.request.method == "GET" and not self.current_user and self._is_forbidden(kwargs):
            self.set_header("Cache-Control", "no-store")
            self._leads_to_login = True
            _redirect_to_login(self)
            return
        base = PageHandler if reads_pages else OidcHandler
        base.write_error(self, status_code, **kwargs)

    def get_login_url(self) -> str:
        """Return Jupyter's login page, for a browser that shows pages; any other client is refused as by any API."""
        return str(super(APIHandler, self).get_login_url() if self._leads_to_login else super().get_login_url())

    @staticmethod
    def _is_forbidden(kwargs: dict[str, Any]) -> bool:
        info = kwargs.get("exc_info")
        return isinstance(problem_of(info[1]) if info else None, Forbidden)


class PersonHandler(LoginPageHandler):
    """``providers/{p}/callback/person``: asks the user at the browser whether another person takes over (A26).

    Its path is below the callback's, so that the browser sends the binding cookie of the sign-in.
    """

    @allow("user", action="write", from_other_sites=True)
    async def get(self, provider: str) -> None:
        """Show the question."""
        pending = self._pending(provider)
        question = pending.question
        if question is None:
            raise StateUsed
        here = f"{self.request.path}?{urlencode({'flow': pending.flow, '_xsrf': self.xsrf_token.decode('ascii')})}"
        if question.is_over:
            title, keep = "Somebody else was signed in", "Do not sign in"
            lines = (
                f"You were signed in as {question.now}. At the provider this browser is now {question.instead}.",
                "If that is not you, do not sign in.",
            )
        else:
            title, keep = "Somebody else is signed in", f"Stay {question.now}"
            lines = (
                f"You are signed in as {question.now}. Sign in as {question.instead} instead?",
                "If you did not begin this sign-in yourself, keep what you have.",
            )
        answers = (("keep", keep), ("change", f"Sign in as {question.instead}"))
        self.show(Page(title, lines, "\N{BLACK QUESTION MARK ORNAMENT}", form=(here, answers)))

    @allow("user", action="write")
    async def post(self, provider: str) -> None:
        """Read the user's answer."""
        pending = self._pending(provider)
        answers = [value for name, value in self.form() or () if name == "answer"]
        if answers not in (["change"], ["keep"]):
            raise RequestInvalid("The answer is neither 'keep' nor 'change'.")
        sign_ins = self.services.sessions.of_sign_in(pending).sign_ins
        await sign_ins.answer(pending, change=answers == ["change"])
        if pending.options.silent:
            self.redirect_to_target(pending)
        elif pending.progress is Progress.COMPLETED:
            self.set_status(303)
            self.set_header("Location", f"{self.request.path.removesuffix('/person')}?flow={pending.flow}")
            self.set_header("Cache-Control", "no-store")
            self.finish()
        elif answers == ["keep"]:
            self.show(Page("Nothing was changed", ("You can close this window.",), "\N{CHECK MARK}", closes=True))
        else:
            self.show_problem(pending.problem or StateUsed())

    def _pending(self, provider: str) -> PendingSignIn:
        """Return the sign-in of this browser; a caller with Jupyter's token instead of a login is no browser."""
        known = self.services.pending
        if self.token_authenticated:
            raise Forbidden("Only somebody who is logged in to Jupyter with a browser can answer this.")
        pending = known.find(self.get_query_argument("flow", ""), provider)
        if not known.is_bound(pending, binding_cookies(self.request.headers.get_list("Cookie"), pending.flow)):
            raise StateInvalid(detail="person.binding")
        return pending


class LoopbackHandler(CallbackHandler):
    """The one page of a :class:`~jupyter_oidc.server.loopback.LoopbackListener`: its beginning, its answer, its end."""

    def initialize(self, context: Context, listener: LoopbackListener | None = None) -> None:
        """Store the listener that this request came through."""
        super().initialize(context)
        assert listener is not None  # noqa: S101 - the listener itself made this handler
        self.listener = listener

    @property
    def home(self) -> str:
        """The address of JupyterLab, which has another origin than this page."""
        return self.listener.home

    @property
    def provider_name(self) -> str:
        """The provider of the sign-in that this listener is for."""
        return self.listener.session.settings.name

    @property
    def expected_sign_in(self) -> PendingSignIn:
        """The sign-in that this listener is for."""
        return self.listener.pending

    @public_route(protection="a one-time nonce of 256 random bits, then state and binding cookie (R-2)")
    async def get(self) -> None:
        """Begin with the nonce, end with the provider's answer, and show how it ended."""
        parameters = fields_of(self.request.query)
        match [name for name, _ in parameters or ()]:
            case ["start"]:
                await self._begin((parameters or [])[0][1])
            case ["flow"]:
                self.show_outcome(self.listener.session, (parameters or [])[0][1])
                # NOTE: any page may request this address; only the end of the sign-in closes the listener.
                if self.expected_sign_in.done.is_set() and self.services.pending.is_bound(
                    self.expected_sign_in, self._bindings(self.expected_sign_in.flow)
                ):
                    self.listener.last_page_shown.set()
            case _:
                await self.end(self.listener.session, parameters)

    async def _begin(self, nonce: str) -> None:
        listener = self.listener
        if not listener.consume_nonce(nonce):
            raise StateInvalid(detail="loopback.start")
        url, binding = await listener.session.sign_ins.authorization_url(listener.pending, listener.redirect_uri)
        self.bind_browser(listener.pending, binding, listener.redirect_uri, form_post=False)
        self.redirect_to(url)


class SignOutPageHandler(LoginPageHandler):
    """``providers/{p}/sign-out/{ticket}``: the browser goes to the provider's sign-out page from here (ADR 39)."""

    what = "Sign-out"

    @allow("user", action="write", from_other_sites=True)
    async def get(self, provider: str, ticket: str) -> None:
        """Show the form once, to a browser that is logged in to Jupyter and requests it as a document."""
        session, pages = self.services.sessions.of_provider(provider), self.services.sign_out_pages
        if self.token_authenticated:
            raise Forbidden("Only somebody who is logged in to Jupyter with a browser can open this.")
        try:
            opened = pages.open(provider, ticket, self._cookies, self._shown)
        except StateInvalid as problem:
            self.note_refusal(problem)
            self.show_problem(problem, onward=session.sign_outs.logout_link())
            return
        nonce = self.context.entropy.token(128)
        back = url_path_join(self.base_url, "jupyter-oidc/providers", provider, "signed-out")
        self.remember_sign_out(opened.page, opened.binding, back, RETURN_SECONDS)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", sign_out_policy(opened.request, nonce))
        self.clear_header("Cross-Origin-Opener-Policy")  # NOTE: Jupyter's settings may set it for every page
        page = sign_out_html(opened.request, opened.id_token_hint, nonce)
        self.finish(page, set_content_type="text/html; charset=UTF-8")

    @property
    def _shown(self) -> Shown:
        """The use that the browser makes of the page; a caller without a login is no known browser."""
        shown = shown_how(self.request.headers)
        return shown if self.identity_provider.auth_enabled or shown == "elsewhere" else "unknown"

    def _cookies(self, page: str) -> list[str]:
        return self.cookies_named(SIGN_OUT_COOKIE_PREFIX + page)


class SignedOutHandler(PageHandler):
    """``providers/{p}/signed-out``: the page after a sign-out; works for every browser, changes no session (L-7)."""

    @public_route(
        protection="changes no session and shows nothing about anybody; a state with its cookie is what it believes"
    )
    async def get(self, provider: str) -> None:
        """Show "signed out" to a browser that returns from a sign-out of this server (RP-Initiated Logout 1.0, 3)."""
        self.services.sessions.of_provider(provider)
        states = [value for name, value in fields_of(self.request.query) or () if name == "state"]
        ended = len(states) == 1 and self.services.sign_out_pages.came_back(provider, states[0], self._cookies)
        links = (("Back to JupyterLab", self.base_url),)
        if ended:
            self.show(Page("You are signed out", ("You can close this window.",), "\N{CHECK MARK}", links=links))
            return
        if states:
            self.set_header("X-OIDC-Error", StateInvalid.code)
            self.note_refusal(StateInvalid(detail="sign-out.state"))
        told = "This page was not reached by a sign-out that began in this browser."
        lines = (told if states else "The provider has sent you back.", "JupyterLab shows whether you are signed in.")
        self.show(Page("Back from the provider", lines, "\N{INFORMATION SOURCE}", links=links))

    def _cookies(self, page: str) -> list[str]:
        return self.cookies_named(SIGN_OUT_COOKIE_PREFIX + page)
