"""The vault on a real Secret Service: a GNOME keyring of its own, on a D-Bus session of its own (DESIGN 10).

It needs ``dbus-run-session`` (Debian: ``dbus-daemon``, Fedora: ``dbus-daemon``) and ``gnome-keyring-daemon``
(``gnome-keyring``), and fails where they are missing: on a system with a Secret Service the vault has to be tried.
Where there can be none (macOS, Windows), set ``JUPYTER_OIDC_NO_SECRET_SERVICE=1`` to leave these tests out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.secret_service_child import digest_of, token_of

ROOT = Path(__file__).parents[2]
PACKAGES = {"dbus-run-session": "dbus-daemon", "gnome-keyring-daemon": "gnome-keyring"}
NO_SECRET_SERVICE = "JUPYTER_OIDC_NO_SECRET_SERVICE"

SESSION = """
printf %s "$1" | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
daemon=$!
printf '%s\\n' "$DBUS_SESSION_BUS_ADDRESS"
cat >/dev/null
kill "$daemon"
wait "$daemon"
"""
"""Ends itself and the keyring when its standard input does."""


@dataclass(frozen=True)
class SecretService:
    """A running Secret Service whose files are below ``folder``."""

    folder: Path
    environment: dict[str, str]

    def child(self, *verb: str) -> dict[str, Any]:
        """Run a child process and return the JSON object that it wrote."""
        done = subprocess.run(
            (sys.executable, "-m", "tests.support.secret_service_child", *verb),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@contextmanager
def secret_service(folder: Path, password: str = "opens it") -> Iterator[SecretService]:
    """Start a Secret Service that keeps its files in ``folder``, and end it."""
    if os.environ.get(NO_SECRET_SERVICE) == "1":
        pytest.skip(f"{NO_SECRET_SERVICE}=1 says that this system can have no Secret Service")
    for program, package in PACKAGES.items():
        if shutil.which(program) is None:
            pytest.fail(
                f"{program} is not on this machine: install the package {package}, "
                f"or set {NO_SECRET_SERVICE}=1 on a system that can have no Secret Service.",
                pytrace=False,
            )
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    places = {"HOME": "home", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache"}
    strange = ("DBUS_", "GNOME_", "PYTHON_KEYRING", "KEYRING_", "DISPLAY", "WAYLAND_", "XDG_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    environment |= {name: str(folder / place) for name, place in places.items()}
    environment |= {"XDG_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)}
    session = subprocess.Popen(
        ("dbus-run-session", "--", "sh", "-c", SESSION, "session", password),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    try:
        address = session.stdout.readline().strip()
        _await_owner(address)
        yield SecretService(folder, {**environment, "DBUS_SESSION_BUS_ADDRESS": address})
    finally:
        session.stdin.close()
        session.stdout.close()
        session.wait(20)


def _await_owner(address: str) -> None:
    """Return when the daemon has its name; asked any earlier, D-Bus would start another one, and that is locked."""
    from jeepney import DBus  # type: ignore[import-untyped]
    from jeepney.io.blocking import Proxy, open_dbus_connection  # type: ignore[import-untyped]

    deadline = time.monotonic() + 20
    with open_dbus_connection(address) as connection:
        while Proxy(DBus(), connection).NameHasOwner("org.freedesktop.secrets") != (True,):
            assert time.monotonic() < deadline, "the GNOME keyring did not start within 20 seconds"
            time.sleep(0.05)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SecretService]:
    with secret_service(tmp_path) as running:
        yield running


def test_auto_chooses_the_secret_service(service: SecretService) -> None:
    """B18: Keyring backends that keep no secrets are refused."""
    assert service.child("kind") == {"kind": "keyring", "backend": "keyring.backends.SecretService"}


def test_choosing_leaves_nothing_behind(service: SecretService) -> None:
    service.child("kind")
    assert service.child("entries") == {"count": 0}


def test_an_empty_secret_service_holds_no_token(service: SecretService) -> None:
    assert service.child("read") == {"found": False}


@pytest.mark.parametrize("characters", [40, 6_144, 60_000], ids=["short", "6 KB", "60 KB"])
def test_a_second_process_reads_what_the_first_one_wrote(service: SecretService, characters: int) -> None:
    """B19: A long token is stored in pieces."""
    service.child("write", str(characters))
    assert service.child("read") == {
        "found": True,
        "digest": digest_of(token_of(characters)),
        "header": ["https://id.example.com", "c1", "a1", ["openid", "é"], 1_800_000_000.5],
    }


def test_a_long_token_takes_one_entry(service: SecretService) -> None:
    """B19: a Secret Service has no short entries."""
    service.child("write", "6144")
    assert service.child("entries") == {"count": 1}


@pytest.mark.parametrize(("first", "second"), [(40, 6_144), (6_144, 40), (6_144, 6_145)])
def test_a_token_replaces_the_one_before(service: SecretService, first: int, second: int) -> None:
    """B3: A new refresh token is stored before its use."""
    service.child("write", str(first))
    service.child("write", str(second))
    assert service.child("read")["digest"] == digest_of(token_of(second))
    assert service.child("entries") == {"count": 1}


@pytest.mark.parametrize("characters", [40, 6_144], ids=["short", "6 KB"])
def test_a_deleted_token_is_gone_for_every_process(service: SecretService, characters: int) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    service.child("write", str(characters))
    service.child("delete")
    assert service.child("read") == {"found": False}
    assert service.child("entries") == {"count": 0}


def test_deleting_what_is_not_there_is_no_error(service: SecretService) -> None:
    assert service.child("delete") == {}


def test_a_token_outlives_the_daemon(tmp_path: Path) -> None:
    with secret_service(tmp_path) as before:
        before.child("write", "6144")
    with secret_service(tmp_path) as after:
        assert after.child("read")["digest"] == digest_of(token_of(6_144))


def test_a_keyring_that_is_locked_means_an_answer_and_no_token(service: SecretService) -> None:
    """B16, B17: no user is there to answer the prompt."""
    service.child("write", "40")
    assert service.child("lock")["refused"] in ("keyring_locked", "keyring_failed", "keyring_timeout")


def test_a_keyring_that_another_password_opens_means_an_answer_and_no_token(tmp_path: Path) -> None:
    """B16: A locked keyring is reported, without prompts. B17: A keyring that hangs holds up nothing else."""
    with secret_service(tmp_path) as before:
        before.child("write", "40")
    with secret_service(tmp_path, "does not open it") as after:
        assert after.child("read")["refused"] in (
            "keyring_locked",
            "keyring_failed",
            "keyring_timeout",
            "keyring_unsafe",
        )


def test_the_files_of_the_keyring_do_not_show_the_token(tmp_path: Path) -> None:
    with secret_service(tmp_path) as running:
        running.child("write", "6144")
    files = [path.read_bytes() for path in (tmp_path / "data" / "keyrings").iterdir() if path.is_file()]
    assert files
    assert not any(token_of(6_144)[:24].encode() in content for content in files)


def test_a_machine_without_the_programs_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NO_SECRET_SERVICE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="install the package dbus-daemon"), secret_service(tmp_path):
        pass


@pytest.fixture(autouse=True)
def _no_process_is_left(tmp_path: Path) -> Iterator[None]:
    """Fail a test whose daemon is still there after its session."""
    yield
    control = tmp_path / "run" / "keyring" / "control"
    assert not control.exists() or not _listens(control)


def _listens(path: Path) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True
