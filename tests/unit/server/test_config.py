"""Settings may stand in any of Jupyter's configuration files, ``*.d`` folders included (DESIGN 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.server.config import Configured, merged_settings, settings_outside_files
from jupyter_oidc.server.settings_file import settings_files


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Make two configuration folders, the first one more important."""
    for name in ("user", "system"):
        (tmp_path / name / "jupyter_server_config.d").mkdir(parents=True)
    return [str(tmp_path / "user"), str(tmp_path / "system")]


def write(folder: str, name: str, section: Any) -> None:
    path = Path(folder) / "jupyter_server_config.d" / name
    path.write_text(json.dumps({"ServerApp": {}, "JupyterOIDC": section}), encoding="utf-8")


def write_main(folder: str, section: Any) -> None:
    path = Path(folder) / "jupyter_server_config.json"
    path.write_text(json.dumps({"JupyterOIDC": section}), encoding="utf-8")


def said(own: dict[str, Any], folders: list[str]) -> Configured:
    """Return the settings where the user can change every file."""
    files = settings_files(folders, None)
    return merged_settings(settings_outside_files(own, files), files)


def test_without_any_file_nothing_is_configured(folders: list[str]) -> None:
    assert (said({}, folders).providers, said({}, folders).choices[0]) == ({}, "auto")


def test_each_provider_may_have_a_file_of_its_own(folders: list[str]) -> None:
    write(folders[0], "one.json", {"providers": {"one": {"issuer": "https://one.example"}}})
    write(folders[1], "two.json", {"providers": {"two": {"issuer": "https://two.example"}}, "storage": "memory"})
    found = said({}, folders)
    assert found.providers == {"one": {"issuer": "https://one.example"}, "two": {"issuer": "https://two.example"}}
    assert found.choices[0] == "memory"


def test_what_stands_in_the_main_file_wins(folders: list[str]) -> None:
    write(folders[0], "one.json", {"providers": {"one": {"issuer": "https://one.example"}}, "storage": "memory"})
    own = {"providers": {"one": {"issuer": "https://other.example"}}, "storage": "keyring"}
    found = said(own, folders)
    assert (found.providers, found.choices[0]) == ({"one": {"issuer": "https://other.example"}}, "keyring")


def test_a_main_json_file_replaces_a_provider_of_the_folder_as_a_whole(folders: list[str]) -> None:
    write(folders[0], "one.json", {"providers": {"one": {"issuer": "https://one.example", "max_age": 5}}})
    write_main(folders[0], {"providers": {"one": {"issuer": "https://other.example"}}})
    assert said({}, folders).providers == {"one": {"issuer": "https://other.example"}}


@pytest.mark.parametrize("section", [[], "x", {"providers": []}])
def test_a_section_of_the_wrong_shape_is_passed_on_to_be_named_as_a_mistake(folders: list[str], section: Any) -> None:
    write(folders[0], "one.json", section)
    providers = said({}, folders).providers
    assert not isinstance(providers, dict) or providers == {}


@pytest.mark.parametrize("own", [{}, {"providers": {"one": None}}], ids=["as read here", "as Jupyter read it"])
def test_a_provider_is_taken_away_by_null_in_a_weightier_file(folders: list[str], own: dict[str, Any]) -> None:
    """Q7.1: An empty settings file ends no session."""
    write(folders[1], "one.json", {"providers": {"one": {"issuer": "https://one.example"}}})
    write_main(folders[0], {"providers": {"one": None}})
    assert (said(own, folders).providers, said(own, folders).removed) == ({}, frozenset({"one"}))


def test_a_provider_that_a_weightier_file_has_is_not_taken_away_by_a_lighter_one(folders: list[str]) -> None:
    """Q7.1: An empty settings file ends no session."""
    write(folders[0], "one.json", {"providers": {"one": {"issuer": "https://one.example"}}})
    write(folders[1], "zz.json", {"providers": {"one": None}})
    assert said({}, folders).providers == {"one": {"issuer": "https://one.example"}}
    assert said({}, folders).removed == frozenset()


@pytest.mark.parametrize("spelling", [("keyring_backend", "storage_folder"), ("keyringBackend", "storageFolder")])
def test_where_sessions_are_stored_may_be_written_in_either_spelling(
    folders: list[str], spelling: tuple[str, str]
) -> None:
    """Q7.4: A keyring is chosen by its class. Q7.5: Storage can move off a shared home."""
    write(folders[1], "one.json", dict(zip(spelling, ("module.Class", "/srv/sessions"), strict=True)))
    assert said({}, folders).choices == ("auto", "module.Class", "/srv/sessions")
