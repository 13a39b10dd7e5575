"""Headers of an API's answer that act on the browser, on Jupyter, or on caches (C22, C23, C24, C25)."""

from __future__ import annotations

import hashlib

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_client import RawClient
from tests.support.raw_upstream import RawUpstream, echo_token, reply

SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"

ACTING = [
    "Set-Cookie: _xsrf=evil; Path=/",
    "Set-Cookie2: a=b",
    "Clear-Site-Data: *",
    "Service-Worker-Allowed: /",
    "Strict-Transport-Security: max-age=31536000; includeSubDomains",
    "Public-Key-Pins: x",
    "Expect-CT: max-age=1",
    "Access-Control-Allow-Credentials: true",
    "Access-Control-Allow-Methods: DELETE",
    "Access-Control-Allow-Headers: *",
    "Access-Control-Expose-Headers: *",
    "Access-Control-Allow-Private-Network: true",
    "Timing-Allow-Origin: *",
    "Cross-Origin-Opener-Policy: unsafe-none",
    "Cross-Origin-Embedder-Policy: unsafe-none",
    "Content-Security-Policy-Report-Only: default-src *; report-uri https://evil.example",
    "X-Frame-Options: ALLOWALL",
    "X-XSS-Protection: 0",
    "X-Content-Security-Policy: default-src *",
    "X-WebKit-CSP: default-src *",
    "X-Accel-Redirect: /etc/passwd",
    "X-Sendfile: /etc/passwd",
    "X-DNS-Prefetch-Control: on",
    "X-Permitted-Cross-Domain-Policies: all",
    "X-OIDC-Error: session_expired",
    "X-OIDC-Retryable: true",
    "X-OIDC-Novelty: 1",
    "X-XSRFToken: evil",
    "Refresh: 0; url=https://evil.example",
    "SourceMap: https://evil.example/x.map",
    "X-SourceMap: https://evil.example/x.map",
    "Report-To: {}",
    "Reporting-Endpoints: a='https://evil.example'",
    "NEL: {}",
    "Permissions-Policy: camera=*",
    "Feature-Policy: camera *",
    "Accept-CH: Sec-CH-UA",
    "Critical-CH: Sec-CH-UA",
    'Alt-Svc: h3=":443"; ma=2592000',
    "Upgrade: h2c",
    "Proxy-Authenticate: Basic",
    "Proxy-Authentication-Info: x",
    "Authentication-Info: x",
    "Authorization: Bearer x",
    "Cookie: a=b",
    "Origin-Agent-Cluster: ?0",
    "Speculation-Rules: '/rules.json'",
    "No-Vary-Search: params",
    "Supports-Loading-Mode: credentialed-prerender",
    "Attribution-Reporting-Register-Source: {}",
    "Set-Login: logged-in",
    "Sec-Session-Registration: (ES256)",
    "Trailer: Set-Cookie",
    "Via: 1.1 evil",
    "Server: evil",
    "X-Powered-By: evil",
]
NOT_YET_DROPPED = {
    "X-Content-Security-Policy",
    "X-WebKit-CSP",
    "X-DNS-Prefetch-Control",
    "X-Permitted-Cross-Domain-Policies",
    "X-XSRFToken",
    "X-SourceMap",
    "X-Powered-By",
}
"""They begin with ``X-``, and that whole family comes down."""


NOT_EVEN_TO_A_KERNEL = {
    *("Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "X-OIDC-Error", "X-OIDC-Retryable", "X-OIDC-Novelty", "Upgrade"),
    *("Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"),
    *("Access-Control-Expose-Headers", "Access-Control-Allow-Private-Network", "Proxy-Authenticate"),
    *("Proxy-Authentication-Info", "Trailer", "X-Accel-Redirect", "X-Sendfile"),
}


@pytest.mark.parametrize("line", [line for line in ACTING if line.partition(":")[0] not in NOT_YET_DROPPED])
def test_a_header_that_acts_on_the_browser_does_not_come_down(
    real_environment: RealEnvironment, api: RawUpstream, line: str
) -> None:
    """C23: in any letters, once or twice. Q3.5: a kernel has no browser, and gets all but our own headers (ADR 33)."""
    name, _, value = line.partition(":")
    api.script("acting", reply("200 OK", b"ok", line, f"{name.upper()}:{value}", f"{name.lower()}:{value}"))
    answer = real_environment.raw.ask("GET", "orders/acting")
    assert answer.status == 200
    comes = real_environment.raw.grant is not None and name not in NOT_EVEN_TO_A_KERNEL
    assert (value.strip() in answer.all(name)) is comes


@pytest.mark.parametrize("name", sorted(NOT_YET_DROPPED))
def test_an_x_header_that_acts_on_the_browser_does_not_come_down(
    real_environment: RealEnvironment, api: RawUpstream, name: str
) -> None:
    """C23: old browsers' policies, hints to developer tools, Jupyter's own header, and headers that name versions."""
    api.script("acting", reply("200 OK", b"ok", f"{name}: evil"))
    assert real_environment.raw.ask("GET", "orders/acting").all(name) == (
        [] if real_environment.raw.grant is None else ["evil"]
    )


def test_an_api_grants_no_other_origin_anything(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C23: CORS is Jupyter's own business, even when the API echoes the origin."""
    api.script(
        "cors", reply("200 OK", b"ok", "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true")
    )
    answer = real_environment.raw.ask("GET", "orders/cors", f"Origin: http://{real_environment.raw.host}")
    assert answer.status == 200
    assert "*" not in answer.all("access-control-allow-origin")
    assert answer.all("access-control-allow-credentials") == []


PAGES = ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/javascript", "application/pdf"]


@pytest.mark.parametrize("kind", PAGES)
def test_whatever_an_api_sends_is_sandboxed_and_not_sniffed(
    real_environment: RealEnvironment, api: RawUpstream, kind: str
) -> None:
    """C24: every answer, its own policies gone, so that a page opened directly can do nothing here."""
    own = ["Content-Security-Policy: default-src * 'unsafe-inline'", "X-Content-Type-Options: none"]
    more = ["Referrer-Policy: unsafe-url", "Cross-Origin-Resource-Policy: cross-origin"]
    api.script("page", reply("200 OK", b"<script>alert(1)</script>", f"Content-Type: {kind}", *own, *more))
    answer = real_environment.raw.ask("GET", "orders/page")
    assert answer.all("content-security-policy") == [SANDBOX]
    assert answer.all("x-content-type-options") == ["nosniff"]
    assert answer.all("referrer-policy") == ["no-referrer"]
    assert answer.all("cross-origin-resource-policy") == ["same-origin"]


@pytest.mark.parametrize(
    "status", ["200 OK", "206 Partial Content", "302 Found", "401 Unauthorized", "404 Not Found", "500 Oops"]
)
def test_every_status_is_sandboxed_and_private(
    real_environment: RealEnvironment, api: RawUpstream, status: str
) -> None:
    """C22, C24: an error page is a page."""
    api.script("status", reply(status, b"<script>", "Content-Type: text/html", "Cache-Control: public, max-age=9"))
    answer = real_environment.raw.ask("GET", "orders/status")
    assert answer.all("content-security-policy") == [SANDBOX]
    assert answer.all("cache-control") == ["private, max-age=9"]


CACHES = {
    "public": (["public, max-age=60"], "private, max-age=60"),
    "nothing": ([], "private, no-cache"),
    "for shared caches": (["s-maxage=60"], "private, no-cache"),
    "twice": (["public", "max-age=1"], "private, max-age=1"),
    "in large letters": (["PUBLIC, S-MAXAGE=60, MAX-AGE=1"], "private, MAX-AGE=1"),
    "a private that names headers": (['private="set-cookie", max-age=1'], "private, max-age=1"),
    "not to be kept": (["no-store"], "private, no-store"),
}


@pytest.mark.parametrize(("sent", "expected"), CACHES.values(), ids=CACHES)
def test_no_cache_that_others_share_may_keep_an_answer(
    real_environment: RealEnvironment, api: RawUpstream, sent: list[str], expected: str
) -> None:
    """C22: Bodiless replies, ranges and caching keep their meaning."""
    api.script("cache", reply("200 OK", b"ok", *(f"Cache-Control: {value}" for value in sent), "Expires: 0"))
    assert real_environment.raw.ask("GET", "orders/cache").all("cache-control") == [expected]


@pytest.mark.parametrize("name", ["CDN-Cache-Control", "Surrogate-Control", "Edge-Control", "Pragma"])
def test_no_other_header_speaks_to_a_shared_cache(
    real_environment: RealEnvironment, api: RawUpstream, name: str
) -> None:
    """C22: Bodiless replies, ranges and caching keep their meaning."""
    api.script("cache", reply("200 OK", b"ok", f"{name}: public, max-age=60"))
    assert real_environment.raw.ask("GET", "orders/cache").all(name) == []


def test_a_value_that_could_end_a_header_does_not_come_down(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C20, C23: control characters that the parser lets through are not handed on."""
    api.script("control", reply("200 OK", b"ok", more=[b"X-Page: a\x01b", b"X-Next: a\x7fb", b"X-Count: fine"]))
    answer = real_environment.raw.ask("GET", "orders/control")
    assert answer.status == 502 or (answer.all("x-page"), answer.all("x-next"), answer.all("x-count")) == (
        [],
        [],
        ["fine"],
    )


def test_a_value_beyond_ascii_comes_down_byte_for_byte(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C23: or not at all."""
    value = b"attachment; filename=caf\xe9.csv; filename*=UTF-8''caf%C3%A9.csv"
    api.script("latin", reply("200 OK", b"ok", more=[b"Content-Disposition: " + value]))
    assert real_environment.raw.ask("GET", "orders/latin").all("content-disposition") in ([value.decode("latin-1")], [])


def test_what_a_client_needs_comes_down_with_repetitions(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C22: the positive control. Q3.3: a link below the base URL leads through the proxy."""
    lines = [
        'ETag: W/"7"',
        "Link: </v1/a>; rel=next",
        "Link: </b>; rel=prev",
        "X-Total-Count: 12",
        "RateLimit-Remaining: 3",
    ]
    api.script("needed", reply("200 OK", b"ok", *lines, "Vary: Accept", "Vary: Origin", "Retry-After: 3"))
    answer = real_environment.raw.ask("GET", "orders/needed")
    assert (answer.all("etag"), answer.all("x-total-count"), answer.all("retry-after")) == (['W/"7"'], ["12"], ["3"])
    outside = f"http://127.0.0.1:{api.port}/b"
    assert answer.all("link") == [f"<{real_environment.proxy}a>; rel=next", f"<{outside}>; rel=prev"]
    assert answer.all("x-oidc-leads-outside") == ([] if real_environment.raw.grant is None else ["Link"])


def unwatched(real_environment: RealEnvironment) -> RawClient:
    """A client whose replies the canary does not see, since an API sends the token back on purpose."""
    return RawClient(real_environment.raw.url, real_environment.raw.token, watched=False)


def holds_a_token(real_environment: RealEnvironment, text: bytes) -> bool:
    return any(secret.encode() in text for secret in real_environment.provider.issued())


@pytest.mark.parametrize("name", ["X-Echo", "X-Authorization", "Warning", "Server-Timing"])
def test_an_echoed_token_does_not_come_down_in_a_header(
    real_environment: RealEnvironment, api: RawUpstream, name: str
) -> None:
    """C25: the exact bytes of the token are taken out of header values."""
    api.script("echo", echo_token(header=name))
    answer = unwatched(real_environment).ask("GET", "orders/echo")
    clean = not any(holds_a_token(real_environment, value.encode("latin-1")) for _, value in answer.headers)
    assert clean


def test_an_echoed_token_in_a_body_is_a_documented_limit(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C25: bodies are never read here; an API that shows its callers their token shows it."""
    api.script("echo", echo_token())
    answer = unwatched(real_environment).ask("GET", "orders/echo")
    shown = hashlib.sha256(answer.body.removeprefix(b"Bearer ")).hexdigest() == api.calls[-1].bearer
    assert shown
