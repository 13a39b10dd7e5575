"""The question whether another person takes over, to the user at the browser (A26).

Its path is below the callback's, so that the browser sends the binding cookie of the sign-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import Forbidden, RequestInvalid, StateUsed
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.cookies import sign_in_bindings
from jupyter_oidc.web.pages import Page, show, show_problem
from jupyter_oidc.web.redirects import target_of
from jupyter_oidc.web.reply import Reply, redirect
from jupyter_oidc.web.request import form_of, parameter

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call
    from jupyter_oidc.web.request import Request


@allow("user", action="write", from_other_sites=True)
async def ask_person(call: Call, provider: str) -> Reply:
    """Show the question."""
    request, front, sessions = call.request, call.front, call.sessions
    flow = _flow_of_browser(request)
    question = await sessions.question(provider, flow, sign_in_bindings(request, flow))
    here = f"{request.path}?{urlencode({'flow': flow, '_xsrf': front.xsrf_token()})}"
    if question.is_over:
        title, keep = sentence("Somebody else was signed in"), sentence("Do not sign in")
        lines = (
            sentence(
                "You were signed in as {now}. At the provider this browser is now {instead}.",
                now=question.now,
                instead=question.instead,
            ),
            sentence("If that is not you, do not sign in."),
        )
    else:
        title, keep = sentence("Somebody else is signed in"), sentence("Stay {now}", now=question.now)
        lines = (
            sentence(
                "You are signed in as {now}. Sign in as {instead} instead?", now=question.now, instead=question.instead
            ),
            sentence("If you did not begin this sign-in yourself, keep what you have."),
        )
    answers = (("keep", keep), ("change", sentence("Sign in as {instead}", instead=question.instead)))
    return show(front, Page(title, lines, "\N{BLACK QUESTION MARK ORNAMENT}", form=(here, answers)))


@allow("user", action="write")
async def take_persons_answer(call: Call, provider: str) -> Reply:
    """Read the user's answer."""
    request, front, sessions = call.request, call.front, call.sessions
    flow = _flow_of_browser(request)
    answers = [value for name, value in form_of(request) or () if name == "answer"]
    if answers not in (["change"], ["keep"]):
        raise RequestInvalid(N_("The answer is neither 'keep' nor 'change'."))
    bindings, change = sign_in_bindings(request, flow), answers == ["change"]
    sign_in = await sessions.answer_question(provider, flow, bindings, change=change)
    if sign_in.silent:
        return redirect(target_of(front, sign_in), 303)
    if sign_in.state == "completed":
        return redirect(f"{request.path.removesuffix('/person')}?flow={sign_in.flow}", 303)
    if not change:
        return show(
            front,
            Page(
                sentence("Nothing was changed"),
                (sentence("You can close this window."),),
                "\N{CHECK MARK}",
                closes=True,
            ),
        )
    problem = sign_in.problem or StateUsed()
    return show_problem(front, problem).refusing(problem, sign_in.flow, is_audited=True)


def _flow_of_browser(request: Request) -> str:
    """Return the sign-in that the browser names; a caller with the server's token instead of a login is no browser."""
    if request.caller.bears_token:
        raise Forbidden(N_("Only somebody who is logged in to Jupyter with a browser can answer this."))
    return parameter(request, "flow", "")
