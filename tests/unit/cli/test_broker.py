"""``jupyter oidc broker``: what it writes, and with which code it ends."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.cli.broker import BrokerDoctor, Migrate, Serve
from jupyter_oidc.cli.config import Check
from jupyter_oidc.cli.doctor import Doctor
from jupyter_oidc.cli.forget import Forget
from tests.laws.source import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no broker")

UNITS = ROOT / "config" / "systemd"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_KEY", secrets.token_urlsafe(32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file; NOTE: it counts as one that others could change where the folders of tests are open."""
    tmp_path.chmod(0o700)
    return tmp_path / "broker.json"


def settings(file: Path, **broker: Any) -> str:
    ours = {"listen": f"unix:{file.parent}/s", "database": f"sqlite:{file.parent}/s.sqlite", "key": "env:BROKER_KEY"}
    file.write_text(json.dumps({"JupyterOIDC": {}, "JupyterOIDCBroker": {**ours, **broker}}), encoding="utf-8")
    return f"--settings={file}"


def run(command: Any, *arguments: str) -> int:
    application = command()
    application.initialize(list(arguments))
    with pytest.raises(SystemExit) as ended:
        application.start()
    code = ended.value.code
    return code if isinstance(code, int) else 0


def test_tables_are_made_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = settings(file)
    assert [run(Migrate, named), run(Migrate, named)] == [0, 0]
    first, second = capsys.readouterr().out.splitlines()
    assert (first.startswith("The tables have the version "), "before, 0." in first) == (True, True)
    assert second.startswith("The tables have this version already")


def test_every_mistake_in_the_settings_is_a_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Serve, settings(file, listen="80", colour="blue")) == 1
    told = capsys.readouterr().err
    assert (
        "JupyterOIDCBroker.listen: is no place to listen at. Write 'unix:' and the whole path of the socket, or" in told
    )
    assert "JupyterOIDCBroker.colour: is no setting of a broker. Remove it." in told


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Serve, "--settings=/no/such/broker.json") == 1
    assert "file /no/such/broker.json: is gone" in capsys.readouterr().err


def test_the_doctor_says_what_works_and_what_is_missing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = settings(file)
    assert run(BrokerDoctor, named) == 1
    told = capsys.readouterr().out
    assert "The keys that seal what is stored can be read." in told
    assert "The tables of the database are of another version of jupyter_oidc." in told
    run(Migrate, named)
    capsys.readouterr()
    assert run(BrokerDoctor, named) == 0
    assert "The database of the sessions answers" in capsys.readouterr().out


def test_the_doctor_says_that_a_key_is_missing(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = settings(file)
    monkeypatch.delenv("BROKER_KEY")
    assert run(BrokerDoctor, named) == 1
    assert "setting of the broker (env) is empty or does not exist" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here to judge")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """As they are, but for the program, which is where this environment is."""
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/jupyter-oidc/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "jupyter-oidc-broker.service")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    ours = [line for line in done.stderr.splitlines() if "jupyter-oidc" in line]
    assert (ours, done.returncode) == ([], 0)


@pytest.fixture
def behind_a_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of a server that hands everything to a broker, which does not run."""
    folder = tmp_path / "config"
    folder.mkdir()
    own = {"corp": {"issuer": "https://id.example.com", "client_id": "jupyter"}}
    section = {"broker": f"unix:{tmp_path}/no.sock", "providers": own}
    (folder / "jupyter_server_config.json").write_text(json.dumps({"JupyterOIDC": section}), encoding="utf-8")
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "")
    return tmp_path / "no.sock"


def test_the_doctor_of_a_server_asks_its_broker(behind_a_broker: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Doctor) == 1
    told = capsys.readouterr().out
    assert "The broker that holds the sessions does not answer." in told
    assert "id.example.com" not in told, "what the settings here say does not count"
    del behind_a_broker


def test_a_check_of_the_settings_says_that_a_broker_has_the_sessions(
    behind_a_broker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check = Check()
    check.initialize([])
    check.start()
    assert f"Sessions are held by the broker at {behind_a_broker}" in capsys.readouterr().err


def test_nothing_can_be_forgotten_where_a_broker_has_the_sessions(
    behind_a_broker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del behind_a_broker
    assert run(Forget, "-y") == 1
    assert "sign out by 'jupyter oidc sign-out'" in capsys.readouterr().err
