"""The route to which the provider sends the browser back: the end of a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urljoin

from jupyter_oidc.language import sentence
from jupyter_oidc.problems import Problem, ResponseMalformed, UnknownFlow, UnknownProvider
from jupyter_oidc.web.access_rule import public_route
from jupyter_oidc.web.cookies import sign_in_bindings
from jupyter_oidc.web.pages import Page, show, show_problem
from jupyter_oidc.web.redirects import target_of
from jupyter_oidc.web.reply import Reply, redirect
from jupyter_oidc.web.request import body_of, fields_of, form_of

if TYPE_CHECKING:
    from jupyter_oidc.sessions.api import Parameters, ProviderSettings, SignIn
    from jupyter_oidc.web.front import Call


@public_route(protection="state and binding cookie (R-2, R-9)")
async def take_answer_of_query(call: Call, provider: str) -> Reply:
    """Take the provider's answer from the query; without one, show how the sign-in ended."""
    answer = fields_of(call.request.query)
    settings = await _settings_of(call, provider, answer)
    if answer is not None and [name for name, _ in answer] == ["flow"]:
        return await show_outcome(call, provider, answer[0][1])
    if settings.response_mode == "form_post":
        return await _refuse(call, provider, ResponseMalformed(detail="callback.method"))
    return await end_sign_in(call, provider, answer)


@public_route(protection="state and binding cookie (R-2, R-9)")
async def take_answer_of_form(call: Call, provider: str) -> Reply:
    """Take the provider's answer from a form (Form Post Response Mode, 2)."""
    answer = form_of(call.request)
    settings = await _settings_of(call, provider, answer)
    if settings.response_mode != "form_post":
        return await _refuse(call, provider, ResponseMalformed(detail="callback.method"))
    return await end_sign_in(call, provider, answer)


async def end_sign_in(call: Call, provider: str, answer: Parameters | None, *, only: str | None = None) -> Reply:
    """End the sign-in with the provider's ``answer``, and remove the answer from the address bar (R-10).

    ``only`` is the flow of a sign-in whose answer arrives elsewhere than at the callback route.
    """
    if answer is None:
        return await _refuse(call, provider, ResponseMalformed(detail="callback.encoding"), only=only)
    flow = await _flow_of(call, provider, answer)
    try:
        sign_in = await call.sessions.take_answer(provider, answer, sign_in_bindings(call.request, flow), only=only)
    except Problem as problem:
        return show_problem(call.front, problem).refusing(problem, flow or "")
    if sign_in.silent and not sign_in.asks:
        return redirect(target_of(call.front, sign_in), 303)
    if sign_in.state == "completed":
        return redirect(f"{call.request.path}?flow={sign_in.flow}", 303)
    if sign_in.asks:
        return redirect(f"{call.request.path}/person?flow={sign_in.flow}", 303)
    return _show_failure(call, sign_in, again=await _retry_url(call, sign_in))


async def show_outcome(call: Call, provider: str, flow: str) -> Reply:
    """Show how the sign-in ``flow`` ended, to the browser that took part in it."""
    front = call.front
    sign_in = await call.sessions.ended_sign_in(provider, flow, sign_in_bindings(call.request, flow))
    if sign_in is None:
        return show(
            front, Page(sentence("This sign-in is over"), (sentence("You can close this window."),), "\N{CHECK MARK}")
        )
    if sign_in.state != "completed":
        return _show_failure(call, sign_in)
    close = sentence("You can close this window and go back to JupyterLab.")
    page = Page(
        sentence("You are signed in already") if sign_in.overtaken else sentence("You are signed in"),
        (sentence("You got in by another way meanwhile, so nothing was changed."), close)
        if sign_in.overtaken
        else (close,),
        "\N{CHECK MARK}",
        links=((sentence("Back to JupyterLab"), target_of(front, sign_in)),),
        closes=True,
    )
    return show(front, page)


async def _settings_of(call: Call, provider: str, answer: Parameters | None) -> ProviderSettings:
    """Return the settings under which the answered sign-in was begun; they decide how its answer has to come."""
    state = next((value for name, value in answer or () if name == "state"), None)
    sign_in = None if state is None else await call.sessions.sign_in_of_state(provider, state)
    return await call.sessions.settings(provider) if sign_in is None else sign_in.settings


async def _refuse(call: Call, provider: str, problem: ResponseMalformed, *, only: str | None = None) -> Reply:
    """End the sign-in of an answer in a wrong form, and show the fault (Q1.12)."""
    request = call.request
    text = request.query if request.method == "GET" else body_of(request).decode("latin-1")
    try:
        answer = tuple(parse_qsl(text, keep_blank_values=True))
    except ValueError:
        answer = ()
    bindings = sign_in_bindings(request, await _flow_of(call, provider, answer))
    sign_in = await call.sessions.refuse_answer(provider, answer, bindings, problem, only=only)
    if sign_in.silent:
        return redirect(target_of(call.front, sign_in), 303)
    page = show_problem(call.front, problem, again=await _retry_url(call, sign_in))
    return page.refusing(problem, sign_in.flow, is_audited=True)


def _show_failure(call: Call, sign_in: SignIn, *, again: str | None = None) -> Reply:
    """Show how a sign-in failed; the audit trail has the failure already."""
    problem = sign_in.problem or ResponseMalformed()
    return show_problem(call.front, problem, again=again).refusing(problem, sign_in.flow, is_audited=True)


async def _retry_url(call: Call, sign_in: SignIn) -> str | None:
    """Return the start of another attempt, which begins by a click and never by itself (E-1).

    ``None`` if the sign-in is not known any more.
    """
    try:
        ticket = await call.sessions.retry_ticket(sign_in.provider, sign_in.flow)
    except (UnknownFlow, UnknownProvider):
        return None
    return urljoin(call.front.home, f"{call.front.base_url}jupyter-oidc/start/{ticket}")


async def _flow_of(call: Call, provider: str, answer: Parameters) -> str | None:
    """Return the sign-in whose state the browser brings; whether it belongs to this browser is judged later."""
    states = [value for name, value in answer if name == "state"]
    sign_in = await call.sessions.sign_in_of_state(provider, states[0]) if len(states) == 1 else None
    return None if sign_in is None else sign_in.flow
