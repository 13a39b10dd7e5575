"""The server tells which requests come from this machine (Q8.12)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_oidc.server.kernel_peer import is_on_this_machine


class Plug:
    """One end of a connection."""

    def __init__(self, name: Any) -> None:
        self._name = name

    def getsockname(self) -> Any:
        return self._name


def request(remote: str | None, name: Any = ("192.0.2.10", 8888)) -> Any:
    stream = SimpleNamespace(socket=Plug(name))
    return SimpleNamespace(remote_ip=remote, connection=SimpleNamespace(stream=stream))


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
    gone = SimpleNamespace(remote_ip="192.0.2.10", connection=SimpleNamespace(stream=None))
    assert not is_on_this_machine(gone)  # type: ignore[arg-type]
