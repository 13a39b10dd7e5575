"""Small files in a folder that belongs to this user alone, replaced as a whole or not at all.

A new content is written beside the old one, forced to the disk, and takes its place in one step; a crash at any
step leaves one complete file.
This module refuses a folder or a file that is a link, belongs to another user, or can be written by others (B13).
Its errors name the folder, without the name of the person whose home it is in, and never repeat the operating system's
own text (Q8.8).
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POSIX: Final = os.name == "posix"
_OPEN_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_MISSING_ERRNOS: Final = (errno.ENOENT, errno.ENOTDIR)
_DISK_FULL_ERRNOS: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT if _POSIX else errno.ENOSPC)
_READ_ONLY_ERRNOS: Final = (errno.EROFS, errno.EACCES, errno.EPERM)
_UNSYNCABLE_ERRNOS: Final = (errno.EINVAL, getattr(errno, "ENOTSUP", errno.EINVAL))
"""Errors of file systems that cannot sync a folder; they order these steps by themselves."""

_TOMBSTONE: Final = b"forgotten\n"
"""The content that overwrites a file which could not be removed (D3)."""

_DRAFT_SUFFIX: Final = ".draft"
_NOT_RIGHT: Final = {
    "folder": N_("The folder of the stored session is a link, or something else that is no folder."),
    "file": N_("The file of the stored session is a link, or something else that is no file."),
}
_FOREIGN: Final = {
    "folder": N_("The folder of the stored session belongs to another user."),
    "file": N_("The file of the stored session belongs to another user."),
}
_WRITABLE: Final = {
    "folder": N_("Other users can write to the folder of the stored session."),
    "file": N_("Other users can write to the file of the stored session."),
}


class Disk:
    """The calls that change a disk, one method each, so that a test can make each of them fail."""

    def write(self, descriptor: int, content: bytes) -> None:
        """Write all of ``content``."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def sync(self, descriptor: int) -> None:
        """Force the written content to the disk."""
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Let ``source`` take the place of ``target``."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove the file ``path``."""
        path.unlink()


class PrivateDirectory:
    """Files of one folder, by name; the folder is made at the first write, and only ``where()`` knows its path.

    Every method may wait for the disk, so none may run on the event loop's thread, and raises
    :class:`StorageUnavailable` if the folder cannot be used.
    """

    def __init__(self, where: Callable[[], Path], disk: Disk | None = None) -> None:
        self._where = where
        self._disk = disk or Disk()

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the content of ``name``, but no more than ``max_bytes`` bytes and one; ``None`` if there is none."""
        with _os_errors_translated(self._where):
            path = self._folder() / name
            if not _exists(path.parent):
                return None
            _check(path.parent.lstat(), stat.S_ISDIR, "folder")
            if not _exists(path):
                return None
            _check(path.lstat(), stat.S_ISREG, "file")
            with os.fdopen(os.open(path, os.O_RDONLY | _OPEN_FLAGS), "rb") as file:
                _check(os.fstat(file.fileno()), stat.S_ISREG, "file")
                content = file.read(max_bytes + 1)
        return None if content == _TOMBSTONE else content

    def write(self, name: str, content: bytes) -> None:
        """Put ``content`` in place of ``name``; it is on the disk when this returns."""
        with _os_errors_translated(self._where):
            path = self._ensured_folder() / name
            if _exists(path):
                _check(path.lstat(), stat.S_ISREG, "file")
            self._replace(path, content)

    def remove(self, name: str) -> None:
        """Remove ``name`` and the drafts that a crash left of it; a file that cannot be removed is overwritten (D3)."""
        with _os_errors_translated(self._where):
            try:
                folder = self._where()
            except RuntimeError:
                return  # there is no home, so there is nothing in it
            failed: list[OSError] = []
            for path in (folder / name, *folder.glob(f"{name}.*{_DRAFT_SUFFIX}")):
                try:
                    self._erase(path)
                except OSError as error:
                    failed.append(error)
            if failed:
                raise failed[0]
            if _exists(folder):
                self._sync_folder(folder)

    def ensure(self) -> None:
        """Make the folder if it is not there, and check that it belongs to this user alone."""
        with _os_errors_translated(self._where):
            self._ensured_folder()

    def probe(self, name: str) -> None:
        """Write and remove a harmless file beside ``name``."""
        with _os_errors_translated(self._where):
            draft = self._write_draft(self._ensured_folder() / name, b"probe")
            self._disk.remove(draft)

    def _folder(self) -> Path:
        try:
            return self._where()
        except RuntimeError:
            raise StorageUnavailable(
                N_("There is no place for the stored session: this user has no home directory."),
                action=N_(
                    "Set JUPYTER_DATA_DIR and restart the Jupyter server, or set c.JupyterOIDC.storage = 'memory'."
                ),
                detail="storage_no_home",
            ) from None

    def _ensured_folder(self) -> Path:
        folder = self._folder()
        if not _exists(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._sync_folder(folder.parent)
        _check(folder.lstat(), stat.S_ISDIR, "folder")
        return folder

    def _replace(self, path: Path, content: bytes) -> None:
        draft = self._write_draft(path, content)
        try:
            self._disk.replace(draft, path)
        except OSError:
            with suppress(OSError):
                self._erase(draft)
            raise
        self._sync_folder(path.parent)

    def _write_draft(self, path: Path, content: bytes) -> Path:
        """Write a new file beside ``path`` that only this user can open."""
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=_DRAFT_SUFFIX, dir=path.parent)
        draft = Path(name)
        try:
            try:
                self._disk.write(descriptor, content)
                self._disk.sync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            with suppress(OSError):
                self._erase(draft)
            raise
        return draft

    def _erase(self, path: Path) -> None:
        try:
            self._disk.remove(path)
        except OSError as error:
            if error.errno not in _MISSING_ERRNOS:
                self._overwrite(path)

    def _overwrite(self, path: Path) -> None:
        """Overwrite a file that cannot be removed."""
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | _OPEN_FLAGS)
        try:
            self._disk.write(descriptor, _TOMBSTONE)
            self._disk.sync(descriptor)
        finally:
            os.close(descriptor)

    def _sync_folder(self, folder: Path) -> None:
        if not _POSIX:
            return  # NOTE: Windows has no such call
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            self._disk.sync(descriptor)
        except OSError as error:
            if error.errno not in _UNSYNCABLE_ERRNOS:
                raise
        finally:
            os.close(descriptor)


def _exists(path: Path) -> bool:
    """Return whether something is at ``path``, be it a link that leads nowhere."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno in _MISSING_ERRNOS:
            return False
        raise
    return True


def _check(status: os.stat_result, is_right: Callable[[int], bool], what: str) -> None:
    if not is_right(status.st_mode):
        raise _UnsafePath(_NOT_RIGHT[what])
    if not _POSIX:
        return  # NOTE: there, access is inherited from the user's profile, and mode bits mean nothing
    if status.st_uid != os.geteuid():
        raise _UnsafePath(_FOREIGN[what])
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _UnsafePath(_WRITABLE[what])


class _UnsafePath(Exception):
    """The folder or file belongs to another user, or is no folder or file; the text says which."""


def display_path(where: Callable[[], Path]) -> str:
    """Return the folder for an error text, without the name of the person whose home it is in."""
    try:
        path = where()
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except ValueError:
        return str(path)
    except RuntimeError:
        return sentence("its folder")


@contextmanager
def _os_errors_translated(where: Callable[[], Path]) -> Iterator[None]:
    """Translate an ``OSError`` into :class:`StorageUnavailable`; its own text holds names of files (D15)."""
    try:
        yield
    except _UnsafePath as unsafe:
        raise StorageUnavailable(
            str(unsafe),
            action=sentence(
                "Make {where} and what is in it your own: a folder with mode 0700, files with 0600. Where a "
                "file system lets everybody write to every file, as network shares do, set "
                "c.JupyterOIDC.storage_folder to a folder on this machine's own disk, or set c.JupyterOIDC.storage = 'memory'.",
                where=display_path(where),
            ),
            detail="storage_unsafe",
        ) from None
    except OSError as error:
        if error.errno in _DISK_FULL_ERRNOS:
            raise StorageUnavailable(
                N_("There is no space left for the stored session."),
                action=sentence(
                    "Free some space on the disk that holds {where}, then try again.", where=display_path(where)
                ),
                detail="storage_full",
            ) from None
        if error.errno in _READ_ONLY_ERRNOS:
            raise StorageUnavailable(
                N_("The place for the stored session does not let this user read and write."),
                action=sentence(
                    "Make {where} readable and writable for yourself, set c.JupyterOIDC.storage_folder to "
                    "another folder, or set c.JupyterOIDC.storage = 'memory'.",
                    where=display_path(where),
                ),
                detail="storage_read_only",
            ) from None
        raise StorageUnavailable(
            N_("The place for the stored session cannot be used."),
            action=sentence("Look at {where}, or set c.JupyterOIDC.storage = 'memory'.", where=display_path(where)),
            detail="storage_failed",
        ) from None
