"""Settings may stand in any of Jupyter's configuration files, ``*.d`` folders included (DESIGN 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.server.config import configured


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Two configuration folders, the first one more important."""
    for name in ("user", "system"):
        (tmp_path / name / "jupyter_server_config.d").mkdir(parents=True)
    return [str(tmp_path / "user"), str(tmp_path / "system")]


def write(folder: str, name: str, section: Any) -> None:
    path = Path(folder) / "jupyter_server_config.d" / name
    path.write_text(json.dumps({"ServerApp": {}, "JupyterOIDC": section}), encoding="utf-8")


def test_without_any_file_nothing_is_configured(folders: list[str]) -> None:
    assert configured({}, folders) == ({}, "auto", None, None)


def test_each_provider_may_have_a_file_of_its_own(folders: list[str]) -> None:
    write(folders[0], "one.json", {"providers": {"one": {"issuer": "https://one.example"}}})
    write(folders[1], "two.json", {"providers": {"two": {"issuer": "https://two.example"}}, "storage": "memory"})
    assert configured({}, folders) == (
        {"one": {"issuer": "https://one.example"}, "two": {"issuer": "https://two.example"}},
        "memory",
        None,
        None,
    )


def test_what_stands_in_the_main_file_wins(folders: list[str]) -> None:
    write(folders[0], "one.json", {"providers": {"one": {"issuer": "https://one.example"}}, "storage": "memory"})
    own = {"providers": {"one": {"issuer": "https://other.example"}}, "storage": "keyring"}
    assert configured(own, folders) == ({"one": {"issuer": "https://other.example"}}, "keyring", None, None)


@pytest.mark.parametrize("section", [[], "x", {"providers": []}])
def test_a_section_of_the_wrong_shape_is_passed_on_to_be_named_as_a_mistake(folders: list[str], section: Any) -> None:
    write(folders[0], "one.json", section)
    providers, *_ = configured({}, folders)
    assert not isinstance(providers, dict) or providers == {}


@pytest.mark.parametrize("spelling", [("keyring_backend", "storage_folder"), ("keyringBackend", "storageFolder")])
def test_where_sessions_are_stored_may_be_written_in_either_spelling(
    folders: list[str], spelling: tuple[str, str]
) -> None:
    """Q7.4, Q7.5."""
    write(folders[1], "one.json", dict(zip(spelling, ("module.Class", "/srv/sessions"), strict=True)))
    assert configured({}, folders) == ({}, "auto", "module.Class", "/srv/sessions")
