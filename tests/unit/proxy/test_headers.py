"""The header policy filters requests and replies (C5, C6, C8, C11, C22, C23)."""

from __future__ import annotations

import time

import pytest

from jupyter_oidc.problems import BadHeader
from jupyter_oidc.proxy.headers import Headers, filter_request_headers, filter_response_headers


def up(received: Headers) -> Headers:
    return filter_request_headers(received)[0]


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Cookie", "Proxy-Authorization", "DPoP", "Host", "Via", "Forwarded"),
        *("X-Forwarded-For", "X-Forwarded-Host", "X_Forwarded_For", "X-XSRFToken", "X-Real-IP"),
        *("Connection", "TE", "Trailer", "Upgrade", "Keep-Alive", "Expect", "Transfer-Encoding"),
        *("X-HTTP-Method-Override", "X-Original-URL", "Origin", "Referer", "Sec-Fetch-Site", "Content-Length"),
    ],
)
def test_a_header_that_could_carry_authority_does_not_go_up(name: str) -> None:
    """C5: No credential of the caller reaches an API. C6: Hop-by-hop request headers stop here."""
    assert up([(name, "x")]) == []
    assert up([(name.lower(), "x")]) == []
    assert up([(name.upper(), "x")]) == []


def test_a_nonce_of_an_api_stays_here() -> None:
    """X-7: the server makes the proofs, so no caller needs the nonce."""
    assert "DPoP-Nonce" not in dict(filter_response_headers([("DPoP-Nonce", "n-1")]))
    assert up([("DPoP", "a.b.c"), ("dpop", "a.b.c"), ("DPoP-Nonce", "n-1")]) == []


def test_what_an_api_needs_goes_up_unchanged() -> None:
    honest = [("Accept", "text/csv"), ("Range", "bytes=0-9"), ("If-None-Match", '"a"'), ("content-type", "text/x")]
    assert up(honest) == honest


def test_a_header_named_by_connection_stays_here() -> None:
    """C6: Hop-by-hop request headers stop here."""
    assert up([("Connection", "close, Accept"), ("Accept", "x"), ("Range", "bytes=0-")]) == [("Range", "bytes=0-")]


def test_the_value_of_a_header_that_stays_here_is_nobodys_business() -> None:
    """C6: Hop-by-hop request headers stop here. C8: Malformed request headers are never repaired."""
    assert up([("Prefer", "caf\u20ac"), ("Connection", "prefer"), ("Range", "bytes=0-")]) == [("Range", "bytes=0-")]


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0b", "caf\u20ac"])
def test_a_value_that_cannot_be_forwarded_is_refused(value: str) -> None:
    """C8: Malformed request headers are never repaired."""
    with pytest.raises(BadHeader):
        up([("Accept", value)])


@pytest.mark.parametrize(
    "name",
    [
        *("Set-Cookie", "Clear-Site-Data", "Service-Worker-Allowed", "Strict-Transport-Security"),
        *("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "X-OIDC-Error", "X-OIDC-Retryable"),
        *("X-Frame-Options", "Content-Security-Policy-Report-Only", "Connection", "Server", "Refresh", "SourceMap"),
    ],
)
def test_a_header_that_acts_on_the_browser_does_not_come_down(name: str) -> None:
    """C23: Headers that act on the origin stay away."""
    assert name.lower() not in {key.lower() for key, _ in filter_response_headers([(name, "x")])}


def test_a_reply_is_sandboxed_whatever_the_upstream_says() -> None:
    down = filter_response_headers([("Content-Security-Policy", "default-src *"), ("X-Content-Type-Options", "sniff")])
    assert [value for name, value in down if name == "Content-Security-Policy"] == [
        "sandbox; default-src 'none'; frame-ancestors 'none'"
    ]
    assert [value for name, value in down if name == "X-Content-Type-Options"] == ["nosniff"]


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        ([], "private, no-cache"),
        (["public, max-age=60"], "private, max-age=60"),
        (["s-maxage=9"], "private, no-cache"),
        (["no-store"], "private, no-store"),
        (["Public", "max-age=1"], "private, max-age=1"),
    ],
)
def test_no_shared_cache_may_keep_a_reply(upstream: list[str], expected: str) -> None:
    """C22: Bodiless replies, ranges and caching keep their meaning."""
    down = filter_response_headers([("Cache-Control", value) for value in upstream])
    assert [value for name, value in down if name == "Cache-Control"] == [expected]


def test_a_challenge_that_makes_the_browser_prompt_is_dropped() -> None:
    """C11: A 401 earns one refresh and one replay."""
    down = filter_response_headers(
        [("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", 'Bearer error="invalid_token"')]
    )
    assert [value for name, value in down if name == "WWW-Authenticate"] == ['Bearer error="invalid_token"']


@pytest.mark.parametrize("value", ['\\"' * 16_000, '"' * 32_001, '"\\' * 16_000, 'a="b", ' * 4_000 + '"'])
def test_a_challenge_made_of_quotes_holds_up_nobody(value: str) -> None:
    """C20: one header of 32 KB held up the whole server for seconds, and an API may send a hundred."""
    begun = time.process_time()
    filter_response_headers([("WWW-Authenticate", f"Bearer {value}")] * 5)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("value", ['Bearer realm="a, Basic realm=b', 'Bearer realm="a\\', 'Bearer realm="a\\"'])
def test_a_challenge_with_a_quote_that_never_ends_is_dropped(value: str) -> None:
    """C11: browsers disagree about the text after an open quote."""
    assert not [
        name for name, _ in filter_response_headers([("WWW-Authenticate", value)]) if name == "WWW-Authenticate"
    ]


def test_what_a_client_needs_comes_down() -> None:
    names = ["Content-Type", "ETag", "Link", "X-Total-Count", "RateLimit-Remaining", "Retry-After", "Content-Encoding"]
    down = {name for name, _ in filter_response_headers([(name, "x") for name in names])}
    assert set(names) <= down


PAGE_GETS = [
    *("OData-Version", "OData-EntityId", "Upload-Offset", "Upload-Length", "Tus-Resumable", "Docker-Content-Digest"),
    *("Docker-Distribution-Api-Version", "grpc-status", "grpc-message", "x-ms-request-id", "x-amz-request-id"),
    *(
        "x-goog-generation",
        "x-github-request-id",
        "RateLimit-Policy",
        "Request-Id",
        "X-Request-ID",
        "Operation-Location",
    ),
    *("Azure-AsyncOperation", "anthropic-ratelimit-requests-remaining", "openai-processing-ms", "traceparent"),
]


@pytest.mark.parametrize("name", PAGE_GETS)
def test_what_says_which_protocol_an_api_speaks_comes_down_to_a_page(name: str) -> None:
    """Q3.5: Kernels get every reply header that is harmless."""
    assert (name.lower(), "x") in [(key.lower(), value) for key, value in filter_response_headers([(name, "x")])]


@pytest.mark.parametrize("name", [*PAGE_GETS, "X-Novelty", "Server", "Refresh", "SourceMap", "X-Powered-By", "Alt-Svc"])
def test_everything_comes_down_to_a_kernel(name: str) -> None:
    """Q3.5: a kernel has no origin that a header could act on (ADR 33)."""
    assert (name.lower(), "x") in [
        (key.lower(), value) for key, value in filter_response_headers([(name, "x")], to_kernel=True)
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("Set-Cookie", "Set-Cookie2", "set_cookie", "X-OIDC-Error", "x_oidc_error", "X-OIDC-Held-Back", "DPoP-Nonce"),
        *("Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authenticate"),
        *("Access-Control-Allow-Origin", "Content-Security-Policy", "X-Hop", "X-Accel-Redirect", "X-Sendfile"),
        *("CDN-Cache-Control", "Surrogate-Control", "Pragma", "Cloudflare-CDN-Cache-Control"),
    ],
)
def test_what_is_ours_or_ends_with_the_connection_does_not_come_down_to_a_kernel(name: str) -> None:
    """Q3.5: these are hop by hop (RFC 9110, 7.6.1), cookies, and the names by which we and Jupyter speak."""
    down = filter_response_headers([("Connection", "close, X-Hop"), (name, "evil")], to_kernel=True)
    assert "evil" not in [value for _, value in down]


def test_a_kernel_gets_every_challenge() -> None:
    """Q3.5, C11: a kernel shows no login prompt."""
    down = filter_response_headers([("WWW-Authenticate", 'Basic realm="x"')], to_kernel=True)
    assert ("WWW-Authenticate", 'Basic realm="x"') in down


@pytest.mark.parametrize(
    "name",
    [
        *("Content-Range", "X-Correlation-ID", "traceparent", "tracestate", "baggage", "OData-MaxVersion", "Prefer"),
        *(
            "anthropic-version",
            "OpenAI-Organization",
            "x-ms-version",
            "x-amz-meta-a",
            "x-goog-user-project",
            "If-Match",
        ),
        *("If-Schedule-Tag-Match", "Upload-Offset", "Tus-Resumable", "ConsistencyLevel", "X-GitHub-Api-Version"),
    ],
)
def test_a_header_without_authority_goes_up(name: str) -> None:
    """Q3.4: Request headers held back are named."""
    assert filter_request_headers([(name, "x")]) == ([(name, "x")], [])


@pytest.mark.parametrize(
    "name",
    [
        *("Ocp-Apim-Subscription-Key", "X-Novelty", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL"),
        *("X-Rewrite-URL", "X-Amz-Security-Token", "x-ms-copy-source", "x-ms-rename-source", "X-Amz-Copy-Source"),
        *("X-Goog-Copy-Source", "X-Goog-IAP-JWT-Assertion", "X-Goog-Api-Key", "x-ms-authorization-auxiliary"),
        *("X-GitHub-Token", "Destination", "DPoP", "X-Remote-User", "If-Forwarded"),
    ],
)
def test_a_header_that_is_held_back_is_told(name: str) -> None:
    """Q3.4: such headers bypass the lists of methods and paths, prove an identity, or are unknown."""
    assert filter_request_headers([(name, "x")]) == ([], [name])


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Cookie", "Host", "Sec-Fetch-Site", "X-XSRFToken", "X-Forwarded-For", "Origin", "TE", "X-OIDC-A"],
)
def test_a_header_that_is_not_meant_for_the_api_is_no_news(name: str) -> None:
    """Q3.4: every browser and every proxy in front of Jupyter sends these headers."""
    assert filter_request_headers([(name, "x")]) == ([], [])


def test_what_is_told_is_bounded() -> None:
    """Q3.4: the list holds names only, each once, twenty at most, and none that is too long for a name."""
    many = [(f"X-{number}", "secret") for number in range(50)]
    assert filter_request_headers([("X-A", "1"), ("x-a", "2"), ("X-" + "a" * 63, "3")]) == ([], ["x-a"])
    assert filter_request_headers(many)[1] == [f"X-{number}" for number in range(20)]


def test_a_name_that_we_send_ourselves_is_nobody_elses() -> None:
    """Q3.4: a caller cannot put its own value beside the second secret."""
    sent = [("x-api-version", "1"), ("Accept", "*/*")]
    assert filter_request_headers(sent, frozenset(), frozenset({"x-api-version"})) == (
        [("Accept", "*/*")],
        ["x-api-version"],
    )
