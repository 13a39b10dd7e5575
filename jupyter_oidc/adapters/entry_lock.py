"""Whose turn it is to use a stored entry."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.sessions.ports import Turn


@dataclass(frozen=True, slots=True)
class _OnlyTurn:
    """Implements ``Turn`` where nothing is shared."""

    interrupted: bool = False

    async def spending(self) -> None:
        """Nobody else could be told."""

    async def persisted(self) -> None:
        """Nobody else could be told."""


class NoLock:
    """Implements ``EntryLock`` for storage in memory, which no other server shares."""

    @asynccontextmanager
    async def turn(self, *, patience: float) -> AsyncIterator[Turn]:  # noqa: ARG002  # NOTE: nobody waits
        """Give the turn at once."""
        yield _OnlyTurn()
