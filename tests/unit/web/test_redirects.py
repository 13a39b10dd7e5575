"""The redirects of this server lead to its own pages, and its redirect URI comes from the settings.

These are A-11, A29, A30 and ADR 0001.
"""

from __future__ import annotations

import pytest

from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.web.redirects import local_path, redirect_uri_for, starts_elsewhere

CALLBACK = "/user/x/jupyter-oidc/providers/corp/callback"


@pytest.mark.parametrize("host", ["localhost:8888", "127.0.0.1:8888", "[::1]:8888", "localhost"])
def test_a_loopback_host_is_believed(host: str) -> None:
    uri = redirect_uri_for(None, protocol="http", host=host, callback_path=CALLBACK)
    assert uri == f"http://{host}{CALLBACK}"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "0.0.0.0", ""],
)
def test_no_other_host_header_is_believed(host: str) -> None:
    """A30: The redirect URI never comes from a request."""
    with pytest.raises(ConfigurationInvalid) as refused:
        redirect_uri_for(None, protocol="https", host=host, callback_path=CALLBACK)
    assert CALLBACK in refused.value.action


def test_a_configured_redirect_uri_is_used_exactly() -> None:
    uri = "https://hub.example.com" + CALLBACK
    assert redirect_uri_for(uri, protocol="http", host="evil.example", callback_path="/x") == uri


def test_a_browser_on_another_host_starts_where_it_will_come_back() -> None:
    uri = "https://hub.example.com" + CALLBACK
    assert starts_elsewhere(uri, "localhost:8888") == "https://hub.example.com"
    assert starts_elsewhere(uri, "hub.example.com") is None


@pytest.mark.parametrize("path", ["/user/x/lab", "/user/x/lab/tree/a.ipynb", "/user/x/lab?reset", "/user/x/a%20b"])
def test_a_path_of_this_server_is_a_target(path: str) -> None:
    assert local_path(path, "/user/x/") == path


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "/other", "//evil", "/\\evil", "/%09/evil", "https:evil", "https://evil/user/x/"),
        *("/user/x/\x00", "/user/x/\n", "/user/x/%0d%0aX", "/user/x/\\evil", "/user/x/" + "a" * 2050, "user/x/"),
    ],
)
def test_anything_else_is_no_target(path: str) -> None:
    """A29: The target after sign-in stays on this server."""
    assert local_path(path, "/user/x/") is None


@pytest.mark.parametrize("path", ["//evil", "//evil/x", "/%2f/evil", "/%09/evil", "/\\evil"])
def test_a_server_at_the_root_is_not_fooled_by_a_second_slash(path: str) -> None:
    """A29: The target after sign-in stays on this server."""
    assert local_path(path, "/") is None


@pytest.mark.parametrize(
    "path",
    [
        "/user/x/../y/",
        "/user/x/lab/%2e%2e/%2E%2E/y",
        "/user/x/.%2e/y",
        "/user/x/./../y",
        "/user/x/..?reset",
        "/user/x/..#a",
    ],
)
def test_a_path_that_climbs_out_of_this_server_is_no_target(path: str) -> None:
    """A-11: under a hub the neighbours have the same origin."""
    assert local_path(path, "/user/x/") is None


@pytest.mark.parametrize("path", ["/user/x/lab?path=../a", "/user/x/a..b", "/user/x/...", "/user/x/lab#../a"])
def test_dots_that_climb_nowhere_are_no_obstacle(path: str) -> None:
    assert local_path(path, "/user/x/") == path
