"""A server tells where the browser is as far as it can; a kernel cannot tell at all (A30)."""

from __future__ import annotations

import pytest

from jupyter_oidc.web.browser_location import BrowserLocation

BROWSER = {"Sec-Fetch-Mode": "cors"}


@pytest.mark.parametrize(
    ("host", "where"),
    [
        ("localhost:8888", "here"),
        ("127.0.0.1:8888", "here"),
        ("[::1]:8888", "here"),
        ("hub.example.com", "elsewhere"),
        ("localhost.evil.example", "elsewhere"),
        ("127.0.0.1.evil.example:8888", "elsewhere"),
        ("", "elsewhere"),
    ],
)
def test_a_page_tells_by_the_host_that_it_asked_for(host: str, where: str) -> None:
    assert BrowserLocation().of_caller(host, is_kernel=False) == where


def test_a_kernel_counts_on_the_browser_that_was_seen_last() -> None:
    browser_location = BrowserLocation()
    assert browser_location.of_caller("127.0.0.1:8888", is_kernel=True) == "unknown"
    browser_location.note("hub.example.com", BROWSER)
    assert browser_location.of_caller("127.0.0.1:8888", is_kernel=True) == "elsewhere"
    browser_location.note("localhost:8888", {"Referer": "http://localhost:8888/lab"})
    assert browser_location.of_caller("127.0.0.1:8888", is_kernel=True) == "here"


def test_a_browser_behind_a_proxy_that_names_the_server_anew_is_elsewhere() -> None:
    """Q10.1: the host of the request is the proxy's; the page names the real one."""
    browser_location = BrowserLocation()
    browser_location.note("127.0.0.1:8888", {"Referer": "https://hub.example.com/user/ada/lab"})
    assert (browser_location.seen, browser_location.public_url()) == ("elsewhere", None)


@pytest.mark.parametrize(
    ("host", "headers", "address"),
    [
        ("hub.example.com", {"Referer": "https://hub.example.com/user/ada/lab/tree"}, "https://hub.example.com/x/"),
        (
            "hub.example.com",
            {"Origin": "https://hub.example.com", "Sec-Fetch-Mode": "cors"},
            "https://hub.example.com/x/",
        ),
        ("localhost:9999", {"Referer": "http://localhost:9999/lab"}, "http://localhost:9999/x/"),
        ("hub.example.com", {"Sec-Fetch-Mode": "cors"}, None),
        ("hub.example.com", {"Referer": "https://evil.example/lab"}, None),
        ("hub.example.com", {"Origin": "https://evil.example", "Referer": "https://hub.example.com/"}, None),
        ("hub.example.com", {"Referer": "https://ada@hub.example.com/"}, None),
        ("hub.example.com", {"Origin": "null", "Sec-Fetch-Mode": "cors"}, None),
        ("hub.example.com", {"Referer": "https://[hub.example.com/"}, None),
        ("", {"Referer": "https:///x"}, None),
        ("a" * 400, {"Referer": "https://" + "a" * 400}, None),
        ("hub.example.com", {"User-Agent": "python-httpx", "Origin": "https://hub.example.com"}, None),
    ],
)
def test_an_address_counts_if_a_browser_shows_it_and_asks_for_it(
    host: str, headers: dict[str, str], address: str | None
) -> None:
    """Q10.1: an address that one party sees is never handed to another."""
    browser_location = BrowserLocation(base_url="/x/")
    browser_location.note(host, headers)
    assert browser_location.public_url() == address


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"JUPYTERHUB_PUBLIC_URL": "https://ada.hub.example.com/user/ada/"}, "https://ada.hub.example.com/user/ada/"),
        ({"JUPYTERHUB_PUBLIC_URL": "https://hub.example.com/team/user/ada"}, "https://hub.example.com/team/user/ada/"),
        ({"JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example.com/hub/"}, "https://hub.example.com/user/ada/"),
        (
            {"JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example.com/hub/", "JUPYTERHUB_HOST": "https://hub.example.com"},
            None,
        ),
        ({"JUPYTERHUB_PUBLIC_URL": "javascript:alert(1)"}, None),
        ({"JUPYTERHUB_PUBLIC_URL": ""}, None),
        ({}, None),
    ],
)
def test_a_hub_says_where_its_servers_are(environment: dict[str, str], address: str | None) -> None:
    """Q10.1: the address is known before any browser was seen."""
    assert BrowserLocation.of_server("0.0.0.0", environment, "/user/ada/").public_url() == address


def test_what_a_hub_or_the_settings_say_goes_before_what_a_request_says() -> None:
    """Q10.1: a program that holds Jupyter's token can claim to be a browser anywhere."""
    claimed = {"Referer": "https://evil.example/lab"}
    told = BrowserLocation.of_server(
        "0.0.0.0", {"JUPYTERHUB_PUBLIC_URL": "https://hub.example.com/user/ada/"}, "/user/ada/"
    )
    told.note("evil.example", claimed)
    assert told.public_url() == "https://hub.example.com/user/ada/"
    pinned = BrowserLocation(base_url="/user/ada/")
    pinned.note("evil.example", claimed)
    assert pinned.public_url("https://hub.example.com/user/ada/cb") == "https://hub.example.com/user/ada/"


def test_a_tunnel_from_another_port_shows_in_the_browser() -> None:
    """Q10.1: a pinned loopback address says nothing about the port at the other end."""
    browser_location = BrowserLocation()
    browser_location.note("localhost:9999", {"Referer": "http://localhost:9999/lab"})
    assert browser_location.public_url("http://localhost:8888/cb") == "http://localhost:9999/"


def test_a_report_names_the_address_at_which_a_browser_came_else_the_one_that_browsers_should_use() -> None:
    """A proxy that hides the protocol shows in the address at which a browser came, and not in the Hub's."""
    here, hub = "http://127.0.0.1:8888/user/ada/", "https://hub.example.com/user/ada/"
    browser_location = BrowserLocation(base_url="/user/ada/")
    assert browser_location.address_in_report(here, BROWSER) == (here, True)
    assert browser_location.address_in_report(here, {}) == (here, False)
    browser_location.note("127.0.0.1:8888", {"Referer": f"{here}lab"})
    assert browser_location.address_in_report("http://localhost:1/user/ada/", {}) == (here, True)
    browser_location.hub_told = hub
    assert browser_location.address_in_report(here, {}) == (hub, False)
    assert browser_location.address_in_report(here, BROWSER) == (here, True)


def test_a_script_with_the_token_is_no_browser() -> None:
    browser_location = BrowserLocation()
    browser_location.note("localhost:8888", {"User-Agent": "python-httpx"})
    assert browser_location.seen == "unknown"


@pytest.mark.parametrize(
    ("ip", "environment", "seen"),
    [
        ("localhost", {}, "here"),
        ("127.0.0.1", {}, "here"),
        ("127.0.0.1", {"JUPYTERHUB_USER": "ada"}, "unknown"),
        ("0.0.0.0", {}, "unknown"),
        ("", {}, "unknown"),
    ],
)
def test_before_any_browser_the_server_s_own_address_counts(ip: str, environment: dict[str, str], seen: str) -> None:
    """Under JupyterHub a server listens on loopback too, for a proxy that all browsers go through."""
    assert BrowserLocation.of_server(ip, environment).seen == seen
