"""The place of a broker at a Hub, by its settings and the variables that the Hub gives its services."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.broker.hub_place import HubPlace, place_in, with_callbacks
from jupyter_oidc.settings import Provider, Settings
from jupyter_oidc.settings.broker import BrokerSettings, broker_address, read_broker_settings

HUB = {
    "JUPYTERHUB_SERVICE_NAME": "oidc",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/oidc/",
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:10101",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
    "JUPYTERHUB_API_TOKEN": "t",
    "JUPYTERHUB_PUBLIC_URL": "https://hub.example.com/services/oidc/",
}


def said(**section: Any) -> BrokerSettings:
    read = read_broker_settings(section)
    assert isinstance(read, BrokerSettings), read
    return read


def place(environment: dict[str, str] = HUB, **section: Any) -> HubPlace:
    found = place_in(said(**section), environment)
    assert isinstance(found, HubPlace), found
    return found


def test_a_service_that_the_hub_has_started_needs_no_settings() -> None:
    found = place()
    assert found[:5] == ("oidc", "127.0.0.1", 10101, "/services/oidc/", "https://hub.example.com/services/oidc/")
    assert found.callback_of("corp") == ("https://hub.example.com/services/oidc/jupyter-oidc/providers/corp/callback")
    assert (found.hub, found.home_of("ada")) == ("/hub/", "/user/ada/")


def test_without_a_hub_it_listens_at_a_socket() -> None:
    assert place_in(said(), {}) is None
    assert place_in(said(listen="unix:/run/x.sock"), HUB) is None


def test_settings_come_before_what_the_hub_says() -> None:
    environment = {**HUB, "JUPYTERHUB_BASE_URL": "/jupyter/", "JUPYTERHUB_SERVICE_PREFIX": "/jupyter/services/oidc/"}
    found = place(
        environment,
        listen="http://0.0.0.0:8000",
        public_url="https://lab.example.com/jupyter/services/oidc",
    )
    assert found[1:5] == (
        "0.0.0.0",
        8000,
        "/jupyter/services/oidc/",
        "https://lab.example.com/jupyter/services/oidc/",
    )
    assert (found.hub, found.home_of("ada")) == ("/jupyter/hub/", "/jupyter/user/ada/")


def test_the_address_of_the_hub_is_enough() -> None:
    environment = {name: value for name, value in HUB.items() if name != "JUPYTERHUB_PUBLIC_URL"}
    environment["JUPYTERHUB_PUBLIC_HUB_URL"] = "https://hub.example.com/hub/"
    assert place(environment).public_url == "https://hub.example.com/services/oidc/"


@pytest.mark.parametrize(
    ("environment", "section", "key"),
    [
        ({name: value for name, value in HUB.items() if "TOKEN" not in name}, {}, "variable JUPYTERHUB_API_TOKEN"),
        ({name: value for name, value in HUB.items() if "PUBLIC" not in name}, {}, "JupyterOIDCBroker.public_url"),
        (HUB, {"public_url": "http://hub.example.com/services/oidc/"}, "JupyterOIDCBroker.public_url"),
        (HUB, {"public_url": "https://hub.example.com/services/other/"}, "JupyterOIDCBroker.public_url"),
    ],
)
def test_what_is_missing_is_named(environment: dict[str, str], section: dict[str, Any], key: str) -> None:
    found = place_in(said(**section), environment)
    assert isinstance(found, list)
    assert [finding.key for finding in found] == [key]


@pytest.mark.parametrize(
    ("user", "base_url", "is_theirs"),
    [
        ("ada", "/user/ada/", True),
        ("ada", "/user/ada/gpu/", True),
        ("ada", "/user/adam/", False),
        ("ada", "/user/bob/", False),
        ("ada", "/", False),
        ("ada", "/user/", False),
        ("", "/user/", False),
        ("ada", "/services/ada/", False),
        ("a@b.example", "/user/a@b.example/", True),
        ("a@b.example", "/user/a%40b.example/", True),
        ("zoë", "/user/zo%C3%AB/", True),
        ("ada", "/user/ada/../bob/", False),
        ("ada", "/user/ada/%2e%2e/bob/", False),
    ],
)
def test_a_server_is_its_users(user: str, base_url: str, *, is_theirs: bool) -> None:
    assert place().is_server_of(user, base_url) is is_theirs


@pytest.mark.parametrize(
    ("address", "is_theirs"),
    [
        ("https://ada.hub.example.com/user/ada/", True),
        ("https://evil.example/user/ada/", False),
        ("https://evilhub.example.com/user/ada/", False),
        ("https://evil.com\\.hub.example.com/", False),
        ("https://evil.com%2f.hub.example.com/", False),
        ("https://evil.com@x.hub.example.com/", False),
        ("https://ada.hub.example.com/?x", False),
    ],
)
def test_a_host_of_a_user_is_beside_that_of_the_services(address: str, *, is_theirs: bool) -> None:
    environment = {
        **HUB,
        "JUPYTERHUB_PUBLIC_URL": "https://oidc--service.hub.example.com/services/oidc/",
        "JUPYTERHUB_HOST": "https://hub.example.com",
    }
    assert place(environment).is_user_host(address) is is_theirs
    assert not place().is_user_host(address)


def test_providers_get_the_redirect_uri_of_the_broker_and_no_other() -> None:
    plain = Provider("corp", "https://id.example.com", "c1")
    found = with_callbacks(Settings((plain,)), place())
    assert isinstance(found, Settings)
    assert found.providers[0].redirect_uri == place().callback_of("corp")
    assert with_callbacks(found, place()) == found
    other = Provider("corp", "https://id.example.com", "c1", redirect_uri="https://hub.example.com/other")
    refused = with_callbacks(Settings((other,)), place())
    assert isinstance(refused, list)
    assert ["does not lead to the broker" in str(one.text) for one in refused] == [True]


@pytest.mark.parametrize(
    ("strategy", "is_possible"),
    [("auto", True), ("server", True), ("device", True), ("loopback", False), ("paste", False)],
)
def test_an_answer_that_comes_elsewhere_is_refused_at_the_start(strategy: Any, *, is_possible: bool) -> None:
    found = with_callbacks(
        Settings((Provider("corp", "https://id.example.com", "c1", redirect_strategy=strategy),)), place()
    )
    assert isinstance(found, Settings) is is_possible


def test_the_form_of_a_provider_needs_hosts_of_the_users_own() -> None:
    """The Hub's cookie, by which a browser is known on one host for all, does not come with another site's form."""
    by_form = Settings((Provider("corp", "https://id.example.com", "c1", response_mode="form_post"),))
    assert isinstance(with_callbacks(by_form, place()), list)
    assert isinstance(with_callbacks(by_form, place()._replace(user_domain="hub.example.com")), Settings)


def test_a_hub_that_says_where_in_a_way_that_is_not_understood_is_told() -> None:
    """Otherwise a broker would listen at a socket that nobody asks."""
    for address in ("https://127.0.0.1:10101", "http://127.0.0.1", "http://127.0.0.1:10101/x"):
        found = place_in(said(), {**HUB, "JUPYTERHUB_SERVICE_URL": address})
        assert isinstance(found, list), address
        assert [one.key for one in found] == ["variable JUPYTERHUB_SERVICE_URL"]


def test_the_path_of_the_hub_follows_from_that_of_the_service() -> None:
    environment = {
        **HUB,
        "JUPYTERHUB_SERVICE_PREFIX": "/base/services/oidc/",
        "JUPYTERHUB_PUBLIC_URL": "https://hub.example.com/base/services/oidc/",
    }
    assert (place(environment).base, place(environment).home_of("ada")) == ("/base/", "/base/user/ada/")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://hub.example.com/services/oidc/", "https://hub.example.com/services/oidc/"),
        ("https://hub.example.com/services/oidc", "https://hub.example.com/services/oidc/"),
        ("http://127.0.0.1:8000/services/oidc/", "http://127.0.0.1:8000/services/oidc/"),
        ("http://localhost/services/oidc/", "http://localhost/services/oidc/"),
        ("http://hub.example.com/services/oidc/", None),
        ("https://user:pass@hub.example.com/", None),
        ("https://hub.example.com/?a", None),
        ("https://hub.example.com/#a", None),
        ("https://", None),
        ("hub.example.com", None),
        ("https://hub.example.com:0/", None),
        ("https://hub.example.com:x/", None),
        ("http://[::1].evil.example/", None),
        ("http://[::1]:8000/services/oidc/", "http://[::1]:8000/services/oidc/"),
        ("https://hub.example.com\\evil/", None),
        ("https://hüb.example.com/", None),
        (7, None),
    ],
)
def test_a_server_sends_its_token_of_the_hub_by_https_or_to_this_machine(text: object, url: str | None) -> None:
    found = broker_address(text)
    assert (None if found is None else (found.path, found.url)) == (None if url is None else (None, url))
