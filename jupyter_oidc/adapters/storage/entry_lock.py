"""Locks a stored entry: one server at a time uses it, across processes (B10 to B14).

The lock is the operating system's own (``filelock``), so it is free as soon as its holder ends, even by a crash.
A marker file lies beside it while a refresh token is in use; a server that finds one knows that another server was
interrupted during a refresh.
A third file says who has held the lock last, by a random name.
No file holds data of a session (D11).
This module refuses to lock on a network file system, which does not enforce such locks reliably (B13); since stored
entries belong to one machine each (B34), a local folder of that machine serves as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.system.private_directory import PrivateDirectory, display_path
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import Overloaded, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from filelock import BaseFileLock

    from jupyter_oidc.sessions.ports import EntryLock, HeldLock, Vault

_POLL_INTERVAL_SECONDS: Final = 0.02
"""Seconds between two attempts to take a lock that another server holds."""

_MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "ncpfs"},
)
_NETWORK_FUSE_FILE_SYSTEMS: Final = (
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.gcsfuse",
    "fuse.rclone",
    "fuse.ceph",
)


@dataclass(frozen=True, slots=True)
class _UnsharedLock:
    """Implements ``HeldLock`` where nothing is shared."""

    interrupted: bool = False
    held_last: bool = True

    async def mark_in_use(self) -> None:
        """Do nothing: no other server shares the entry."""

    async def clear_mark(self) -> None:
        """Do nothing: no other server shares the entry."""


class NoLock:
    """Implements ``EntryLock`` for storage in memory, which no other server shares."""

    @asynccontextmanager
    async def hold(self, *, timeout_seconds: float) -> AsyncIterator[HeldLock]:  # noqa: ARG002  # NOTE: no caller waits
        """Hold the lock at once."""
        yield _UnsharedLock()


class LockIfShared:
    """Implements ``EntryLock`` with ``lock``, unless ``vault`` turns out to keep entries in memory only."""

    def __init__(self, vault: Vault, lock: EntryLock) -> None:
        self._vault = vault
        self._lock = lock

    @asynccontextmanager
    async def hold(self, *, timeout_seconds: float) -> AsyncIterator[HeldLock]:
        """Wait for the lock if other servers share the entry."""
        lock = NoLock() if await self._vault.kind() == "memory" else self._lock
        async with lock.hold(timeout_seconds=timeout_seconds) as held_lock:
            yield held_lock


@dataclass(frozen=True, slots=True)
class _HeldFileLock:
    """Implements ``HeldLock`` with a marker file."""

    folder: PrivateDirectory
    marker: str
    interrupted: bool
    held_last: bool

    async def mark_in_use(self) -> None:
        """Write the marker; it is on the disk when this returns."""
        await asyncio.to_thread(self.folder.write, self.marker, b"spending\n")

    async def clear_mark(self) -> None:
        """Remove the marker."""
        await asyncio.to_thread(self.folder.remove, self.marker)


class FileEntryLock:
    """Implements ``EntryLock`` with a file in the folder that ``where()`` names.

    Each (issuer, client, provider name) has a lock of its own (B23).
    ``holder`` is a random name for this object.
    ``mounts`` is the list of mounted file systems, as Linux writes it.
    """

    def __init__(
        self,
        where: Callable[[], Path],
        *,
        provider: str,
        issuer: str,
        client_id: str,
        holder: str,
        mounts: Path = _MOUNTS,
    ) -> None:
        owner = json.dumps([issuer, client_id, provider])
        self._name = hashlib.sha256(owner.encode()).hexdigest()[:32]
        self._where = where
        self._folder = PrivateDirectory(where)
        self._mounts = mounts
        self._trusted = False
        self._holder = holder.encode()

    @asynccontextmanager
    async def hold(self, *, timeout_seconds: float) -> AsyncIterator[HeldLock]:
        """Wait for the lock without blocking the event loop; see ``EntryLock.hold``."""
        if not self._trusted:
            await asyncio.to_thread(self.check_folder)
            self._trusted = True
        else:
            # NOTE: the system empties a folder for temporary files now and then, and then any user can take the name.
            await asyncio.to_thread(self._folder.ensure)
        lock = self._lock()
        try:
            await self._acquire(lock, timeout_seconds)
        except OSError:
            raise StorageUnavailable(
                N_("The lock of the stored session cannot be used."),
                action=sentence("Look at the folder {where}.", where=display_path(self._where)),
                detail="lock_folder",
            ) from None
        try:
            marker = f"{self._name}.spending"
            interrupted, held_last = await asyncio.to_thread(self._take_over, marker)
            yield _HeldFileLock(self._folder, marker, interrupted, held_last)
        finally:
            lock.release()

    def check_folder(self) -> None:
        """Raise :class:`StorageUnavailable` if servers could not lock here; waits for the disk."""
        self._folder.probe(f"{self._name}.lock")
        if is_network(self._where(), self._mounts):
            raise StorageUnavailable(
                N_("There is no folder on this machine in which servers could take turns at the stored session."),
                action=N_(
                    "Set c.JupyterOIDC.storage_folder or TMPDIR to a folder on this machine, or set "
                    "c.JupyterOIDC.storage = 'memory'."
                ),
                detail="lock_network",
            )

    def _take_over(self, marker: str) -> tuple[bool, bool]:
        """Write who holds the lock now; return whether the ``marker`` is there, and whether no other has held it since."""
        interrupted, name = self._folder.read(marker, 64) is not None, f"{self._name}.holder"
        held_last = self._folder.read(name, len(self._holder)) == self._holder
        if not held_last:
            self._folder.write(name, self._holder)
        return interrupted, held_last

    def _lock(self) -> BaseFileLock:
        from filelock import FileLock

        # NOTE: a new lock object for each hold, so that two sessions of one process exclude each other too.
        return FileLock(self._where() / f"{self._name}.lock", mode=0o600, thread_local=False)

    async def _acquire(self, lock: BaseFileLock, timeout_seconds: float) -> None:
        """Poll ``lock`` until this process holds it.

        A caller that is cancelled during an attempt leaves nothing locked.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + timeout_seconds
        while True:
            attempt = asyncio.ensure_future(asyncio.to_thread(_try_acquire, lock))
            try:
                if await asyncio.shield(attempt):
                    return
            except asyncio.CancelledError:
                attempt.add_done_callback(lambda done: lock.release() if done.result() else None)
                raise
            if now() >= deadline:
                raise Overloaded(
                    N_("Another Jupyter server is using the stored session."),
                    detail="lock.timeout",
                    retry_after=1.0,
                )
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)


def lock_folder(
    data: Callable[[], Path],
    mounts: Path = _MOUNTS,
    *,
    runtime: str | None = None,
    temporary: Path | None = None,
) -> Path:
    """Return the folder for locks: ``data()``, or a local folder of this machine if ``data()`` cannot hold locks.

    It cannot if there is no home, if it is on a network file system, or if this user cannot write to it.
    Then the result is the user's ``runtime`` folder (``XDG_RUNTIME_DIR``), or a folder among the ``temporary`` files,
    which no other user can block: if its name is taken, it gets a random one (Q8.8).
    """
    try:
        folder = data()
    except RuntimeError:
        folder = None
    if folder is not None and not is_network(folder, mounts) and _is_writable(folder):
        return folder
    own = Path(os.environ.get("XDG_RUNTIME_DIR", "") if runtime is None else runtime)
    if own.is_absolute() and _is_private(own) and not is_network(own, mounts):
        return own / "jupyter_oidc"
    return _temporary_lock_folder(temporary or Path(tempfile.gettempdir()))


def _temporary_lock_folder(temporary: Path) -> Path:
    """Return the folder of this user in ``temporary``; all servers of this user find the same one."""
    plain = temporary / f"jupyter_oidc-{os.getuid() if hasattr(os, 'getuid') else 0}"
    try:
        plain.mkdir(mode=0o700)
    except FileExistsError:
        pass  # NOTE: the owner is checked below
    except OSError:
        return plain  # the first write there raises the error
    if _is_private(plain):
        return plain
    found = _random_folders(plain)
    if not found:
        tempfile.mkdtemp(prefix=f"{plain.name}-", dir=temporary)
        found = _random_folders(plain)  # NOTE: listed again: two processes that start at once agree on the first
    return found[0]


def _random_folders(plain: Path) -> list[Path]:
    return sorted(path for path in plain.parent.glob(f"{plain.name}-*") if _is_private(path))


def _is_private(folder: Path) -> bool:
    """Return whether ``folder`` is a directory (no link) that belongs to this user and that no other user can enter."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o077)


def _is_writable(folder: Path) -> bool:
    """Return whether this user can write to ``folder``, or could make it."""
    existing = next((path for path in (folder, *folder.parents) if path.exists()), None)
    return existing is not None and os.access(existing, os.W_OK | os.X_OK)


def is_network(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Return whether ``path`` is on a file system that other machines share."""
    kind = file_system_of(path, mounts)
    return kind in _NETWORK_FILE_SYSTEMS or kind.startswith(_NETWORK_FUSE_FILE_SYSTEMS)


def file_system_of(path: Path, mounts: Path = _MOUNTS) -> str:
    """Return the type of the file system that holds ``path``, or nothing where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8").splitlines()
        resolved = path.resolve()
    except (OSError, ValueError):
        return ""
    found, longest = "", -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = Path(fields[4].encode().decode("unicode_escape"))
        if len(point.parts) > longest and (point == resolved or point in resolved.parents):
            found, longest = after.split()[0], len(point.parts)
    return found


def _try_acquire(lock: BaseFileLock) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
