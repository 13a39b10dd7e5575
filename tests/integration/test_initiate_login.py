"""Login initiated by a third party (Core 4, section I): a question to the person, and nothing before the click."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.support.canary import CANARY
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

LED_HERE = {
    "Accept": "text/html",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def visit(
    server_under_test: ServerUnderTest, fields: dict[str, str] | list[tuple[str, str]], **options: Any
) -> httpx.Response:
    """Come from another site with Jupyter's cookie, as a whole page unless ``options`` say otherwise."""
    headers = {**LED_HERE, **options.get("headers", {})}
    async with httpx.AsyncClient(
        base_url=server_under_test.url, trust_env=False, verify=PLAIN, event_hooks={"response": [_look]}
    ) as client:
        if options.get("logged_in", True):
            await client.get(f"api/status?token={server_under_test.token}")
        verb, place = options.get("verb", "GET"), f"{ROUTE}/initiate-login"
        if verb == "POST":
            return await client.post(place, data=dict(fields), headers=headers, follow_redirects=True)
        return await client.get(f"{place}?{urlencode(fields)}", headers=headers)


async def _look(reply: httpx.Response) -> None:
    await reply.aread()
    CANARY.look_at_reply(reply)


def ticket_of(page: httpx.Response) -> str:
    (start,) = re.findall(r'href="([^"]*/jupyter-oidc/start/[^"]*)"', page.text)
    return str(page.url.join(start))


async def test_the_person_is_asked_and_a_click_begins_an_ordinary_sign_in(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """I-3, I-4, I-5: the hint goes on unchanged, and the target is offered at the end."""
    target = urlsplit(server_under_test.url).path + "lab/tree/a.ipynb"
    asked = {"iss": provider.issuer, "login_hint": "ada+1@example.com é", "target_link_uri": target}
    page = await visit(server_under_test, asked)
    assert (page.status_code, "Sign in at corp?" in page.text) == (200, True)
    assert ((await server_under_test.state())[0], provider.received) == ("signed-out", [])
    end = await asyncio.to_thread(provider.browser().open, ticket_of(page))
    assert "You are signed in" in end.text
    assert "lab/tree/a.ipynb" in end.text
    (request,) = [one.query for one in provider.received if one.endpoint == "authorize"]
    assert request["login_hint"] == "ada+1@example.com é"


async def test_a_form_is_taken_too(server_under_test: ServerUnderTest, provider: ScriptedProvider) -> None:
    """I-1: GET and POST."""
    page = await visit(
        server_under_test, {"iss": provider.issuer, "more": "x"}, verb="POST", headers={"Origin": "null"}
    )
    # NOTE: a browser drops Origin on the GET that a 303 leads to; this client does not send one there either way.
    assert page.url.query == urlencode({"iss": provider.issuer, "more": "x"}).encode()


@pytest.mark.parametrize("change", [{"iss": "https://evil.example"}, {"iss": ""}, {"iss": None}, {"iss": "SLASH"}])
async def test_another_issuer_or_none_is_refused(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, change: dict[str, str | None]
) -> None:
    """I-2, byte for byte."""
    fields = {"login_hint": "x", **change}
    if fields["iss"] == "SLASH":
        fields["iss"] = provider.issuer + "/"
    page = await visit(server_under_test, {name: value for name, value in fields.items() if value is not None})
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (400, "request_invalid")
    assert "/start/" not in page.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/elsewhere"]
)
async def test_a_target_outside_is_replaced_by_the_default_page(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, target: str
) -> None:
    """I-4: Only a local target link is honoured. A-11: After sign-in the browser stays on this server."""
    page = await visit(server_under_test, {"iss": provider.issuer, "target_link_uri": target})
    end = await asyncio.to_thread(provider.browser().open, ticket_of(page))
    assert "evil" not in end.text
    assert "alert" not in end.text
    assert 'href="/elsewhere"' not in end.text


@pytest.mark.parametrize(
    "fields", [[("iss", "ISSUER"), ("iss", "ISSUER")], [("iss", "ISSUER"), ("login_hint", "x" * 2049)]]
)
async def test_a_malformed_request_is_refused(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, fields: list[tuple[str, str]]
) -> None:
    page = await visit(
        server_under_test, [(name, provider.issuer if value == "ISSUER" else value) for name, value in fields]
    )
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (400, "request_invalid")


async def test_a_stranger_is_led_to_jupyter_s_login_and_from_there_back(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q5.12: a tile of a portal leads here before the user has logged in to Jupyter."""
    page = await visit(server_under_test, {"iss": provider.issuer, "login_hint": "ada&x"}, logged_in=False)
    login = urlsplit(page.headers["Location"])
    back = httpx.URL(page.headers["Location"]).params["next"]
    assert (page.status_code, login.path) == (302, urlsplit(server_under_test.url).path + "login")
    assert (
        back
        == f"{urlsplit(server_under_test.url).path}{ROUTE}/initiate-login?{urlencode({'iss': provider.issuer, 'login_hint': 'ada&x'})}"
    )
    assert provider.received == []


async def test_a_stranger_who_reads_no_pages_is_refused(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q5.12: A portal tile leads to Jupyter's login first."""
    page = await visit(
        server_under_test, {"iss": provider.issuer}, logged_in=False, headers={"Accept": "application/json"}
    )
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (403, "forbidden")


async def test_a_login_page_is_for_whole_pages_of_nobody_else(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q5.12: an image of another site is refused before the server asks for a login."""
    page = await visit(
        server_under_test, {"iss": provider.issuer}, logged_in=False, headers={"Sec-Fetch-Dest": "image"}
    )
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (403, "csrf_failed")


async def test_the_question_names_where_the_person_would_be_sent(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q5.12: A portal tile leads to Jupyter's login first."""
    page = await visit(server_under_test, {"iss": provider.issuer})
    assert f"You would be sent to {urlsplit(provider.issuer).netloc}." in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"},
    ],
)
async def test_an_image_a_frame_or_a_script_of_another_site_gets_nothing(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, headers: dict[str, str]
) -> None:
    """C32: login CSRF needs a person who reads and clicks."""
    page = await visit(server_under_test, {"iss": provider.issuer}, headers=headers)
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (403, "csrf_failed")


async def test_a_flood_of_requests_pushes_out_no_sign_in_of_the_person(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """A27: Unfinished sign-ins are few and short. I-5: An initiation only asks the person."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    for _ in range(25):
        await visit(server_under_test, {"iss": provider.issuer})
    progress = (await server_under_test.ask("GET", f"{ROUTE}/sign-in/{started['flow']}")).json()
    assert progress["state"] == "waiting"


async def test_an_existing_session_stays_until_the_new_sign_in_succeeds(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """I-5: An initiation only asks the person."""
    await server_under_test.sign_in()
    before = await server_under_test.session()
    await visit(server_under_test, {"iss": provider.issuer, "login_hint": "somebody-else"})
    assert (await server_under_test.session())["sequence"] == before["sequence"]


async def test_a_provider_without_a_way_through_the_browser_offers_no_link(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    settings = server_under_test.services.sessions.of_provider("corp").settings
    object.__setattr__(settings, "redirect_strategy", "device")
    page = await visit(server_under_test, {"iss": provider.issuer})
    assert (page.status_code, "/start/" in page.text, "Back to JupyterLab" in page.text) == (200, False, True)
