"""The page that brings an ID token to the provider's sign-out, and the way back from there (Q9.8, ADR 39).

The headers of a browser are written out here; ``tests/e2e`` shows that browsers send them so.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from jupyter_oidc import contract
from tests.support.canary import CANARY
from tests.support.form import Form, forms_of
from tests.support.form_sign_in import without_hint
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

BACK = "https://jupyter.example.com/jupyter-oidc/providers/corp/signed-out"
SHOWN = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}
READS = {"Accept": "text/html"}


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    config["JupyterOIDC"]["providers"]["corp"]["post_logout_redirect_uri"] = BACK
    return config


@pytest.fixture
def tab(server_under_test: ServerUnderTest) -> httpx.AsyncClient:
    """The requests of JupyterLab's page in a browser, with its cookies, written by hand."""
    return browser_at(server_under_test)


async def begin(server_under_test: ServerUnderTest, tab: httpx.AsyncClient) -> None:
    """Log the browser in to Jupyter, and the person in at the provider."""
    await log_in(server_under_test, tab)
    await server_under_test.sign_in()


async def log_in(server_under_test: ServerUnderTest, tab: httpx.AsyncClient) -> None:
    await tab.get(f"login?token={server_under_test.token}", follow_redirects=True)
    tab.headers["X-XSRFToken"] = tab.cookies["_xsrf"]


def browser_at(server_under_test: ServerUnderTest) -> httpx.AsyncClient:
    async def watch(reply: httpx.Response) -> None:
        await reply.aread()
        CANARY.look_at_reply(without_hint(reply))

    return httpx.AsyncClient(
        base_url=server_under_test.url, trust_env=False, verify=PLAIN, timeout=30, event_hooks={"response": [watch]}
    )


async def sign_out(tab: httpx.AsyncClient) -> str:
    """Press *Sign out* in the panel, and return the address of the page that it opens."""
    headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"{tab.base_url}lab"}
    reply = await tab.post(f"{ROUTE}/sign-out", json={}, headers=headers)
    told = contract.check("sign-out.reply", reply.json())
    whole = at(tab, told["end_session_url"])
    assert told["end_session_address"] == whole
    return whole


def at(tab: httpx.AsyncClient, path: str) -> str:
    return str(httpx.URL(str(tab.base_url)).join(path))


async def show(tab: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    """Ask for the page as a browser does that shows it by itself, but for ``headers``."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return await tab.get(path, headers={**READS, **SHOWN, **changed})


def the_form(page: httpx.Response) -> Form:
    assert page.status_code == 200, page.text
    (form,) = forms_of(page.text)
    return form


def hint_in(page: httpx.Response) -> str | None:
    return None if page.status_code != 200 else the_form(page).values("").get("id_token_hint")


async def test_a_sign_out_in_the_panel_leads_to_a_form_with_everything_that_the_standard_names(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, provider: ScriptedProvider
) -> None:
    """Q9.8, RP-Initiated Logout 1.0, 2."""
    await begin(server_under_test, tab)
    id_token = next(one for one in reversed(provider.issued()) if one.count(".") == 2)
    page = await show(tab, await sign_out(tab))
    form = the_form(page)
    assert (form.method, form.action) == ("post", provider.url("end_session"))
    fields = form.values("")
    assert fields.pop("id_token_hint") == id_token
    state = fields.pop("state")
    assert fields == {"client_id": "jupyter", "post_logout_redirect_uri": BACK}
    assert re.fullmatch(r"[\w-]{43}", state), "256 bits"


async def test_the_page_is_out_of_our_origin_and_leads_where_it_must(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, provider: ScriptedProvider, jp_serverapp: Any
) -> None:
    """Q9.8: no cache, frame or opener of the window gets the page; the form goes there and back."""
    jp_serverapp.web_app.settings["headers"] = {"Cross-Origin-Opener-Policy": "same-origin"}
    await begin(server_under_test, tab)
    page = await show(tab, await sign_out(tab))
    nonce = re.search(r'script nonce="([^"]+)"', page.text)
    assert nonce is not None
    assert page.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'nonce-{nonce[1]}'; script-src 'nonce-{nonce[1]}'; base-uri 'none'; "
        f"form-action {provider.issuer} https://jupyter.example.com; frame-ancestors 'none'; "
        "sandbox allow-forms allow-scripts"
    )
    told = [page.headers.get(name) for name in ("Cache-Control", "Referrer-Policy", "X-Content-Type-Options")]
    assert told == ["no-store", "no-referrer", "nosniff"]
    assert "Cross-Origin-Opener-Policy" not in page.headers, "with sandbox, browsers may refuse to show the page"


async def test_the_id_token_is_in_no_address_reply_or_header(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, provider: ScriptedProvider
) -> None:
    """Q9.8: the answer to JupyterLab names a page, and the page's own link has no hint."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    page = await show(tab, path)
    onward = re.search(r'data-onward="([^"]+)"', page.text)
    assert onward is not None
    query = parse_qs(urlsplit(onward[1].replace("&amp;", "&")).query)
    assert sorted(query) == ["client_id", "post_logout_redirect_uri", "state"]
    assert page.text.count(hint_in(page) or "?") == 1


async def test_the_page_is_shown_once(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, provider: ScriptedProvider
) -> None:
    """Q9.8: going back in that window shows a page without a token, with a link to the provider."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    assert hint_in(await show(tab, path)) is not None
    again = await show(tab, path)
    assert (again.status_code, again.headers["X-OIDC-Error"]) == (400, "state_invalid")
    assert ("Sign-out did not work" in again.text, "already used, or it is older than a minute" in again.text) == (
        True,
        True,
    )
    assert f'href="{provider.url("end_session")}?client_id=jupyter' in again.text


async def test_the_page_is_good_for_a_minute(server_under_test: ServerUnderTest, tab: httpx.AsyncClient) -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    server_under_test.clock.ahead += 61
    assert (await show(tab, path)).status_code == 400


SCRIPTS = {
    "fetch": {"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
    "fetch without CORS": {"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "empty"},
    "fetch of the same origin": {"Sec_Fetch_Mode": "same-origin", "Sec_Fetch_Dest": "empty"},
    "iframe": {"Sec_Fetch_Dest": "iframe"},
    "object": {"Sec_Fetch_Dest": "object"},
    "embed": {"Sec_Fetch_Dest": "embed"},
    "download, or a service worker that asks again": {"Sec_Fetch_Dest": "empty"},
    "preload of a service worker": {"Service_Worker_Navigation_Preload": "true"},
    "preload of a service worker that says nothing": {"Service_Worker_Navigation_Preload": ""},
    "prefetch": {"Sec_Purpose": "prefetch"},
    "prerender": {"Sec_Purpose": "prefetch;prerender"},
    "script element": {"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"},
    "half of what a browser says": {"Sec_Fetch_Dest": ""},
}


@pytest.mark.parametrize("headers", SCRIPTS.values(), ids=SCRIPTS)
async def test_a_script_of_jupyterlab_gets_nothing_and_leaves_nothing(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """Q9.8: the right cookies in a way that script can read are an attempt; nothing is left for the next one."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    asked = await show(tab, path, **headers)
    assert (asked.status_code, "id_token_hint" in asked.text) == (400, False)
    assert (await show(tab, path)).status_code == 400


async def test_an_attempt_is_in_the_audit_trail(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Q9.8: with its reason, and without the ticket."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    caplog.clear()
    await show(tab, path, **SCRIPTS["fetch"])
    assert "sign-out.script" in caplog.text
    assert path.rpartition("/")[2] not in caplog.text


async def test_a_browser_that_says_nothing_gets_the_form_without_the_token(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, provider: ScriptedProvider
) -> None:
    """Q9.8, L-8: over plain http to another machine it is not said how a page is shown; GET brings Lax cookies along."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    page = await tab.get(path, headers=READS)
    form = the_form(page)
    assert (form.method, form.action) == ("get", provider.url("end_session"))
    assert sorted(form.values("")) == ["client_id", "post_logout_redirect_uri", "state"]


async def test_another_browser_gets_nothing_even_if_it_is_logged_in(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient
) -> None:
    """Q9.8: the page is bound to the browser in which the user signed out, and stays good there."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    async with browser_at(server_under_test) as other:
        await log_in(server_under_test, other)
        assert (await show(other, path)).status_code == 400
    assert hint_in(await show(tab, path)) is not None


async def test_who_is_not_logged_in_gets_nothing(server_under_test: ServerUnderTest, tab: httpx.AsyncClient) -> None:
    """Q9.8: with the cookie of the sign-out alone; a browser is led to Jupyter's login and may come back."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    async with browser_at(server_under_test) as other:
        for cookie in [one for one in tab.cookies.jar if one.name.startswith("jupyter-oidc-")]:
            other.cookies.jar.set_cookie(cookie)
        reply = await show(other, path)
    assert (reply.status_code, urlsplit(reply.headers["Location"]).path.endswith("/login")) == (302, True)
    assert hint_in(await show(tab, path)) is not None


async def test_the_token_of_jupyter_is_no_login_of_a_browser(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient
) -> None:
    """Q9.8: a program can show it, and write any header besides."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    async with browser_at(server_under_test) as other:
        other.cookies = tab.cookies
        reply = await show(other, path, Authorization=f"token {server_under_test.token}")
    assert (reply.status_code, "id_token_hint" in reply.text) == (403, False)
    assert hint_in(await show(tab, path)) is not None


async def test_a_program_gets_a_page_for_the_browser_of_a_person(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient
) -> None:
    """Q9.8: a kernel or a command has no browser to bind it to; the browser that opens it has to be logged in."""
    await begin(server_under_test, tab)
    told = (await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})).json()
    assert hint_in(await show(tab, at(tab, told["end_session_url"]))) is not None


@pytest.mark.parametrize("verb", ["HEAD", "POST", "PUT"])
async def test_the_page_has_no_other_verb(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, verb: str
) -> None:
    """Q9.8: and such a request uses nothing up."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    reply = await tab.request(verb, path, headers=SHOWN)
    assert (reply.status_code, "id_token_hint" in reply.text) == (405, False)
    assert hint_in(await show(tab, path)) is not None


async def test_without_login_the_form_has_no_token(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, jp_serverapp: Any
) -> None:
    """Q9.8: on a server without login every caller could ask for the page, with headers of their choice."""
    await begin(server_under_test, tab)
    path = await sign_out(tab)
    jp_serverapp.identity_provider.token = ""
    page = await show(tab, path)
    assert (the_form(page).method, hint_in(page)) == ("get", None)


# -- the way back ------------------------------------------------------------------------------------------------------


async def gone_out(server_under_test: ServerUnderTest, tab: httpx.AsyncClient) -> str:
    """Sign out, leave by the page, and return the state that the provider will bring back."""
    await begin(server_under_test, tab)
    return the_form(await show(tab, await sign_out(tab))).values("")["state"]


async def landed(tab: httpx.AsyncClient, query: str) -> tuple[bool, str | None]:
    """Come back with ``query``; return whether the page says that one is signed out, and an error code."""
    reply = await tab.get(f"{ROUTE}/signed-out{query}", headers={**READS, **SHOWN, "Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 200, "L-7: the page works for anybody"
    return "You are signed out" in reply.text, reply.headers.get("X-OIDC-Error")


async def test_the_way_back_is_judged(server_under_test: ServerUnderTest, tab: httpx.AsyncClient) -> None:
    """Q9.8, RP-Initiated Logout 1.0, 3: only the state of this browser's own sign-out shows it, once."""
    state = await gone_out(server_under_test, tab)
    assert await landed(tab, "?state=another") == (False, "state_invalid")
    assert await landed(tab, f"?state={state}&state={state}") == (False, "state_invalid")
    assert await landed(tab, f"?state={state}") == (True, None)
    assert await landed(tab, f"?state={state}") == (False, "state_invalid")


async def test_another_browser_is_not_told_that_it_is_signed_out(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient
) -> None:
    """Q9.8: an attacker's link cannot make a user believe it."""
    state = await gone_out(server_under_test, tab)
    async with browser_at(server_under_test) as other:
        assert await landed(other, f"?state={state}") == (False, "state_invalid")
    assert await landed(tab, f"?state={state}") == (True, None)


async def test_a_page_that_was_not_opened_has_no_way_back(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient
) -> None:
    """Q9.8, L-7: without any state nothing is claimed, and nothing is wrong."""
    await begin(server_under_test, tab)
    await sign_out(tab)
    assert await landed(tab, "") == (False, None)


async def test_settings_choose_the_link(
    server_under_test: ServerUnderTest, tab: httpx.AsyncClient, provider: ScriptedProvider
) -> None:
    """Q9.8: the way of 0.1.0, for providers that take no form; the reply says it both ways."""
    settings = server_under_test.settings
    assert settings is not None
    link = tuple(replace(one, sign_out_method="link") for one in settings.providers)
    await server_under_test.context.reload(replace(settings, providers=link))
    await begin(server_under_test, tab)
    told = (await tab.post(f"{ROUTE}/sign-out", json={}, headers={"Sec-Fetch-Site": "same-origin"})).json()
    assert told["end_session_url"] == told["end_session_address"]
    assert told["end_session_url"].startswith(provider.url("end_session") + "?client_id=jupyter&post_logout")
