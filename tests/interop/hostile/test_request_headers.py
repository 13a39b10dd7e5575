"""Request headers as bytes: which go to the API, which stay here, and which are refused (C5, C6, C8)."""

from __future__ import annotations

import hashlib

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_client import NoReply
from tests.support.raw_upstream import RawUpstream

OURS = {"host", "authorization"}
"""Set by the proxy on every call."""

STAY_HERE = [
    "Cookie: session=1",
    "Cookie2: $Version=1",
    "Proxy-Authorization: Basic eDp5",
    "Proxy-Connection: keep-alive",
    "DPoP: proof",
    "X-Forwarded-For: 10.0.0.1",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-User: admin",
    "X_Forwarded_For: 10.0.0.1",
    "x_forwarded-host: evil.example",
    "Forwarded: for=10.0.0.1;host=evil.example",
    "Via: 1.1 evil",
    "X-Real-IP: 10.0.0.1",
    "X-Client-IP: 10.0.0.1",
    "True-Client-IP: 10.0.0.1",
    "CF-Connecting-IP: 10.0.0.1",
    "X-Original-URL: /admin",
    "X-Rewrite-URL: /admin",
    "X-HTTP-Method-Override: DELETE",
    "X-Method-Override: DELETE",
    "X-XSRFToken: 2|a|b|1",
    "X-CSRFToken: a",
    "X-Remote-User: admin",
    "Remote-User: admin",
    "REMOTE_USER: admin",
    "X-Auth-Request-Email: admin@example.com",
    "X-Amz-Security-Token: a",
    "X-Goog-IAP-JWT-Assertion: a",
    "Authorization_: Bearer mine",
    "X-Authorization: Bearer mine",
    "Api-Key: mine",
    "Origin: null",
    "Referer: http://localhost/lab?token=a",
    "Sec-Fetch-Site: same-origin",
    "Sec-WebSocket-Key: a",
    "TE: trailers",
    "Trailer: X-Evil",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
    "Keep-Alive: timeout=5",
    "Early-Data: 1",
    "Max-Forwards: 0",
    "Alt-Used: evil.example",
    "X-Novelty: 1",
]

OF_A_CALLER = ("x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")
"""Headers by which a proxy tells where a caller is; a kernel's grant is good at this machine only."""


@pytest.mark.parametrize("line", [line for line in STAY_HERE if not line.startswith("Origin")])
def test_a_header_that_is_not_listed_stays_here(real_environment: RealEnvironment, api: RawUpstream, line: str) -> None:
    """C5, C6: in the spelling of the row, in small and in large letters; one that tells of a caller elsewhere: Q8.12."""
    name, _, value = line.partition(":")
    is_refused = real_environment.raw.grant is not None and name.lower() in OF_A_CALLER
    for spelling in (name, name.lower(), name.upper()):
        status = real_environment.raw.ask("GET", "orders/headers", f"{spelling}:{value}").status
        if is_refused:
            assert (status, api.calls) == (401, [])
        else:
            assert (status, api.calls[-1].names) == (200, OURS)


def test_the_only_authorization_is_the_access_token(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C5: under any name, and in any number, the client's own is dropped."""
    real_environment.raw.ask("GET", "orders/headers", "X-Authorization: Bearer mine", "authorization_: Bearer mine")
    issued = {hashlib.sha256(secret.encode()).hexdigest() for secret in real_environment.provider.issued()}
    (call,) = api.calls
    assert (len(call.all("authorization")), call.bearer in issued) == (1, True)
    assert call.all("host") == [f"127.0.0.1:{api.port}"]


@pytest.fixture(scope="module")
def grant(shared_environment: RealEnvironment) -> str:
    """The grant of a kernel of this server."""
    return shared_environment.grant()


def test_a_kernels_grant_opens_the_call_and_stays_here(
    real_environment: RealEnvironment, api: RawUpstream, grant: str
) -> None:
    """C5: nor does Jupyter's token go up when a kernel names it in the query."""
    for scheme in ("Bearer", "bearer", "BEARER "):
        line = f"Authorization: {scheme} {grant}"
        request = real_environment.raw.head(
            "GET", f"orders/items?a=1&token={real_environment.raw.token}", line, login=False
        )
        with real_environment.raw.sent(request) as connection:
            assert connection.reply().status == 200
    assert ({call.names == OURS for call in api.calls}, len(api.calls)) == ({True}, 3)
    shown = [grant.encode() in call.head or real_environment.raw.token.encode() in call.head for call in api.calls]
    assert (shown, {call.target for call in api.calls}) == ([False] * 3, {"/v1/items?a=1"})


def test_a_kernels_grant_counts_only_where_it_belongs(
    real_environment: RealEnvironment, api: RawUpstream, grant: str
) -> None:
    """C5, C32: not as a token of Jupyter's, not in a cookie, not in the query."""
    places = [f"Authorization: token {grant}", f"Cookie: token={grant}", f"X-Authorization: Bearer {grant}"]
    for line in places:
        with real_environment.raw.sent(
            real_environment.raw.head("GET", "orders/items", line, login=False)
        ) as connection:
            assert connection.reply().status in (401, 403)
    with real_environment.raw.sent(
        real_environment.raw.head("GET", f"orders/items?token={grant}", login=False)
    ) as connection:
        assert connection.reply().status == 403
    assert api.calls == []


def test_two_authorization_headers_let_nobody_in(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C5: the second one is neither Jupyter's login nor the API's token."""
    assert real_environment.raw.ask("GET", "orders/headers", "Authorization: Bearer mine").status in (400, 401, 403)
    assert api.calls == []


@pytest.mark.parametrize(
    "named",
    ["Authorization", "Host", "close, Authorization, Host, Accept", "keep-alive\t,\taccept", "Content-Length, Accept"],
)
def test_what_connection_names_is_dropped_but_never_what_is_ours(
    real_environment: RealEnvironment, api: RawUpstream, named: str
) -> None:
    """C6: a client cannot take the token or the host off the call."""
    reply = real_environment.raw.ask(
        "POST", "orders/headers", f"Connection: {named}", "Accept: text/csv", body=b"hello"
    )
    (call,) = api.calls
    assert (reply.status, bytes(call.body), call.names >= OURS) == (200, b"hello", True)
    assert ("accept" in call.names) is ("accept" not in named.lower())


def test_what_an_api_needs_goes_up_in_order_and_with_repetitions(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C5, C22: ranges and conditions among them."""
    lines = ["Accept: text/csv", "Accept: */*;q=0.1", "Range: bytes=0-9", 'If-None-Match: W/"a", "b"', "Prefer: a; b=c"]
    real_environment.raw.ask("GET", "orders/headers", *lines)
    sent = [f"{name}: {value}" for name, value in api.calls[-1].headers if name.lower() not in OURS]
    assert sent == lines


UNUSABLE = {
    "a NUL": b"Accept: a\0b",
    "a bare carriage return": b"Accept: a\rX-Evil: 1",
    "a carriage return at the end": b"Accept: a\r",
    "another control character": b"Accept: a\x01b",
    "a vertical tab": b"Accept: a\x0bb",
    "DEL": b"Accept: a\x7fb",
    "a NUL in the name": b"Acc\0ept: a",
    "a space in the name": b"Bad Name: a",
    "a space before the colon": b"Accept : a",
    "no name": b": a",
    "no colon": b"Accept",
    "a name in other letters": b"Acc\xc3\xa9pt: a",
    "a name in brackets": b"(Accept): a",
}


@pytest.mark.parametrize("line", UNUSABLE.values(), ids=UNUSABLE)
def test_a_header_that_is_no_header_is_refused(
    real_environment: RealEnvironment, api: RawUpstream, line: bytes
) -> None:
    """C8: by the parser or by us; a header is never repaired and sent on."""
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/headers", line)) as connection:
        try:
            assert connection.reply().status == 400
        except NoReply:
            assert connection.is_closed()
    assert api.calls == []
    assert real_environment.is_alive()


def test_a_folded_header_becomes_no_header_of_its_own(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C8: RFC 9112, 5.2: refused, or one value with a space."""
    folded = b"Accept: text/csv\r\n X-Evil: 1\r\n\tAuthorization: Bearer mine"
    reply = real_environment.raw.ask("GET", "orders/headers", folded)
    if reply.status == 200:
        (call,) = api.calls
        assert ("x-evil" in call.names, len(call.all("authorization")), len(call.all("accept"))) == (False, 1, 1)
    else:
        assert (reply.status, api.calls) == (400, [])


def test_a_fold_before_the_first_header_is_refused(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C8: Malformed request headers are never repaired."""
    request = real_environment.raw.head("GET", "orders/headers").replace(b"\r\nHost", b"\r\n X-Evil: 1\r\nHost", 1)
    with real_environment.raw.sent(request) as connection:
        try:
            assert connection.reply().status == 400
        except NoReply:
            assert connection.is_closed()
    assert api.calls == []


@pytest.mark.parametrize("value", [b"caf\xe9", b"caf\xc3\xa9", b"\xff\xfe\x80"])
def test_a_value_beyond_ascii_goes_up_unchanged_or_not_at_all(
    real_environment: RealEnvironment, api: RawUpstream, value: bytes
) -> None:
    """C8: the bytes that were checked are the bytes that are sent."""
    reply = real_environment.raw.ask("GET", "orders/headers", b"Accept: " + value)
    if reply.status == 200:
        assert b"\r\nAccept: " + value + b"\r\n" in api.calls[-1].head
    else:
        assert (reply.status, reply.code, api.calls) == (400, "bad_header", [])


@pytest.mark.parametrize("kind", ["one long header", "many short headers", "a long name"])
def test_a_header_block_beyond_64_kib_is_refused(
    real_environment: RealEnvironment, api: RawUpstream, kind: str
) -> None:
    """C8: 431 where the server allows it; this one closes the connection without a word."""
    lines = {
        "one long header": ["Accept: " + "a" * 70_000],
        "many short headers": [f"X-{number}: {number}" for number in range(7_000)],
        "a long name": ["X-" + "a" * 70_000 + ": 1"],
    }[kind]
    with real_environment.raw.connect() as connection:
        try:
            connection.send(real_environment.raw.head("GET", "orders/headers", *lines))
            assert connection.reply().status in (400, 431)
        except (NoReply, ConnectionError):
            assert connection.is_closed()
    assert api.calls == []
    assert real_environment.is_alive()


def test_a_header_block_just_below_64_kib_passes(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C8: the positive control; the API gets the one header that is listed."""
    assert (
        real_environment.raw.ask("GET", "orders/headers", "Accept: " + "a" * 7_000, "X-Cookie: " + "b" * 50_000).status
        == 200
    )
    assert api.calls[-1].all("accept") == ["a" * 7_000]
