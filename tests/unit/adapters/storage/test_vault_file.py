"""The vault keeps the refresh token in an encrypted file, and survives faults of disks and users.

These are B13, B20, B23, B34, B35, D3 and D15.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
import traceback
from collections.abc import Iterator
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest

from jupyter_oidc.adapters.storage.jwe_file import encrypt
from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.adapters.storage.vault_file import FileVault, storage_folder
from jupyter_oidc.adapters.system.private_directory import Disk, PrivateDirectory
from jupyter_oidc.compose import diagnostic_context, vaults
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Settings, read_settings
from tests.support.marker import MARKER
from tests.unit.adapters.disks import Crashed, CrashingDisk, FailingDisk, KeepingDisk, StubbornDisk, UnsyncableDisk
from tests.unit.adapters.entries import entry, token_in

TOKEN = MARKER + "rt-1"
NEXT = MARKER + "rt-2"
LONG = MARKER + "".join(f"{number:06d}" for number in range(20_000))
"""Text of about 120 KB."""

ONE = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"
TWO = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "share" / "jupyter"))
    before = os.umask(0o002)
    yield
    os.umask(before)


def vault(key: str | None = ONE, disk: Disk | None = None, **changed: Any) -> FileVault:
    owner = {"provider": "corp", "issuer": "https://id.example.com", "client_id": "c1", "machine_id": "here"}
    secret = None if key is None else Secret(key)
    return FileVault(**{**owner, **changed}, key=secret, folder=PrivateDirectory(storage_folder, disk))


def files() -> list[Path]:
    return sorted(storage_folder().iterdir())


def file() -> Path:
    (path,) = files()
    return path


async def problem_of(call: object) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def detail_of(call: object) -> str:
    return (await problem_of(call)).detail


# -- stored texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [TOKEN, LONG, 'with space, "quote" and \\', "x"], ids=["short", "long", "odd", "one"])
async def test_an_entry_comes_back_as_it_was_saved_after_a_restart(token: str) -> None:
    """N-5: Tokens are opaque and kept byte for byte."""
    await vault().save(entry(token))
    assert await vault().load() == entry(token)


async def test_a_vault_says_that_it_is_an_encrypted_file() -> None:
    assert await vault().kind() == "encrypted-file"


async def test_a_folder_that_is_not_there_holds_no_entry() -> None:
    assert await vault().load() is None


async def test_looking_makes_no_folder() -> None:
    await vault().load()
    await vault().delete()
    assert not storage_folder().exists()


async def test_folder_and_file_are_open_to_this_user_alone() -> None:
    """D11: Kernels inherit no token and no storage key."""
    await vault().save(entry(TOKEN))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (storage_folder(), file())]
    assert modes == [0o700, 0o600]


async def test_the_file_holds_no_part_of_the_entry_in_plain_text() -> None:
    """D11: Kernels inherit no token and no storage key."""
    await vault().save(entry(TOKEN))
    content = file().read_bytes()
    assert [part for part in (TOKEN, "https", "openid", "refresh", ONE) if part.encode() in content] == []


async def test_the_name_of_the_file_is_a_digest() -> None:
    await vault().save(entry(TOKEN))
    assert (len(file().stem), set(file().stem) <= set("0123456789abcdef"), file().suffix) == (64, True, ".jwe")


async def test_a_new_token_replaces_the_old_one_and_leaves_no_other_file() -> None:
    await vault().save(entry(TOKEN))
    await vault().save(entry(NEXT))
    assert (await token_in(vault()), len(files())) == (NEXT, 1)


async def test_a_sign_out_leaves_nothing() -> None:
    await vault().save(entry(TOKEN))
    await vault().delete()
    assert (await vault().load(), files()) == (None, [])


async def test_a_sign_out_needs_no_key() -> None:
    await vault().save(entry(TOKEN))
    await vault(None).delete()
    assert files() == []


async def test_the_event_loop_goes_on_while_the_disk_is_slow() -> None:
    class SlowDisk(Disk):
        def sync(self, descriptor: int) -> None:
            import time

            time.sleep(0.1)

    call = asyncio.create_task(vault(disk=SlowDisk()).save(entry(TOKEN)))
    await asyncio.sleep(0.02)
    assert not call.done()
    await call


async def test_a_caller_who_went_away_leaves_no_write_behind_a_later_sign_out() -> None:
    import threading

    class WaitingDisk(Disk):
        began, go_on = threading.Event(), threading.Event()

        def write(self, descriptor: int, content: bytes) -> None:
            self.began.set()
            self.go_on.wait(10)
            super().write(descriptor, content)

    disk = WaitingDisk()
    store = vault(disk=disk)
    gone = asyncio.create_task(store.save(entry(TOKEN)))
    await asyncio.to_thread(disk.began.wait, 10)
    gone.cancel()
    sign_out = asyncio.create_task(store.delete())
    await asyncio.sleep(0.02)
    disk.go_on.set()
    await sign_out
    assert files() == []


# -- keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["load", "probe"])
@pytest.mark.parametrize("key", [None, "hunter2", f"{ONE} short"], ids=["none", "wrong", "one of two wrong"])
async def test_without_a_right_key_the_vault_refuses_and_says_how_to_make_one(call: str, key: str | None) -> None:
    problem = await problem_of(getattr(vault(key), call)())
    assert (problem.detail, 'python -c "import secrets; print(secrets.token_urlsafe(32))"' in problem.action) == (
        "storage_key",
        True,
    )


async def test_without_a_right_key_nothing_is_written() -> None:
    assert await detail_of(vault(None).save(entry(TOKEN))) == "storage_key"
    assert not storage_folder().exists()


async def test_an_entry_of_an_earlier_key_is_read() -> None:
    await vault(ONE).save(entry(TOKEN))
    assert await token_in(vault(f"{TWO} {ONE}")) == TOKEN


async def test_an_entry_of_an_earlier_key_is_encrypted_with_the_first_one_at_the_next_save() -> None:
    await vault(ONE).save(entry(TOKEN))
    await vault(f"{TWO} {ONE}").save(entry(NEXT))
    assert await token_in(vault(TWO)) == NEXT


async def test_reading_with_an_earlier_key_writes_nothing() -> None:
    await vault(ONE).save(entry(TOKEN))
    before = file().read_bytes()
    await vault(f"{TWO} {ONE}").load()
    assert file().read_bytes() == before


async def test_an_entry_of_an_unknown_key_is_named_so_and_left_alone() -> None:
    """B20: A damaged entry is never used in part."""
    await vault(ONE).save(entry(TOKEN))
    assert await detail_of(vault(TWO).load()) == "storage_key"
    assert await token_in(vault(ONE)) == TOKEN


async def test_an_entry_of_an_unknown_key_is_replaced_by_the_next_sign_in() -> None:
    await vault(ONE).save(entry(TOKEN))
    await vault(TWO).save(entry(NEXT))
    assert (await token_in(vault(TWO)), len(files())) == (NEXT, 1)


@pytest.mark.parametrize(("key", "has"), [(ONE, True), ("hunter2", True), (None, False)])
def test_a_vault_knows_whether_it_was_given_a_key(key: str | None, has: bool) -> None:
    assert vault(key).has_key is has


# -- damage --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"not a JWE", b"\0" * 4_096, b"x" * 5_000_000],
    ids=["empty", "foreign", "zeros", "large"],
)
async def test_a_damaged_file_is_reported_and_left_alone(content: bytes) -> None:
    """B20: no write replaces the file before the next sign-in."""
    await vault().save(entry(TOKEN))
    file().write_bytes(content)
    assert await detail_of(vault().load()) == "storage_corrupt"
    assert file().read_bytes() == content


async def test_a_cut_file_is_damage_and_never_a_shorter_token() -> None:
    """B20: A damaged entry is never used in part."""
    await vault().save(entry(LONG))
    file().write_bytes(file().read_bytes()[:-1_000])
    assert await detail_of(vault().load()) == "storage_corrupt"


async def test_a_damaged_file_is_replaced_by_the_next_sign_in() -> None:
    """B20: A damaged entry is never used in part."""
    await vault().save(entry(TOKEN))
    file().write_bytes(b"foreign")
    await vault().save(entry(NEXT))
    assert await token_in(vault()) == NEXT


async def test_a_damaged_file_is_removed_by_a_sign_out() -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    await vault().save(entry(TOKEN))
    file().write_bytes(b"foreign")
    await vault().delete()
    assert files() == []


async def test_an_entry_of_a_newer_format_is_damage_and_left_alone() -> None:
    """B35: Versions read each other's entries, one step back."""
    await vault().save(entry(TOKEN))
    newer = encrypt(Secret('{"format": 3, "refresh_token": "rt-1"}'), keys_in(Secret(ONE)))
    file().write_bytes(newer)
    assert await detail_of(vault().load()) == "storage_corrupt"
    assert file().read_bytes() == newer


# -- whose entry it is ---------------------------------------------------------------------------------------

OTHERS = [
    {"issuer": "https://other.example.com"},
    {"client_id": "c2"},
    {"machine_id": "there"},
    {"provider": "staging"},
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
async def test_another_owner_has_a_file_of_its_own(other: dict[str, Any]) -> None:
    """B23: A token goes only to its own provider. B34: A stored entry belongs to one machine."""
    await vault().save(entry(TOKEN))
    await vault(**other).delete()
    assert (await vault(**other).load(), await token_in(vault())) == (None, TOKEN)


@pytest.mark.parametrize("other", OTHERS[:3], ids=lambda other: next(iter(other)))
async def test_a_file_that_was_renamed_to_another_owners_counts_as_absent(other: dict[str, Any]) -> None:
    """B23: A token goes only to its own provider. B34: A stored entry belongs to one machine."""
    await vault().save(entry(TOKEN))
    mine = file()
    await vault(**other).save(entry(NEXT, **{k: v for k, v in other.items() if k != "machine_id"}))
    (others,) = set(files()) - {mine}
    mine.replace(others)
    assert await vault(**other).load() is None


# -- torn writes ---------------------------------------------------------------------------------------------


async def test_a_crash_at_any_step_of_a_write_leaves_one_complete_token() -> None:
    """B14: the case begins here; the stored token stays stored."""
    found = []
    for crash_at in range(20):
        await vault().delete()
        await vault().save(entry(TOKEN))
        disk = CrashingDisk()
        disk.crash_at = crash_at
        try:
            await vault(disk=disk).save(entry(NEXT))
        except Crashed:
            found.append(await token_in(vault()))
        else:
            break
    assert found == [TOKEN, TOKEN, TOKEN, NEXT]


async def test_a_write_is_on_the_disk_before_it_takes_its_place_and_the_folder_after() -> None:
    await vault().save(entry(TOKEN))
    disk = CrashingDisk()
    await vault(disk=disk).save(entry(NEXT))
    assert disk.calls == ["write", "sync", "replace", "sync"]


async def test_what_a_torn_write_left_is_gone_after_a_sign_out() -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    for crash_at in range(4):
        disk = CrashingDisk()
        disk.crash_at = crash_at
        with pytest.raises(Crashed):
            await vault(disk=disk).save(entry(TOKEN))
    await vault().delete()
    assert files() == []


async def test_a_sign_out_leaves_the_drafts_of_another_owner() -> None:
    disk = CrashingDisk()
    disk.crash_at = 1
    with pytest.raises(Crashed):
        await vault(disk=disk, provider="staging").save(entry(TOKEN))
    await vault().delete()
    assert len(files()) == 1


async def test_a_folder_that_cannot_be_synced_is_no_failure() -> None:
    await vault().save(entry(TOKEN))
    await vault(disk=UnsyncableDisk()).save(entry(NEXT))
    assert await token_in(vault()) == NEXT


# -- places that cannot be trusted ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777], ids=oct)
@pytest.mark.parametrize("call", ["load", "save", "probe"])
async def test_a_folder_that_others_can_write_to_is_refused(call: str, mode: int) -> None:
    """B13: Locks live only where locks work."""
    await vault().save(entry(TOKEN))
    storage_folder().chmod(mode)
    arguments = (entry(NEXT),) if call == "save" else ()
    assert await detail_of(getattr(vault(), call)(*arguments)) == "storage_unsafe"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666], ids=oct)
@pytest.mark.parametrize("call", ["load", "save"])
async def test_a_file_that_others_can_write_to_is_refused(call: str, mode: int) -> None:
    """B13: Locks live only where locks work."""
    await vault().save(entry(TOKEN))
    file().chmod(mode)
    assert await detail_of(getattr(vault(), call)(*((entry(NEXT),) if call == "save" else ()))) == "storage_unsafe"


@pytest.mark.parametrize("what", ["folder", "file"] if os.geteuid() == 0 else ["folder"])
@pytest.mark.parametrize("call", ["load", "save"])
async def test_what_belongs_to_another_user_is_refused(call: str, what: str) -> None:
    """B13: only root can give a file away; other users run the test on a folder of root's."""
    store = vault()
    if os.geteuid() == 0:
        await store.save(entry(TOKEN))
        os.chown(storage_folder() if what == "folder" else file(), 65_534, -1)
    else:
        owner = {"provider": "corp", "issuer": "https://id.example.com", "client_id": "c1"}
        store = FileVault(**owner, key=Secret(ONE), folder=PrivateDirectory(lambda: Path("/usr")))
    problem = await problem_of(getattr(store, call)(*((entry(NEXT),) if call == "save" else ())))
    assert (problem.detail, problem.message) == (
        "storage_unsafe",
        f"The {what} of the stored session belongs to another user.",
    )


@pytest.mark.parametrize("call", ["load", "save"])
async def test_a_link_in_place_of_the_folder_is_refused(call: str, tmp_path: Path) -> None:
    """B13: Locks live only where locks work."""
    await vault().save(entry(TOKEN))
    storage_folder().rename(tmp_path / "elsewhere")
    storage_folder().symlink_to(tmp_path / "elsewhere")
    assert await detail_of(getattr(vault(), call)(*((entry(NEXT),) if call == "save" else ()))) == "storage_unsafe"


@pytest.mark.parametrize("call", ["load", "save"])
@pytest.mark.parametrize("leads", [True, False], ids=["somewhere", "nowhere"])
async def test_a_link_in_place_of_the_file_is_refused_and_not_followed(call: str, leads: bool, tmp_path: Path) -> None:
    """B13: Locks live only where locks work."""
    await vault().save(entry(TOKEN))
    place, target = file(), tmp_path / "elsewhere"
    place.rename(target)
    if not leads:
        target.unlink()
    place.symlink_to(target)
    before = target.read_bytes() if leads else None
    assert await detail_of(getattr(vault(), call)(*((entry(NEXT),) if call == "save" else ()))) == "storage_unsafe"
    assert (target.read_bytes() if target.exists() else None) == before


async def test_a_sign_out_removes_a_link_and_not_where_it_leads(tmp_path: Path) -> None:
    await vault().save(entry(TOKEN))
    place, target = file(), tmp_path / "elsewhere"
    place.rename(target)
    place.symlink_to(target)
    await vault().delete()
    assert (files(), target.exists()) == ([], True)


async def test_a_pipe_in_place_of_the_file_is_refused_and_keeps_nobody_waiting() -> None:
    await vault().save(entry(TOKEN))
    place = file()
    place.unlink()
    os.mkfifo(place, 0o600)
    assert await asyncio.wait_for(detail_of(vault().load()), 5) == "storage_unsafe"


async def test_a_data_folder_that_is_a_link_is_fine(tmp_path: Path) -> None:
    """On many machines, homes are links."""
    (tmp_path / "real").mkdir()
    (tmp_path / "share").symlink_to(tmp_path / "real")
    await vault().save(entry(TOKEN))
    assert await token_in(vault()) == TOKEN


# -- disks that fail -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "detail"),
    [
        (errno.ENOSPC, "storage_full"),
        (errno.EDQUOT, "storage_full"),
        (errno.EROFS, "storage_read_only"),
        (errno.EIO, "storage_failed"),
    ],
    ids=["full", "quota", "read-only", "broken"],
)
@pytest.mark.parametrize("call", ["save", "probe"])
async def test_a_disk_that_refuses_is_reported(call: str, number: int, detail: str) -> None:
    """D15: A disk that cannot be used costs durability only."""
    store = vault(disk=FailingDisk(number))
    assert await detail_of(getattr(store, call)(*((entry(TOKEN),) if call == "save" else ()))) == detail


async def test_a_full_disk_leaves_the_old_token_and_no_draft() -> None:
    """D15: A disk that cannot be used costs durability only."""
    await vault().save(entry(TOKEN))
    await detail_of(vault(disk=FailingDisk(errno.ENOSPC)).save(entry(NEXT)))
    assert (await token_in(vault()), len(files())) == (TOKEN, 1)


async def test_a_file_system_that_really_refuses_is_reported() -> None:
    """D15: the size limit of this process stands for a disk without space."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    await vault().save(entry(TOKEN))
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        detail = await detail_of(vault().save(entry(NEXT)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (detail, await token_in(vault()), len(files())) == ("storage_full", TOKEN, 1)


async def test_a_place_that_cannot_be_a_folder_is_reported(tmp_path: Path) -> None:
    """D15: A disk that cannot be used costs durability only."""
    (tmp_path / "share").write_text("a file where the data folder should be")
    assert await detail_of(vault().save(entry(TOKEN))) == "storage_failed"


async def test_a_user_without_a_home_has_no_place() -> None:
    """D15: A disk that cannot be used costs durability only."""

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    owner = {"provider": "corp", "issuer": "https://id.example.com", "client_id": "c1"}
    store = FileVault(**owner, key=Secret(ONE), folder=PrivateDirectory(nowhere))
    assert await detail_of(store.save(entry(TOKEN))) == "storage_no_home"
    assert await detail_of(store.load()) == "storage_no_home"
    await store.delete()  # nothing is stored there


def test_an_unknown_home_is_no_folder_called_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    """D15: A disk that cannot be used costs durability only."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", "~/.local/share/jupyter")
    with pytest.raises(RuntimeError):
        storage_folder()


async def test_a_file_that_cannot_be_removed_is_overwritten() -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    await vault().save(entry(TOKEN))
    await vault(disk=KeepingDisk()).delete()
    assert (await vault().load(), file().read_bytes()) == (None, b"forgotten\n")


async def test_a_sign_in_after_that_is_kept() -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    await vault().save(entry(TOKEN))
    await vault(disk=KeepingDisk()).delete()
    await vault().save(entry(NEXT))
    assert await token_in(vault()) == NEXT


async def test_a_file_that_can_be_neither_removed_nor_overwritten_is_reported() -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    await vault().save(entry(TOKEN))
    assert await detail_of(vault(disk=StubbornDisk()).delete()) == "storage_read_only"


async def test_a_failure_names_no_file_no_owner_and_no_token() -> None:
    """B21: Keyring failures are reported in our own words. T-12: Secrets never reach logs, pages or URLs."""
    problems = [
        await problem_of(vault(disk=FailingDisk(errno.EIO)).save(entry(TOKEN))),
        await problem_of(vault(disk=FailingDisk(errno.ENOSPC)).probe()),
    ]
    await vault().save(entry(TOKEN))
    problems.append(await problem_of(vault(TWO).load()))
    problems.append(await problem_of(vault(disk=StubbornDisk()).delete()))
    name = file().stem
    told = "".join("".join(traceback.format_exception(problem)) + problem.action for problem in problems)
    assert [part for part in (TOKEN, ONE, name, "id.example.com") if part in told] == []


# -- before it is chosen -------------------------------------------------------------------------------------


async def test_a_probe_leaves_nothing_behind() -> None:
    await vault().probe()
    assert files() == []


async def test_a_probe_leaves_the_stored_token_alone() -> None:
    await vault().save(entry(TOKEN))
    await vault().probe()
    assert await token_in(vault()) == TOKEN


@pytest.mark.parametrize("key", [ONE, TWO, None], ids=["its key", "another key", "no key"])
async def test_whether_there_is_anything_can_be_seen_without_a_key(key: str | None) -> None:
    before = await vault(key).holds_anything()
    await vault().save(entry(TOKEN))
    assert (before, await vault(key).holds_anything()) == (False, True)


async def test_a_place_that_cannot_be_trusted_holds_nothing() -> None:
    await vault().save(entry(TOKEN))
    storage_folder().chmod(0o777)
    assert await vault().holds_anything() is False


async def test_a_tombstone_is_nothing() -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    await vault().save(entry(TOKEN))
    await vault(disk=KeepingDisk()).delete()
    assert await vault().holds_anything() is False


def settings_with(folder: Path) -> Settings:
    provider = {"issuer": "https://id.example.com", "client_id": "c1"}
    read = read_settings({"corp": provider}, "encrypted-file", None, str(folder))
    assert isinstance(read, Settings)
    return read


async def test_the_file_lies_where_the_settings_say(tmp_path: Path) -> None:
    """Q7.5: a home on a network share, where every file is 0777, cannot hold the file."""
    settings = settings_with(tmp_path / "own disk")
    stores = vaults(settings, logging.getLogger("tests"), Secret(token_urlsafe(32)))
    await stores(settings.providers[0]).save(entry(TOKEN))
    assert [path.suffix for path in (tmp_path / "own disk").iterdir()] == [".jwe"]
    assert (tmp_path / "own disk").stat().st_mode & 0o777 == 0o700


async def test_turns_are_taken_where_the_settings_say(tmp_path: Path) -> None:
    """Q7.5: the lock lies beside the file."""
    settings = settings_with(tmp_path / "own disk")
    await diagnostic_context(settings, (), environment={}).storage.lock_folder()
    assert (tmp_path / "own disk").is_dir()


async def test_a_folder_where_everybody_can_write_is_told_with_a_way_out(tmp_path: Path) -> None:
    """Q7.5: modes cannot be changed on a network share, so 'make it 0700' is no advice there."""
    folder = tmp_path / "share"
    folder.mkdir()
    folder.chmod(0o777)
    settings = settings_with(folder)
    with pytest.raises(StorageUnavailable) as caught:
        await vaults(settings, logging.getLogger("tests"), Secret(token_urlsafe(32)))(settings.providers[0]).save(
            entry(TOKEN)
        )
    assert caught.value.action == (
        f"Make {folder} and what is in it your own: a folder with mode 0700, files with 0600. Where a file system lets "
        "everybody write to every file, as network shares do, set c.JupyterOIDC.storage_folder to a folder on this "
        "machine's own disk, or set c.JupyterOIDC.storage = 'memory'."
    )
