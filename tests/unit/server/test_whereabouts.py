"""Where the browser is, as far as a server can tell; a kernel cannot tell at all (A30)."""

from __future__ import annotations

import pytest

from jupyter_oidc.server.whereabouts import Whereabouts

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
def test_a_page_tells_by_the_host_that_it_asked_for(host, where):
    assert Whereabouts().of_caller(host, is_kernel=False) == where


def test_a_kernel_counts_on_the_browser_that_was_seen_last():
    whereabouts = Whereabouts()
    assert whereabouts.of_caller("127.0.0.1:8888", is_kernel=True) == "unknown"
    whereabouts.note("hub.example.com", BROWSER)
    assert whereabouts.of_caller("127.0.0.1:8888", is_kernel=True) == "elsewhere"
    whereabouts.note("localhost:8888", {"Referer": "http://localhost:8888/lab"})
    assert whereabouts.of_caller("127.0.0.1:8888", is_kernel=True) == "here"


def test_a_script_with_the_token_is_no_browser():
    whereabouts = Whereabouts()
    whereabouts.note("localhost:8888", {"User-Agent": "python-httpx"})
    assert whereabouts.seen == "unknown"


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
def test_before_any_browser_the_server_s_own_address_counts(ip, environment, seen):
    """Under JupyterHub a server listens on loopback too, for a proxy that everybody goes through."""
    assert Whereabouts.of_server(ip, environment).seen == seen
