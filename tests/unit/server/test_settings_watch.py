"""Settings files are read again when they have changed and come to rest (D9)."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.server.config import configured
from jupyter_oidc.server.settings_watch import SettingsWatch
from jupyter_oidc.settings import Settings, read_settings

ONE = {"issuer": "https://one.example", "client_id": "c1"}
TWO = {"issuer": "https://two.example", "client_id": "c1"}


class Folder:
    """A configuration folder, a watch over it, and what the watch had applied."""

    def __init__(self, path: Path, own: dict[str, Any] | None = None) -> None:
        self.path = path
        (path / "jupyter_server_config.d").mkdir()
        self.own = own or {}
        self.applied: list[Settings] = []

    def write(self, text: str, name: str = "jupyter_server_config.d/corp.json") -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def section(self, providers: dict[str, Any], **more: Any) -> None:
        self.write(json.dumps({"JupyterOIDC": {"providers": providers, **more}}))

    def watch(self) -> SettingsWatch:
        read = read_settings(*configured(self.own, [str(self.path)]))
        settings = read if isinstance(read, Settings) else None
        return SettingsWatch([str(self.path)], self.own, settings, self._apply, logging.getLogger("watch"))

    async def _apply(self, settings: Settings) -> None:
        self.applied.append(settings)

    @property
    def issuers(self) -> list[list[str]]:
        return [[provider.issuer for provider in settings.providers] for settings in self.applied]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


async def test_a_change_is_taken_when_it_has_come_to_rest(folder: Folder) -> None:
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": TWO})
    await watch.look()
    assert folder.applied == [], "somebody may still be writing"
    await watch.look()
    await watch.look()
    assert folder.issuers == [["https://two.example"]]


async def test_nothing_happens_while_nothing_changes(folder: Folder) -> None:
    folder.section({"corp": ONE})
    watch = folder.watch()
    for _ in range(5):
        await watch.look()
    (folder.path / "jupyter_server_config.d/corp.json").touch()
    for _ in range(5):
        await watch.look()
    assert folder.applied == []


async def test_a_new_file_and_a_removed_one_are_changes(folder: Folder) -> None:
    watch = folder.watch()
    folder.section({"corp": ONE})
    await watch.look()
    await watch.look()
    (folder.path / "jupyter_server_config.d/corp.json").unlink()
    await watch.look()
    await watch.look()
    assert folder.issuers == [["https://one.example"], []]


async def test_a_half_written_file_changes_nothing(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    """Else a provider would seem to be gone, and its session would be ended."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.write('{"JupyterOIDC": {"providers"')
    await watch.look()
    await watch.look()
    assert folder.applied == []
    assert "the settings before stay in force: not JSON" in caplog.text
    folder.section({"corp": TWO})
    await watch.look()
    await watch.look()
    assert folder.issuers == [["https://two.example"]]


async def test_a_mistake_changes_nothing_and_is_named(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    """D8."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": {"issuer": "http://one.example", "client_id": "c1"}})
    await watch.look()
    await watch.look()
    assert folder.applied == []
    assert "providers.corp.issuer" in caplog.text


async def test_a_corrected_mistake_comes_into_force(folder: Folder) -> None:
    folder.section({"corp": {"client_id": "c1"}})
    watch = folder.watch()
    folder.section({"corp": ONE})
    await watch.look()
    await watch.look()
    assert folder.issuers == [["https://one.example"]]


async def test_what_was_not_read_from_a_json_file_stays(folder: Folder) -> None:
    folder.own = {"providers": {"mine": ONE}, "storage": "memory"}
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": TWO, "mine": TWO}, storage="keyring")
    await watch.look()
    await watch.look()
    (applied,) = folder.applied
    assert {p.name: p.issuer for p in applied.providers} == {
        "corp": "https://two.example",
        "mine": "https://one.example",
    }
    assert applied.storage == "memory"


async def test_what_the_server_read_from_the_main_json_file_may_change(folder: Folder) -> None:
    folder.write(json.dumps({"JupyterOIDC": {"providers": {"corp": ONE}}}), "jupyter_server_config.json")
    folder.own = {"providers": {"corp": ONE}}
    watch = folder.watch()
    folder.write(json.dumps({"JupyterOIDC": {"providers": {"corp": TWO}}}), "jupyter_server_config.json")
    await watch.look()
    await watch.look()
    assert folder.issuers == [["https://two.example"]]


async def test_another_storage_waits_for_the_next_start(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.section({"corp": ONE}, storage="memory")
    watch = folder.watch()
    folder.section({"corp": ONE}, storage="keyring")
    await watch.look()
    await watch.look()
    assert folder.applied == []
    assert "'storage' changes with the next start" in caplog.text


async def test_a_file_that_is_named_and_is_not_there_changes_nothing(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    """D9, G-5."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": {**TWO, "ca_bundle": str(folder.path / "nowhere.pem")}})
    await watch.look()
    await watch.look()
    assert folder.applied == []
    assert "providers.corp.ca_bundle: names a file that does not exist." in caplog.text


@pytest.mark.parametrize(("name", "value"), [("keyring_backend", "hostile.Ring"), ("storage_folder", "/tmp/there")])
async def test_where_sessions_are_stored_does_not_change_while_the_server_runs(
    folder: Folder, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    """Q8.4, Q7.5: a module that somebody names now would run in a process that holds tokens."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": TWO}, **{name: value})
    for _ in range(3):
        await watch.look()
    assert [getattr(settings, name) for settings in folder.applied] == [None]
    assert f"'{name}' changes with the next start of the server." in caplog.text
