"""Routes as functions: a request value goes in, a reply value comes out, and no server runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from jupyter_oidc.problems import (
    Forbidden,
    IdpUnavailable,
    LogoutTokenInvalid,
    RequestInvalid,
    SignInDeclined,
    StateInvalid,
    UnknownProvider,
)
from jupyter_oidc.sessions.api import (
    Departure,
    InitiatedLogin,
    PersonQuestion,
    ProviderEntry,
    SignedOut,
    SignOutForm,
    SignOutTicket,
    StartedSignIn,
)
from jupyter_oidc.web.reply import Cookie, Reply
from jupyter_oidc.web.routes.backchannel_logout import end_session_by_provider
from jupyter_oidc.web.routes.callback import end_sign_in, take_answer_of_form, take_answer_of_query
from jupyter_oidc.web.routes.initiate_login import offer_sign_in, turn_form_into_address
from jupyter_oidc.web.routes.person import ask_person, take_persons_answer
from jupyter_oidc.web.routes.session import show_providers, sign_out
from jupyter_oidc.web.routes.sign_in import begin_sign_in
from jupyter_oidc.web.routes.sign_out_pages import show_sign_out_page, show_signed_out
from jupyter_oidc.web.routes.start import start_sign_in
from tests.unit.web.fakes import (
    BEARER,
    KERNEL,
    STRANGER,
    PlainFront,
    ScriptedSessions,
    call_of,
    settings_of,
    sign_in_of,
)

FORM = "application/x-www-form-urlencoded"
CALLBACK = "/user/ada/jupyter-oidc/providers/corp/callback"


def view(reply: Reply) -> Any:
    return json.loads(reply.body)


def providers(**settings: Any) -> ScriptedSessions:
    return ScriptedSessions(providers=(ProviderEntry(settings_of(**settings), "absent", comes_back_silently=True),))


async def test_a_page_is_told_of_a_silent_sign_in_only_if_the_browser_comes_back_to_its_own_host() -> None:
    """R-10: ADR 40."""
    own = {"Origin": "https://hub.example.com"}
    reply = await show_providers(call_of(providers(), headers=own))
    assert view(reply) == {
        "providers": [{"name": "corp", "issuer": "https://id.example.com", "state": "absent", "silent_sign_in": True}],
        "default_provider": None,
    }
    for asking in (
        call_of(providers(), headers={"Origin": "https://other.example.com"}),
        call_of(providers(), headers={"Origin": "https://[broken"}),
        call_of(providers(), caller=KERNEL, headers=own),
    ):
        assert "silent_sign_in" not in view(await show_providers(asking))["providers"][0]


@pytest.mark.parametrize(("named", "told"), [("corp", "corp"), ("gone", None), (None, None)])
async def test_the_default_of_the_settings_is_told_if_it_exists(named: str | None, told: str | None) -> None:
    reply = await show_providers(call_of(providers(), front=PlainFront(default_provider=named)))
    assert view(reply)["default_provider"] == told


async def test_a_silent_sign_in_of_another_hosts_page_begins_nothing() -> None:
    sessions = ScriptedSessions(settings=settings_of())
    body = b'{"silent": true}'
    call = call_of(
        sessions, "POST", body=body, headers={"Content-Type": "application/json", "Origin": "https://other.example.com"}
    )
    with pytest.raises(RequestInvalid):
        await begin_sign_in(call, "corp")
    assert [question for question, *_ in sessions.asked] == ["settings"]


async def test_a_sign_in_is_begun_with_what_was_asked_and_answered_with_two_addresses() -> None:
    sessions = ScriptedSessions(begin_sign_in=StartedSignIn(sign_in_of(), "t/1"))
    front = PlainFront()
    body = json.dumps({"next": "/elsewhere", "prompt": "login", "acr_values": ["high"]}).encode()
    call = call_of(
        sessions, "POST", caller=KERNEL, body=body, front=front, headers={"Content-Type": "application/json"}
    )
    reply = await begin_sign_in(call, "corp")
    assert (reply.status, view(reply)["start_url"]) == (201, "/user/ada/jupyter-oidc/start/t%2F1")
    assert view(reply)["start_address"] == "https://hub.example.com/user/ada/jupyter-oidc/start/t%2F1"
    ((_, provider, request, under_hub),) = sessions.asked
    assert (provider, under_hub) == ("corp", ("under_hub", False))
    assert (request.caller, request.by_user, request.prompt, request.acr_values) == (
        "kernel:k1",
        False,
        "login",
        ("high",),
    )
    assert (request.next, front.notes) == ("/user/ada/", ["next_rejected"])


async def test_a_sign_out_page_is_bound_to_a_browser_by_a_cookie_for_its_path() -> None:
    ticket = SignOutTicket("p1", "v1", "b1")
    sessions = ScriptedSessions(sign_out=SignedOut(settings_of(), "done", "https://id.example.com/bye", ticket))
    reply = await sign_out(call_of(sessions, "POST", headers={"Sec-Fetch-Site": "same-origin"}), "corp")
    path = "/user/ada/jupyter-oidc/providers/corp/sign-out/v1"
    assert (view(reply)["end_session_url"], sessions.asked) == (path, [("sign_out", "corp", ("bound", True))])
    assert reply.cookies == (Cookie("jupyter-oidc-sign-out-p1", "b1", path, 60, secure=True),)
    assert "b1" not in repr(reply)


def departing(**answers: Any) -> ScriptedSessions:
    return ScriptedSessions(
        **{
            "every_settings": (settings_of(),),
            "use_ticket": sign_in_of(),
            "depart": Departure("https://id.example.com/authorize?state=s", "b1"),
            **answers,
        }
    )


async def test_the_start_binds_the_browser_and_sends_it_to_the_provider() -> None:
    """A-9: Browser is bound by a cookie for the callback's path."""
    sessions = departing()
    front = PlainFront(host="127.0.0.1:8888", protocol="http")
    reply = await start_sign_in(call_of(sessions, caller=STRANGER, front=front), "t1")
    assert (reply.status, reply.header("Location")) == (302, "https://id.example.com/authorize?state=s")
    assert reply.cookies == (Cookie("jupyter-oidc-flow-f1", "b1", CALLBACK, 600, secure=False),)
    assert sessions.asked[-1][1:4] == ("corp", "f1", f"http://127.0.0.1:8888{CALLBACK}")


async def test_a_start_at_a_host_that_the_settings_do_not_name_goes_nowhere() -> None:
    """ADR 1: the Host header of a request is never sent to a provider."""
    sessions = departing(fail_sign_in=None)
    reply = await start_sign_in(call_of(sessions, caller=STRANGER, front=PlainFront(host="evil.example")), "t1")
    assert (reply.status, reply.header("X-OIDC-Error"), reply.cookies) == (400, "configuration_invalid", ())
    assert [question for question, *_ in sessions.asked] == ["every_settings", "use_ticket", "fail_sign_in"]
    assert reply.refusal is not None
    assert (reply.refusal.flow, reply.refusal.is_audited) == ("f1", True)


async def test_a_start_at_another_host_than_the_redirect_uris_uses_no_ticket() -> None:
    pinned = settings_of(redirect_uri=f"https://hub.example.com{CALLBACK}", pins_server=True, pins_callback=True)
    sessions = departing(every_settings=(pinned,))
    front, path = PlainFront(host="10.0.0.1"), "/user/ada/jupyter-oidc/start/t1"
    reply = await start_sign_in(call_of(sessions, path=path, caller=STRANGER, front=front), "t1")
    assert reply.header("Location") == "https://hub.example.com/user/ada/jupyter-oidc/start/t1?hop=1"
    assert [question for question, *_ in sessions.asked] == ["every_settings"]


async def test_a_silent_sign_in_that_cannot_start_goes_on_to_its_page() -> None:
    silent = sign_in_of(silent=True, next="/user/ada/lab/tree/a.ipynb")
    sessions = departing(use_ticket=silent, depart=IdpUnavailable(detail="silent.slow"), fail_sign_in=None)
    front = PlainFront(host="localhost", home="/user/ada/")
    reply = await start_sign_in(call_of(sessions, caller=STRANGER, front=front), "t1")
    assert (reply.status, reply.header("Location")) == (303, "/user/ada/lab/tree/a.ipynb")


async def test_a_loopback_sign_in_starts_at_a_listener_of_the_front() -> None:
    front, sessions = PlainFront(), departing(use_ticket=sign_in_of(strategy="loopback"))
    reply = await start_sign_in(call_of(sessions, caller=STRANGER, front=front), "t1")
    assert (reply.header("Location"), front.listening_for) == ("http://127.0.0.1:5001/cb?start=s1", ["f1"])


def answered(ended: Any, **answers: Any) -> ScriptedSessions:
    return ScriptedSessions(
        **{"settings": settings_of(), "sign_in_of_state": sign_in_of(), "take_answer": ended, **answers}
    )


async def test_an_answer_is_taken_with_the_cookies_of_its_own_sign_in_and_leaves_the_address_bar() -> None:
    """R-2, R-10: The answer counts only in the browser that began, and no history keeps it."""
    sessions = answered(sign_in_of(state="completed"))
    cookie = "jupyter-oidc-flow-f2=b2; jupyter-oidc-flow-f1=b1"
    call = call_of(sessions, path=CALLBACK, caller=STRANGER, query="code=c&state=s", headers={"Cookie": cookie})
    reply = await take_answer_of_query(call, "corp")
    assert (reply.status, reply.header("Location")) == (303, f"{CALLBACK}?flow=f1")
    assert reply.header("Referrer-Policy") == "no-referrer"
    assert sessions.asked[-1] == ("take_answer", "corp", (("code", "c"), ("state", "s")), ("b1",), ("only", None))


async def test_an_answer_with_two_states_gets_no_cookie() -> None:
    sessions = answered(StateInvalid(detail="callback.state"))
    call = call_of(
        sessions, caller=STRANGER, query="state=s&state=t&code=c", headers={"Cookie": "jupyter-oidc-flow-f1=b1"}
    )
    reply = await take_answer_of_query(call, "corp")
    assert (reply.status, reply.header("X-OIDC-Error")) == (400, "state_invalid")
    assert sessions.asked[-1][3] == ()


async def test_an_answer_in_the_query_is_refused_where_a_form_is_expected() -> None:
    """Q1.12: Wrong response mode ends the sign-in."""
    posted = sign_in_of(settings=settings_of(response_mode="form_post"))
    sessions = ScriptedSessions(sign_in_of_state=posted, refuse_answer=posted, retry_ticket="t2")
    reply = await take_answer_of_query(call_of(sessions, caller=STRANGER, query="code=c&state=s"), "corp")
    assert (reply.status, reply.header("X-OIDC-Error")) == (400, "response_malformed")
    assert b'href="/user/ada/jupyter-oidc/start/t2"' in reply.body


async def test_an_answer_in_a_form_is_taken_from_the_body() -> None:
    settings = settings_of(response_mode="form_post")
    done = sign_in_of(settings=settings, state="completed")
    sessions = ScriptedSessions(sign_in_of_state=done, take_answer=done)
    call = call_of(
        sessions, "POST", path=CALLBACK, caller=STRANGER, body=b"code=c&state=s", headers={"Content-Type": FORM}
    )
    assert (await take_answer_of_form(call, "corp")).header("Location") == f"{CALLBACK}?flow=f1"


async def test_a_listener_takes_the_answer_of_its_own_sign_in_only() -> None:
    """A33: One listener serves one sign-in."""
    sessions = answered(sign_in_of(state="completed"))
    call = call_of(sessions, path="/cb", caller=STRANGER)
    await end_sign_in(call, "corp", (("code", "c"), ("state", "s")), only="f1")
    assert sessions.asked[-1][-1] == ("only", "f1")


async def test_a_declined_sign_in_shows_another_way_and_no_markup_of_the_provider() -> None:
    declined = sign_in_of(state="failed", problem=SignInDeclined("<script>alert(1)</script>"))
    reply = await take_answer_of_query(
        call_of(answered(declined, retry_ticket="t2"), caller=STRANGER, query="error=access_denied&state=s"), "corp"
    )
    assert b"<script>alert" not in reply.body
    assert b"Sign-in was declined" in reply.body
    assert reply.header("Content-Security-Policy") == (
        "default-src 'none'; style-src 'nonce-n1'; script-src 'nonce-n1'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


async def test_the_question_is_for_a_browser_with_a_login() -> None:
    """A26: a holder of the server's token is asked nothing."""
    for function in (ask_person, take_persons_answer):
        with pytest.raises(Forbidden):
            await function(call_of(ScriptedSessions(), caller=BEARER, query="flow=f1"), "corp")


async def test_the_question_is_posted_with_the_token_against_forgery() -> None:
    sessions = ScriptedSessions(question=PersonQuestion("Ada", "<b>Eve", is_over=False))
    call = call_of(sessions, path=f"{CALLBACK}/person", query="flow=f1", headers={"Cookie": "jupyter-oidc-flow-f1=b1"})
    reply = await ask_person(call, "corp")
    assert b"Sign in as &lt;b&gt;Eve" in reply.body
    assert f'action="{CALLBACK}/person?flow=f1&amp;_xsrf=x1"'.encode() in reply.body
    assert sessions.asked == [("question", "corp", "f1", ("b1",))]


@pytest.mark.parametrize("body", [b"", b"answer=yes", b"answer=keep&answer=change"])
async def test_an_unclear_answer_changes_nothing(body: bytes) -> None:
    with pytest.raises(RequestInvalid):
        await take_persons_answer(
            call_of(ScriptedSessions(), "POST", query="flow=f1", body=body, headers={"Content-Type": FORM}), "corp"
        )


FORM_TO_PROVIDER = SignOutForm(
    "p1",
    "https://id.example.com/logout",
    "post",
    ("https://id.example.com",),
    "https://id.example.com/logout?client_id=c",
    (("id_token_hint", "the-token"),),
    "b2",
)


async def test_the_sign_out_page_is_opened_with_its_own_cookie_and_kept_from_scripts() -> None:
    sessions = ScriptedSessions(sign_out_page_of_ticket="p1", open_sign_out_page=FORM_TO_PROVIDER)
    headers = {"Cookie": "jupyter-oidc-sign-out-p1=b1", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    reply = await show_sign_out_page(call_of(sessions, headers=headers), "corp", "v1")
    assert sessions.asked[-1] == ("open_sign_out_page", "corp", "v1", ("b1",), "document")
    assert b'value="the-token"' in reply.body
    assert "the-token" not in repr(reply)
    assert (reply.header("Cache-Control"), reply.drops) == ("no-store", ("Cross-Origin-Opener-Policy",))
    assert (reply.header("Content-Security-Policy") or "").endswith("sandbox allow-forms allow-scripts")
    assert reply.cookies[0].path == "/user/ada/jupyter-oidc/providers/corp/signed-out"


async def test_a_script_and_a_caller_without_a_login_are_told_apart_from_a_browser() -> None:
    sessions = ScriptedSessions(sign_out_page_of_ticket="p1", open_sign_out_page=FORM_TO_PROVIDER)
    await show_sign_out_page(
        call_of(sessions, headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}), "corp", "v1"
    )
    open_to_all = PlainFront(has_logins=False)
    page = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    await show_sign_out_page(call_of(sessions, front=open_to_all, headers=page), "corp", "v1")
    assert [asked[-1] for asked in sessions.asked if asked[0] == "open_sign_out_page"] == ["elsewhere", "unknown"]
    with pytest.raises(Forbidden):
        await show_sign_out_page(call_of(sessions, caller=BEARER, headers=page), "corp", "v1")


async def test_a_sign_out_page_that_was_used_leads_on_by_the_link_without_a_token() -> None:
    sessions = ScriptedSessions(
        sign_out_page_of_ticket=None,
        open_sign_out_page=StateInvalid(detail="sign-out.ticket"),
        sign_out_link="https://id.example.com/logout?client_id=c",
    )
    reply = await show_sign_out_page(call_of(sessions), "corp", "v1")
    assert (reply.status, b"Sign-out did not work" in reply.body) == (400, True)
    assert b'href="https://id.example.com/logout?client_id=c"' in reply.body


async def test_the_page_after_a_sign_out_believes_a_state_with_its_cookie_only() -> None:
    """L-7: Anyone may open it, and it changes nothing."""
    sessions = ScriptedSessions(settings=settings_of(), sign_out_page_of_state="p1", came_back=True)
    call = call_of(sessions, caller=STRANGER, query="state=s", headers={"Cookie": "jupyter-oidc-sign-out-p1=b1"})
    assert b"You are signed out" in (await show_signed_out(call, "corp")).body
    assert sessions.asked[-1] == ("came_back", "corp", "s", ("b1",))
    plain = ScriptedSessions(settings=settings_of())
    reply = await show_signed_out(call_of(plain, caller=STRANGER), "corp")
    assert (b"You are signed out" in reply.body, reply.header("X-OIDC-Error")) == (False, None)


async def test_a_third_party_can_only_offer_a_sign_in_that_is_counted_apart() -> None:
    """I-5: Only a click begins the sign-in."""
    sessions = ScriptedSessions(
        initiation=InitiatedLogin(settings_of(), "ada", "https://evil.example/"), offer_sign_in="t1"
    )
    reply = await offer_sign_in(call_of(sessions, query="iss=https%3A%2F%2Fid.example.com"), "corp")
    assert b"You would be sent to id.example.com." in reply.body
    assert b'href="/user/ada/jupyter-oidc/start/t1"' in reply.body
    assert sessions.asked[-1] == (
        "offer_sign_in",
        "corp",
        "initiated:user:ada",
        "elsewhere",
        ("login_hint", "ada"),
        ("next_path", None),
    )


async def test_a_form_of_a_third_party_becomes_an_address_of_this_server() -> None:
    sessions = ScriptedSessions(settings=settings_of())
    call = call_of(
        sessions, "POST", path="/here", caller=STRANGER, body=b"iss=i&x=%26y", headers={"Content-Type": FORM}
    )
    reply = await turn_form_into_address(call, "corp")
    there = urlsplit(reply.header("Location") or "")
    assert (reply.status, there.netloc, there.path, parse_qsl(there.query)) == (
        303,
        "",
        "/here",
        [("iss", "i"), ("x", "&y")],
    )


async def test_a_logout_token_comes_once_and_in_a_form() -> None:
    """B-2: Other fields are ignored."""
    sessions = ScriptedSessions(settings=settings_of(), end_by_provider=None)
    form = call_of(sessions, "POST", caller=STRANGER, body=b"logout_token=l1&x=1", headers={"Content-Type": FORM})
    reply = await end_session_by_provider(form, "corp")
    assert (reply.status, reply.body, sessions.asked[-1]) == (200, b"", ("end_by_provider", "corp", "l1"))
    twice = replace(form.request, body=b"logout_token=l1&logout_token=l1")
    with pytest.raises(LogoutTokenInvalid):
        await end_session_by_provider(replace(form, request=twice), "corp")


async def test_an_unknown_provider_is_named_before_its_form_is_read() -> None:
    sessions = ScriptedSessions(settings=UnknownProvider())
    with pytest.raises(UnknownProvider):
        await end_session_by_provider(call_of(sessions, "POST", caller=STRANGER, body=None), "nobody")
