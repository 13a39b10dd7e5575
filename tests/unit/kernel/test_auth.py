"""The grant for other libraries: which calls carry it, when it is refreshed, and which errors reach the caller."""

from __future__ import annotations

import asyncio
import copy
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests

import jupyter_oidc as oidc
from jupyter_oidc.kernel.auth import RefreshingHeaders
from jupyter_oidc.kernel.errors import CallerForbidden, ContractError, GrantInvalid, NotSignedIn
from tests.support.plain_http import PLAIN
from tests.unit.kernel.fake_server import Answer, FakeServer, refusal

ITEMS = "jupyter-oidc/api/orders/items"
FIRST, SECOND = "Bearer jog.grant-number-000001", "Bearer jog.grant-number-000002"
LAB = "https://hub.example.com/user/ada/lab"
REFRESHED = Answer(b"expired", 401, {"X-OIDC-Retryable": "true"})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def by_httpx(method: str, url: str, **options: Any) -> httpx.Response:
    with httpx.Client(auth=oidc.auth("orders"), trust_env=False, verify=PLAIN) as client:
        return client.request(method, url, **options)


def by_async_httpx(method: str, url: str, **options: Any) -> httpx.Response:
    async def call() -> httpx.Response:
        async with httpx.AsyncClient(auth=oidc.auth("orders"), trust_env=False, verify=PLAIN) as client:
            return await client.request(method, url, **options)

    return asyncio.run(call())


def by_requests(method: str, url: str, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = oidc.auth("orders")
        options = {"data" if name == "content" else name: value for name, value in options.items()}
        return session.request(method, url, timeout=10, **options)


@pytest.fixture(params=[by_httpx, by_async_httpx, by_requests])
def call(request: pytest.FixtureRequest, kernel: FakeServer) -> Callable[..., Any]:
    """Make one call to the server with a library that does not know this package."""
    return lambda method, path="items", **options: request.param(
        method, f"{kernel.url}jupyter-oidc/api/orders/{path}", **options
    )


@pytest.fixture
def elsewhere() -> Iterator[FakeServer]:
    with FakeServer() as opened:
        opened.answers("GET", "items", [])
        yield opened


# -- auth= ---------------------------------------------------------------------------------------------------------


def test_a_call_carries_the_grant(kernel: FakeServer, call: Callable[..., Any]) -> None:
    kernel.answers("GET", ITEMS, ["a book"])
    assert call("GET").json() == ["a book"]
    assert kernel.received[-1].bearer == FIRST


@pytest.mark.parametrize("library", [by_httpx, by_async_httpx, by_requests])
def test_another_server_gets_no_grant(kernel: FakeServer, elsewhere: FakeServer, library: Callable[..., Any]) -> None:
    library("GET", elsewhere.url + "items")
    assert (elsewhere.received[0].bearer, kernel.called("jupyter-oidc/api/")) == (None, [])


@pytest.mark.parametrize("library", [by_httpx, by_async_httpx, by_requests])
@pytest.mark.parametrize("path", ["jupyter-oidc/api/models/items", "jupyter-oidc/providers", "lab"])
def test_no_other_place_of_our_server_gets_the_grant(
    kernel: FakeServer, library: Callable[..., Any], path: str
) -> None:
    """The object is for one API, so other routes get no grant."""
    library("GET", kernel.url + path)
    assert [got.bearer for got in kernel.asked("GET", path)] == [None]


@pytest.mark.parametrize("library", [by_httpx, by_async_httpx, by_requests])
def test_a_redirect_to_another_server_takes_no_grant_along(
    kernel: FakeServer, elsewhere: FakeServer, library: Callable[..., Any]
) -> None:
    kernel.answers("GET", ITEMS, Answer(b"", 302, {"Location": elsewhere.url + "items"}))
    options = {} if library is by_requests else {"follow_redirects": True}
    library("GET", f"{kernel.url}{ITEMS}", **options)
    assert elsewhere.received[0].bearer is None


@pytest.mark.parametrize(
    ("first", "bearers"), [(refusal("grant_invalid"), [FIRST, SECOND]), (REFRESHED, [FIRST, FIRST])]
)
@pytest.mark.parametrize("body", [{}, {"content": b"bytes"}, {"json": {"a": 1}}], ids=["none", "bytes", "json"])
def test_a_call_is_repeated_once_with_what_was_refreshed(
    kernel: FakeServer, call: Callable[..., Any], first: Answer, bearers: list[str], body: dict[str, Any]
) -> None:
    kernel.answers("POST", ITEMS, first, ["a book"])
    assert call("POST", **body).json() == ["a book"]
    asked = kernel.asked("POST", ITEMS)
    assert [got.bearer for got in asked] == bearers
    assert asked[0].body == asked[1].body


def test_a_file_is_sent_again_from_where_it_stood(kernel: FakeServer) -> None:
    kernel.answers("POST", ITEMS, REFRESHED, ["a book"])
    file = io.BytesIO(b"head and body")
    file.seek(9)
    assert by_requests("POST", f"{kernel.url}{ITEMS}", content=file).json() == ["a book"]
    assert [got.body for got in kernel.asked("POST", ITEMS)] == [b"body", b"body"]


@pytest.mark.parametrize("library", [by_httpx, by_requests])
def test_a_body_that_is_made_while_it_is_sent_is_not_sent_again(
    kernel: FakeServer, library: Callable[..., Any]
) -> None:
    kernel.answers("POST", ITEMS, REFRESHED, ["never"])
    pieces = (piece for piece in [b"a", b"b"])
    assert library("POST", f"{kernel.url}{ITEMS}", content=pieces).status_code == 401
    assert len(kernel.asked("POST", ITEMS)) == 1


def test_a_grant_that_is_refused_twice_is_an_error(kernel: FakeServer, call: Callable[..., Any]) -> None:
    kernel.answers("GET", ITEMS, refusal("grant_invalid"))
    with pytest.raises(GrantInvalid):
        call("GET")
    assert [got.bearer for got in kernel.asked("GET", ITEMS)] == [FIRST, SECOND]


def test_a_refusal_of_ours_is_our_exception(kernel: FakeServer, call: Callable[..., Any]) -> None:
    kernel.answers("GET", ITEMS, refusal("not_signed_in", link=LAB))
    with pytest.raises(NotSignedIn, match=r"Run oidc\.sign_in\(\)") as raised:
        call("GET")
    assert raised.value.link == LAB


def test_a_refusal_without_body_is_told_by_its_code(kernel: FakeServer, call: Callable[..., Any]) -> None:
    kernel.answers("HEAD", ITEMS, refusal("caller_forbidden", 403))
    with pytest.raises(CallerForbidden):
        call("HEAD")


@pytest.mark.parametrize("body", [b"<html>", json.dumps(refusal("not_signed_in").body).encode() + b" " * 1_000_000])
def test_a_refusal_that_cannot_be_read_says_what_to_do(
    kernel: FakeServer, call: Callable[..., Any], body: bytes
) -> None:
    kernel.answers("GET", ITEMS, Answer(body, 401, {"X-OIDC-Error": "not_signed_in"}))
    with pytest.raises(ContractError):
        call("GET")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_error_of_the_api_stays_a_reply(kernel: FakeServer, call: Callable[..., Any], status: int) -> None:
    kernel.answers("GET", ITEMS, Answer(b"of the API", status))
    assert call("GET").text == "of the API"


def test_the_object_does_not_show_its_grant(kernel: FakeServer) -> None:
    auth = oidc.auth("orders")
    auth.api_key()
    assert "jog." not in repr(auth) + str(auth)


def test_the_object_knows_where_its_api_is(kernel: FakeServer) -> None:
    kernel.answers("GET", "jupyter-oidc/providers", {"providers": []})
    assert oidc.auth("orders").base_url == oidc.endpoint("orders").base_url == f"{kernel.url}jupyter-oidc/api/orders/"


def test_an_api_key_is_the_grant_and_does_not_show(kernel: FakeServer) -> None:
    key = oidc.auth("orders").api_key()
    assert (f"Bearer {key}", repr(key)) == (FIRST, "<hidden>")


def test_an_asynchronous_sdk_gets_the_same_key(kernel: FakeServer) -> None:
    auth = oidc.auth("orders")
    assert (auth.api_key(), asyncio.run(auth.async_api_key())) == ("jog.grant-number-000001",) * 2


# -- headers -------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def headers(fake_server: FakeServer, clock: Clock) -> RefreshingHeaders:
    """Return headers whose grant is 13 minutes old: good for two more, and due for a refresh."""
    made = RefreshingHeaders(fake_server.grants(clock))
    clock.now += 780
    return made


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda h: h["Authorization"], id="item"),
        pytest.param(lambda h: h.get("Authorization"), id="get"),
        pytest.param(lambda h: dict(h)["Authorization"], id="dict"),
        pytest.param(lambda h: {**h}["Authorization"], id="spread"),
        pytest.param(lambda h: dict(**h)["Authorization"], id="keywords"),
        pytest.param(lambda h: (h | {"A": "1"})["Authorization"], id="or"),
        pytest.param(lambda h: ({"A": "1"} | h)["Authorization"], id="ror"),
        pytest.param(lambda h: h.copy()["Authorization"], id="copy"),
        pytest.param(lambda h: copy.copy(h)["Authorization"], id="copy.copy"),
        pytest.param(lambda h: copy.deepcopy(h)["Authorization"], id="deepcopy"),
        pytest.param(lambda h: next(iter(h.items()))[1], id="items"),
        pytest.param(lambda h: next(iter(h.values())), id="values"),
        pytest.param(lambda h: next(h[name] for name in h), id="iterate"),
        pytest.param(lambda h: httpx.Headers(h)["authorization"], id="httpx"),
        pytest.param(
            lambda h: requests.Request("GET", "http://h/", h).prepare().headers["authorization"], id="requests"
        ),
    ],
)
def test_headers_refresh_themselves_however_they_are_read(headers: RefreshingHeaders, read: Callable[..., Any]) -> None:
    assert read(headers) == SECOND


def test_headers_that_are_new_enough_ask_for_nothing(fake_server: FakeServer, clock: Clock) -> None:
    headers = RefreshingHeaders(fake_server.grants(clock))
    clock.now += 700
    assert (headers["Authorization"], len(fake_server.issued)) == (FIRST, 1)


def test_showing_headers_asks_for_nothing(fake_server: FakeServer, headers: RefreshingHeaders) -> None:
    assert (repr(headers), len(fake_server.issued)) == ("{'Authorization': <hidden>}", 1)


def test_more_headers_may_be_added(headers: RefreshingHeaders) -> None:
    headers["Accept"] = "text/csv"
    assert headers.copy() == {"Authorization": SECOND, "Accept": "text/csv"}


def test_what_the_caller_writes_or_removes_stays(headers: RefreshingHeaders) -> None:
    headers["Authorization"] = "Basic of-their-own"
    assert headers["Authorization"] == "Basic of-their-own"
    del headers["Authorization"]
    assert headers.copy() == {}


def test_a_copy_does_not_show_the_grant_either(headers: RefreshingHeaders) -> None:
    assert "jog." not in repr([headers.copy(), {**headers}, headers | {}, {} | headers])


def test_headers_of_an_endpoint_are_such_headers(kernel: FakeServer) -> None:
    kernel.answers("GET", "jupyter-oidc/providers", {"providers": []})
    assert isinstance(oidc.endpoint("orders").headers, RefreshingHeaders)
