"""Whose sessions a connection may use: what the kernel says of it, and nothing that is sent."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.broker.identity import PeerCredentials
from jupyter_oidc.broker.listener import MAX_CONNECTIONS_OF_PEER, ConnectionLimits, shares_of
from jupyter_oidc.problems import Forbidden

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel is Linux")


class Connection:
    """A transport over ``connection``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def get_extra_info(self, name: str) -> Any:
        return self._connection if name == "socket" else None


class Told:
    """A socket of which the kernel tells ``credentials``."""

    family = socket.AF_UNIX

    def __init__(self, *credentials: int) -> None:
        self._credentials = credentials

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option, size) == (socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.pack("3i", *self._credentials)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def peer(connection: Any) -> str | None:
    return PeerCredentials().peer_of(Connection(connection))  # type: ignore[arg-type]


def test_a_connection_is_an_account_by_the_number_of_its_user(pair: tuple[socket.socket, socket.socket]) -> None:
    assert peer(pair[0]) == f"uid:{os.getuid()}"


@pytest.mark.parametrize(
    "connection",
    [Told(77, 65_534, 0), Told(77, -1, -1), None],
    ids=["the overflow user", "no user", "no socket"],
)
def test_who_cannot_be_told_apart_has_no_account(connection: Any) -> None:
    """user_namespaces(7): every user without a number here looks like the same one."""
    assert peer(connection) is None


def test_a_peer_in_another_container_is_its_user() -> None:
    """pid_namespaces(7): the process has no number here, the user has."""
    assert peer(Told(0, 1000, 0)) == "uid:1000"


def test_numbers_that_one_user_may_take_by_the_thousand_are_no_accounts(tmp_path: Path) -> None:
    """subuid(5): each would be an account of its own."""
    (tmp_path / "subuid").write_text("ada:100000:65536\n# none\nbob:x:1\n1001:300000:10\n", encoding="utf-8")
    identity = PeerCredentials(tmp_path / "subuid")
    numbers = (99_999, 100_000, 165_535, 165_536, 300_009, 300_010)
    told = [identity.peer_of(Connection(Told(77, number, 0))) for number in numbers]  # type: ignore[arg-type]
    assert told == ["uid:99999", None, None, "uid:165536", None, "uid:300010"]


def test_a_number_beyond_the_signed_ones_is_a_user_too() -> None:
    assert peer(Told(77, -294_967_296, 0)) == "uid:4000000000"


def test_a_connection_over_tcp_has_no_account() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert peer(server) is None


async def test_a_request_without_a_connection_is_refused() -> None:
    class Request:
        transport = None

    with pytest.raises(Forbidden):
        await PeerCredentials().account_of(Request())  # type: ignore[arg-type]


def test_each_user_has_so_many_connections_and_takes_none_of_another() -> None:
    limits = ConnectionLimits(PeerCredentials(), shares_of(65_536))
    ada, bob = Connection(Told(77, 1000, 0)), Connection(Told(78, 1001, 0))
    ends = [limits.admit(ada) for _ in range(MAX_CONNECTIONS_OF_PEER)]  # type: ignore[arg-type]
    assert None not in ends
    assert limits.admit(ada) is None  # type: ignore[arg-type]
    assert limits.admit(bob) is not None  # type: ignore[arg-type]
    end = ends.pop()
    assert end is not None
    end()
    assert limits.admit(ada) is not None  # type: ignore[arg-type]


def test_where_the_system_allows_few_files_no_account_takes_more_than_its_part() -> None:
    limits = ConnectionLimits(PeerCredentials(), shares_of(1_024))
    ada, bob = Connection(Told(77, 1000, 0)), Connection(Told(78, 1001, 0))
    taken = sum(limits.admit(ada) is not None for _ in range(1_000))  # type: ignore[arg-type]
    assert (taken, limits.admit(bob) is not None) == (48, True)  # type: ignore[arg-type]


def test_who_has_no_account_has_no_connection() -> None:
    assert ConnectionLimits(PeerCredentials(), shares_of(65_536)).admit(Connection(Told(77, 65_534, 0))) is None  # type: ignore[arg-type]
