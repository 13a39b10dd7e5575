"""Handshakes of WebSockets that do not lead to one: refused, redirected, pretended, or left by the caller (C27)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.interop.hostile.real_environment import RealEnvironment, start_environment, within
from tests.interop.hostile.test_websockets import HANDSHAKE, TEXT, accepting, echo, frame, handshake, received
from tests.support.raw_client import RawConnection, RawReply
from tests.support.raw_upstream import Conversation, RawUpstream, pause, reply, send, silence

PLACES = 3


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[RawUpstream]:
    with RawUpstream() as elsewhere:
        yield elsewhere


@pytest.fixture(scope="module")
def narrow_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealEnvironment]:
    with RawUpstream() as api:
        orders = {"base_url": api.url, "max_in_flight": PLACES}
        with start_environment(tmp_path_factory.mktemp("handshakes"), api, apis={"orders": orders}) as real_environment:
            yield real_environment


def answered(real_environment: RealEnvironment, *answer: bytes) -> RawReply:
    """Return the caller's answer when the API answers a handshake like that."""
    real_environment.api.script("socket", send(*answer), reads=False)
    with real_environment.raw.connect() as connection:
        return handshake(real_environment, connection)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_of_a_handshake_is_followed(
    real_environment: RealEnvironment, api: RawUpstream, elsewhere: RawUpstream, status: str
) -> None:
    """C10: neither another host nor another path of the same one hears of the call, let alone of the token."""
    elsewhere.forget()
    for location in (f"{elsewhere.url}x", "/v2/admin", f"{api.url}other"):
        assert answered(real_environment, reply(status, b"", f"Location: {location}")).status == int(status[:3])
    assert elsewhere.connections == 0
    assert {call.target for call in api.calls} == {"/v1/socket"}


def test_a_redirect_of_a_handshake_leads_where_one_of_a_call_does(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C9, C10: a library that follows redirects of handshakes takes its login along."""
    given = {
        location: answered(real_environment, reply("307 Temporary Redirect", b"", f"Location: {location}")).first(
            "location"
        )
        for location in ("/v1/other", "/api/kernels", f"http://{real_environment.raw.host}/api/kernels")
    }
    assert given == {
        "/v1/other": f"{real_environment.proxy}other",
        "/api/kernels": f"http://127.0.0.1:{api.port}/api/kernels",
        f"http://{real_environment.raw.host}/api/kernels": None,
    }


@pytest.mark.parametrize(
    "lines",
    [
        ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: bm90IHdoYXQgd2FzIGFza2Vk"],
        ["Upgrade: h2c", "Connection: Upgrade"],
        [],
    ],
)
def test_a_switch_to_something_else_is_no_switch_here(real_environment: RealEnvironment, lines: list[str]) -> None:
    """C20: another proxy between the caller and us would take 101 for an open tunnel."""
    head = "\r\n".join(["HTTP/1.1 101 Switching Protocols", *lines, "", ""]).encode()
    answer = answered(real_environment, head)
    assert (answer.status, answer.code) == (502, "upstream_protocol_error")


def test_what_a_header_of_a_refusal_may_hold_comes_down(real_environment: RealEnvironment) -> None:
    """C20, C23: bytes beyond ASCII, a tab, and a repeated name are no protocol errors. Q3.3: links lead back here."""
    more = [b"Link: <a>;\trel=x", b"Link: <b>; rel=y", b'Warning: 299 - "Stra\xdfe"']
    answer = answered(real_environment, reply("403 Forbidden", more=more))
    assert (answer.status, answer.code) == (403, None)
    assert answer.all("link") == [f"<{real_environment.proxy}a>;\trel=x", f"<{real_environment.proxy}b>; rel=y"]
    assert answer.all("warning") == ['299 - "Stra\xdfe"']


@pytest.mark.parametrize("leave", [RawConnection.close, RawConnection.reset], ids=["politely", "with a reset"])
def test_a_caller_that_leaves_during_the_handshake_ends_it(
    real_environment: RealEnvironment, api: RawUpstream, leave: Callable[[RawConnection], None]
) -> None:
    """C18: within a second."""
    api.script("socket", silence())
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/socket", *HANDSHAKE)) as connection:
        assert within(5, lambda: api.to("socket"))
        leave(connection)
    assert within(1.0, lambda: all(call.closed_at for call in api.to("socket")))


def test_a_caller_that_leaves_during_the_handshake_takes_no_place(narrow_environment: RealEnvironment) -> None:
    """C18, C28: its socket would have no owner, and stay open until the server ends."""
    real_environment, api = narrow_environment, narrow_environment.api

    async def late(talk: Conversation) -> None:
        await pause(0.3)(talk)
        await echo(talk)

    api.script("socket", late, reads=False)
    for _ in range(PLACES):
        api.forget()
        with real_environment.raw.sent(real_environment.raw.head("GET", "orders/socket", *HANDSHAKE)):
            assert within(5, lambda: api.to("socket"))
    time.sleep(1)
    with real_environment.raw.connect() as connection:
        assert handshake(real_environment, connection).status == 101


# -- headers of a handshake that succeeds (Q3.5) -----------------------------------------------------------------

PASSING = ["OData-Version: 4.0", "X-Request-Id: r-7", "Link: </v1/other>; rel=next", "X-RateLimit-Remaining: 3"]
OURS = [
    *(
        "Set-Cookie: a=1",
        "X-OIDC-Error: none",
        "Access-Control-Allow-Origin: *",
        "DPoP-Nonce: n-1",
        "Clear-Site-Data: *",
    ),
    *(
        "Content-Security-Policy: default-src *",
        "Content-Length: 5",
        "Content-Type: text/html",
        "Sec-WebSocket-Version: 8",
    ),
]


def opened(real_environment: RealEnvironment, *lines: str) -> RawReply:
    """Return the head of the caller's handshake when the API's own has these header ``lines``."""
    real_environment.api.script("socket", accepting(*lines), reads=False)
    with real_environment.raw.connect() as connection:
        answer = handshake(real_environment, connection)
        assert answer.status == 101
        connection.send(frame(TEXT, b"hello", mask=True))
        assert received(connection, 7) == frame(TEXT, b"hello", mask=False)
        return answer


def test_the_headers_of_a_handshake_come_down_by_the_rules_of_a_reply(real_environment: RealEnvironment) -> None:
    """Q3.5, Q3.3: which version, which request, how many are left; and addresses lead back here."""
    answer = opened(real_environment, *PASSING)
    assert {name: answer.all(name) for name in ("odata-version", "x-request-id", "x-ratelimit-remaining", "link")} == {
        "odata-version": ["4.0"],
        "x-request-id": ["r-7"],
        "x-ratelimit-remaining": ["3"],
        "link": [f"<{real_environment.proxy}other>; rel=next"],
    }


def test_a_header_of_a_handshake_that_is_on_no_list_comes_down_to_a_kernel_only(
    real_environment: RealEnvironment,
) -> None:
    """Q3.5: a kernel has no origin that it could act on (ADR 33)."""
    assert opened(real_environment, "X-Of-This-Api: 1").all("x-of-this-api") == (
        ["1"] if real_environment.raw.grant else []
    )


def test_a_handshake_says_nothing_in_our_name(real_environment: RealEnvironment) -> None:
    """Q3.5: no cookie, no permission, no body, and no word of the protocol, which is another one on each side."""
    answer = opened(real_environment, *OURS)
    assert {name: answer.all(name) for name in ("set-cookie", "x-oidc-error", "dpop-nonce", "clear-site-data")} == {
        "set-cookie": [],
        "x-oidc-error": [],
        "dpop-nonce": [],
        "clear-site-data": [],
    }
    assert [answer.all(name) for name in ("content-length", "content-type")] == [[], []]
    assert "*" not in answer.all("access-control-allow-origin")
    assert (answer.all("sec-websocket-version"), len(answer.all("sec-websocket-accept"))) == ([], 1)
    assert answer.all("content-security-policy") == ["sandbox; default-src 'none'; frame-ancestors 'none'"]


def test_a_handshake_that_repeats_the_token_does_not_show_it(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """C25: No reply header repeats our secrets."""

    async def repeat(talk: Conversation) -> None:
        await accepting(f"X-Request-Id: {talk.authorization.decode()}")(talk)

    api.script("socket", repeat, reads=False)
    with real_environment.raw.connect() as connection:
        answer = handshake(real_environment, connection)
    assert (answer.status, answer.all("x-request-id")) == (101, [])


def test_a_handshake_tells_which_headers_were_held_back(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """Q3.4: as a reply does."""
    api.script("socket", accepting(), reads=False)
    with real_environment.raw.connect() as connection:
        assert handshake(real_environment, connection, "X-Secret-Of-Mine: 1").all("x-oidc-held-back") == [
            "X-Secret-Of-Mine"
        ]
