"""Where an API may send a client: never followed here, and never with a token (C9, C10)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_upstream import RawUpstream, reply

STATUSES = ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[RawUpstream]:
    with RawUpstream() as elsewhere:
        yield elsewhere


def sent_to(
    real_environment: RealEnvironment, api: RawUpstream, location: str, status: str = "302 Found"
) -> str | None:
    """Return the ``Location`` that the client gets when the API sends ``location``."""
    api.script("from", reply(status, b"", f"Location: {location}"))
    answer = real_environment.raw.ask("GET", "orders/from")
    assert answer.status == int(status[:3])
    assert len(answer.all("location")) <= 1
    return answer.first("location")


@pytest.mark.parametrize("status", STATUSES)
def test_no_redirect_is_followed(
    real_environment: RealEnvironment, api: RawUpstream, elsewhere: RawUpstream, status: str
) -> None:
    """C10: the other host hears nothing, and so gets no token."""
    elsewhere.forget()
    assert sent_to(real_environment, api, f"{elsewhere.url}x?y=1#z", status) == f"{elsewhere.url}x?y=1#z"
    assert (elsewhere.connections, len(api.calls)) == (0, 1)


@pytest.mark.parametrize("status", STATUSES)
def test_a_redirect_below_the_base_url_leads_through_the_proxy(
    real_environment: RealEnvironment, api: RawUpstream, status: str
) -> None:
    """C9: absolute, from the root, and relative to the call."""
    for location in (f"{api.url}to/7?x=1#top", "/v1/to/7?x=1#top", "to/7?x=1#top", "./to/7?x=1#top"):
        assert sent_to(real_environment, api, location, status) == f"{real_environment.proxy}to/7?x=1#top"
    assert {call.target for call in api.calls} == {"/v1/from"}


def test_a_new_resource_is_found_through_the_proxy(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C9: 201 has a Location, too."""
    assert sent_to(real_environment, api, f"{api.url}to/8", "201 Created") == f"{real_environment.proxy}to/8"


OUTSIDE = [
    "https://evil.example/v1/x",
    "http://127.0.0.1:1/v1/x",
    "http://127.0.0.1.evil.example/v1/",
    "http://user@evil.example/",
]


@pytest.mark.parametrize("location", OUTSIDE)
def test_a_redirect_to_another_host_is_the_browsers_business(
    real_environment: RealEnvironment, api: RawUpstream, location: str
) -> None:
    """C10: passed on as it is; the browser goes there without a token."""
    assert sent_to(real_environment, api, location) == location


@pytest.mark.parametrize("location", ["%2e%2e/x", "..%2fx", "to//x", "to/..;/x", "to/%00", "to/\\x", "to/%5cx"])
def test_a_hostile_path_below_the_base_url_does_not_become_one_of_ours(
    real_environment: RealEnvironment, api: RawUpstream, location: str
) -> None:
    """C9: a path that the proxy would refuse is not rewritten into an address of the proxy."""
    given = sent_to(real_environment, api, api.url + location)
    assert given is None or not given.startswith(real_environment.proxy)


@pytest.mark.parametrize("location", ["http://x/\r\nSet-Cookie: a=b", "http://x/\nSet-Cookie: a=b", "http://x/\0"])
def test_a_location_with_a_line_break_brings_no_header(
    real_environment: RealEnvironment, api: RawUpstream, location: str
) -> None:
    """C10: Redirects elsewhere are passed on, without a token. C20: An answer that is no HTTP is refused."""
    api.script("from", reply("302 Found", b"", f"Location: {location}"))
    answer = real_environment.raw.ask("GET", "orders/from")
    assert "a=b" not in answer.all("set-cookie")


OURS = [
    "/login",
    "/lab/tree/x.ipynb",
    "/api/contents/important.ipynb",
    "/api/kernels",
    "/logout",
    "../../../api/contents/x",
    "/v2/items",
    "//{host}/api/contents",
    "http://{host}/api/contents",
]


@pytest.mark.parametrize("location", OURS)
def test_a_redirect_outside_the_base_url_never_names_a_page_of_jupyter(
    real_environment: RealEnvironment, api: RawUpstream, location: str
) -> None:
    """C10: a relative address is relative to the API; a fetch would follow it into Jupyter with its XSRF header."""
    given = sent_to(real_environment, api, location.format(host=real_environment.raw.host), "307 Temporary Redirect")
    page = urlsplit(urljoin(f"http://{real_environment.raw.host}{real_environment.proxy}from", given or ""))
    assert given is None or page.netloc != real_environment.raw.host


SPELLINGS = [r"http://{host}\@api.example/../api/contents/x", "http://{escaped}/api/contents/x"]


@pytest.mark.parametrize("location", SPELLINGS)
def test_no_spelling_of_our_host_brings_a_page_back_to_jupyter(
    real_environment: RealEnvironment, api: RawUpstream, location: str
) -> None:
    """C10: Chromium turns them into our own address, and sends cookie and XSRF header there."""
    host = real_environment.raw.host
    escaped = host.replace("l", "%6c", 1)
    assert sent_to(real_environment, api, location.format(host=host, escaped=escaped), "307 Temporary Redirect") is None


@pytest.mark.parametrize("location", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x"])
def test_a_redirect_leads_to_the_web_or_nowhere(
    real_environment: RealEnvironment, api: RawUpstream, location: str
) -> None:
    """C10: browsers do not follow these; a kernel's library or an extension might."""
    assert sent_to(real_environment, api, location) is None


def test_two_locations_are_no_location(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C10, C20: clients differ in which one they follow."""
    api.script("from", reply("302 Found", b"", "Location: https://one.example/", "Location: https://two.example/"))
    answer = real_environment.raw.ask("GET", "orders/from")
    assert answer.all("location") == [] or answer.code == "upstream_protocol_error"
