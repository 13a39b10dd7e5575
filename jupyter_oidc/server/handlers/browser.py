"""Routes that a browser walks through during a sign-in and after a sign-out; they need no Jupyter login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from jupyter_server.utils import url_path_join

from jupyter_oidc.errors import (
    Forbidden,
    Problem,
    RequestInvalid,
    ResponseMalformed,
    SignInDeclined,
    StateInvalid,
    StateUsed,
)
from jupyter_oidc.server.door import door, open_door
from jupyter_oidc.server.handler import OidcHandler, fields_of
from jupyter_oidc.server.loopback import LoopbackDoor
from jupyter_oidc.server.pages import Page, html_of, policy_of
from jupyter_oidc.server.problems import problem_of
from jupyter_oidc.server.redirects import must_be_near, redirect_uri_for, starts_elsewhere
from jupyter_oidc.sessions.pending import LIFETIME, Progress
from jupyter_oidc.sessions.strategy import pins_server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_oidc.server.handler import Context
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
        self.set_header("Content-Security-Policy", policy_of(nonce, form=page.form is not None))
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.finish(html_of(page, nonce), set_content_type="text/html; charset=UTF-8")

    @property
    def home(self) -> str:
        """Where JupyterLab is."""
        return str(self.base_url)

    def go(self, url: str) -> None:
        """Send the browser to ``url``."""
        self.set_status(302)
        self.set_header("Location", url)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish()

    def bind_browser(self, pending: PendingSignIn, binding: str, redirect_uri: str, *, form_post: bool) -> None:
        """Set the binding cookie for the path that the provider sends the browser back to (A-9, A-10)."""
        self.set_cookie(
            COOKIE + pending.flow,
            binding,
            path=urlsplit(redirect_uri).path,
            max_age=int(LIFETIME),
            httponly=True,
            secure=form_post or redirect_uri.startswith("https:"),
            samesite="None" if form_post else "Lax",
        )

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
            self.show_problem(problem)


def _page_status(problem: Problem) -> int:
    """Return the status of a page, which a person reads: 502 or 503 for the provider, mostly 400 for the rest (E-1).

    An answer that names another issuer was brought by the browser, and is not known to be the provider's (A7).
    """
    came_with_the_browser = problem.detail == "callback.iss"
    return problem.status if problem.status in (401, 403, 405, 502, 503) and not came_with_the_browser else 400


class StartHandler(PageHandler):
    """``start/{ticket}``: bind the browser, then send it to the provider."""

    @open_door(protection="a one-time ticket of 256 random bits, good for five minutes")
    async def get(self, ticket: str) -> None:
        """Use the ticket once; a browser on another host than the redirect URI's is sent there first."""
        services = self.services
        hopped = self.get_query_argument("hop", "") == "1"
        elsewhere = self._elsewhere() if not hopped else None
        if elsewhere:
            self.go(f"{elsewhere}{self.request.path}?hop=1")
            return
        pending = services.pending.use_ticket(ticket)
        session = services.sessions.of_provider(pending.provider)
        ways = {"loopback": self._through_listener, "paste": self._to_be_pasted}
        try:
            await ways.get(pending.strategy, self._and_back)(session, pending)
        except Problem as problem:
            session.sign_ins.give_up(pending, problem)
            raise

    async def _and_back(self, session: SessionService, pending: PendingSignIn) -> None:
        """Send the browser to the provider, from where it comes back to the callback route."""
        settings = session.settings
        redirect_uri = redirect_uri_for(
            settings.redirect_uri,
            protocol=self.request.protocol,
            host=self.request.host,
            callback_path=self._callback_path(pending),
        )
        url, binding = await session.sign_ins.authorization_url(pending, redirect_uri)
        form_post = settings.response_mode == "form_post"
        self.bind_browser(pending, binding, redirect_uri, form_post=form_post)
        self.go(url)

    async def _through_listener(self, session: SessionService, pending: PendingSignIn) -> None:
        """Open a listener on this machine and send the browser there first."""
        must_be_near(self.request.host, self.request.remote_ip or "")
        door = LoopbackDoor(
            session,
            pending,
            home=f"{self.request.protocol}://{self.request.host}{self.base_url}",
            word=self.context.entropy.token(256),
        )
        uri = session.settings.redirect_uri or f"http://127.0.0.1{self._callback_path(pending)}"
        given = {"context": self.context}
        seconds = pending.seconds_left(self.services.clock.now())
        doors = self.context.doors
        self.go(await doors.open(self.application, LoopbackHandler, given, door, uri=uri, seconds=seconds))

    async def _to_be_pasted(self, session: SessionService, pending: PendingSignIn) -> None:
        """Send the browser to the provider; the person copies the address at which it ends."""
        url, _ = await session.sign_ins.authorization_url(pending, session.settings.redirect_uri or "")
        self.go(url)

    def _callback_path(self, pending: PendingSignIn) -> str:
        return str(url_path_join(self.base_url, "jupyter-oidc/providers", pending.provider, "callback"))

    def _elsewhere(self) -> str | None:
        """Return where to start instead, if every provider's pinned redirect URI is on one other host."""
        every = [service.settings for service in self.services.sessions]
        origins = {starts_elsewhere(one.redirect_uri or "", self.request.host) for one in every if pins_server(one)}
        return origins.pop() if len(origins) == 1 and all(pins_server(one) for one in every) else None


class CallbackHandler(PageHandler):
    """``providers/{p}/callback``: the end of a sign-in."""

    @property
    def only(self) -> PendingSignIn | None:
        """The one sign-in that may end here; ``None`` for every one that comes back to the server."""
        return None

    @open_door(protection="state and binding cookie (R-2, R-9)")
    async def get(self, provider: str) -> None:
        """Take the provider's answer from the query; without one, show how the sign-in ended."""
        session = self.services.sessions.of_provider(provider)
        parameters = fields_of(self.request.query)
        if parameters is not None and [name for name, _ in parameters] == ["flow"]:
            self.show_end(session, parameters[0][1])
        elif session.settings.response_mode == "form_post":
            self.refuse(session, ResponseMalformed(detail="callback.method"))
        else:
            await self.end(session, parameters)

    @open_door(protection="state and binding cookie (R-2, R-9)")
    async def post(self, provider: str) -> None:
        """Take the provider's answer from a form (Form Post Response Mode, 2)."""
        session = self.services.sessions.of_provider(provider)
        if session.settings.response_mode != "form_post":
            self.refuse(session, ResponseMalformed(detail="callback.method"))
            return
        await self.end(session, self.form())

    async def end(self, session: SessionService, parameters: list[tuple[str, str]] | None) -> None:
        """Take the provider's answer, and take it out of the address bar (R-10)."""
        if parameters is None:
            self.refuse(session, ResponseMalformed(detail="callback.encoding"))
            return
        pending = await session.sign_ins.callback(parameters, self._bindings(), self.only)
        if pending.progress is Progress.COMPLETED:
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
            self.show_problem(pending.problem or ResponseMalformed(), again=self._again(session, pending))

    def refuse(self, session: SessionService, problem: ResponseMalformed) -> None:
        """End the sign-in of an answer that came in another form than it should, and say what was wrong (Q1.12)."""
        text = self.request.query if self.request.method == "GET" else self.body.decode("latin-1")
        try:
            parameters = parse_qsl(text, keep_blank_values=True)
        except ValueError:
            parameters = []
        pending = session.sign_ins.refuse(parameters, self._bindings(), problem, self.only)
        self.show_problem(problem, again=self._again(session, pending))

    def show_end(self, session: SessionService, flow: str) -> None:
        """Show how the sign-in ``flow`` ended, to the browser that took part in it."""
        pending = self.services.pending.find(flow, session.settings.name)
        if not self.services.pending.is_bound(pending, self._bindings()):
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
                    links=(("Back to JupyterLab", self._target(pending)),),
                    closes=True,
                ),
            )
        else:
            self.show_problem(pending.problem or ResponseMalformed())

    def _again(self, session: SessionService, pending: PendingSignIn) -> str:
        """Return the start of another attempt, which begins by a click and never by itself (E-1)."""
        return url_path_join(self.home, "jupyter-oidc", "start", session.sign_ins.offer_again(pending))

    def _target(self, pending: PendingSignIn) -> str:
        """Return where the person goes on: a path of this server, seen from where JupyterLab is."""
        return urljoin(self.home, pending.wishes.next or self.base_url)

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


class AskingHandler(PageHandler):
    """Base of pages that ask Jupyter's user something, on routes that other callers may try too."""

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Show a problem as a page to who reads pages, and as JSON to everybody else."""
        base = PageHandler if "text/html" in self.request.headers.get("Accept", "") else OidcHandler
        base.write_error(self, status_code, **kwargs)


class PersonHandler(AskingHandler):
    """``providers/{p}/callback/person``: whether another person takes over, asked of whoever is at the browser (A26).

    It stands below the callback, so that the browser brings the binding cookie of the sign-in along.
    """

    @door("user", action="write", from_other_sites=True)
    async def get(self, provider: str) -> None:
        """Ask."""
        pending = self._pending(provider)
        question = pending.question
        if question is None:
            raise StateUsed
        here = f"{self.request.path}?{urlencode({'flow': pending.flow, '_xsrf': self.xsrf_token.decode('ascii')})}"
        self.show(
            Page(
                "Somebody else is signed in",
                (
                    f"You are signed in as {question.now}. Sign in as {question.instead} instead?",
                    "If you did not begin this sign-in yourself, keep what you have.",
                ),
                "\N{BLACK QUESTION MARK ORNAMENT}",
                form=(here, (("keep", f"Stay {question.now}"), ("change", f"Sign in as {question.instead}"))),
            ),
        )

    @door("user", action="write")
    async def post(self, provider: str) -> None:
        """Take the answer."""
        pending = self._pending(provider)
        answers = [value for name, value in self.form() or () if name == "answer"]
        if answers not in (["change"], ["keep"]):
            raise RequestInvalid("The answer is neither 'keep' nor 'change'.")
        sign_ins = self.services.sessions.of_provider(provider).sign_ins
        await sign_ins.answer(pending, change=answers == ["change"])
        if pending.progress is Progress.COMPLETED:
            self.set_status(303)
            self.set_header("Location", f"{self.request.path.removesuffix('/person')}?flow={pending.flow}")
            self.set_header("Cache-Control", "no-store")
            self.finish()
        elif answers == ["keep"]:
            self.show(Page("Nothing was changed", ("You can close this window.",), "\N{CHECK MARK}", closes=True))
        else:
            self.show_problem(pending.problem or StateUsed())

    def _pending(self, provider: str) -> PendingSignIn:
        """Return the sign-in of this browser; who shows Jupyter's token in place of a login is no browser."""
        if self.token_authenticated:
            raise Forbidden("Only somebody who is logged in to Jupyter with a browser can answer this.")
        pending = self.services.pending.find(self.get_query_argument("flow", ""), provider)
        if not self.services.pending.is_bound(pending, bindings_in(self.request.headers.get_list("Cookie"))):
            raise StateInvalid(detail="person.binding")
        return pending


class LoopbackHandler(CallbackHandler):
    """The one page of a :class:`~jupyter_oidc.server.loopback.LoopbackDoor`: its beginning, its answer, its end."""

    def initialize(self, context: Context, door: LoopbackDoor | None = None) -> None:
        """Take over the door that this request came through."""
        super().initialize(context)
        assert door is not None  # noqa: S101 - the door itself made this handler
        self.door = door

    @property
    def home(self) -> str:
        """Where JupyterLab is, which is not where this page is."""
        return self.door.home

    @property
    def only(self) -> PendingSignIn:
        """The sign-in that this door is for."""
        return self.door.pending

    @open_door(protection="a one-time word of 256 random bits, then state and binding cookie (R-2)")
    async def get(self) -> None:
        """Begin with the word, end with the provider's answer, and show how it ended."""
        parameters = fields_of(self.request.query)
        match [name for name, _ in parameters or ()]:
            case ["start"]:
                await self._begin((parameters or [])[0][1])
            case ["flow"]:
                self.show_end(self.door.session, (parameters or [])[0][1])
                # NOTE: any page may ask for this address; the door closes behind the browser that it is for, at the end.
                if self.only.done.is_set() and self.services.pending.is_bound(self.only, self._bindings()):
                    self.door.last_page_shown.set()
            case _:
                await self.end(self.door.session, parameters)

    async def _begin(self, word: str) -> None:
        door = self.door
        if not door.takes_word(word):
            raise StateInvalid(detail="loopback.start")
        url, binding = await door.session.sign_ins.authorization_url(door.pending, door.redirect_uri)
        self.bind_browser(door.pending, binding, door.redirect_uri, form_post=False)
        self.go(url)


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
