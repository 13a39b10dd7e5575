"""Disks for tests: the real disk, each class with one fault that real disks show."""

from __future__ import annotations

import errno
from pathlib import Path

from jupyter_oidc.adapters.system.private_directory import Disk


class Crashed(BaseException):
    """The process ended at this point."""


class FailingDisk(Disk):
    """Refuse to write, with the error number of a full disk, a read-only one, or a broken one."""

    def __init__(self, number: int) -> None:
        self.number = number

    def write(self, descriptor: int, content: bytes) -> None:
        raise OSError(self.number, f"cannot write {content!r}")


class KeepingDisk(Disk):
    """Refuse to remove files, as in a folder that was made read-only."""

    def remove(self, path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))


class StubbornDisk(KeepingDisk):
    """Refuse to remove files, and fail when one is overwritten."""

    def sync(self, descriptor: int) -> None:
        raise OSError(errno.EROFS, "Read-only file system")


class UnsyncableDisk(Disk):
    """Refuse to sync a folder, as some network file systems do."""

    def __init__(self) -> None:
        self.synced = 0

    def sync(self, descriptor: int) -> None:
        self.synced += 1
        if self.synced % 2 == 0:
            raise OSError(errno.EINVAL, "Invalid argument")
        super().sync(descriptor)


class CrashingDisk(Disk):
    """End the process just before call number ``crash_at``; 0 is the first call."""

    def __init__(self) -> None:
        self.crash_at: int | None = None
        self.calls: list[str] = []

    def _call(self, what: str) -> None:
        if len(self.calls) == self.crash_at:
            raise Crashed
        self.calls.append(what)

    def write(self, descriptor: int, content: bytes) -> None:
        self._call("write")
        super().write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        self._call("sync")
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._call("replace")
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._call("remove")
        super().remove(path)
