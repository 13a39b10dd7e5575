"""The output of the command moves no cursor, forges no line and names no person (D8, T-12)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.cli.app import OidcApp
from jupyter_oidc.cli.session import Status, _paragraph
from jupyter_oidc.cli.settings_files import settings_of

SUMMARY: dict[str, Any] = {
    "provider": "corp",
    "issuer": "https://id.example.com",
    "state": "active",
    "reason": None,
    "user": {"sub": "a1", "name": "Jane\x1b]0;title\x07\ncorp: signed-out\u202e", "username": None},
    "access_expires_at": None,
    "expires_in": None,
    "refreshable": False,
    "storage": "memory",
    "settings_pending": False,
    "sharing": "none",
    "sign_in_under_way": False,
    "apis": [],
}


def test_a_name_is_one_line_of_text_and_nothing_else() -> None:
    """A user who may choose a name at the provider must not write on another user's terminal."""
    assert _paragraph(SUMMARY) == [
        "corp: Signed in",
        "    signed in as Jane\ufffd]0;title\ufffd\ufffdcorp: signed-out\ufffd at https://id.example.com",
    ]


def test_a_name_with_joiners_stays_as_it_is_spelt() -> None:
    user = {"sub": "a1", "name": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"}
    assert "\u0645\u06cc\u200c\u062e" in _paragraph(SUMMARY | {"user": user})[1]


@pytest.mark.parametrize("way", ["write_stdout", "write_stderr"])
def test_no_line_moves_a_cursor(capsys: pytest.CaptureFixture[str], way: str) -> None:
    getattr(Status(), way)("one\ntwo\x1b[2J\rthree \N{CHECK MARK}\x9b2J")
    said = capsys.readouterr()
    assert said.out + said.err == "one\ntwo\ufffd[2J\ufffdthree \N{CHECK MARK}\ufffd2J\n"


def test_a_file_at_home_is_named_without_the_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "jane.doe"
    config = home / ".jupyter"
    config.mkdir(parents=True)
    (config / "jupyter_server_config.json").write_text(json.dumps([]))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))

    class Here(OidcApp):
        config_file_paths = [str(config)]  # noqa: RUF012 - stands for a property of JupyterApp

    (finding,) = settings_of(Here()).findings
    assert finding.key == "file ~/.jupyter/jupyter_server_config.json"
