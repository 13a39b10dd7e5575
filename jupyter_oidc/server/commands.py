"""Commands that have the identity of a kernel for as long as they run: ``jupyter oidc run -- COMMAND`` (ADR 34).

A command has an id and a key as a kernel has, and authenticates in the same way; its key is written to no file.
A lease keeps it alive, which the starting process extends: if that process is killed, the command has no identity a
minute later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import GrantInvalid, Overloaded

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy

PREFIX: Final = "command-"
"""The beginning of every command's id; those of kernels are UUIDs. Events and logs name a command by it."""

LEASE_SECONDS: Final = 60
"""Seconds that a command lives after its lease was extended."""

MAX_COMMANDS: Final = 100
"""Commands that live at once."""


@dataclass(frozen=True, slots=True)
class Command:
    """A running command: its id, its key, and the end of its lease (monotonic seconds)."""

    id: str
    key: str = field(repr=False)
    until: float


class Commands:
    """The commands of this server."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._live: dict[str, Command] = {}

    def begin(self) -> Command:
        """Return a new command; raises ``Overloaded`` if a hundred live."""
        self._live = {command_id: command for command_id, command in self._live.items() if self.is_live(command_id)}
        if len(self._live) >= MAX_COMMANDS:
            raise Overloaded(retry_after=float(LEASE_SECONDS))
        command = Command(PREFIX + self._entropy.token(128), self._entropy.token(256), self._until())
        self._live[command.id] = command
        return command

    def extend_lease(self, command_id: str) -> None:
        """Let the command live for another lease; raises ``GrantInvalid`` if it has ended."""
        if not self.is_live(command_id):
            raise GrantInvalid(N_("The command has ended."), action=N_("Start it again."), detail="command.ended")
        self._live[command_id] = replace(self._live[command_id], until=self._until())

    def end(self, command_id: str) -> None:
        """End the command; an unknown one has ended already."""
        self._live.pop(command_id, None)

    def is_live(self, command_id: str) -> bool:
        """Return whether the command runs."""
        command = self._live.get(command_id)
        return command is not None and command.until > self._clock.now().monotonic

    def run_of(self, command_id: str) -> object | None:
        """Return the object that identifies the run of a running command: its key, a new one for each.

        Else ``None``.
        """
        return self._live[command_id].key if self.is_live(command_id) else None

    def key_of(self, command_id: str) -> bytes | None:
        """Return the key of a command that runs, or ``None``."""
        return self._live[command_id].key.encode() if self.is_live(command_id) else None

    def _until(self) -> float:
        return self._clock.now().monotonic + LEASE_SECONDS
