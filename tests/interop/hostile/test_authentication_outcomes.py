"""Answers of 401 and 403 by an API, and the callers that are let in at all (C11, C12, C13, C30, C31, C32, C33)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_client import RawReply
from tests.support.raw_upstream import Conversation, RawUpstream, Step, reply

INVALID = 'WWW-Authenticate: Bearer error="invalid_token"'


@pytest.fixture
def fresh(real_environment: RealEnvironment) -> RealEnvironment:
    """A user signed in with a token that no API has refused yet, so that a 401 may cause one refresh."""
    real_environment.post("sign-out")
    real_environment.sign_in()
    real_environment.api.forget()
    return real_environment


def refusing(*times: int, line: str = INVALID, status: str = "401 Unauthorized") -> Step:
    """Refuse the calls with these numbers, counted from one, and all others never; without numbers, every call."""
    count = 0
    lock = threading.Lock()

    async def step(talk: Conversation) -> None:
        nonlocal count
        await talk.body_read.wait()
        with lock:
            count += 1
            refused = not times or count in times
        body = b"" if talk.received.line.startswith("HEAD") else b'{"error": "no"}'
        await talk.send(reply(status, body, line) if refused else reply())
        talk.keep = True

    return step


def refreshes(real_environment: RealEnvironment) -> int:
    return real_environment.provider.count("token", grant_type="refresh_token")


# -- 401 and 403 of the API ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_refused_token_is_renewed_once_and_the_call_is_made_again(
    fresh: RealEnvironment, api: RawUpstream, method: str
) -> None:
    """C11: A 401 earns one refresh and one replay."""
    api.script("items", refusing(1))
    before = refreshes(fresh)
    assert fresh.raw.ask(method, "orders/items").status == 200
    one, two = api.to("items")
    assert (refreshes(fresh) - before, one.bearer != two.bearer, one.target == two.target) == (1, True, True)


def test_the_second_call_is_the_first_one_but_for_its_token(fresh: RealEnvironment, api: RawUpstream) -> None:
    """C11: the same method, target and headers."""
    api.script("items", refusing(1))
    fresh.raw.ask("GET", "orders/items?a=1;b=%20c", "Accept: text/csv", "Range: bytes=0-9", "If-Match: *")
    one, two = (
        [call.line, *(f"{name}: {value}" for name, value in call.headers if name != "Authorization")]
        for call in api.to("items")
    )
    assert one == two


def test_a_token_that_is_refused_again_earns_no_more_renewals(fresh: RealEnvironment, api: RawUpstream) -> None:
    """C11, B27: the API's own 401 is passed on, without our header, and its body with it."""
    api.script("items", refusing())
    before = refreshes(fresh)
    for _ in range(3):
        answer = fresh.raw.ask("GET", "orders/items")
        assert (answer.status, answer.code, answer.body) == (401, None, b'{"error": "no"}')
        assert answer.all("www-authenticate") == ['Bearer error="invalid_token"']
    assert refreshes(fresh) - before == 1
    assert fresh.summary()["state"] == "active"


def test_forty_calls_that_are_refused_at_once_share_one_renewal(fresh: RealEnvironment, api: RawUpstream) -> None:
    """C11: A 401 earns one refresh and one replay. B27: A token an API refuses is replaced once."""
    first: set[str] = set()

    async def once_renewed(talk: Conversation) -> None:
        first.update(call.bearer or "" for call in api.calls[:1])
        stale = talk.received.bearer in first
        await talk.send(reply("401 Unauthorized", b"", INVALID) if stale else reply())
        talk.keep = True

    api.script("items", once_renewed)
    before = refreshes(fresh)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: fresh.raw.ask("GET", "orders/items").status, range(40)))
    assert (answers, refreshes(fresh) - before) == ([200] * 40, 1)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_call_with_a_body_is_not_made_again_but_may_be(fresh: RealEnvironment, api: RawUpstream, method: str) -> None:
    """C30: the 401 is the API's, with a word that a second attempt may succeed, and it does."""
    api.script("items", refusing(1))
    answer = fresh.raw.ask(method, "orders/items", body=b"hello")
    assert (answer.status, answer.code, answer.all("x-oidc-retryable")) == (401, None, ["true"])
    assert len(api.to("items")) == 1
    assert fresh.raw.ask(method, "orders/items", body=b"hello").status == 200


PROMPTS = [
    'Basic realm="x"',
    'basic realm="x"',
    'BASIC realm="x", charset="UTF-8"',
    "Basic",
    '\tBasic realm="x"',
]


@pytest.mark.parametrize("challenge", PROMPTS)
def test_a_challenge_that_makes_a_browser_ask_for_a_password_is_dropped(
    fresh: RealEnvironment, api: RawUpstream, challenge: str
) -> None:
    """C11: a password typed into that prompt would go to the API's owner, or to Jupyter.

    Q3.5: a kernel has no browser, and is told what the API said (ADR 33).
    """
    api.script("items", refusing(line=f"WWW-Authenticate: {challenge}"))
    answer = fresh.raw.ask("GET", "orders/items")
    told = [] if fresh.raw.grant is None else [challenge.strip()]
    assert (answer.status, answer.all("www-authenticate")) == (401, told)


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="x", Basic realm="y"',
        'Digest realm="x", nonce="y"',
        "Negotiate",
        "NTLM",
        'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
    ],
)
def test_no_challenge_of_any_scheme_makes_a_browser_prompt(
    fresh: RealEnvironment, api: RawUpstream, challenge: str
) -> None:
    """C11: browsers ask for Digest and Negotiate, too, and several challenges may share one line (RFC 9110, 11.6.1).

    Q3.5: a kernel has no browser, and is told what the API said (ADR 33).
    """
    api.script("items", refusing(line=f"WWW-Authenticate: {challenge}"))
    shown = fresh.raw.ask("GET", "orders/items").all("www-authenticate")
    if fresh.raw.grant is not None:
        assert shown == [challenge]
        return
    words = " ".join(shown).lower()
    assert [scheme for scheme in ("basic", "digest", "negotiate", "ntlm") if scheme in words] == []


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer error="insufficient_user_authentication", acr_values="mfa"',
        'Bearer realm="x", error="insufficient_user_authentication", max_age=5',
        'DPoP error="insufficient_user_authentication"',
    ],
)
def test_a_stronger_sign_in_is_asked_for_by_name(fresh: RealEnvironment, api: RawUpstream, challenge: str) -> None:
    """C12: the session stays, and no token is refreshed, since a refresh would not help."""
    api.script("items", refusing(line=f"WWW-Authenticate: {challenge}"))
    before = refreshes(fresh)
    answer = fresh.raw.ask("GET", "orders/items")
    assert (answer.status, answer.code, len(api.to("items"))) == (401, "step_up_required", 1)
    assert (refreshes(fresh) - before, fresh.summary()["state"]) == (0, "active")


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "407 Proxy Authentication Required", "419 Expired", "498 Invalid Token"]
)
def test_no_other_refusal_renews_or_ends_anything(fresh: RealEnvironment, api: RawUpstream, status: str) -> None:
    """C13: even with the words of a refused token."""
    api.script("items", refusing(status=status))
    before = (refreshes(fresh), fresh.summary()["sequence"])
    answer = fresh.raw.ask("GET", "orders/items")
    assert (str(answer.status), answer.code, len(api.to("items"))) == (status[:3], None, 1)
    assert (refreshes(fresh), fresh.summary()["sequence"]) == before


# -- no session ----------------------------------------------------------------------------------------------


def assert_refused_at_once(answer: RawReply, code: str) -> None:
    assert (answer.status, answer.code, answer.json["code"], answer.first("location")) == (401, code, code, None)
    assert (answer.first("content-type") or "").startswith("application/problem+json")


def test_without_a_session_nothing_goes_out(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C31: JSON at once, for a page's navigation as well, and for an upload before it is read."""
    real_environment.post("sign-out")
    try:
        for lines in ([], ["Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin"]):
            assert_refused_at_once(real_environment.raw.ask("GET", "orders/items", *lines), "not_signed_in")
        assert_refused_at_once(real_environment.raw.ask("POST", "orders/items", body=b"hello"), "not_signed_in")
    finally:
        real_environment.sign_in()
    assert api.calls == []


def test_while_somebody_signs_in_nothing_goes_out(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C31: a call does not wait for a person."""
    real_environment.post("sign-out")
    try:
        begun = real_environment.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
        assert (begun.status_code, real_environment.summary()["state"]) == (201, "signing-in")
        assert_refused_at_once(real_environment.raw.ask("GET", "orders/items"), "not_signed_in")
    finally:
        real_environment.sign_in()
    assert api.calls == []


def test_when_the_provider_has_ended_the_session_nothing_goes_out(fresh: RealEnvironment, api: RawUpstream) -> None:
    """C31: and it has another name."""
    fresh.provider.revoke_all()
    try:
        assert fresh.post("refresh").status_code == 401
        assert fresh.summary()["state"] == "signed-out-expired"
        assert_refused_at_once(fresh.raw.ask("GET", "orders/items"), "session_expired")
    finally:
        fresh.sign_in()
    assert api.calls == []


# -- callers that are let in ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cookies(shared_environment: RealEnvironment) -> dict[str, str]:
    """The cookies of a browser that is logged in to Jupyter."""
    with shared_environment.process.stranger() as browser:
        browser.get("login")
        browser.get(f"api/status?token={shared_environment.process.token}")
        return {cookie.name: cookie.value or "" for cookie in browser.cookies.jar}


def as_browser(
    real_environment: RealEnvironment, cookies: dict[str, str], method: str, *lines: str, body: bytes = b""
) -> RawReply:
    """Ask with cookies and without a token, as a page's request would."""
    cookie = "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items())
    framing = [f"Content-Length: {len(body)}"] if body else []
    head = real_environment.raw.head(method, "orders/items", cookie, *lines, *framing, login=False)
    with real_environment.raw.sent(head + body) as connection:
        return connection.reply(method)


def test_our_own_pages_may_call(real_environment: RealEnvironment, api: RawUpstream, cookies: dict[str, str]) -> None:
    """C32: the positive control of what follows."""
    assert as_browser(real_environment, cookies, "GET", "Sec-Fetch-Site: same-origin").status == 200
    xsrf = f"X-XSRFToken: {cookies['_xsrf']}"
    assert as_browser(real_environment, cookies, "POST", "Sec-Fetch-Site: same-origin", xsrf, body=b"{}").status == 200
    assert len(api.calls) == 2


FORGED = {
    "a link or image elsewhere": ("GET", ["Sec-Fetch-Site: cross-site"], b""),
    "a frame elsewhere": ("GET", ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: iframe"], b""),
    "an image on another port": ("GET", ["Sec-Fetch-Site: same-site"], b""),
    "a script elsewhere": ("GET", ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"], b""),
    "a script in an old browser": ("GET", ["Origin: https://evil.example"], b""),
    "a page without an origin": ("POST", ["Origin: null", "Content-Type: text/plain"], b"{}"),
    "a form elsewhere": (
        "POST",
        ["Origin: https://evil.example", "Content-Type: application/x-www-form-urlencoded"],
        b"a=b",
    ),
    "a form in an old browser": ("POST", ["Content-Type: application/x-www-form-urlencoded"], b"a=b"),
    "a form of plain text": ("POST", ["Content-Type: text/plain"], b'{"a": 1}'),
    "a form with files": ("POST", ["Content-Type: multipart/form-data; boundary=x"], b"--x--"),
    "a form with a made-up field": ("POST", ["Content-Type: application/x-www-form-urlencoded"], b"_xsrf=2"),
    "a made-up header": ("POST", ["X-XSRFToken: 2|aaaaaaaa|bbbb|1", "Content-Type: application/json"], b"{}"),
    "a beacon": ("POST", ["Sec-Fetch-Site: cross-site", "Content-Type: text/plain"], b"{}"),
    "a deletion": ("DELETE", ["Sec-Fetch-Site: same-origin"], b""),
}


@pytest.mark.parametrize(("method", "lines", "body"), FORGED.values(), ids=FORGED)
def test_what_another_site_could_cause_is_refused(
    real_environment: RealEnvironment,
    api: RawUpstream,
    cookies: dict[str, str],
    method: str,
    lines: list[str],
    body: bytes,
) -> None:
    """C32: with the login cookie and everything that a page cannot read; no token leaves for it."""
    answer = as_browser(real_environment, cookies, method, *lines, body=body)
    assert (answer.status, answer.code, api.calls) == (403, "csrf_failed", [])


@pytest.mark.parametrize(
    "lines", [[], ["Sec-Fetch-Site: same-origin"], ["X-Forwarded-User: admin", "Remote-User: admin"]]
)
def test_without_a_login_nobody_comes_in(real_environment: RealEnvironment, api: RawUpstream, lines: list[str]) -> None:
    """C32: and is told so without a page."""
    for method in ("GET", "POST"):
        answer = as_browser(real_environment, {}, method, *lines)
        assert (answer.status, answer.code in ("forbidden", "csrf_failed"), answer.first("location")) == (
            403,
            True,
            None,
        )
    assert api.calls == []


@pytest.mark.parametrize("grant", ["jog.", "jog.made-up-grant-of-plausible-length", "JOG.x", "jog." + "a" * 10_000])
def test_a_made_up_grant_opens_nothing(real_environment: RealEnvironment, api: RawUpstream, grant: str) -> None:
    """C32: however it is spelled."""
    for scheme in ("Bearer", "bearer", "BEARER"):
        request = real_environment.raw.head("GET", "orders/items", f"Authorization: {scheme} {grant}", login=False)
        with real_environment.raw.sent(request) as connection:
            assert connection.reply().status in (401, 403)
    assert api.calls == []


def test_an_upload_that_is_refused_is_refused_before_it_is_sent(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C6, C31, C32: the answer does not wait for 100 MB that the server will not read."""
    request = real_environment.raw.head(
        "POST", "orders/items", "Content-Length: 100000000", "Expect: 100-continue", login=False
    )
    with real_environment.raw.sent(request) as connection:
        assert connection.reply("POST", patience=5).status in (403, 417)
    assert api.calls == []
