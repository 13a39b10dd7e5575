"""The settings and the environment decide which calls leave through a forward proxy, and through which one (C35)."""

from __future__ import annotations

import base64

import pytest

from jupyter_oidc.adapters.network.forward_proxy import ForwardProxy, is_exempt, is_loopback, proxy_for
from jupyter_oidc.adapters.network.network_route import NetworkRoute
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.settings import SecretRef
from tests.support.marker import MARKER

SET = NetworkRoute("API", proxy="http://set.example.com:3128")
SILENT = NetworkRoute("API")
DIRECT = NetworkRoute("API", proxy="none")
API = "https://api.example.com/v1/"


def host_for(url: str, network_route: NetworkRoute, **environment: str) -> str | None:
    proxy = proxy_for(url, network_route, environment)
    return None if proxy is None else f"{proxy.host}:{proxy.port}"


def test_the_setting_comes_before_the_environment() -> None:
    assert host_for(API, SET, HTTPS_PROXY="http://env.example.com:1") == "set.example.com:3128"


def test_none_means_none_whatever_the_environment_says() -> None:
    assert host_for(API, DIRECT, HTTPS_PROXY="http://env.example.com:1") is None


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": "http://env.example.com:8080"}, "env.example.com:8080"),
        ({"HTTPS_PROXY": "http://env.example.com:8080/"}, "env.example.com:8080"),
        ({"HTTPS_PROXY": "env.example.com:8080"}, "env.example.com:8080"),
        ({"HTTPS_PROXY": "http://env.example.com"}, "env.example.com:80"),
        ({"HTTPS_PROXY": "http://[fd00::1]:8080"}, "fd00::1:8080"),
        (
            {"https_proxy": "http://small.example.com:1", "HTTPS_PROXY": "http://big.example.com:2"},
            "small.example.com:1",
        ),
        ({"ALL_PROXY": "http://all.example.com:1"}, "all.example.com:1"),
        ({"ALL_PROXY": "http://all.example.com:1", "HTTPS_PROXY": "http://env.example.com:2"}, "env.example.com:2"),
        ({"HTTP_PROXY": "http://plain.example.com:1"}, None),
    ],
)
def test_where_the_setting_is_silent_the_environment_counts(environment: dict[str, str], found: str | None) -> None:
    assert host_for(API, SILENT, **environment) == found


def test_http_proxy_is_for_plain_http() -> None:
    assert host_for("http://api.example.com/", SILENT, HTTP_PROXY="http://plain.example.com:1") == "plain.example.com:1"


@pytest.mark.parametrize(
    "written", ["socks5://env.example.com:1", "https://env.example.com:1", "http://[", "http://:1"]
)
def test_a_proxy_of_the_environment_that_cannot_be_used_is_a_mistake_and_not_a_direct_call(written: str) -> None:
    """C35: the administrator who set the proxy does not want calls that go past it."""
    with pytest.raises(ConfigurationInvalid) as caught:
        proxy_for(API, SILENT, {"HTTPS_PROXY": written})
    assert caught.value.detail == "egress_proxy"


def test_a_password_of_the_environment_is_kept_as_a_secret() -> None:
    """Law 1: the password is a secret value from the moment it is read."""
    proxy = proxy_for(API, SILENT, {"HTTPS_PROXY": f"http://ada:{MARKER}p%40ss@env.example.com:1"})
    assert proxy is not None
    assert MARKER not in repr(proxy) + proxy.url
    authorization = proxy.authorization()
    assert authorization is not None
    scheme, _, encoded = reveal(authorization).partition(" ")
    assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", f"ada:{MARKER}p@ss")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_a_loopback_host_is_never_reached_through_a_proxy(host: str) -> None:
    """C35: seen from the proxy, a loopback address is the proxy's own machine."""
    assert host_for(f"https://{host}:8443/", SET, HTTPS_PROXY="http://env.example.com:1") is None


def test_a_mapped_loopback_address_is_one() -> None:
    assert (is_loopback("::ffff:127.0.0.1"), is_loopback("localhost.example.com"), is_loopback("10.0.0.1")) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize("network_route", [SET, SILENT], ids=["by setting", "by the environment"])
def test_no_proxy_holds_for_both(network_route: NetworkRoute) -> None:
    environment = {"HTTPS_PROXY": "http://env.example.com:1", "no_proxy": "example.com"}
    assert host_for(API, network_route, **environment) is None


@pytest.mark.parametrize(
    ("no_proxy", "spared"),
    [
        ("", False),
        ("*", True),
        ("api.example.com", True),
        ("API.Example.Com", True),
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("ample.com", False),
        ("example.com.evil.org", False),
        ("other.org, example.com", True),
        ("other.org example.com", True),
        ("example.com:443", True),
        ("example.com:8443", False),
        ("com", True),
        (".", False),
        ("10.0.0.0/8", False),
    ],
)
def test_no_proxy_names_hosts_and_the_domains_above_them(no_proxy: str, spared: bool) -> None:
    assert is_exempt("api.example.com", 443, no_proxy) is spared


@pytest.mark.parametrize(
    ("no_proxy", "spared"),
    [
        ("10.1.2.3", True),
        ("10.0.0.0/8", True),
        ("10.1.2.4", False),
        ("11.0.0.0/8", False),
        ("2.3", False),
        ("::/0", False),
    ],
)
def test_no_proxy_names_addresses_and_networks(no_proxy: str, spared: bool) -> None:
    assert is_exempt("10.1.2.3", 443, no_proxy) is spared


@pytest.mark.parametrize(
    ("no_proxy", "spared"), [("fd00::1", True), ("[fd00::1]", True), ("fd00::/8", True), ("[fd00::1]:1", False)]
)
def test_no_proxy_names_addresses_of_version_6(no_proxy: str, spared: bool) -> None:
    assert is_exempt("fd00::1", 443, no_proxy) is spared


def test_credentials_by_reference_are_read_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ForwardProxy("proxy.example.com", 3128, SecretRef("env", "CORP_PROXY"))
    monkeypatch.setenv("CORP_PROXY", f"ada:{MARKER}secret")
    authorization = proxy.authorization()
    assert authorization is not None
    assert base64.b64decode(reveal(authorization).removeprefix("Basic ")).decode() == f"ada:{MARKER}secret"


@pytest.mark.parametrize("value", ["", f"{MARKER}-without-a-colon"])
def test_credentials_that_are_not_there_are_a_mistake_in_the_settings(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """G-5: Mistakes in settings are found without the provider."""
    monkeypatch.setenv("CORP_PROXY", value)
    with pytest.raises(ConfigurationInvalid) as caught:
        ForwardProxy("proxy.example.com", 3128, SecretRef("env", "CORP_PROXY")).authorization()
    assert caught.value.detail == "egress_proxy_credentials"
    assert MARKER not in caught.value.message


def test_a_proxy_without_credentials_gets_none() -> None:
    assert ForwardProxy("proxy.example.com", 3128).authorization() is None
    assert ForwardProxy("proxy.example.com", 3128, Secret("a:b")).url == "http://proxy.example.com:3128"


@pytest.mark.parametrize("sign", ["/", "?", "#", "\\"])
def test_half_a_password_is_never_taken_for_a_port(sign: str) -> None:
    """T-12: a password without percent-encoding names neither a host to look up nor a port to show."""
    environment = {"HTTPS_PROXY": f"http://someone:12{sign}34@proxy.example.com:8080"}
    if sign == "\\":
        environment = {"HTTPS_PROXY": "http://someone\\x:1234"}
    with pytest.raises(ConfigurationInvalid) as caught:
        proxy_for(API, SILENT, environment)
    assert "someone" not in caught.value.message + caught.value.action
