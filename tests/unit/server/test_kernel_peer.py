"""The server tells which requests come from this machine (Q8.12)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from jupyter_oidc.server.kernel_peer import is_on_this_machine


class Plug:
    """One end of a connection."""

    def __init__(self, name: Any) -> None:
        self._name = name

    def getsockname(self) -> Any:
        return self._name


def request(remote: str | None, name: Any = ("192.0.2.10", 8888), *told: tuple[str, str]) -> Any:
    """A request from ``remote`` to ``name``; ``told`` are headers."""
    headers = HTTPHeaders()
    for line in told:
        headers.add(*line)
    stream = SimpleNamespace(socket=Plug(name))
    return SimpleNamespace(remote_ip=remote, connection=SimpleNamespace(stream=stream), headers=headers)


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "192.0.2.10"])
def test_loopback_and_the_servers_own_address_are_this_machine(remote: str) -> None:
    assert is_on_this_machine(request(remote))


@pytest.mark.parametrize("remote", ["192.0.2.11", "10.0.0.1", "::ffff:192.0.2.11", "0.0.0.0", "", None, "localhost"])
def test_everything_else_is_not(remote: str | None) -> None:
    assert not is_on_this_machine(request(remote))


@pytest.mark.parametrize("name", ["/run/user/1000/jupyter.sock", "", b""])
def test_a_unix_socket_is_this_machine(name: str | bytes) -> None:
    """Tornado makes up an address for the peer of a Unix socket."""
    assert is_on_this_machine(request("0.0.0.0", name))


def test_a_connection_that_has_gone_is_nowhere() -> None:
    gone = SimpleNamespace(remote_ip="192.0.2.10", connection=SimpleNamespace(stream=None), headers=HTTPHeaders())
    assert not is_on_this_machine(gone)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "told",
    [
        [("X-Forwarded-For", "203.0.113.9")],
        [("X-Forwarded-For", "203.0.113.9, 127.0.0.1")],
        [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.9")],
        [("X-Forwarded-For", "203.0.113.9"), ("X-Real-Ip", "127.0.0.1")],
        [("X-Real-Ip", "203.0.113.9")],
        [("X-Forwarded-For", "unknown")],
        [("X-Forwarded-For", "")],
        [("Forwarded", "for=203.0.113.9;proto=https")],
        [("Forwarded", 'proto=https;For="[2001:db8::1]:4711"')],
        [("Forwarded", "for=127.0.0.1, for=203.0.113.9")],
        [("Forwarded", "for=_hidden")],
    ],
    ids=str,
)
def test_a_proxy_on_this_machine_is_no_caller_here(told: list[tuple[str, str]]) -> None:
    """Q8.12: whatever the server believes of such a header, and whoever wrote it."""
    assert not is_on_this_machine(request("127.0.0.1", ("127.0.0.1", 8888), *told))


@pytest.mark.parametrize(
    "told",
    [
        [("X-Forwarded-For", "127.0.0.1, ::1")],
        [("X-Real-Ip", "192.0.2.10")],
        [("Forwarded", 'for="[::1]";by=127.0.0.1')],
    ],
    ids=str,
)
def test_a_caller_here_may_come_through_a_proxy(told: list[tuple[str, str]]) -> None:
    assert is_on_this_machine(request("127.0.0.1", ("192.0.2.10", 8888), *told))
