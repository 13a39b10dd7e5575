"""Header policy both ways (C5, C6, C8, C11, C22, C23)."""

from __future__ import annotations

import time

import pytest

from jupyter_oidc.errors import BadHeader
from jupyter_oidc.proxy.headers import headers_down, headers_up


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Cookie", "Proxy-Authorization", "DPoP", "Host", "Via", "Forwarded"),
        *("X-Forwarded-For", "X-Forwarded-Host", "X_Forwarded_For", "X-XSRFToken", "X-Real-IP"),
        *("Connection", "TE", "Trailer", "Upgrade", "Keep-Alive", "Expect", "Transfer-Encoding"),
        *("X-HTTP-Method-Override", "X-Original-URL", "Origin", "Referer", "Sec-Fetch-Site", "Content-Length"),
    ],
)
def test_a_header_that_could_carry_authority_does_not_go_up(name):
    """C5, C6."""
    assert headers_up([(name, "x")]) == []
    assert headers_up([(name.lower(), "x")]) == []
    assert headers_up([(name.upper(), "x")]) == []


def test_a_nonce_of_an_api_stays_here():
    """X-7: it is the server that proves, and nobody else needs to know what with."""
    assert "DPoP-Nonce" not in dict(headers_down([("DPoP-Nonce", "n-1")]))
    assert headers_up([("DPoP", "a.b.c"), ("dpop", "a.b.c"), ("DPoP-Nonce", "n-1")]) == []


def test_what_an_api_needs_goes_up_unchanged():
    honest = [("Accept", "text/csv"), ("Range", "bytes=0-9"), ("If-None-Match", '"a"'), ("content-type", "text/x")]
    assert headers_up(honest) == honest


def test_a_header_named_by_connection_stays_here():
    """C6."""
    assert headers_up([("Connection", "close, Accept"), ("Accept", "x"), ("Range", "bytes=0-")]) == [
        ("Range", "bytes=0-")
    ]


def test_the_value_of_a_header_that_stays_here_is_nobodys_business():
    """C6, C8."""
    assert headers_up([("Prefer", "caf\u20ac"), ("Connection", "prefer"), ("Range", "bytes=0-")]) == [
        ("Range", "bytes=0-")
    ]


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0b", "caf\u20ac"])
def test_a_value_that_cannot_be_forwarded_is_refused(value):
    """C8."""
    with pytest.raises(BadHeader):
        headers_up([("Accept", value)])


@pytest.mark.parametrize(
    "name",
    [
        *("Set-Cookie", "Clear-Site-Data", "Service-Worker-Allowed", "Strict-Transport-Security"),
        *("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "X-OIDC-Error", "X-OIDC-Retryable"),
        *("X-Frame-Options", "Content-Security-Policy-Report-Only", "Connection", "Server", "Refresh", "SourceMap"),
    ],
)
def test_a_header_that_acts_on_the_browser_does_not_come_down(name):
    """C23."""
    assert name.lower() not in {key.lower() for key, _ in headers_down([(name, "x")])}


def test_a_reply_is_sandboxed_whatever_the_upstream_says():
    down = headers_down([("Content-Security-Policy", "default-src *"), ("X-Content-Type-Options", "sniff")])
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
def test_no_shared_cache_may_keep_a_reply(upstream, expected):
    """C22."""
    down = headers_down([("Cache-Control", value) for value in upstream])
    assert [value for name, value in down if name == "Cache-Control"] == [expected]


def test_a_challenge_that_makes_the_browser_prompt_is_dropped():
    """C11."""
    down = headers_down([("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", 'Bearer error="invalid_token"')])
    assert [value for name, value in down if name == "WWW-Authenticate"] == ['Bearer error="invalid_token"']


@pytest.mark.parametrize("value", ['\\"' * 16_000, '"' * 32_001, '"\\' * 16_000, 'a="b", ' * 4_000 + '"'])
def test_a_challenge_made_of_quotes_holds_up_nobody(value):
    """C20: one header of 32 KB held up the whole server for seconds, and an API may send a hundred."""
    begun = time.process_time()
    headers_down([("WWW-Authenticate", f"Bearer {value}")] * 5)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("value", ['Bearer realm="a, Basic realm=b', 'Bearer realm="a\\', 'Bearer realm="a\\"'])
def test_a_challenge_with_a_quote_that_never_ends_is_dropped(value):
    """C11: what stands behind it is read by every browser as it likes."""
    assert not [name for name, _ in headers_down([("WWW-Authenticate", value)]) if name == "WWW-Authenticate"]


def test_what_a_client_needs_comes_down():
    names = ["Content-Type", "ETag", "Link", "X-Total-Count", "RateLimit-Remaining", "Retry-After", "Content-Encoding"]
    down = {name for name, _ in headers_down([(name, "x") for name in names])}
    assert set(names) <= down
