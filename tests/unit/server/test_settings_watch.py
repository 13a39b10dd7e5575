"""Settings files are read again when they have changed and come to rest (D9)."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.adapters.system.ownership import Owners
from jupyter_oidc.server.config import Reading
from jupyter_oidc.server.extension import _named_modules
from jupyter_oidc.server.settings_watch import SettingsSource, SettingsWatch
from jupyter_oidc.settings import Settings

ONE = {"issuer": "https://one.example", "client_id": "c1"}
TWO = {"issuer": "https://two.example", "client_id": "c1"}

NOBODY_IS_TRUSTED = Owners(uid=1000, trusted=frozenset())
"""Owners under which the user can change every file."""


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
        source = SettingsSource([str(self.path)], self.own, NOBODY_IS_TRUSTED, {})
        read = source.now().read()
        settings = read.settings if isinstance(read, Reading) else None
        return SettingsWatch(source, settings, self._apply, logging.getLogger("watch"))

    async def _apply(self, settings: Settings) -> None:
        self.applied.append(settings)

    @property
    def issuers(self) -> list[list[str]]:
        return [[provider.issuer for provider in settings.providers] for settings in self.applied]


async def rest(watch: SettingsWatch) -> None:
    """Poll twice: a change is taken when it has come to rest."""
    await watch.poll()
    await watch.poll()


def _replaced(path: Path, make: Callable[[], object]) -> None:
    path.unlink()
    make()


def _replaced_folder(path: Path) -> None:
    path.rmdir()
    path.write_text("no folder any more", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


async def test_a_change_is_taken_when_it_has_come_to_rest(folder: Folder) -> None:
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": TWO})
    await watch.poll()
    assert folder.applied == [], "somebody may still be writing"
    await watch.poll()
    await watch.poll()
    assert folder.issuers == [["https://two.example"]]


async def test_nothing_happens_while_nothing_changes(folder: Folder) -> None:
    folder.section({"corp": ONE})
    watch = folder.watch()
    for _ in range(5):
        await watch.poll()
    (folder.path / "jupyter_server_config.d/corp.json").touch()
    for _ in range(5):
        await watch.poll()
    assert folder.applied == []


async def test_a_new_file_is_a_change(folder: Folder) -> None:
    watch = folder.watch()
    folder.section({"corp": ONE})
    await rest(watch)
    assert folder.issuers == [["https://one.example"]]


@pytest.mark.parametrize(
    ("loses", "says"),
    [
        (lambda path: path.unlink(), "is gone"),
        (lambda path: path.write_text(""), "is empty"),
        (lambda path: path.write_text(" \n"), "is empty"),
        (lambda path: path.write_text('{"JupyterOIDC": {"prov'), "is not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is not JSON"),
        (lambda path: path.write_text("[]"), "is not a JSON object"),
        (lambda path: _replaced(path, lambda: path.symlink_to(path)), "cannot be read"),
        (lambda path: _replaced(path, lambda: path.symlink_to("nowhere")), "is gone"),
        (lambda path: _replaced(path, path.mkdir), "is no regular file"),
        (lambda path: _replaced(path, lambda: os.mkfifo(path)), "is no regular file"),
        (lambda path: shutil.rmtree(path.parent), "is gone"),
        (lambda path: _replaced(path, lambda: _replaced_folder(path.parent)), "is gone"),
        (lambda path: shutil.rmtree(path.parent.parent), "is gone"),
    ],
    ids=[
        *("gone", "empty", "blank", "half", "binary", "a list", "a loop of links", "a link to nothing", "a folder"),
        *("a pipe", "folder gone", "folder is a file", "all folders gone"),
    ],
)
async def test_absence_is_not_an_instruction(
    folder: Folder, caplog: pytest.LogCaptureFixture, loses: Callable[[Path], object], says: str
) -> None:
    """Q7.1: no session ends because a file is empty, gone or unreadable, and the log says so once."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    path = folder.path / "jupyter_server_config.d/corp.json"
    loses(path)
    for _ in range(5):
        await watch.poll()
    assert folder.applied == []
    assert caplog.text.count(f"{path} {says}: what it said before stays in force") == 1


async def test_a_file_that_comes_back_is_believed_again(folder: Folder) -> None:
    """Q7.1: An empty settings file ends no session."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.write("")
    await rest(watch)
    folder.section({"corp": TWO})
    await rest(watch)
    assert folder.issuers == [["https://two.example"]]


async def test_a_file_that_is_gone_does_not_hide_a_change_in_another(folder: Folder) -> None:
    """Q7.1: the other file's change comes into force; the provider of the lost file stays beside it."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.write("")
    folder.write(json.dumps({"JupyterOIDC": {"providers": {"two": TWO}}}), "jupyter_server_config.d/two.json")
    await rest(watch)
    assert folder.issuers == [["https://one.example", "https://two.example"]]


async def test_a_file_that_only_changed_another_keeps_doing_so_when_it_is_gone(folder: Folder) -> None:
    """Q7.1: without the file, the provider would be another client, and its session over."""
    folder.section({"corp": ONE})
    folder.write(
        json.dumps({"JupyterOIDC": {"providers": {"corp": {"client_id": "c2"}}}}), "jupyter_server_config.d/over.json"
    )
    watch = folder.watch()
    (folder.path / "jupyter_server_config.d/over.json").unlink()
    await rest(watch)
    assert folder.applied == []


async def test_a_provider_that_nobody_mentions_any_more_stays(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    """Q7.1: the sound file does not mention the provider, which is no order to end its session."""
    folder.section({"corp": ONE, "two": TWO})
    watch = folder.watch()
    folder.section({"two": TWO})
    await rest(watch)
    folder.section({"two": {**TWO, "max_age": 5}})
    await rest(watch)
    assert sorted(folder.issuers[-1]) == ["https://one.example", "https://two.example"]
    assert caplog.text.count("provider 'corp' stands in no settings file any more: it stays in force") == 1
    assert 'Write "corp": null' in caplog.text


@pytest.mark.parametrize("name", ["jupyter_server_config.d/zz.json", "jupyter_server_config.json"])
async def test_a_provider_is_removed_in_so_many_words(folder: Folder, name: str) -> None:
    """Q7.1: the ``null`` stands in the file itself, or in one that is weightier."""
    folder.section({"corp": ONE, "two": TWO})
    watch = folder.watch()
    folder.write(json.dumps({"JupyterOIDC": {"providers": {"corp": None}}}), name)
    await rest(watch)
    assert folder.issuers == [["https://two.example"]]


async def test_removing_the_last_provider_in_so_many_words_works(folder: Folder) -> None:
    """Q7.1: An empty settings file ends no session."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": None})
    await rest(watch)
    assert folder.issuers == [[]]


async def test_a_provider_under_another_name_may_not_take_the_apis_of_one_that_stays(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    """Q7.1: a renamed provider is a mistake until the old name is removed; no session ends meanwhile."""
    with_api = {**ONE, "apis": {"orders": {"base_url": "https://orders.example/"}}}
    folder.section({"corp": with_api})
    watch = folder.watch()
    folder.section({"renamed": with_api})
    await rest(watch)
    assert folder.applied == []
    assert "providers.corp.apis.orders: has the name of an API of provider 'renamed'" in caplog.text
    folder.section({"renamed": with_api, "corp": None})
    await rest(watch)
    assert folder.issuers == [["https://one.example"]]


async def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(folder: Folder) -> None:
    """Q7.1: a user who may write the folder may put a pipe there; opening one waits for a writer for ever."""
    os.mkfifo(folder.path / "jupyter_server_config.d/zz.json")
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": TWO})
    await asyncio.wait_for(rest(watch), 5)
    assert folder.issuers == [["https://two.example"]]


async def test_a_half_written_file_changes_nothing(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise a provider would seem to be gone, and its session would end."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.write('{"JupyterOIDC": {"providers"')
    await watch.poll()
    await watch.poll()
    assert folder.applied == []
    assert "corp.json is not JSON: what it said before stays in force" in caplog.text
    folder.section({"corp": TWO})
    await watch.poll()
    await watch.poll()
    assert folder.issuers == [["https://two.example"]]


async def test_a_mistake_changes_nothing_and_is_named(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    """D8: Mistakes in the settings are listed all together."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": {"issuer": "http://one.example", "client_id": "c1"}})
    await watch.poll()
    await watch.poll()
    assert folder.applied == []
    assert "providers.corp.issuer" in caplog.text


async def test_a_corrected_mistake_comes_into_force(folder: Folder) -> None:
    folder.section({"corp": {"client_id": "c1"}})
    watch = folder.watch()
    folder.section({"corp": ONE})
    await watch.poll()
    await watch.poll()
    assert folder.issuers == [["https://one.example"]]


async def test_what_was_not_read_from_a_json_file_stays(folder: Folder) -> None:
    folder.own = {"providers": {"mine": ONE}, "storage": "memory"}
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": TWO, "mine": TWO}, storage="keyring")
    await watch.poll()
    await watch.poll()
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
    await watch.poll()
    await watch.poll()
    assert folder.issuers == [["https://two.example"]]


async def test_another_storage_waits_for_the_next_start(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.section({"corp": ONE}, storage="memory")
    watch = folder.watch()
    folder.section({"corp": ONE}, storage="keyring")
    await watch.poll()
    await watch.poll()
    assert folder.applied == []
    assert "'storage' changes with the next start" in caplog.text


async def test_a_file_that_is_named_and_is_not_there_changes_nothing(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    """D9: Changed settings never carry a session elsewhere.

    G-5: Mistakes in settings are found without the provider.
    """
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": {**TWO, "ca_bundle": str(folder.path / "nowhere.pem")}})
    await watch.poll()
    await watch.poll()
    assert folder.applied == []
    assert "providers.corp.ca_bundle: names a file that does not exist." in caplog.text


@pytest.mark.parametrize(("name", "value"), [("keyring_backend", "hostile.Ring"), ("storage_folder", "/tmp/there")])
async def test_where_sessions_are_stored_does_not_change_while_the_server_runs(
    folder: Folder, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    """Q8.4, Q7.5: a module that a cell names now would run in a process that holds tokens."""
    folder.section({"corp": ONE})
    watch = folder.watch()
    folder.section({"corp": TWO}, **{name: value})
    for _ in range(3):
        await watch.poll()
    assert [getattr(settings, name) for settings in folder.applied] == [None]
    assert f"'{name}' changes with the next start of the server." in caplog.text


@pytest.mark.parametrize(
    ("name", "value"), [("keyring_backend", "hostile.Ring"), ("storage_folder", "/tmp/there"), ("storage", "memory")]
)
async def test_where_sessions_are_stored_is_what_it_was_at_a_start_with_mistakes(
    folder: Folder, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    """Q8.3, Q8.5: no settings were in force, and a cell may have written the first sound files."""
    usual = {"keyring_backend": None, "storage_folder": None, "storage": "auto"}
    folder.section({"corp": {"issuer": "https://one.example"}})
    watch = folder.watch()
    folder.section({"corp": ONE}, **{name: value})
    await rest(watch)
    assert [getattr(settings, name) for settings in folder.applied] == [usual[name]]
    assert f"'{name}' changes with the next start of the server." in caplog.text


async def test_a_wrong_storage_at_the_start_is_not_put_right_by_a_reload(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    """Q8.3: sibling: a cell does not choose the storage that the start could not read."""
    folder.section({"corp": ONE}, storage="cloud")
    watch = folder.watch()
    folder.section({"corp": ONE}, storage="memory")
    await rest(watch)
    assert folder.applied == []
    assert "'storage' changes with the next start of the server." in caplog.text


def test_the_backend_that_is_named_is_imported_early_though_there_are_mistakes(folder: Folder) -> None:
    """Q8.3: sibling: the backend is used after the first sound reload, when cells have written files already."""
    folder.section({"corp": {"issuer": "https://one.example"}}, keyring_backend="corporate.rings.Ring")
    said = SettingsSource([str(folder.path)], {}, NOBODY_IS_TRUSTED, {}).now()
    assert isinstance(said.read(), list)
    assert _named_modules(said) == ("corporate.rings",)
