"""The client encodes a path, leads an address back through the proxy, or refuses it with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel.errors import BadPath
from jupyter_oidc.proxy.target import upstream_url
from jupyter_oidc.settings import Api
from tests.unit.kernel.fake_server import Answer, FakeServer

PROXY = "jupyter-oidc/api/orders/"
ORDERS = {
    "name": "orders",
    "provider": "corp",
    "path": "/jupyter-oidc/api/orders/",
    "base_url": "https://api.example.com/v1/",
    "methods": ["GET"],
    "callers": ["kernel"],
    "state": "active",
    "readiness": "ready",
    "allowed": True,
    "missing": [],
}


@pytest.fixture(params=["sync", "async"])
def get(request: pytest.FixtureRequest, kernel: FakeServer) -> Callable[..., Any]:
    """Return a function that makes one call with a client of ``orders``; it returns the raw path and query received."""
    kernel.answers("GET", "jupyter-oidc/apis", {"apis": [ORDERS]})

    def sync_get(url: str, **options: Any) -> None:
        with oidc.api("orders", **options) as client:
            client.get(url)

    def async_get(url: str, **options: Any) -> None:
        async def call() -> None:
            async with oidc.async_api("orders", **options) as client:
                await client.get(url)

        asyncio.run(call())

    def arrived(url: str, **options: Any) -> str:
        (sync_get if request.param == "sync" else async_get)(url, **options)
        last = kernel.received[-1]
        return last.path.removeprefix(f"/{PROXY}") + (f"?{last.query}" if last.query else "")

    return arrived


@pytest.mark.parametrize(
    ("written", "raw"),
    [
        ("items[0]", "items%5B0%5D"),
        ("a|b", "a%7Cb"),
        ("a^b", "a%5Eb"),
        ("two words", "two%20words"),
        ('a"b', "a%22b"),
        ("a\\b", "a%5Cb"),
        ("100%", "100%25"),
        ("50%zz", "50%25zz"),
        ("already%5B0%5D", "already%5B0%5D"),
        ("caf\u00e9", "caf%C3%A9"),
        ("it's(1)!$&*+,;=:@", "it's(1)!$&*+,;=:@"),
        ("items/", "items/"),
        ("/items[0]?q=[1]|2", "items%5B0%5D?q=[1]|2"),
        ("urn:isbn:0451450523", "urn:isbn:0451450523"),
        ("items:cancel", "items:cancel"),
    ],
)
def test_what_rfc_3986_wants_encoded_in_a_path_is_encoded(get: Callable[..., Any], written: str, raw: str) -> None:
    """Q3.2: RFC 3986, 3.3; all other characters stay as they are written."""
    assert get(written) == raw


@pytest.mark.parametrize("written", ["items[0]", "a|b", "a^b", "two words", 'a"b', "urn:isbn:0451450523"])
def test_what_is_encoded_passes_the_proxy(get: Callable[..., Any], written: str) -> None:
    """Q3.2: the server reads such a path in one way only."""
    api = Api("orders", "corp", "https://api.example.com/v1/")
    assert upstream_url(api, get(written), "").startswith("https://api.example.com/v1/")


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "../../providers",
        "a/../b",
        "./x",
        "a/.",
        "..",
        "%2e%2e/x",
        "a/%2E%2e/b",
        "a/.%2e",
        "..\\x",
        "/../x",
        "../x?q=1",
    ],
)
def test_a_path_that_leads_up_is_refused_before_anything_is_sent(
    kernel: FakeServer, get: Callable[..., Any], path: str
) -> None:
    """Q3.9: httpx would have sent another route without an error."""
    with pytest.raises(BadPath, match="which leads to another place than it says"):
        get(path)
    assert kernel.called("jupyter-oidc/api/") == []


@pytest.mark.parametrize("path", ["a..b", "...", "v1..2/x", ".well-known/x", "?q=../x", "x?q=a/../b"])
def test_dots_that_lead_nowhere_pass(get: Callable[..., Any], path: str) -> None:
    """Q3.9, a sibling: Paths that climb are refused by the client."""
    assert get(path) == path


def test_an_absolute_address_below_the_base_url_leads_through_the_proxy(get: Callable[..., Any]) -> None:
    """Q3.3: the address is the one in the body of an answer."""
    assert get("https://api.example.com/v1/items?page=2&size=[5]") == "items?page=2&size=[5]"


@pytest.mark.parametrize(
    "address",
    [
        "HTTPS://API.Example.com:443/v1/items",
        "//api.example.com/v1/items",
        httpx.URL("https://api.example.com/v1/items"),
    ],
)
def test_other_spellings_of_it_do_so_too(get: Callable[..., Any], address: str | httpx.URL) -> None:
    """Q3.3, a sibling: Addresses in replies lead through the proxy."""
    assert get(address) == "items"


def test_a_call_that_is_led_through_the_proxy_carries_the_grant_and_our_host(
    kernel: FakeServer, get: Callable[..., Any]
) -> None:
    """Q3.3: sibling: the call carries the grant and our host, as any other call does."""
    get("https://api.example.com/v1/items")
    assert (kernel.received[-1].bearer, kernel.received[-1].headers["host"]) == (
        "Bearer jog.grant-number-000001",
        f"127.0.0.1:{kernel.port}",
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.com/v2/items",
        "https://api.example.com/v1",
        "http://api.example.com/v1/items",
        "https://api.example.com:8443/v1/items",
        "https://api.example.com.evil.example/v1/items",
        "https://ada@api.example.com/v1/items",
        "//evil.example/v1/items",
    ],
)
def test_an_address_outside_says_so_in_a_sentence(get: Callable[..., Any], address: str) -> None:
    """Q3.3: Addresses in replies lead through the proxy."""
    with pytest.raises(BadPath, match=r"is not one of this API, which is below https://api\.example\.com/v1/\."):
        get(address)


def test_an_address_below_the_base_url_may_not_lead_out_of_it(get: Callable[..., Any]) -> None:
    """Q3.3, a sibling: Addresses in replies lead through the proxy.

    Q3.9: Paths that climb are refused by the client.
    """
    with pytest.raises(BadPath, match="which leads to another place"):
        get("https://api.example.com/v1/../v2/items")


def test_another_route_of_our_own_server_is_outside(kernel: FakeServer, get: Callable[..., Any]) -> None:
    """Q3.9: sibling: the caller writes the route in full."""
    with pytest.raises(BadPath, match="is not one of this API"):
        get(f"{kernel.url}jupyter-oidc/providers")


def test_a_server_that_does_not_say_where_its_apis_are_leads_nothing(
    kernel: FakeServer, get: Callable[..., Any]
) -> None:
    """Q3.3: sibling: the server is older than the client."""
    kernel.answers("GET", "jupyter-oidc/apis", {"apis": [{k: v for k, v in ORDERS.items() if k != "base_url"}]})
    with pytest.raises(BadPath, match="is not one of this API, which is at an address that is not known here"):
        get("https://api.example.com/v1/items")


def test_what_an_answer_names_can_be_given_back_to_the_client(
    connection_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q3.3: the server has led the addresses in ``r.headers`` and ``r.links`` through the proxy."""
    with FakeServer("/user/ada/") as fake_server:
        monkeypatch.setenv("JUPYTER_OIDC_URL", fake_server.url)
        link = "/user/ada/jupyter-oidc/api/orders/items?page=2"
        found = {"Link": f'<{link}>; rel="next"', "Content-Location": link}
        fake_server.answers("GET", f"{PROXY}items", Answer([], headers=found), Answer([]))
        with oidc.api("orders") as orders:
            reply = orders.get("items")
            for address in (reply.links["next"]["url"], reply.headers["Content-Location"], reply.url.join(link)):
                orders.get(address)
        arrived = [f"{got.path}?{got.query}" for got in fake_server.asked("GET", f"{PROXY}items")][1:]
    assert arrived == [link] * 3
