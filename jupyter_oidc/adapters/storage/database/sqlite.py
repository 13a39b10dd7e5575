"""Rows in SQLite, for one process: a broker that needs no database server.

Another process that opens the same file is refused. A mark that is there at the start is of a process that ended
between using a token and storing its successor.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_oidc.adapters.storage.database.rows import database_away, other_schema, turn_taken
from jupyter_oidc.adapters.storage.database.schema import SQLITE, VERSION
from jupyter_oidc.language import N_
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from filelock import BaseFileLock

    from jupyter_oidc.adapters.storage.database.rows import RowName

_TAKE: Final = """
    INSERT INTO oidc_entries (account, entry, turn) VALUES (?, ?, 1)
    ON CONFLICT (account, entry) DO UPDATE SET turn = turn + 1
    RETURNING turn, in_use_by
"""
_SAVE: Final = """
    INSERT INTO oidc_entries (account, entry, sealed) VALUES (?, ?, ?)
    ON CONFLICT (account, entry) DO UPDATE SET sealed = excluded.sealed, changed_at = CURRENT_TIMESTAMP
    WHERE turn <= COALESCE(?, turn)
"""
_DELETE: Final = """
    UPDATE oidc_entries SET sealed = NULL, changed_at = CURRENT_TIMESTAMP
    WHERE account = ? AND entry = ? AND turn <= COALESCE(?, turn)
"""
_MARK: Final = """
    UPDATE oidc_entries SET in_use_by = ? WHERE account = ? AND entry = ?
"""
_LOAD: Final = """
    SELECT sealed FROM oidc_entries WHERE account = ? AND entry = ?
"""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _SqliteTurn:
    """Implements ``Turn``."""

    rows: SqliteRows
    name: RowName
    number: int
    interrupted: bool

    async def mark_in_use(self) -> None:
        """Write the mark; it is on the disk when this returns."""
        await self.rows.run(_MARK, "here", *self.name)

    async def clear_mark(self) -> None:
        """Remove it."""
        await self.rows.run(_MARK, None, *self.name)


class SqliteRows:
    """Implements ``Rows`` with the file at ``path``; its folder must be this user's alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # NOTE: one thread, since a connection belongs to it, and so that writes keep their order.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jupyter_oidc database")
        self._database: sqlite3.Connection | None = None
        self._process: BaseFileLock | None = None
        self._marked_before: set[tuple[str, str]] = set()
        self._turns: defaultdict[RowName, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def open(self) -> None:
        """Open the file; see ``Rows.open``. Raises ``StorageUnavailable`` if another process has it open."""
        found = await self._in_thread(self._open)
        if found != VERSION:
            await self.aclose()
            raise other_schema(found, VERSION)
        marked = await self._all("SELECT account, entry FROM oidc_entries WHERE in_use_by IS NOT NULL")
        self._marked_before = set(marked)

    async def migrate(self) -> tuple[int, int]:
        """Bring the tables to the present version; return the version before and after.

        Raises ``StorageUnavailable`` for tables that are newer than this program.
        """
        before = await self._in_thread(self._open)
        if before > VERSION:
            raise other_schema(before, VERSION)

        def work() -> None:
            steps = "".join(SQLITE[before:])
            self._connection.executescript(f"BEGIN; {steps} PRAGMA user_version = {VERSION}; COMMIT;")

        await self._in_thread(work)
        return before, VERSION

    async def load(self, name: RowName) -> bytes | None:
        """Return the sealed text of a row."""
        rows = await self._all(_LOAD, *name)
        return rows[0][0] if rows else None

    async def save(self, name: RowName, sealed: bytes, turn: int | None) -> None:
        """Store the sealed text of a row; see ``Rows.save``."""
        await self.run(_SAVE, *name, sealed, turn)

    async def delete(self, name: RowName, turn: int | None) -> None:
        """Remove the sealed text of a row; see ``Rows.delete``."""
        await self.run(_DELETE, *name, turn)

    @asynccontextmanager
    async def take_turn(self, name: RowName, timeout_seconds: float) -> AsyncIterator[_SqliteTurn]:
        """Wait for the other turns of this process; see ``Rows.take_turn``."""
        lock = self._turns[name]
        try:
            await asyncio.wait_for(lock.acquire(), timeout_seconds)
        except asyncio.TimeoutError:
            raise turn_taken() from None
        try:
            [(number, mark)] = await self._all(_TAKE, *name)
            interrupted = mark is not None and tuple(name) in self._marked_before
            self._marked_before.discard((name.account, name.entry))
            yield _SqliteTurn(self, name, number, interrupted=interrupted)
        finally:
            lock.release()

    async def run(self, statement: str, *arguments: object) -> None:
        """Run one statement; it is on the disk when this returns."""
        await self._all(statement, *arguments)

    async def aclose(self) -> None:
        """Close the file."""

        def work() -> None:
            if self._database is not None:
                self._database.close()
            if self._process is not None:
                self._process.release()

        await self._in_thread(work)
        self._thread.shutdown(wait=False)

    def _open(self) -> int:
        """Open the file for this process alone, and return the version of its tables."""
        from filelock import FileLock, Timeout

        if self._database is None:
            process = FileLock(f"{self._path}.lock", mode=0o600, thread_local=False)
            try:
                process.acquire(timeout=0)
            except Timeout:
                raise StorageUnavailable(
                    N_("Another process uses the database file of the sessions."),
                    action=N_("One process can have it. Give several replicas a PostgreSQL database."),
                    detail="database_in_use",
                ) from None
            self._process = process
            self._path.touch(mode=0o600)
            self._database = sqlite3.connect(self._path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
        return int(self._database.execute("PRAGMA user_version").fetchone()[0])

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._database is None:
            raise database_away()
        return self._database

    async def _all(self, statement: str, *arguments: object) -> list[Any]:
        return await self._in_thread(lambda: self._connection.execute(statement, arguments).fetchall())

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Return ``work()``; it ends also if the caller is cancelled, before the next begins."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError):
            raise database_away() from None
