"""Keyrings for tests: real ``keyring`` backends, each with one trait of a real-world keyring.

They say that they are not viable, so that ``keyring`` never picks one by itself in another test.
"""

from __future__ import annotations

import threading
from typing import ClassVar

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class Crashed(BaseException):
    """The process ended at this point."""


class Ring(KeyringBackend):
    """Store what it is given, as an operating system's store does."""

    priority: ClassVar[float] = 5
    viable: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.deleted: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError(username)
        self.deleted.append(username)
        del self.entries[service, username]

    @property
    def names(self) -> list[str]:
        """Return the user names of all entries, sorted."""
        return sorted(name for _, name in self.entries)

    @property
    def head(self) -> str:
        """Return the one name that does not belong to a piece."""
        return next(name for name in self.names if "." not in name)

    def ends(self) -> list[str]:
        """Return the text after the first dot of each name, sorted; empty for the entry itself."""
        return sorted(name.partition(".")[2] for name in self.names)


class ShortRing(Ring):
    """Refuse long entries with an error of its own, as the Windows Credential Manager does (B21)."""

    longest = 1_280

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > self.longest:
            raise OSError(1783, "The stub received bad data")
        super().set_password(service, username, password)


class WindowsRing(ShortRing):
    """Imitate the Windows Credential Manager, whose entries roam unless told otherwise."""

    __module__ = "keyring.backends.Windows"
    persist = "enterprise"

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    def set_password(self, service: str, username: str, password: str) -> None:
        self.refused += len(password) > self.longest
        super().set_password(service, username, password)


class CuttingRing(Ring):
    """Cut a text after 2,000 characters without an error."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:2_000])


class DroppingRing(Ring):
    """Drop writes without an error, as the null backend does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        return


class LockedRing(Ring):
    """Fail as if the user had dismissed the prompt."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class LockableRing(Ring):
    """Keyring that a test can lock between two calls."""

    locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!")
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!")
        super().set_password(service, username, password)


class ChattyRing(Ring):
    """Quote the stored text in its error."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise ValueError(f"cannot store {password}")


class HangingRing(Ring):
    """Hang as if a prompt waited for the user, until ``answered`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()
        self.hanging = True
        self.waited = 0

    def _wait(self) -> None:
        if self.hanging:
            self.waited += 1
            self.answered.wait(30)

    def get_password(self, service: str, username: str) -> str | None:
        self._wait()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._wait()
        super().set_password(service, username, password)


class CrashingRing(ShortRing):
    """End the process just before change number ``crash_at``; 0 is the first change."""

    def __init__(self) -> None:
        super().__init__()
        self.crash_at: int | None = None
        self.changes = 0

    def _change(self) -> None:
        if self.changes == self.crash_at:
            raise Crashed
        self.changes += 1

    def set_password(self, service: str, username: str, password: str) -> None:
        self._change()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._change()
        super().delete_password(service, username)


class KeepingRing(Ring):
    """Refuse to delete."""

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError("not supported")


class ReturningRing(Ring):
    """Report a deletion that left the entry, as a chain does whose next member has a copy."""

    def delete_password(self, service: str, username: str) -> None:
        return


class PlaintextRing(Ring):
    """Imitate a backend that writes into a file that every user can read."""


class AltRing(Ring):
    """Imitate a backend of ``keyrings.alt``."""

    __module__ = "keyrings.alt.file"


class RelabelledRing(AltRing):
    """Derive from such a backend under an innocent name."""

    __module__ = "somewhere.else"


class Chain(Ring):
    """Imitate the chainer; ``backends`` are its members, the preferred one first."""

    __module__ = "keyring.backends.chainer"
    priority: ClassVar[float] = 10

    def __init__(self, *backends: KeyringBackend) -> None:
        super().__init__()
        self.backends = list(backends)
