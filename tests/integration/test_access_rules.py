"""Every route and verb: without authentication, from another site, with a malformed envelope, with a kernel grant.

The walk is made over the route table itself, so a new route is walked the day it is added.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.web import RequestHandler

from jupyter_oidc import contract
from jupyter_oidc.server.routes import ROUTES
from jupyter_oidc.web.access_rule import access_rule_of
from tests.support.canary import Canary
from tests.support.jupyter_process import JupyterProcess

PROVIDERS = {
    "corp": {
        "issuer": "http://127.0.0.1:9",
        "client_id": "jupyter",
        "allow_insecure_loopback": True,
        "apis": {"orders": {"base_url": "http://127.0.0.1:9/v1/"}},
    }
}
SAMPLES = {
    r"/jupyter-oidc/api/(.*)": "/jupyter-oidc/api/orders/items",
    r"/jupyter-oidc/start/([^/]+)": "/jupyter-oidc/start/some-ticket",
}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def sample(pattern: str) -> str:
    return SAMPLES.get(pattern) or pattern.replace("([^/]+)", "corp", 1).replace("([^/]+)", "0123456789abcdef")


def walk() -> list[tuple[str, str, Any]]:
    """Every (verb, path, access rule) that a route answers."""
    return [
        (verb, sample(pattern), access_rule_of(method))
        for pattern, handler in ROUTES
        for verb in VERBS
        if (method := getattr(handler, verb.lower())) is not RequestHandler._unimplemented_method
    ]


GUARDED = [(verb, path) for verb, path, rule in walk() if rule.protection is None]
WRITES = [(verb, path) for verb, path in GUARDED if verb not in ("GET", "HEAD")]
OPEN = [(verb, path) for verb, path, rule in walk() if rule.protection is not None]
USER_ONLY = [(verb, path) for verb, path, rule in walk() if rule.callers == ("user",)]


Ask = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture(scope="module", params=[True, False], ids=["lenient", "strict"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    """One server for all requests: its provider answers nobody, so no request leaves a session for the next one."""
    settings = {"allow_unauthenticated_access": request.param}
    folder = tmp_path_factory.mktemp("access") / "jupyter"
    with JupyterProcess(folder, PROVIDERS, base_url="/a%40b/", server=settings) as server:
        yield server


@pytest.fixture
def ask(server: JupyterProcess, canary: Canary) -> Ask:
    """Ask the server with exactly the headers given: no token unless a test sends one."""

    async def fetch(verb: str, path: str, body: bytes | None = None, **headers: str) -> HTTPResponse:
        if body is None and verb in ("POST", "PUT", "PATCH"):
            body = b""
        response = await AsyncHTTPClient().fetch(
            server.url.rstrip("/") + path,
            method=verb,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=body,
            raise_error=False,
            follow_redirects=False,
        )
        canary.look_at_reply(response)
        return response

    return fetch


@pytest.fixture
def token(server: JupyterProcess) -> str:
    return f"token {server.token}"


def code_of(response: HTTPResponse) -> str:
    if response.body:
        body = contract.check("error", json.loads(response.body))
        assert response.headers["X-OIDC-Error"] == body["code"]
    return response.headers["X-OIDC-Error"]


def test_the_walk_covers_every_route() -> None:
    assert len({path for _, path, _ in walk()}) == len(ROUTES)


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_nobody_comes_in_without_authentication(ask: Ask, verb: str, path: str) -> None:
    response = await ask(verb, path, X_Forwarded_User="admin")
    assert response.code == 403
    assert code_of(response) in ("forbidden", "csrf_failed")
    assert "Location" not in response.headers, "C31: never a redirect to HTML"


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_a_wrong_token_is_no_authentication(ask: Ask, verb: str, path: str) -> None:
    response = await ask(verb, path, Authorization="token wrong")
    assert response.code == 403


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_a_made_up_grant_opens_nothing(ask: Ask, verb: str, path: str) -> None:
    response = await ask(verb, path, Authorization="Bearer jog.made-up-grant-of-plausible-length")
    assert (response.code, response.headers["X-OIDC-Error"]) == (401, "grant_invalid")


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_a_request_of_another_site_is_refused(ask: Ask, server: JupyterProcess, verb: str, path: str) -> None:
    """C32, D4: even with the login cookie, and with every header that a foreign page can cause."""
    cookie = await login_cookie(ask, server)
    response = await ask(verb, path, Cookie=cookie, Sec_Fetch_Site="cross-site", Origin="https://evil.example")
    assert (response.code, response.headers["X-OIDC-Error"]) == (403, "csrf_failed")


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_a_page_on_another_port_of_this_host_is_refused(
    ask: Ask, server: JupyterProcess, verb: str, path: str
) -> None:
    """C32: cookies know no ports, so an image or a link there would carry ours; its forms and scripts have an Origin."""
    cookie = await login_cookie(ask, server)
    response = await ask(verb, path, Cookie=cookie, Sec_Fetch_Site="same-site")
    assert (response.code, response.headers["X-OIDC-Error"]) == (403, "csrf_failed")


@pytest.mark.parametrize(("verb", "path"), WRITES)
async def test_a_cookie_without_an_xsrf_token_changes_nothing(
    ask: Ask, server: JupyterProcess, verb: str, path: str
) -> None:
    """C32: the form post of an old browser is refused."""
    cookie = await login_cookie(ask, server)
    response = await ask(verb, path, b"a=b" if verb != "DELETE" else None, Cookie=cookie)
    assert (response.code, response.headers["X-OIDC-Error"]) == (403, "csrf_failed")


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_a_host_that_is_not_ours_is_refused(ask: Ask, token: str, verb: str, path: str) -> None:
    """C33: DNS rebinding."""
    response = await ask(verb, path, Authorization=token, Host="evil.example")
    assert (response.code, response.headers["X-OIDC-Error"]) == (403, "forbidden")


ENVELOPES = [
    "/jupyter-oidc/providers/corp/sign-in",
    "/jupyter-oidc/providers/corp/sign-in/0123456789abcdef/complete",
    "/jupyter-oidc/providers/corp/refresh",
    "/jupyter-oidc/providers/corp/sign-out",
    "/jupyter-oidc/kernel/grant",
]
MALFORMED = [
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b'{"surprise": 1}',
    b"[" * 20_000,
    b'{"next": NaN}',
    b'{"a":1}{"b":2}',
]


@pytest.mark.parametrize("path", ENVELOPES)
@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:12]))
async def test_a_malformed_envelope_is_refused_without_being_quoted(
    ask: Ask, token: str, path: str, body: bytes
) -> None:
    response = await ask("POST", path, body, Authorization=token, Content_Type="application/json")
    assert (response.code, code_of(response)) == (400, "request_invalid")
    assert b"surprise" not in response.body


@pytest.mark.parametrize("path", ENVELOPES)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_body_that_a_form_could_send_is_refused(ask: Ask, token: str, path: str, kind: str) -> None:
    """C32: Requests that another site causes are refused."""
    response = await ask("POST", path, b"{}", Authorization=token, Content_Type=kind)
    assert response.code in (400, 403)
    assert response.headers["X-OIDC-Error"] in ("csrf_failed", "request_invalid")


@pytest.mark.parametrize("path", ENVELOPES)
async def test_an_oversized_envelope_is_refused(ask: Ask, token: str, path: str) -> None:
    body = json.dumps({"next": "x" * 70_000}).encode()
    response = await ask("POST", path, body, Authorization=token, Content_Type="application/json")
    assert (response.code, code_of(response)) == (413, "body_too_large")


@pytest.mark.parametrize(("verb", "path"), GUARDED)
async def test_an_authenticated_user_gets_an_answer_of_ours_and_never_a_500(
    ask: Ask, token: str, verb: str, path: str
) -> None:
    response = await ask(verb, path, Authorization=token)
    assert response.code < 500 or response.code == 503, response.body


@pytest.mark.parametrize(("verb", "path"), OPEN)
async def test_a_public_route_answers_strangers_politely(ask: Ask, verb: str, path: str) -> None:
    response = await ask(verb, path)
    assert response.code in (200, 400)
    assert "Set-Cookie" not in response.headers or "_xsrf" in response.headers["Set-Cookie"]


@pytest.mark.parametrize("path", sorted({path for _, path in GUARDED}))
async def test_a_verb_that_a_route_does_not_have_is_refused(ask: Ask, token: str, path: str) -> None:
    mine = {verb for verb, here in GUARDED if here == path}
    for verb in {"PUT", "PATCH"} - mine:
        response = await ask(verb, path, Authorization=token)
        assert (response.code, response.headers["X-OIDC-Error"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("verb", "path", "code", "status"),
    [
        ("GET", "/jupyter-oidc/providers/nobody/session", "unknown_provider", 404),
        ("POST", "/jupyter-oidc/providers/nobody/sign-in", "unknown_provider", 404),
        ("GET", "/jupyter-oidc/providers/corp/sign-in/0123456789abcdef", "unknown_flow", 404),
        ("DELETE", "/jupyter-oidc/providers/corp/sign-in/0123456789abcdef", "unknown_flow", 404),
        ("DELETE", "/jupyter-oidc/providers/nobody/sign-in", "unknown_provider", 404),
        ("GET", "/jupyter-oidc/api/nothing/x", "unknown_api", 404),
        ("GET", "/jupyter-oidc/api/orders", "bad_path", 400),
        ("DELETE", "/jupyter-oidc/api/orders/x", "method_not_allowed", 405),
        ("GET", "/jupyter-oidc/api/orders/x", "not_signed_in", 401),
        ("POST", "/jupyter-oidc/providers/corp/refresh", "not_signed_in", 401),
        ("POST", "/jupyter-oidc/providers/corp/sign-in", "idp_unavailable", 503),
        ("GET", "/jupyter-oidc/providers/corp/session?wait=soon", "request_invalid", 400),
        ("GET", "/jupyter-oidc/providers/corp/session?wait=61", "request_invalid", 400),
        ("GET", "/jupyter-oidc/providers/corp/session?wait=nan", "request_invalid", 400),
        ("GET", "/jupyter-oidc/providers/corp/session?sequence=x", "request_invalid", 400),
    ],
)
async def test_what_is_not_there_is_named(ask: Ask, token: str, verb: str, path: str, code: str, status: int) -> None:
    response = await ask(verb, path, Authorization=token)
    assert (response.code, code_of(response)) == (status, code)
    if status == 503:
        assert int(response.headers["Retry-After"]) >= 1


async def test_an_unknown_api_in_a_sign_in_is_named(ask: Ask, token: str) -> None:
    response = await ask(
        "POST",
        "/jupyter-oidc/providers/corp/sign-in",
        b'{"api": "nothing"}',
        Authorization=token,
        Content_Type="application/json",
    )
    assert (response.code, code_of(response)) == (404, "unknown_api")


async def test_lists_match_their_contracts(ask: Ask, token: str) -> None:
    for path, name in [
        ("/jupyter-oidc/providers", "providers.reply"),
        ("/jupyter-oidc/providers/corp/session", "session.reply"),
        ("/jupyter-oidc/apis", "apis.reply"),
    ]:
        response = await ask("GET", path, Authorization=token)
        contract.check(name, json.loads(response.body))
        assert response.headers["Cache-Control"] == "no-store"


async def test_an_unchanged_summary_is_not_sent_again(ask: Ask, token: str) -> None:
    path = "/jupyter-oidc/providers/corp/session"
    first = await ask("GET", path, Authorization=token)
    again = await ask("GET", path, Authorization=token, If_None_Match=first.headers["ETag"])
    assert (again.code, again.body) == (304, b"")


async def test_the_login_cookie_of_our_own_pages_is_enough_to_read(ask: Ask, server: JupyterProcess) -> None:
    """The positive control of the refusals above."""
    cookie = await login_cookie(ask, server)
    response = await ask("GET", "/jupyter-oidc/providers/corp/session", Cookie=cookie, Sec_Fetch_Site="same-origin")
    assert response.code == 200


async def login_cookie(ask: Ask, server: JupyterProcess) -> str:
    """Log in as a browser does, and return its cookies."""
    response = await ask("GET", "/api/status?token=" + server.token)
    pairs = [header.partition(";")[0] for header in response.headers.get_list("Set-Cookie")]
    assert pairs, "no login cookie"
    return "; ".join(pairs)
