"""A proxied call goes below the configured base URL, or nowhere (C1, C2, C3, C9, C10)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_oidc.problems import BadPath, Problem, QueryTooLong, RouteForbidden
from jupyter_oidc.proxy.target import rewritten_location, upstream_url, without_reserved
from jupyter_oidc.settings import Api

API = Api("orders", "corp", "https://api.example.com/v1/")
ITEMS = Api("orders", "corp", "https://api.example.com/v1/", path_prefixes=("/items/", "/health"))


@pytest.mark.parametrize(
    ("path", "query", "url"),
    [
        ("", "", "https://api.example.com/v1/"),
        ("items", "", "https://api.example.com/v1/items"),
        ("items/7", "a=1&a=2", "https://api.example.com/v1/items/7?a=1&a=2"),
        ("items/", "", "https://api.example.com/v1/items/"),
        ("users/@me", "", "https://api.example.com/v1/users/@me"),
        ("caf%C3%A9", "", "https://api.example.com/v1/caf%C3%A9"),
        ("a%20b", "q=a+b;c", "https://api.example.com/v1/a%20b?q=a+b;c"),
        ("v1.2/file.tar.gz", "", "https://api.example.com/v1/v1.2/file.tar.gz"),
        ("...", "", "https://api.example.com/v1/..."),
        ("a;v=1", "", "https://api.example.com/v1/a;v=1"),
    ],
)
def test_an_honest_path_is_forwarded_byte_for_byte(path: str, query: str, url: str) -> None:
    assert upstream_url(API, path, query) == url


@pytest.mark.parametrize(
    "path",
    [
        *("..", "../x", "x/../y", "x/..", "./x", "x/./y", "."),  # C1
        *("%2e%2e", "%2e%2e/x", "x/%2E%2e/y", "%252e%252e/x", "%25252e%25252e", ".%2e/x"),
        *("..;/x", "..;a=b/x", "x/.;/y", "..%3b/x"),
        *("..\\x", "x\\y", "%5c%5cevil", "%255c", "x%5c..%5cy"),
        *("//evil", "/x", "x//y", "%2f%2fevil", "x%2fy", "x%252fy"),
        *("https://evil/x", "//evil/x", "@evil", "\\\\@evil", "%40evil"),  # C2
        *("%00", "x%00y", "%0d%0aX:1", "x%0ay", "%7f", "%2500"),
        *("x y", 'x"y', "x<y", "x{y}", "x|y", "x^y", "x`y", "café", "x\ty", "x\ny"),
        *("%", "%z", "%2", "x%g1"),
        *(" ..", "%20../x", "..%20/x"),
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        upstream_url(API, path, "")


@pytest.mark.parametrize("path", ["items", "items/", "items/7", "health", "health/live"])
def test_a_path_below_a_prefix_is_open(path: str) -> None:
    assert upstream_url(ITEMS, path, "").endswith(path)


@pytest.mark.parametrize("path", ["", "item", "itemsx", "healthy", "Items/7", "other/items/7"])
def test_a_path_outside_the_prefixes_is_closed(path: str) -> None:
    with pytest.raises(RouteForbidden):
        upstream_url(ITEMS, path, "")


def test_an_overlong_query_is_refused() -> None:
    """C3: Queries are forwarded byte for byte."""
    with pytest.raises(QueryTooLong):
        upstream_url(API, "x", "q=" + "a" * 32_768)


@pytest.mark.parametrize("query", ["a=b#c", "a b", "a\r\nb", "é"])
def test_a_query_that_could_be_read_in_two_ways_is_refused(query: str) -> None:
    with pytest.raises(BadPath):
        upstream_url(API, "x", query)


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_path_either_stays_below_the_base_url_or_is_refused(path: str, query: str) -> None:
    try:
        url = upstream_url(API, path, query)
    except Problem:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("https", "api.example.com")
    assert parts.path.startswith("/v1/")


@given(st.lists(st.sampled_from(["..", ".", "%2e", "%2f", "/", "\\", "x", ";", "%25", "%5c", "@", ":"]), max_size=8))
def test_any_mixture_of_dots_and_escapes_stays_below_the_base_url(parts: list[str]) -> None:
    try:
        url = upstream_url(API, "".join(parts), "")
    except Problem:
        return
    assert url.startswith("https://api.example.com/v1/")
    assert not {".", ".."} & set(url.removeprefix("https://api.example.com/v1/").split("/"))


def test_reserved_parameters_are_removed_and_the_rest_stays_as_it_was() -> None:
    def reserved(name: str, value: str) -> bool:
        return name == "_xsrf" or (name, value) == ("token", "jupyter's own")

    kept = without_reserved("a=1&_xsrf=2&token=jupyter%27s+own&token=mine&%5Fxsrf=3&b=%zz", reserved)
    assert kept == "a=1&token=mine&b=%zz"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://api.example.com/v1/items/8", "/api/orders/items/8"),  # C9
        ("/v1/items/8?x=1#top", "/api/orders/items/8?x=1#top"),
        ("8", "/api/orders/items/8"),
        ("https://api.example.com/v2/items", "https://api.example.com/v2/items"),  # C10
        ("https://evil.example.com/v1/items", "https://evil.example.com/v1/items"),
        ("https://api.example.com.evil.example/v1/", "https://api.example.com.evil.example/v1/"),
        ("https://api.example.com/v1/%2e%2e/x", "https://api.example.com/v1/%2e%2e/x"),
        ("/login", "https://api.example.com/login"),
        ("//jupyter.example.com/api/contents", None),
        ("https://user@JUPYTER.example.com/lab", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
    ],
)
def test_a_redirect_below_the_base_url_leads_through_the_proxy(location: str, expected: str | None) -> None:
    request_url = "https://api.example.com/v1/items/7"
    assert rewritten_location(API, location, request_url, "/api/orders/", "jupyter.example.com") == expected


@pytest.mark.parametrize(
    ("own_host", "location"),
    [
        ("jupyter.example.com", r"https://jupyter.example.com\@api.example.com/lab"),
        ("jupyter.example.com", r"https://jupyter.example.com\.evil.example/lab"),
        ("jupyter.example.com", "https://jupyter.example.com:443/lab"),
        ("jupyter.example.com", "http://jupyter.example.com:80/lab"),
        ("jupyter.example.com", "https://jupyter.example.com:/lab"),
        ("jupyter.example.com:443", "https://jupyter.example.com/lab"),
        ("jupyter.example.com", "https://jupyter.example.com./lab"),
        ("jupyter.example.com", "https://jupyter%2Eexample.com/lab"),
        ("jupyter.example.com", "https://jup\xadyter.example.com/lab"),
        ("jupyter.example.com", "https://\uff4aupyter.example.com/lab"),
        ("jupyter.example.com", "https:// jupyter.example.com/lab"),
        ("127.0.0.1:8888", "http://127.1:8888/lab"),
        ("127.0.0.1:8888", "http://2130706433:8888/lab"),
        ("127.0.0.1:8888", "http://0x7f000001:8888/lab"),
        ("127.0.0.1:8888", "http://0177.0.0.1:8888/lab"),
        ("127.0.0.1:8888", "http://127.0.0.1:08888/lab"),
        ("[::1]:8888", "http://[0:0:0:0:0:0:0:1]:8888/lab"),
    ],
)
def test_jupyter_in_another_spelling_is_jupyter_still(own_host: str, location: str) -> None:
    """C10: a browser makes one and the same address of all of them (WHATWG URL, 3.5)."""
    request_url = "https://api.example.com/v1/items/7"
    assert rewritten_location(API, location, request_url, "/api/orders/", own_host) is None


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:8889/x",
        "http://[::1]:8888/x",
        "https://127.0.0.1/x",
        "https://xn--bcher-kva.example:8888/x",
        "https://s3_bucket.example/x?sig=%2F#y",
        "https://user:pa%20ss@files.example/x",
    ],
)
def test_another_address_is_another_address(location: str) -> None:
    """C10: other addresses are the positive control."""
    request_url = "https://api.example.com/v1/items/7"
    assert rewritten_location(API, location, request_url, "/api/orders/", "127.0.0.1:8888") == location
