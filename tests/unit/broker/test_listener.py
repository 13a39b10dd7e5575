"""The socket of a broker: made, taken over from systemd, or refused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_oidc.broker.listener import listen_at
from jupyter_oidc.problems import ConfigurationInvalid

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no broker")

HANDED_OVER = """
import os, socket, sys
from jupyter_oidc.broker.listener import listen_at
environment = {"LISTEN_FDS": "1", "LISTEN_PID": sys.argv[2], "LISTEN_FDNAMES": "broker.socket"}
found = listen_at(sys.argv[1], environment, os.getpid())
print(found.path, found.socket.getsockname(), os.get_inheritable(found.socket.fileno()), environment)
"""


@pytest.fixture
def path() -> Iterator[Path]:
    """A path for a socket; NOTE: pytest's folders are too long for one."""
    with tempfile.TemporaryDirectory(prefix="broker") as folder:
        yield Path(folder) / "socket"


def listening(path: Path) -> str:
    found = listen_at(str(path), {}, os.getpid())
    mode = path.stat().st_mode & 0o777
    found.socket.close()
    return oct(mode)


def test_every_user_may_connect_and_what_was_made_goes_away(path: Path) -> None:
    found = listen_at(str(path), {}, os.getpid())
    with found.socket, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert path.stat().st_mode & 0o777 == 0o666
    found.remove()
    found.remove()
    assert not path.exists()


def test_the_socket_of_a_broker_that_was_killed_is_replaced(path: Path) -> None:
    assert [listening(path), listening(path)] == ["0o666", "0o666"]


def test_a_broker_that_runs_keeps_its_socket(path: Path) -> None:
    found = listen_at(str(path), {}, os.getpid())
    with found.socket, pytest.raises(ConfigurationInvalid, match="cannot listen"):
        listen_at(str(path), {}, os.getpid())
    assert path.exists()


def test_a_file_that_is_no_socket_stays(path: Path) -> None:
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationInvalid):
        listen_at(str(path), {}, os.getpid())
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_not_there_is_named_with_what_to_do(path: Path) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        listen_at(str(path / "deeper"), {}, os.getpid())
    assert str(path / "deeper") in str(refused.value.message)
    assert "Make the folder" in str(refused.value.action)


@pytest.mark.parametrize("meant", [True, False], ids=["for this process", "for another one"])
def test_a_socket_that_systemd_hands_over_takes_the_place_of_the_settings(path: Path, meant: bool) -> None:
    """sd_listen_fds(3): the variables are for one process, and gone afterwards."""
    made = path.with_name("handed")
    with socket.socket(socket.AF_UNIX) as handed:
        handed.bind(str(made))
        handed.listen()
        process = "import os, sys; os.dup2(int(sys.argv[3]), 3); "
        process += "sys.argv[2] = str(os.getpid()) if sys.argv[2] == 'me' else '1'\n" + HANDED_OVER
        done = subprocess.run(
            [sys.executable, "-c", process, str(path), "me" if meant else "other", str(handed.fileno())],
            pass_fds=[handed.fileno()],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    expected = f"None {made} False {{}}" if meant else f"{path} {path} False {{}}"
    assert done.stdout.strip() == expected
