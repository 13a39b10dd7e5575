"""The demo's provider shows the demo's pages; whether a request is right, nanoidp alone decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from jupyter_oidc.demo.sign_in_pages import silent_refusal
from tests.support.demo_provider import CALLBACK, DemoProvider, running_demo_provider
from tests.support.plain_http import PLAIN

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProvider]:
    with running_demo_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


def shown(provider: DemoProvider, **more: str) -> httpx.Response:
    with httpx.Client(trust_env=False, verify=PLAIN, headers=BROWSER) as client:
        return client.get(provider.authorization_url(**more))


def heading_of(page: httpx.Response) -> str:
    found = re.search(r"<h1>([^<]+)</h1>", page.text)
    assert found is not None, page.text
    return found.group(1)


@pytest.mark.parametrize(
    ("prompt", "heading"),
    [
        ({}, "Who is signing in?"),
        ({"prompt": "login"}, "Sign in again"),
        ({"prompt": "select_account"}, "Choose another account"),
        ({"prompt": "login select_account"}, "Choose another account"),
    ],
)
def test_the_page_always_asks_who_is_there(provider: DemoProvider, prompt: dict[str, str], heading: str) -> None:
    page = shown(provider, **prompt)
    assert (heading_of(page), "Ada Lovelace" in page.text, "Ben Herschel" in page.text) == (heading, True, True)


def test_without_a_page_nobody_is_signed_in(provider: DemoProvider) -> None:
    """OpenID Connect Core 1.0, 3.1.2.6: what ``prompt=none`` is answered with where a person would have to be asked."""
    reply = shown(provider, prompt="none")
    assert (reply.status_code, reply.headers["Location"]) == (302, f"{CALLBACK}?error=login_required&state=s")


def test_a_silent_request_with_another_redirect_uri_is_sent_nowhere(provider: DemoProvider) -> None:
    reply = shown(provider, prompt="none", redirect_uri="http://localhost:8999/elsewhere")
    assert (reply.status_code, "Location" in reply.headers) == (400, False)


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        pytest.param({"redirect_uri": "http://a/b", "prompt": "login"}, None, id="a-page-is-welcome"),
        pytest.param(
            {"redirect_uri": "http://a/b", "prompt": "none"}, "http://a/b?error=login_required", id="no-state"
        ),
        pytest.param(
            {"redirect_uri": "http://a/b?c=1", "prompt": "none", "state": "x&y"},
            "http://a/b?c=1&error=login_required&state=x%26y",
            id="query-of-its-own",
        ),
        pytest.param(
            {"redirect_uri": "http://a/b", "prompt": "none login"},
            "http://a/b?error=invalid_request",
            id="contradiction",
        ),
    ],
)
def test_refusal_goes_where_the_answer_would_have_gone(asked: dict[str, str], target: str | None) -> None:
    assert silent_refusal(asked) == target


@pytest.mark.parametrize("hint", ["ben", "Ben@Example.com"])
def test_hint_marks_one_person(provider: DemoProvider, hint: str) -> None:
    page = shown(provider, login_hint=hint)
    assert re.findall(r'value="(\w+)" autofocus', page.text) == ["ben"]
    assert page.text.count("suggested by JupyterLab") == 1


def test_hint_of_a_stranger_is_not_repeated(provider: DemoProvider) -> None:
    page = shown(provider, login_hint="<script>mallory")
    assert ("mallory" in page.text, "autofocus" in page.text) == (False, False)


def test_page_allows_itself_a_style_and_two_targets_for_its_form(provider: DemoProvider) -> None:
    page = shown(provider)
    nonce = re.search(r'<style nonce="([\w-]{22})">', page.text)
    assert nonce is not None
    assert page.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'nonce-{nonce.group(1)}'; img-src data:; "
        "base-uri 'none'; form-action 'self' http://localhost:8999; frame-ancestors 'none'"
    )
    assert page.headers["Cache-Control"] == "no-store"


def test_a_nonce_is_used_once(provider: DemoProvider) -> None:
    assert shown(provider).headers["Content-Security-Policy"] != shown(provider).headers["Content-Security-Policy"]


def test_pages_of_the_provider_that_are_not_ours_load_nothing_either(provider: DemoProvider) -> None:
    with httpx.Client(trust_env=False, verify=PLAIN, headers=BROWSER) as client:
        page = client.get(f"{provider.issuer}/login")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; ")


def test_a_page_that_is_too_old_says_so_in_words(provider: DemoProvider) -> None:
    with httpx.Client(trust_env=False, verify=PLAIN, headers=BROWSER) as client:
        page = client.post(f"{provider.issuer}/authorize", data={"transaction_id": "gone", "username": "ada"})
    assert (page.status_code, heading_of(page)) == (400, "This sign-in cannot go on")
    assert "Unknown or expired authorization request." in page.text


def test_a_program_reads_the_same_refusal_as_json(provider: DemoProvider) -> None:
    with httpx.Client(trust_env=False, verify=PLAIN, headers={"Accept": "application/json"}) as client:
        reply = client.post(f"{provider.issuer}/authorize", data={"transaction_id": "gone", "username": "ada"})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def device_code(client: httpx.Client, provider: DemoProvider) -> str:
    form = {"client_id": "jupyter", "scope": "openid profile"}
    code: str = client.post(f"{provider.issuer}/device_authorization", data=form).json()["user_code"]
    return code


@pytest.mark.parametrize(
    ("pressed", "heading"),
    [({"username": "ada"}, "JupyterLab is signed in"), ({"action": "deny"}, "JupyterLab is not signed in")],
    ids=["ada", "declined"],
)
def test_code_is_compared_before_a_person_is_chosen(
    provider: DemoProvider, pressed: dict[str, str], heading: str
) -> None:
    with httpx.Client(trust_env=False, verify=PLAIN, headers=BROWSER) as client:
        code = device_code(client, provider)
        asked = client.get(f"{provider.issuer}/device")
        compared = client.get(f"{provider.issuer}/device?{urlencode({'user_code': code.lower()})}")
        ended = client.post(compared.url, data={"user_code": code, **pressed})
    assert (heading_of(asked), 'name="username"' in asked.text) == ("Enter the code", False)
    assert (f'<p class="code">{code}</p>' in compared.text, heading_of(ended)) == (True, heading)


def test_wrong_code_is_asked_for_again(provider: DemoProvider) -> None:
    with httpx.Client(trust_env=False, verify=PLAIN, headers=BROWSER) as client:
        page = client.post(f"{provider.issuer}/device", data={"user_code": "NONE0000", "username": "ada"})
    assert (heading_of(page), "Invalid or expired user code." in page.text) == ("Enter the code", True)


def test_sign_out_at_the_provider_ends_on_a_page(provider: DemoProvider) -> None:
    with httpx.Client(trust_env=False, verify=PLAIN, headers=BROWSER) as client:
        assert heading_of(client.get(f"{provider.issuer}/logout")) == "You are signed out"


def test_templates_name_no_other_host() -> None:
    import jupyter_oidc.demo

    folder = Path(jupyter_oidc.demo.__file__).with_name("templates")
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()))
    assert re.findall(r"//[\w.-]+\.\w+", text) == []
