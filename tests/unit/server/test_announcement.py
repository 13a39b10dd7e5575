"""A server writes its address down for its own kernels, and removes files that ended servers left (Q4.5)."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.contract.announcement import read, these_processes
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.server.announcement import ServerAnnouncement

NOBODY = 2**22 + 1
"""Process id beyond the largest that Linux gives."""


@dataclass
class Server:
    """The attributes of a Jupyter server that say where it is."""

    runtime_dir: str
    ip: str = "localhost"
    port: int = 8888
    base_url: str = "/"
    sock: str = ""
    ssl_options: dict[str, Any] | None = None


@dataclass
class KernelFile:
    connection_file: str


class Manager:
    """Decide on kernels as Jupyter's manager does, and start none."""

    def pre_start_kernel(self, kernel_name: str | None, arguments: dict[str, Any]) -> tuple[Any, str, str]:
        return KernelFile("/run/ada/kernel-k1.json"), kernel_name or "python3", "k1"


def own(server: Server) -> ServerAnnouncement:
    return ServerAnnouncement(server, SystemEntropy(), logging.getLogger("jupyter_oidc"))


@pytest.mark.parametrize(
    ("ip", "url"),
    [
        ("localhost", "http://localhost:8888/a/"),
        ("", "http://127.0.0.1:8888/a/"),
        ("*", "http://127.0.0.1:8888/a/"),
        ("0.0.0.0", "http://127.0.0.1:8888/a/"),
        ("::", "http://[::1]:8888/a/"),
        ("::1", "http://[::1]:8888/a/"),
        ("10.1.2.3", "http://10.1.2.3:8888/a/"),
    ],
)
def test_the_address_is_one_that_leads_to_this_server_from_its_own_machine(tmp_path: Path, ip: str, url: str) -> None:
    """Q4.5: Another server of the same home is never asked."""
    announced = own(Server(str(tmp_path), ip=ip, base_url="/a/"))
    announced.write()
    told = read(announced.path)
    assert told is not None
    assert told.url == url


def test_a_kernel_gets_the_variables_beside_what_it_is_given(tmp_path: Path) -> None:
    """Q4.5: the environment of the server's own process does not change."""
    announced, manager = own(Server(str(tmp_path))), Manager()
    announced.set_kernel_environment(manager)
    arguments: dict[str, Any] = {"env": {"LANG": "C"}}
    manager.pre_start_kernel(None, arguments)
    assert arguments["env"] == {
        "LANG": "C",
        "JUPYTER_OIDC_SERVER": str(announced.path),
        "JUPYTER_OIDC_CONNECTION_FILE": "/run/ada/kernel-k1.json",
    }
    assert "JUPYTER_OIDC_SERVER" not in os.environ


def test_two_servers_in_one_process_have_files_of_their_own(tmp_path: Path) -> None:
    """Q4.5, a sibling: Another server of the same home is never asked."""
    assert own(Server(str(tmp_path))).path != own(Server(str(tmp_path))).path


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"pid": NOBODY}, False),
        ({"pid": NOBODY, "machine": "another"}, True),
        ({"pid": NOBODY, "processes": "another"}, True),
        ({}, True),
    ],
    ids=["ended here", "another machine", "another container", "alive"],
)
def test_only_what_a_server_left_behind_here_is_removed(tmp_path: Path, changes: dict[str, Any], stays: bool) -> None:
    """Q4.5: sibling: a process id says nothing about another container."""
    other = own(Server(str(tmp_path)))
    other.write()
    told = read(other.path)
    assert told is not None
    other.path.write_text(replace(told, **changes).text(), encoding="utf-8")
    own(Server(str(tmp_path))).write()
    assert other.path.exists() is stays


def test_a_folder_that_cannot_be_written_keeps_no_kernel_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Q4.5, a sibling: Another server of the same home is never asked."""
    (tmp_path / "file").touch()
    announced, manager = own(Server(str(tmp_path / "file"))), Manager()
    announced.set_kernel_environment(manager)
    assert manager.pre_start_kernel(None, {})[2] == "k1"
    assert "kernels cannot be told where this server is" in caplog.text
    assert {record.name for record in caplog.records} == {"jupyter_oidc"}


def test_a_terminal_is_told_the_server_and_is_no_kernel(tmp_path: Path) -> None:
    """Q4.5: sibling: the command line asks the server whose terminal it is typed in."""
    announced, terminals = own(Server(str(tmp_path))), Terminals()
    announced.set_terminal_environment({"terminal_manager": terminals})
    assert terminals.extra_env == {"JUPYTER_OIDC_SERVER": str(announced.path)}


class Terminals:
    """The attribute of the terminal manager that gives terminals an environment."""

    def __init__(self) -> None:
        self.extra_env: dict[str, str] = {}


def test_a_server_that_has_ended_announces_nothing_any_more(tmp_path: Path) -> None:
    """Q4.5: sibling: a write that the event loop runs late would leave a file behind."""
    announced = own(Server(str(tmp_path)))
    announced.write()
    announced.withdraw()
    announced.write()
    assert list(tmp_path.iterdir()) == []


def test_options_of_tls_are_told_however_they_were_set(tmp_path: Path) -> None:
    """Q4.1: sibling: the options stand in ``ssl_options`` instead of ``certfile``."""
    announced = own(Server(str(tmp_path), ssl_options={"certfile": "/etc/ada.pem"}))
    announced.write()
    told = json.loads(announced.path.read_text(encoding="utf-8"))
    assert (told["url"], told["certificate"], told["processes"]) == (
        "https://localhost:8888/",
        "/etc/ada.pem",
        these_processes(),
    )
