"""The proxy over real HTTP: a real Jupyter server between a client and an API that records what reaches it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import web

from tests.interop.person import Person, at_work
from tests.support.certified_provider import CertifiedProvider
from tests.support.plain_http import PLAIN
from tests.support.upstream import Answer, Upstream

PROXY = "jupyter-oidc/api/orders/"


@pytest.fixture(scope="module")
def api() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory, provider: CertifiedProvider, api: Upstream) -> Iterator[Person]:
    with at_work(tmp_path_factory.mktemp("proxy"), provider, api) as person:
        person.sign_in()
        yield person


@pytest.fixture
def person(signed_in: Person, api: Upstream) -> Person:
    api.seen.clear()
    api.plan_nothing()
    api.accepts = lambda _: True
    return signed_in


def digests(provider: CertifiedProvider) -> list[str]:
    """The digests of the access tokens, in the order of issue."""
    return [hashlib.sha256(token.encode()).hexdigest() for token in provider.issued("access_token")]


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def raw(person: Person, head: str, body: bytes = b"") -> bytes:
    """Send bytes that no client library would, and return all that arrives until the connection ends."""
    with open_socket(person, head, body) as connection:
        connection.settimeout(10)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def open_socket(person: Person, head: str, body: bytes = b"") -> socket.socket:
    parts = urlsplit(person.process.url)
    assert parts.port is not None
    connection = socket.create_connection((parts.hostname, parts.port))
    lines = (
        f"{head}\r\nHost: {parts.netloc}\r\nAuthorization: token {person.process.token}\r\nConnection: close\r\n\r\n"
    )
    connection.sendall(lines.encode("latin-1") + body)
    return connection


# -- where a call may go -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "../admin",
        "a/../../admin",
        "%2e%2e/admin",
        "%252e%252e/admin",
        "..;/admin",
        "a/..%2fadmin",
        "..%5cadmin",
        "a//b",
        "./a",
        "/evil.example/x",
        "@evil.example",
        "%5c%5c@evil.example",
        "a%00b",
        "a%0d%0aX-Evil:1",
    ],
)
def test_a_path_that_could_leave_the_api_is_refused_without_a_call(person: Person, api: Upstream, path: str) -> None:
    """C1, C2: sent as raw bytes, since a client library would tidy them up."""
    base = urlsplit(person.process.url).path
    answer = raw(person, f"GET {base}{PROXY}{path} HTTP/1.1")
    assert (
        answer.startswith(b"HTTP/1.1 400 This path is not allowed"),
        b"x-oidc-error: bad_path" in answer.lower(),
    ) == (
        True,
        True,
    ), answer
    assert api.seen == []


def test_a_query_arrives_byte_for_byte_without_what_belongs_to_jupyter(person: Person, api: Upstream) -> None:
    """C3: Queries are forwarded byte for byte."""
    query = "a=1&a=2&b=%C3%A4+%20&c;d&e=~!*'()"
    base = urlsplit(person.process.url).path
    raw(person, f"GET {base}{PROXY}items?{query}&token={person.process.token}&1795426277846 HTTP/1.1")
    assert api.seen[-1].path.startswith(f"/v1/items?{query}")
    assert person.process.token not in api.seen[-1].path


@pytest.mark.parametrize(
    ("method", "status", "code"), [("DELETE", 405, "method_not_allowed"), ("PUT", 405, "method_not_allowed")]
)
def test_a_method_that_is_not_listed_is_refused(
    person: Person, api: Upstream, method: str, status: int, code: str
) -> None:
    """C4: Unknown APIs and closed methods are refused here."""
    refused = person.jupyter.request(method, PROXY + "items")
    assert (refused.status_code, refused.headers["x-oidc-error"], api.seen) == (status, code, [])


# -- requests ----------------------------------------------------------------------------------------------


def test_only_listed_headers_go_up_and_the_token_is_ours(person: Person, api: Upstream) -> None:
    """C5: No credential of the caller reaches an API. C6: Hop-by-hop request headers stop here."""
    person.jupyter.get(
        PROXY + "items",
        headers={
            "Cookie": "session=1",
            "X-Forwarded-For": "10.0.0.1",
            "X_Forwarded_For": "10.0.0.1",
            "Forwarded": "for=10.0.0.1",
            "Proxy-Authorization": "Basic eDp5",
            "DPoP": "proof",
            "X-Secret": "1",
            "Connection": "keep-alive, Accept-Language",
            "Accept-Language": "de",
            "Accept": "application/json",
            "If-None-Match": '"1"',
        },
    )
    seen = api.seen[-1]
    names = {name.lower() for name, _ in seen.headers}
    assert names <= {"host", "accept", "accept-encoding", "user-agent", "if-none-match"}
    assert (seen.header("accept"), seen.header("if-none-match")) == ("application/json", '"1"')
    assert seen.bearer in digests(person.provider)


def test_a_large_upload_is_streamed_and_arrives_whole(person: Person, api: Upstream) -> None:
    """C17: sent in chunks of unknown total length."""
    pieces = [bytes([number]) * 262_144 for number in range(80)]
    reply = person.jupyter.post(PROXY + "upload", content=iter(pieces))
    assert reply.status_code == 200
    assert hashlib.sha256(api.seen[-1].body).digest() == hashlib.sha256(b"".join(pieces)).digest()


# -- answers -----------------------------------------------------------------------------------------------


def test_only_listed_headers_come_down_and_the_reply_is_sandboxed(person: Person, api: Upstream) -> None:
    """C22: Bodiless replies, ranges and caching keep their meaning.

    C23: Headers that act on the origin stay away.
    C24: A page of an API can do nothing.
    """
    api.plan(
        answering(
            200,
            b"<script>alert(1)</script>",
            Content_Type="text/html",
            Set_Cookie="session=1",
            Strict_Transport_Security="max-age=1",
            Clear_Site_Data='"*"',
            Service_Worker_Allowed="/",
            Access_Control_Allow_Origin="*",
            Content_Security_Policy="default-src *",
            X_OIDC_Error="session_expired",
            Cache_Control="public, max-age=60",
            ETag='"7"',
            X_Total="12",
        )
    )
    reply = person.jupyter.get(PROXY + "page")
    for name in (
        "set-cookie",
        "strict-transport-security",
        "clear-site-data",
        "service-worker-allowed",
        "x-oidc-error",
    ):
        assert name not in reply.headers, name
    assert reply.headers.get("access-control-allow-origin", "") == "", "CORS is answered by Jupyter's own policy"
    assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "private, max-age=60"
    assert (reply.headers["etag"], reply.headers["x-total"]) == ('"7"', "12")


def test_compressed_bytes_come_down_untouched(person: Person, api: Upstream) -> None:
    """C21: neither decoded nor encoded again, even if they are not gzip."""
    packed = gzip.compress(b"0" * 10_000, mtime=0)
    api.plan(answering(200, packed, Content_Encoding="gzip"), answering(200, b"not gzip", Content_Encoding="gzip"))
    for expected in (packed, b"not gzip"):
        headers = {"Authorization": f"token {person.process.token}"}
        with httpx.stream(
            "GET", person.process.url + PROXY + "packed", headers=headers, trust_env=False, verify=PLAIN
        ) as reply:
            assert b"".join(reply.iter_raw()) == expected


@pytest.mark.parametrize("status", [403, 404, 409, 422, 500, 503])
def test_the_apis_own_errors_are_passed_on_and_change_nothing(person: Person, api: Upstream, status: int) -> None:
    """C13: A 403 of an API means nothing here."""
    before = person.summary()["sequence"]
    api.plan(answering(status, b'{"error": "mine"}', Content_Type="application/json"))
    reply = person.jupyter.get(PROXY + "items")
    assert (reply.status_code, reply.json(), "x-oidc-error" in reply.headers) == (status, {"error": "mine"}, False)
    assert person.summary()["sequence"] == before


def test_a_redirect_is_never_followed(person: Person, api: Upstream) -> None:
    """C9, C10: inside the API it leads through the proxy again; outside it is passed on, and no token goes there."""
    api.plan(
        answering(307, Location=f"{api.url}items/2"),
        answering(302, Location="/v1/items/3?x=1"),
        answering(302, Location="https://elsewhere.example/x"),
    )
    places = [person.jupyter.get(PROXY + "items").headers["location"] for _ in range(3)]
    base = urlsplit(person.process.url).path + PROXY
    assert places == [base + "items/2", base + "items/3?x=1", "https://elsewhere.example/x"]
    assert len(api.seen) == 3


def test_server_sent_events_arrive_one_by_one(person: Person, api: Upstream) -> None:
    """C26: the second event is sent only after the client has seen the first."""
    first_seen = threading.Event()

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await asyncio.get_running_loop().run_in_executor(None, first_seen.wait, 10)
        await response.write(b"data: 2\n\n")
        return response

    api.plan(events)
    lines = []
    with person.jupyter.stream("GET", PROXY + "events") as reply:
        for line in reply.iter_lines():
            if line:
                lines.append((line, first_seen.is_set()))
                first_seen.set()
    assert lines == [("data: 1", False), ("data: 2", True)]


def test_an_answer_that_breaks_off_never_looks_complete(person: Person, api: Upstream) -> None:
    """C19: A truncated answer never looks complete."""

    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    api.plan(broken)
    with pytest.raises(httpx.RemoteProtocolError):
        person.jupyter.get(PROXY + "half")


def test_a_client_that_leaves_ends_the_upstream_call(person: Person, api: Upstream) -> None:
    """C18: within a second, before and in the middle of the answer."""

    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)
            await asyncio.sleep(0.05)

    base = urlsplit(person.process.url).path
    for answer in (silent, endless):
        api.plan(answer)
        gone = api.gone
        connection = open_socket(person, f"GET {base}{PROXY}slow HTTP/1.1")
        wait_until(lambda: bool(api.seen))
        api.seen.clear()
        connection.close()
        wait_until(lambda gone=gone: api.gone > gone, 5)
        assert api.gone == gone + 1


# -- tokens that the API no longer takes -------------------------------------------------------------------


def invalid(**more: str) -> Answer:
    return answering(401, b"{}", WWW_Authenticate='Bearer error="invalid_token"', **more)


def test_a_refused_token_is_renewed_and_the_call_is_made_again(person: Person, api: Upstream) -> None:
    """C11: A 401 earns one refresh and one replay."""
    person.post("refresh")
    time.sleep(0.1)
    api.plan(invalid())
    reply = person.jupyter.get(PROXY + "items")
    one, two = (seen.bearer for seen in api.seen)
    assert (reply.status_code, one != two) == (200, True)


def test_a_call_with_a_body_is_not_made_twice(person: Person, api: Upstream) -> None:
    """C30: the API's 401 is passed on, with a word that a second attempt may succeed."""
    api.plan(invalid())
    reply = person.jupyter.post(PROXY + "items", json={"quantity": 1})
    assert (reply.status_code, len(api.seen), "x-oidc-error" in reply.headers) == (401, 1, False)


def test_a_stronger_sign_in_is_asked_for_by_name(person: Person, api: Upstream) -> None:
    """C12: RFC 9470, 3; the session stays."""
    api.plan(answering(401, WWW_Authenticate='Bearer error="insufficient_user_authentication", acr_values="mfa"'))
    reply = person.jupyter.get(PROXY + "items")
    assert (reply.status_code, reply.json()["code"]) == (401, "step_up_required")
    assert person.summary()["state"] == "active"


def test_two_hundred_calls_at_once_are_all_served(person: Person, api: Upstream) -> None:
    """C28: Excess calls are told when to retry."""

    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return web.Response(text="ok")

    api.plan(*[slow] * 200)

    async def all_of_them() -> set[int]:
        limits = httpx.Limits(max_connections=None)
        headers = {"Authorization": f"token {person.process.token}"}
        async with httpx.AsyncClient(
            base_url=person.process.url, headers=headers, limits=limits, timeout=60, trust_env=False, verify=PLAIN
        ) as client:
            replies = await asyncio.gather(*[client.get(PROXY + f"items/{n}") for n in range(200)])
        return {reply.status_code for reply in replies}

    assert asyncio.run(all_of_them()) == {200}
    assert len(api.seen) == 200


# -- no session --------------------------------------------------------------------------------------------


def test_without_a_session_the_answer_is_json_at_once(person: Person, api: Upstream) -> None:
    """C31; then the session is there again for the next test."""
    person.post("sign-out")
    try:
        reply = person.jupyter.get(PROXY + "items", headers={"Accept": "text/html"})
        assert (reply.status_code, reply.json()["code"], api.seen) == (401, "not_signed_in", [])
    finally:
        person.sign_in()


def wait_until(true: Any, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
