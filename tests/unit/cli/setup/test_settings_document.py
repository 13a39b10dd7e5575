"""The file of a set-up: what stays, what is shown, and what is never half written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.cli.setup.settings_document import SettingsDocument
from jupyter_oidc.cli.setup.target_file import is_read_by_jupyter, target_document
from jupyter_oidc.settings import Provider, Settings

CORP = {"issuer": "https://id.example.com", "client_id": "jupyter"}


def test_a_new_file_is_for_this_user_alone(tmp_path: Path) -> None:
    document = SettingsDocument.read(tmp_path / "d" / "corp.json")
    document.write(document.with_provider("corp", CORP))
    file = tmp_path / "d" / "corp.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text(encoding="utf-8")) == {"JupyterOIDC": {"providers": {"corp": CORP}}}
    assert [path.name for path in file.parent.iterdir()] == ["corp.json"]


def test_other_settings_their_order_and_the_mode_of_the_file_stay(tmp_path: Path) -> None:
    file = tmp_path / "jupyter_server_config.json"
    other = {"Z": 1, "JupyterOIDC": {"storage": "memory", "providers": {"b": {}, "corp": {}, "a": {}}}, "A": "é"}
    file.write_text(json.dumps(other), encoding="utf-8")
    file.chmod(0o644)
    document = SettingsDocument.read(file)
    document.write(document.with_provider("corp", CORP))
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (list(told), list(told["JupyterOIDC"]["providers"])) == (["Z", "JupyterOIDC", "A"], ["b", "corp", "a"])
    assert told["JupyterOIDC"]["storage"] == "memory"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert '"é"' in file.read_text(encoding="utf-8")


def test_the_difference_names_what_changes_and_an_equal_provider_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "corp.json"
    file.write_text(json.dumps({"JupyterOIDC": {"providers": {"corp": CORP}}}), encoding="utf-8")
    document = SettingsDocument.read(file)
    assert document.difference(document.with_provider("corp", dict(CORP))) == ""
    changed = document.with_provider("corp", {**CORP, "client_id": "other"})
    assert '+        "client_id": "other"' in document.difference(changed)


def test_a_file_that_has_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    """Two set-ups at once: the second one says so, and loses nothing of the first."""
    file = tmp_path / "corp.json"
    one, two = SettingsDocument.read(file), SettingsDocument.read(file)
    one.write(one.with_provider("corp", CORP))
    before = file.read_text(encoding="utf-8")
    with pytest.raises(Obstacle, match="has changed while this ran"):
        two.write(two.with_provider("corp", {**CORP, "client_id": "other"}))
    assert file.read_text(encoding="utf-8") == before


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    kept, link = tmp_path / "dotfiles.json", tmp_path / "corp.json"
    kept.write_text("{}", encoding="utf-8")
    link.symlink_to(kept)
    document = SettingsDocument.read(link)
    document.write(document.with_provider("corp", CORP))
    assert link.is_symlink()
    assert json.loads(kept.read_text(encoding="utf-8"))["JupyterOIDC"]["providers"] == {"corp": CORP}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("corp.py", "", "is no JSON file"),
        ("corp.json", "{", "is not JSON"),
        ("corp.json", "[]", "is not a JSON object"),
        ("corp.json", '{"JupyterOIDC": []}', "holds settings that are no mapping"),
        ("corp.json", '{"JupyterOIDC": {"providers": 1}}', "holds settings that are no mapping"),
    ],
)
def test_what_is_no_file_of_settings_is_left_alone(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(Obstacle, match=says):
        SettingsDocument.read(tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8") == content


def test_the_file_that_has_the_provider_gets_its_settings(tmp_path: Path) -> None:
    paths, known = (str(tmp_path),), Settings((Provider("corp", "https://id.example.com", "a"),))
    holder = tmp_path / "jupyter_server_config.d" / "team.json"
    holder.parent.mkdir()
    holder.write_text(json.dumps({"JupyterOIDC": {"providers": {"corp": CORP}}}), encoding="utf-8")
    assert target_document("corp", "", paths, tmp_path, known).path == holder
    assert target_document("new", "", paths, tmp_path, known).path == holder.with_name("jupyter_oidc-new.json")
    with pytest.raises(Obstacle, match="stands in"):
        target_document("corp", str(tmp_path / "other.json"), paths, tmp_path, known)
    holder.unlink()
    with pytest.raises(Obstacle, match="stands in a Python file or on the command line"):
        target_document("corp", "", paths, tmp_path, known)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("jupyter_server_config.json", True),
        ("jupyter_server_config.d/corp.json", True),
        ("corp.json", False),
        ("sub/jupyter_server_config.json", False),
    ],
)
def test_which_files_jupyter_reads(tmp_path: Path, file: str, *, expected: bool) -> None:
    assert is_read_by_jupyter(tmp_path / file, (str(tmp_path),)) is expected
