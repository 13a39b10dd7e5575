"""The keys for corporate networks are the same for a provider and for an API (G-5, H-1, C35)."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.settings import Finding, SecretRef, Settings, read_settings
from tests.support.marker import MARKER

CORP = {"issuer": "https://id.example.com", "client_id": "jupyter"}
ORDERS = {"base_url": "https://api.example.com/"}
PROXY = "http://proxy.example.com:3128"


def settings_of(place: str, **more: Any) -> Settings | list[Finding]:
    if place == "provider":
        return read_settings({"corp": {**CORP, **more}})
    return read_settings({"corp": {**CORP, "apis": {"orders": {**ORDERS, **more}}}})


def keys_of(place: str, **more: Any) -> list[str]:
    read = settings_of(place, **more)
    assert isinstance(read, list)
    return [finding.key.rpartition(".")[2] for finding in read]


@pytest.fixture(params=["provider", "API"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, None),
        ("none", "none"),
        (PROXY, PROXY),
        (f"{PROXY}/", PROXY),
        ("http://PROXY.example.com:80", "http://proxy.example.com:80"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
    ],
)
def test_a_proxy_is_an_address_none_or_what_the_environment_says(
    place: str, written: str | None, read: str | None
) -> None:
    settings = settings_of(place, egressProxy=written)
    assert isinstance(settings, Settings)
    (provider,) = settings.providers
    assert (provider if place == "provider" else provider.apis[0]).egress_proxy == read


def test_an_api_does_not_take_its_proxy_from_the_provider() -> None:
    """C35: the provider may be outside and the API inside."""
    settings = read_settings({"corp": {**CORP, "egress_proxy": PROXY, "apis": {"orders": ORDERS}}})
    assert isinstance(settings, Settings)
    assert settings.providers[0].apis[0].egress_proxy is None


@pytest.mark.parametrize(
    "written",
    [
        *("https://proxy.example.com:443", "socks5://proxy.example.com:1080", "http://proxy.example.com"),
        *("proxy.example.com:3128", "http://proxy.example.com:3128/path", "http://proxy.example.com:3128/?q"),
        *("http://:3128", "http://proxy.example.com:x", "http://proxy.example.com:99999", "http://[::1", "None", "off"),
        *("http://pröxy.example.com:3128", "http://proxy.example.com:3128#x"),
    ],
)
def test_what_is_no_http_proxy_is_a_mistake(place: str, written: str) -> None:
    """G-5: Mistakes in settings are found without the provider."""
    assert keys_of(place, egress_proxy=written) == ["egress_proxy"]


def test_a_password_in_the_address_is_a_mistake_and_is_not_repeated(place: str) -> None:
    """C35: A forward proxy's refusal has its own code.

    D8: Mistakes in the settings are listed all together.
    """
    read = settings_of(place, egress_proxy=f"http://ada:{MARKER}secret@proxy.example.com:3128")
    assert isinstance(read, list)
    (finding,) = read
    assert finding.key.endswith("egress_proxy")
    assert "holds a user name or password" in str(finding)
    assert MARKER not in str(read)


def test_credentials_are_a_reference(place: str) -> None:
    """C35: A forward proxy's refusal has its own code."""
    settings = settings_of(place, egress_proxy=PROXY, egress_proxy_credentials="file:/run/proxy")
    assert isinstance(settings, Settings)
    (provider,) = settings.providers
    found = (provider if place == "provider" else provider.apis[0]).egress_proxy_credentials
    assert found == SecretRef("file", "/run/proxy")


def test_credentials_that_stand_in_the_settings_are_a_mistake_and_are_not_repeated(place: str) -> None:
    """C35: A forward proxy's refusal has its own code.

    D8: Mistakes in the settings are listed all together.
    """
    read = settings_of(place, egress_proxy=PROXY, egress_proxy_credentials=f"ada:{MARKER}secret")
    assert isinstance(read, list)
    assert [finding.key.rpartition(".")[2] for finding in read] == ["egress_proxy_credentials"]
    assert MARKER not in str(read)


@pytest.mark.parametrize("proxy", [None, "none"])
def test_credentials_go_to_no_proxy_that_the_settings_do_not_name(place: str, proxy: str | None) -> None:
    """C35: an attacker who writes the environment would get them."""
    assert keys_of(place, egress_proxy=proxy, egress_proxy_credentials="env:PROXY") == ["egress_proxy"]
