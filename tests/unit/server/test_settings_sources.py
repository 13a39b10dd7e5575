"""System files decide, and a user's files cannot add to them, replace them or take from them.

Files are real; whose they are is said by :data:`OWNERS`: what a group may write counts as the user's.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.adapters.system.ownership import Owners
from jupyter_oidc.server.config import Configured, Reading
from jupyter_oidc.server.settings_watch import SettingsSource, SettingsWatch
from jupyter_oidc.settings import Settings

OWNERS = Owners(uid=-1, trusted=frozenset({0, os.getuid()}))
HUB = {"JUPYTERHUB_API_TOKEN": "x"}
CORP = {"issuer": "https://id.example", "client_id": "jupyter"}
LOOT = {"apis": {"loot": {"base_url": "https://loot.example/"}}}
MINE = {"issuer": "https://mine.example", "client_id": "c"}


class Machine:
    """The configuration folders of an administrator and of a user, the user's being the weightier ones."""

    def __init__(self, path: Path, environment: dict[str, str] | None = None) -> None:
        self.admin, self.user = path / "admin", path / "user"
        for folder in (self.admin, self.user):
            (folder / "jupyter_server_config.d").mkdir(parents=True)
        self.user.chmod(0o770)
        self.paths = [str(self.user), str(self.admin)]
        self.environment = environment or {}

    def write(self, folder: Path, section: Any, name: str = "jupyter_server_config.d/corp.json") -> None:
        (folder / name).write_text(json.dumps({"JupyterOIDC": section}), encoding="utf-8")
        (folder / name).chmod(0o644)

    def source(self, **own: Any) -> SettingsSource:
        return SettingsSource(self.paths, own, OWNERS, self.environment)

    def says(self, **own: Any) -> Configured:
        return self.source(**own).now()

    def settings(self, **own: Any) -> Settings:
        read = self.says(**own).read()
        assert isinstance(read, Reading)
        return read.settings


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Machine:
    return Machine(tmp_path, HUB)


@pytest.mark.parametrize("name", ["jupyter_server_config.d/zz.json", "jupyter_server_config.json"])
def test_a_users_file_cannot_add_to_a_provider_of_a_system_file(machine: Machine, name: str) -> None:
    """Q8.1: a provider that stands in a system file is taken whole from there."""
    machine.write(machine.admin, {"providers": {"corp": CORP}})
    machine.write(machine.user, {"providers": {"corp": LOOT}}, name)
    assert machine.says().providers == {"corp": CORP}
    assert machine.says().notes == (
        "provider 'corp' stands in a system file and is taken whole from there; what else is written about it does not count",
    )


def test_neither_can_python_nor_the_command_line(machine: Machine) -> None:
    """Q8.1, Q10.6: ``own`` holds the values that Jupyter has read from both."""
    machine.write(machine.admin, {"providers": {"corp": CORP}})
    assert machine.says(providers={"corp": {**CORP, **LOOT}, "mine": MINE}).providers == {"corp": CORP, "mine": MINE}


def test_a_user_cannot_take_a_provider_of_a_system_file_away(machine: Machine) -> None:
    """Q8.1: an administrator's null removes a provider, a user's does not."""
    machine.write(machine.admin, {"providers": {"corp": CORP, "old": MINE}})
    machine.write(machine.admin, {"providers": {"old": None}}, "jupyter_server_config.d/zz.json")
    machine.write(machine.user, {"providers": {"corp": None}})
    assert (machine.says().providers, machine.says().removed) == ({"corp": CORP}, frozenset({"old"}))


def test_a_users_provider_with_the_registration_of_one_in_a_system_file_is_left_out(machine: Machine) -> None:
    """Q8.1: it would get the same tokens, for hosts of its own."""
    machine.write(machine.admin, {"providers": {"corp": CORP}})
    machine.write(machine.user, {"providers": {"loot": {**CORP, **LOOT}, "mine": MINE}})
    read = machine.says().read()
    assert isinstance(read, Reading)
    assert [one.name for one in read.settings.providers] == ["corp", "mine"]
    assert read.left_out == ("loot",)


def test_what_a_system_file_says_of_storage_stays(machine: Machine) -> None:
    machine.write(machine.admin, {"storage": "memory"})
    machine.write(machine.user, {"storage": "keyring"})
    assert machine.says(storage="encrypted-file").choices[0] == "memory"


@pytest.mark.parametrize("variable", ["JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_PREFIX"])
def test_under_a_hub_only_system_files_count(tmp_path: Path, variable: str) -> None:
    """Q8.1, Q10.6: ``system`` is the default of ``settings_sources`` under a Hub."""
    hub = Machine(tmp_path, {variable: "x"})
    hub.write(hub.admin, {"providers": {"corp": CORP}})
    hub.write(hub.user, {"providers": {"mine": MINE}, "storage": "memory"})
    said = hub.says(providers={"other": {**MINE, "client_id": "d"}})
    assert (said.sources, said.providers, said.choices[0]) == ("system", {"corp": CORP}, "auto")
    assert "settings count from system files only" in said.notes[0]


@pytest.mark.parametrize(
    ("switch", "default"),
    [
        ("close_process", True),
        ("allow_remote_kernels", False),
        ("grant_kernels_of_others", False),
        ("audit_person", False),
    ],
)
def test_a_switch_is_where_a_system_file_put_it_or_where_it_was(tmp_path: Path, switch: str, default: bool) -> None:
    """Q8.1: these switches widen access; under a Hub neither the user's files nor the command line count."""
    hub = Machine(tmp_path, {"JUPYTERHUB_API_TOKEN": "x"})
    hub.write(hub.user, {switch: not default})
    assert (switch in hub.says(**{switch: not default}).on) is default
    hub.write(hub.admin, {switch: not default})
    assert (switch in hub.says(**{switch: default}).on) is not default


def test_the_default_provider_of_a_system_file_stays(machine: Machine) -> None:
    machine.write(machine.admin, {"default_provider": "corp", "providers": {"corp": CORP}})
    machine.write(machine.user, {"default_provider": "mine"})
    assert machine.says(default_provider="other").default_provider == "corp"


def test_a_users_default_provider_counts_where_users_may_say_something(machine: Machine) -> None:
    machine.write(machine.user, {"default_provider": "mine"})
    assert machine.says().default_provider == "mine"


def test_under_a_hub_a_users_default_provider_does_not_count(hub: Machine) -> None:
    hub.write(hub.user, {"default_provider": "mine"})
    assert hub.says(default_provider="mine").default_provider is None


@pytest.mark.parametrize("value", [1, "Not a name", "", ["corp"], "corp\n"])
def test_a_default_provider_that_is_no_name_is_a_mistake(machine: Machine, value: object) -> None:
    machine.write(machine.admin, {"default_provider": value})
    said = machine.says()
    assert [(one.key, one.problem) for one in said.findings] == [("default_provider", "is not the name of a provider")]
    assert said.default_provider is None


def test_a_default_provider_that_does_not_exist_is_noted(machine: Machine) -> None:
    machine.write(machine.admin, {"default_provider": "gone", "providers": {"corp": CORP}})
    read = machine.says().read()
    assert not isinstance(read, list)
    assert read.log_notes == ("default_provider names 'gone', and there is no provider of that name",)


def test_a_switch_that_is_neither_on_nor_off_is_a_mistake(machine: Machine) -> None:
    machine.write(machine.admin, {"audit_person": "yes", "close_process": "no"})
    said = machine.says()
    assert [(one.key, one.problem) for one in said.findings] == [
        ("close_process", "is not true or false"),
        ("audit_person", "is not true or false"),
    ]
    assert said.on == {"close_process", "worker_grants"}


@pytest.mark.parametrize(
    ("file", "own"), [({"settings_sources": "all"}, {}), ({}, {"settings_sources": "all"})], ids=["file", "Python"]
)
def test_a_user_cannot_switch_that_off(hub: Machine, file: dict[str, Any], own: dict[str, Any]) -> None:
    """Q8.1: under a Hub, only a system file can switch it off."""
    hub.write(hub.user, {**file, "providers": {"mine": MINE}})
    assert (hub.says(**own).sources, hub.says(**own).providers) == ("system", {})


def test_a_system_file_can(hub: Machine) -> None:
    """Q8.1: Wider settings wait for the next sign-in."""
    hub.write(hub.admin, {"settings_sources": "all"})
    hub.write(hub.user, {"providers": {"mine": MINE}})
    assert hub.says().providers == {"mine": MINE}


def test_without_a_hub_a_system_file_binds_its_users_and_a_user_may_bind_themselves(machine: Machine) -> None:
    """Q8.1: a system file's value counts; without one, any user's value does."""
    machine.write(machine.user, {"settings_sources": "system", "providers": {"mine": MINE}})
    assert machine.says().sources == "system"
    machine.write(machine.user, {"settings_sources": "all", "providers": {"mine": MINE}})
    assert machine.says().sources == "all"
    machine.write(machine.admin, {"settings_sources": "system"})
    assert (machine.says().sources, machine.says().providers) == ("system", {})


@pytest.mark.parametrize(
    ("section", "key"), [({"settings_sources": "some"}, "settings_sources"), ({"reload": "no"}, "reload")]
)
def test_a_word_that_is_none_is_a_mistake(machine: Machine, section: dict[str, Any], key: str) -> None:
    machine.write(machine.user, {**section, "providers": {"mine": MINE}})
    found = machine.says().read()
    assert isinstance(found, list)
    assert [one.key for one in found] == [key]


@pytest.mark.parametrize(
    "text", ["c.JupyterOIDC.providers = {{'corp': {}}}\n", "c.JupyterOIDC.providers.update({{'corp': {}}})\n"]
)
def test_a_system_python_file_counts_by_itself(hub: Machine, text: str) -> None:
    """Q10.6: Jupyter mixes it with the user's Python file, which is read after it."""
    program = hub.admin / "jupyter_server_config.py"
    program.write_text(text.format(CORP), encoding="utf-8")
    program.chmod(0o644)
    own = {"providers": {"corp": {**CORP, **LOOT}}}
    assert hub.says(**own).providers == {"corp": CORP}


def test_a_users_link_to_a_system_file_is_the_users(hub: Machine) -> None:
    """Q8.1: the user who makes the link chooses the file."""
    hub.write(hub.admin, {"providers": {"corp": CORP}}, "elsewhere.json")
    (hub.user / "jupyter_server_config.d" / "corp.json").symlink_to(hub.admin / "elsewhere.json")
    assert hub.says().providers == {}


async def test_a_provider_that_a_system_file_rules_out_while_the_server_runs_does_not_stay(machine: Machine) -> None:
    """Q7.1, Q8.1: a missing provider is no instruction to end a session, but ``null`` is."""
    applied: list[Settings] = []

    async def apply(settings: Settings) -> None:
        applied.append(settings)

    machine.write(machine.user, {"providers": {"mine": MINE}})
    source = machine.source()
    watch = SettingsWatch(source, machine.settings(), apply, logging.getLogger("watch"))
    machine.write(machine.admin, {"settings_sources": "system", "providers": {"corp": CORP}})
    for _ in range(2):
        await watch.poll()
    assert [[one.name for one in settings.providers] for settings in applied] == [["corp"]]
    (machine.admin / "jupyter_server_config.d" / "corp.json").unlink()
    for _ in range(2):
        await watch.poll()
    assert [[one.name for one in settings.providers] for settings in applied] == [["corp"]]
