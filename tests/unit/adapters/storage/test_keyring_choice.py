"""The store is one of the system's own keyrings or the one that the settings name; no other backend is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend

from jupyter_oidc.adapters.storage.keyring_backends import (
    choose_backend,
    first_working_backend,
    system_stores,
    use_backend,
)
from jupyter_oidc.problems import StorageUnavailable
from tests.unit.adapters import rings

ROOT = Path(__file__).parents[4]
HOSTILE = """
import pathlib
pathlib.Path({seen!r}).touch()
from keyring.backend import KeyringBackend
class Ring(KeyringBackend):
    priority = 99
    def get_password(self, service, username): return None
    def set_password(self, service, username, password): pass
"""
VAULT = """
import asyncio
from jupyter_oidc.adapters.storage.vault_keyring import KeyringVault
from jupyter_oidc.problems import StorageUnavailable
try:
    asyncio.run(KeyringVault(provider="corp", issuer="https://id.example.com", client_id="c1").probe())
except StorageUnavailable as problem:
    print(problem.detail)
"""
SECRET = """
from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.problems import Problem
from jupyter_oidc.settings import SecretRef
try:
    resolve(SecretRef("keyring", "corp/secret"))
except Problem as problem:
    print(problem.detail)
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """Write the attacker's module; the file that is returned exists once the module has run."""
    seen, modules = tmp_path / "seen", tmp_path / "modules"
    modules.mkdir()
    (modules / "hostile.py").write_text(HOSTILE.format(seen=str(seen)), encoding="utf-8")
    return seen


def run(code: str, home: Path, **environment: str) -> str:
    """Run ``code`` as a user whose home is ``home`` and who has no session bus; return what it wrote."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "XDG_", "PYTHON"))}
    done = subprocess.run(
        (sys.executable, "-c", code),
        cwd=ROOT,
        env={**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("code", [VAULT, SECRET], ids=["vault", "secret of the settings"])
def test_keyrings_own_configuration_file_runs_nothing_here(tmp_path: Path, seen: Path, code: str) -> None:
    """Q8.4: ``keyringrc.cfg`` names a module and adds a folder for modules; every process of this user can write it."""
    folder = tmp_path / "config" / "python_keyring"
    folder.mkdir(parents=True)
    (folder / "keyringrc.cfg").write_text(
        f"[backend]\ndefault-keyring=hostile.Ring\nkeyring-path={tmp_path / 'modules'}\n", encoding="utf-8"
    )
    assert (run(code, tmp_path), seen.exists()) == ("keyring_unsafe", False)


@pytest.mark.parametrize("code", [VAULT, SECRET], ids=["vault", "secret of the settings"])
def test_a_variable_of_the_environment_names_no_backend(tmp_path: Path, seen: Path, code: str) -> None:
    """Q8.4: ``PYTHON_KEYRING_BACKEND`` is not read."""
    said = run(code, tmp_path, PYTHON_KEYRING_BACKEND="hostile.Ring", PYTHONPATH=str(tmp_path / "modules"))
    assert (said, seen.exists()) == ("keyring_unsafe", False)


@pytest.mark.parametrize("code", [VAULT, SECRET], ids=["vault", "secret of the settings"])
def test_a_backend_that_a_package_registers_is_not_looked_for(tmp_path: Path, seen: Path, code: str) -> None:
    """Q7.4, Q8.4: index plug-ins and password managers bring backends along; a search would import each of them."""
    registered = tmp_path / "modules" / "hostile-1.0.dist-info"
    registered.mkdir()
    (registered / "METADATA").write_text("Name: hostile\nVersion: 1.0\n", encoding="utf-8")
    (registered / "entry_points.txt").write_text("[keyring.backends]\nhostile = hostile\n", encoding="utf-8")
    said = run(code, tmp_path, PYTHONPATH=str(tmp_path / "modules"))
    assert (said, seen.exists()) == ("keyring_unsafe", False)


class NotHere:
    """Backend that makes no store: its program is not on this machine."""

    def __call__(self) -> KeyringBackend:
        raise RuntimeError("The Secret Service daemon is neither running nor activatable through D-Bus")


class Zero:
    """Backend that fails the test when it is asked."""

    def __call__(self) -> KeyringBackend:
        raise AssertionError("another store was tried, although one is there")


def test_stores_are_tried_one_after_the_other_with_an_entry_that_is_gone_again() -> None:
    """Q7.4: A keyring is chosen by its class."""
    dropping, good = rings.DroppingRing(), rings.Ring()
    assert first_working_backend([NotHere(), lambda: dropping, lambda: good, Zero()]) is good
    assert (good.entries, len(good.deleted)) == ({}, 1)


def test_a_priority_has_no_say() -> None:
    """Q7.4: A keyring is chosen by its class."""
    modest, loud = rings.Ring(), rings.Ring()
    modest.priority, loud.priority = 0.1, 99  # type: ignore[misc]  # NOTE: of the object, which the class would be asked
    assert first_working_backend([lambda: modest, lambda: loud]) is modest


def test_a_locked_store_is_waited_for_and_not_passed_over() -> None:
    """Q7.4, B22: a session stored in the next keyring would stay there once the first one is unlocked."""
    with pytest.raises(StorageUnavailable) as caught:
        first_working_backend([NotHere(), rings.LockedRing, Zero()])
    assert caught.value.detail == "keyring_locked"


def test_the_trouble_of_a_store_that_is_there_is_told_rather_than_that_there_is_none() -> None:
    """Q7.4: A keyring is chosen by its class."""
    with pytest.raises(StorageUnavailable) as caught:
        first_working_backend([rings.ChattyRing, NotHere()])
    assert caught.value.detail == "keyring_failed"


@pytest.mark.parametrize(
    ("platform", "desktop", "stores"),
    [
        ("darwin", "", ("keyring.backends.macOS.Keyring",)),
        ("win32", "", ("keyring.backends.Windows.WinVaultKeyring",)),
        (
            *("linux", "GNOME"),
            (
                "keyring.backends.SecretService.Keyring",
                "keyring.backends.libsecret.Keyring",
                "keyring.backends.kwallet.DBusKeyring",
            ),
        ),
        (
            *("linux", "ubuntu:KDE"),
            (
                "keyring.backends.kwallet.DBusKeyring",
                "keyring.backends.SecretService.Keyring",
                "keyring.backends.libsecret.Keyring",
            ),
        ),
    ],
)
def test_each_system_has_its_own_stores(platform: str, desktop: str, stores: tuple[str, ...]) -> None:
    """Q7.4: A keyring is chosen by its class."""
    assert system_stores(platform, desktop) == stores


# -- the setting ---------------------------------------------------------------------------------------------


@pytest.fixture
def named(use_ring: Callable[[KeyringBackend], KeyringBackend]) -> Callable[[str], KeyringBackend]:
    """Return a function that names a class in the settings until the test ends, and chooses a backend."""

    def choose(name: str) -> KeyringBackend:
        use_backend(name)
        return choose_backend()

    return choose


def test_a_class_that_the_settings_name_is_used(named: Callable[[str], KeyringBackend]) -> None:
    """Q7.4: A keyring is chosen by its class."""
    assert type(named("tests.unit.adapters.rings.Ring")) is rings.Ring


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("keyring.backends.null.Keyring", "The keyring backend 'keyring.backends.null.Keyring' does not keep secrets safely."),
        ("tests.unit.adapters.rings.PlaintextRing", "The keyring backend 'tests.unit.adapters.rings.PlaintextRing' does not keep secrets safely."),
        ("no_such_module.Ring", "The keyring backend 'no_such_module.Ring' does not exist here."),
        ("keyring.backends.null.Missing", "The keyring backend 'keyring.backends.null.Missing' does not exist here."),
        ("pathlib.Path", "The keyring backend 'pathlib.Path' does not exist here."),
    ],
)  # fmt: skip
def test_a_class_that_cannot_serve_is_refused_by_name(
    named: Callable[[str], KeyringBackend], name: str, message: str
) -> None:
    """Q7.4: A keyring is chosen by its class. B18: Keyring backends that keep no secrets are refused."""
    with pytest.raises(StorageUnavailable) as caught:
        named(name)
    assert (caught.value.message, caught.value.detail) == (message, "keyring_unsafe")


def test_a_choice_is_made_once(named: Callable[[str], KeyringBackend]) -> None:
    """B22: One place holds the session, and no copy counts."""
    assert named("tests.unit.adapters.rings.Ring") is named("tests.unit.adapters.rings.Ring")
