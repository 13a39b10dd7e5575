"""The lock of a stored entry: one holder at a time, free when the holder is gone, and never on the network."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_oidc.adapters.storage.entry_lock import (
    FileEntryLock,
    LockIfShared,
    NoLock,
    file_system_of,
    is_network,
    lock_folder,
)
from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.problems import Overloaded, StorageUnavailable
from jupyter_oidc.sessions.ports import EntryLock

ROOT = Path(__file__).parents[4]
HOLDER = """
import asyncio, sys
from pathlib import Path
from jupyter_oidc.adapters.storage.entry_lock import FileEntryLock

async def hold():
    lock = FileEntryLock(lambda: Path(sys.argv[1]), provider="corp", issuer="https://id.example.com", client_id="jupyter", holder="child")
    async with lock.hold(timeout_seconds=5) as held_lock:
        await held_lock.mark_in_use()
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


def lock_in(folder: Path, *, provider: str = "corp", mounts: Path = Path("/proc/self/mountinfo")) -> FileEntryLock:
    return FileEntryLock(
        lambda: folder,
        provider=provider,
        issuer="https://id.example.com",
        client_id="jupyter",
        holder="0123456789abcdef",
        mounts=mounts,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jupyter_oidc"


async def held(lock: EntryLock, timeout_seconds: float = 0.1) -> bool:
    """Say whether another holder has the lock."""
    try:
        async with lock.hold(timeout_seconds=timeout_seconds):
            return False
    except Overloaded:
        return True


async def test_a_turn_excludes_every_other_and_ends_with_its_context(folder: Path) -> None:
    """B10: two locks of one process exclude each other as well."""
    one, two = lock_in(folder), lock_in(folder)
    async with one.hold(timeout_seconds=1):
        assert await held(two)
    assert not await held(two)


async def test_each_provider_has_a_lock_of_its_own(folder: Path) -> None:
    """B23: A token goes only to its own provider."""
    async with lock_in(folder).hold(timeout_seconds=1):
        assert not await held(lock_in(folder, provider="other"))


async def test_turns_are_taken_one_after_the_other(folder: Path) -> None:
    inside = 0

    async def visit() -> int:
        nonlocal inside
        async with lock_in(folder).hold(timeout_seconds=20):
            inside += 1
            await asyncio.sleep(0.001)
            seen, inside = inside, inside - 1
            return seen

    assert await asyncio.gather(*[visit() for _ in range(30)]) == [1] * 30


async def test_who_is_killed_holds_nothing_and_leaves_its_mark(folder: Path) -> None:
    """B11: no stale lock is left to wait for; B14: the next holder finds the mark."""
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert await asyncio.to_thread(child.stdout.readline) == "held\n"
        assert await held(lock_in(folder))
        child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        await asyncio.to_thread(child.wait)
        async with lock_in(folder).hold(timeout_seconds=1) as held_lock:
            assert held_lock.interrupted
            await held_lock.clear_mark()
        async with lock_in(folder).hold(timeout_seconds=1) as held_lock:
            assert not held_lock.interrupted
    finally:
        child.kill()
        child.wait()


async def test_a_waiter_that_is_cancelled_never_ends_up_with_the_turn(folder: Path) -> None:
    for pause in (0.0, 0.001, 0.005, 0.02, 0.05):
        async with lock_in(folder).hold(timeout_seconds=1):
            waiting = asyncio.ensure_future(held(lock_in(folder), timeout_seconds=10))
            await asyncio.sleep(pause)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert not await held(lock_in(folder), timeout_seconds=1)


async def test_the_files_hold_nothing_and_are_for_this_user_only(folder: Path) -> None:
    """D11: Kernels inherit no token and no storage key."""
    async with lock_in(folder).hold(timeout_seconds=1) as held_lock:
        await held_lock.mark_in_use()
        found = {path.suffix: (path.stat().st_mode & 0o777, path.read_bytes()) for path in folder.iterdir()}
    mode, holder = found.pop(".holder")
    assert (mode, holder) == (0o600, b"0123456789abcdef")
    assert found == {".lock": (0o600, b""), ".spending": (0o600, b"spending\n")}
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_folder_that_others_can_write_to_is_refused(folder: Path) -> None:
    """B13: Locks live only where locks work."""
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(StorageUnavailable) as caught:
        await held(lock_in(folder))
    assert caught.value.detail == "storage_unsafe"


async def test_a_folder_that_was_exchanged_between_two_turns_is_refused(folder: Path, tmp_path: Path) -> None:
    """B13: the system empties a temporary folder from time to time, and another user may then take the name."""
    lock = lock_in(folder)
    assert not await held(lock)
    shutil.rmtree(folder)
    (tmp_path / "bait").mkdir()
    folder.symlink_to(tmp_path / "bait")
    with pytest.raises(StorageUnavailable) as caught:
        await held(lock)
    assert caught.value.detail == "storage_unsafe"
    assert list((tmp_path / "bait").iterdir()) == []


async def test_a_folder_that_is_gone_between_two_turns_is_made_again(folder: Path) -> None:
    """B13: the new folder is for this user alone."""
    lock = lock_in(folder)
    assert not await held(lock)
    shutil.rmtree(folder)
    assert not await held(lock)
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_place_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """B13: Locks live only where locks work. D15: A disk that cannot be used costs durability only."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable):
        await held(lock_in(tmp_path / "file" / "jupyter_oidc"))


def mounts(tmp_path: Path, *entries: tuple[Path, str]) -> Path:
    """Return a list of mounted file systems as Linux writes it."""
    lines = [f"{n} 1 0:{n} / {point} rw,relatime - {kind} source rw" for n, (point, kind) in enumerate(entries, 30)]
    path = tmp_path / "mountinfo"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("kind", "network"),
    [("ext4", False), ("tmpfs", False), ("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("fuse.lxcfs", False)],
)
async def test_a_network_file_system_is_noticed(tmp_path: Path, folder: Path, kind: str, network: bool) -> None:
    """B13: over a network, the lock of one machine does not bind another."""
    listed = mounts(tmp_path, (Path("/"), "ext4"), (tmp_path, kind))
    assert (file_system_of(folder, listed), is_network(folder, listed)) == (kind, network)
    if network:
        with pytest.raises(StorageUnavailable) as caught:
            await held(lock_in(folder, mounts=listed))
        assert caught.value.detail == "lock_network"


def test_locks_go_to_a_folder_of_this_machine_where_the_home_is_on_the_network(tmp_path: Path, folder: Path) -> None:
    """B13, B34: entries belong to one machine, so a folder of that machine serves."""
    assert lock_folder(lambda: folder, mounts(tmp_path, (tmp_path, "ext4"))) == folder
    elsewhere = lock_folder(lambda: folder, mounts(tmp_path, (tmp_path, "nfs")), runtime="")
    assert elsewhere.name.startswith(f"jupyter_oidc-{os.getuid()}")


def test_locks_go_to_a_folder_of_this_machine_where_there_is_no_home(tmp_path: Path) -> None:
    """D15: a keyring works without a home, so the lock has to work there too."""

    def no_home() -> Path:
        raise RuntimeError("there is no home directory")

    listed = mounts(tmp_path, (tmp_path, "ext4"))
    assert lock_folder(no_home, listed, runtime="", temporary=tmp_path) == tmp_path / f"jupyter_oidc-{os.getuid()}"
    (tmp_path / "file").write_text("")
    assert lock_folder(lambda: tmp_path / "new" / "folder", listed) == tmp_path / "new" / "folder"


def no_home() -> Path:
    raise RuntimeError("there is no home directory")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can play another user")
@pytest.mark.parametrize("what", ["folder", "open folder", "file", "link"])
async def test_another_user_who_takes_our_name_first_stops_nobody(tmp_path: Path, what: str) -> None:
    """Q8.8: the name is easy to guess, and a refresh needs the lock."""
    plain = tmp_path / f"jupyter_oidc-{os.getuid()}"
    if what == "file":
        plain.write_text("")
    elif what == "link":
        plain.symlink_to(tmp_path)
    else:
        plain.mkdir(mode=0o700)
        plain.chmod(0o777 if what == "open folder" else 0o700)
        os.chown(plain, 65_534 if what == "folder" else -1, -1)

    def where() -> Path:
        return lock_folder(no_home, mounts(tmp_path, (tmp_path, "ext4")), runtime="", temporary=tmp_path)

    first, second = where(), where()
    assert (first, first.name.startswith(f"{plain.name}-"), first.stat().st_mode & 0o777) == (second, True, 0o700)
    assert not await held(
        FileEntryLock(where, provider="corp", issuer="https://id.example.com", client_id="c1", holder="one")
    )


def test_a_random_name_that_somebody_else_offers_is_not_taken(tmp_path: Path) -> None:
    """Q8.8: a folder that other users can enter is not ours, even under the right name."""
    plain = tmp_path / f"jupyter_oidc-{os.getuid()}"
    for path in (plain, tmp_path / f"{plain.name}-0000"):
        path.mkdir()
        path.chmod(0o777)
    found = lock_folder(no_home, mounts(tmp_path, (tmp_path, "ext4")), runtime="", temporary=tmp_path)
    assert found not in (plain, tmp_path / f"{plain.name}-0000")


def test_the_runtime_folder_of_the_user_comes_first(tmp_path: Path) -> None:
    """Q8.8: Another user cannot block the lock folder."""
    (tmp_path / "run").mkdir(mode=0o700)
    listed = mounts(tmp_path, (tmp_path, "ext4"))
    found = lock_folder(no_home, listed, runtime=str(tmp_path / "run"), temporary=tmp_path)
    assert found == tmp_path / "run" / "jupyter_oidc"


@pytest.mark.parametrize("runtime", ["", "run", "missing", "open"])
def test_a_runtime_folder_that_cannot_be_trusted_is_passed_over(tmp_path: Path, runtime: str) -> None:
    """Q8.8: the variable is not set, relative, leads nowhere, or leads to a folder that is open to other users."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    given = str(tmp_path / runtime) if runtime in ("missing", "open") else runtime
    found = lock_folder(no_home, mounts(tmp_path, (tmp_path, "ext4")), runtime=given, temporary=tmp_path)
    assert found == tmp_path / f"jupyter_oidc-{os.getuid()}"


async def test_memory_needs_no_turns() -> None:
    lock = LockIfShared(MemoryVault(), lock_in(Path("/nonexistent/place")))
    async with lock.hold(timeout_seconds=0) as one, NoLock().hold(timeout_seconds=0) as two:
        assert (one.interrupted, two.interrupted) == (False, False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_takes_turns_of_its_own(folder: Path) -> None:
    """B33: the child holds no lock of its parent's, and the parent none of the child's."""
    script = f"""
import asyncio, os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.unit.adapters.storage.test_entry_lock import held, lock_in
lock = lock_in(Path({str(folder)!r}))
assert not asyncio.run(held(lock))
child = os.fork()
if child == 0:
    os._exit(asyncio.run(held(lock)))
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert not asyncio.run(held(lock))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
