"""Rows in SQLite, for one process: a broker that needs no database server.

Another process that opens the same file is refused. A mark that is there at the start is of a process that ended
between using a token and storing its successor.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_oidc.adapters.storage.database.rows import NO_TAGS, GrantRow, Turn, acquire, other_schema
from jupyter_oidc.adapters.storage.database.schema import SQLITE, VERSION
from jupyter_oidc.adapters.storage.entry_lock import is_network
from jupyter_oidc.language import N_
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.sessions.ports import database_away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from filelock import BaseFileLock

    from jupyter_oidc.adapters.storage.database.rows import RowName, Tags

_TAKE: Final = """
    INSERT INTO oidc_entries (account, entry, turn) VALUES (?, ?, 1)
    ON CONFLICT (account, entry) DO UPDATE SET turn = turn + 1
    RETURNING turn, in_use_by
"""
_SAVE: Final = """
    INSERT INTO oidc_entries (account, entry, sealed, subject, sid) VALUES (?1, ?2, ?3, ?5, ?6)
    ON CONFLICT (account, entry) DO UPDATE SET
        sealed = excluded.sealed,
        subject = excluded.subject,
        sid = excluded.sid,
        access = CASE WHEN ?4 IS NOT NULL THEN access END,
        changed_at = CURRENT_TIMESTAMP,
        turn = turn + (?4 IS NULL),
        in_use_by = CASE WHEN ?4 IS NOT NULL THEN in_use_by END
    WHERE turn <= COALESCE(?4, turn)
    RETURNING turn
"""
_DELETE: Final = """
    UPDATE oidc_entries SET
        sealed = NULL,
        subject = NULL,
        sid = NULL,
        access = NULL,
        changed_at = CURRENT_TIMESTAMP,
        turn = turn + (?3 IS NULL),
        in_use_by = CASE WHEN ?3 IS NOT NULL THEN in_use_by END
    WHERE account = ?1 AND entry = ?2 AND turn <= COALESCE(?3, turn)
"""
_MARK: Final = """
    UPDATE oidc_entries SET in_use_by = ?1 WHERE account = ?2 AND entry = ?3 AND turn <= ?4
    RETURNING turn
"""
_WITH: Final = """
    SELECT account FROM oidc_entries WHERE entry = ?1 AND (subject = ?2 OR sid = ?3) AND sealed IS NOT NULL
"""
_ACCOUNTS: Final = """
    SELECT DISTINCT account FROM oidc_entries WHERE sealed IS NOT NULL
"""
_LOAD: Final = """
    SELECT sealed FROM oidc_entries WHERE account = ? AND entry = ?
"""
_SEAL_ANEW: Final = """
    UPDATE oidc_entries SET sealed = ? WHERE account = ? AND entry = ? AND sealed = ?
"""
_LOAD_ACCESS: Final = """
    SELECT access FROM oidc_entries WHERE account = ? AND entry = ?
"""
_SAVE_ACCESS: Final = """
    UPDATE oidc_entries SET access = ?3
    WHERE account = ?1 AND entry = ?2 AND sealed IS NOT NULL AND turn <= COALESCE(?4, turn)
"""

_END_GRANTS: Final = """
    DELETE FROM oidc_grants WHERE ends < ?
"""
_ADD_GRANT: Final = """
    INSERT INTO oidc_grants (id, digest, account, sealed, began, ends, lease_ends, last_used)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_GRANT: Final = """
    SELECT id, digest, account, sealed, began, ends, lease_ends, last_used FROM oidc_grants WHERE digest = ?
"""
_GRANTS_OF: Final = """
    SELECT id, digest, account, sealed, began, ends, lease_ends, last_used FROM oidc_grants
    WHERE account = ? ORDER BY began
"""
_SEAL_GRANT_ANEW: Final = """
    UPDATE oidc_grants SET sealed = ? WHERE digest = ? AND sealed = ?
"""
_REMOVE_GRANT: Final = """
    DELETE FROM oidc_grants WHERE account = ? AND id = ?
"""
_RENEW_GRANTS: Final = """
    UPDATE oidc_grants SET lease_ends = ?
    WHERE account = ? AND id IN (SELECT value FROM json_each(?)) AND lease_ends IS NOT NULL
"""
_NOTE_GRANT_USE: Final = """
    UPDATE oidc_grants SET last_used = ? WHERE account = ? AND id = ?
"""

_T = TypeVar("_T")


class SqliteRows:
    """Implements ``Rows`` with the file at ``path``; its folder must be this user's alone."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._is_closed = False
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
        marked = await self.run("SELECT account, entry FROM oidc_entries WHERE in_use_by IS NOT NULL")
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
            try:
                self._connection.executescript(f"BEGIN; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.rollback()
                raise

        await self._in_thread(work)
        return before, VERSION

    async def ping(self) -> None:
        """Ask the database for an answer."""
        await self.run("SELECT 1")

    async def load(self, name: RowName) -> bytes | None:
        """Return the sealed text of a row."""
        rows = await self.run(_LOAD, *name)
        return rows[0][0] if rows else None

    async def save(self, name: RowName, sealed: bytes, turn: int | None, tags: Tags = NO_TAGS) -> bool:
        """Store the sealed text of a row; see ``Rows.save``."""
        return bool(await self.run(_SAVE, *name, sealed, turn, *tags))

    async def load_access(self, name: RowName) -> bytes | None:
        """Return the sealed access tokens of a row."""
        rows = await self.run(_LOAD_ACCESS, *name)
        return rows[0][0] if rows else None

    async def save_access(self, name: RowName, sealed: bytes, turn: int | None) -> None:
        """Store the sealed access tokens of a row; see ``Rows.save_access``."""
        await self.run(_SAVE_ACCESS, *name, sealed, turn)

    async def seal_anew(self, name: RowName, before: bytes, after: bytes) -> None:
        """Give a row another seal; see ``Rows.seal_anew``."""
        await self.run(_SEAL_ANEW, after, *name, before)

    async def accounts_with(self, entry: str, tags: Tags) -> list[str]:
        """Return the accounts that have a sealed row ``entry`` with one of ``tags``."""
        return [account for (account,) in await self.run(_WITH, entry, *tags)]

    async def accounts(self) -> list[str]:
        """Return every account that has a sealed row."""
        return [account for (account,) in await self.run(_ACCOUNTS)]

    async def delete(self, name: RowName, turn: int | None) -> None:
        """Remove the sealed text of a row; see ``Rows.delete``."""
        await self.run(_DELETE, *name, turn)

    async def mark(self, name: RowName, turn: int, *, in_use: bool) -> bool:
        """Write or remove the mark; it is on the disk when this returns. See ``Rows.mark``."""
        return bool(await self.run(_MARK, "here" if in_use else None, *name, turn))

    @asynccontextmanager
    async def take_turn(self, name: RowName, timeout_seconds: float) -> AsyncIterator[Turn]:
        """Wait for the other turns of this process; see ``Rows.take_turn``."""
        lock = self._turns[name]
        await acquire(lock, timeout_seconds)
        try:
            [(number, mark)] = await self.run(_TAKE, *name)
            interrupted = mark is not None and tuple(name) in self._marked_before
            self._marked_before.discard((name.account, name.entry))
            yield Turn(self, name, number, interrupted=interrupted)
        finally:
            lock.release()

    async def add_grant(self, row: GrantRow) -> None:
        """Store a new worker grant; see ``Rows.add_grant``."""
        await self.run(_END_GRANTS, row.began)
        await self.run(_ADD_GRANT, *row)

    async def grant(self, digest: str) -> GrantRow | None:
        """Return the worker grant whose text has this ``digest``."""
        return next((GrantRow(*row) for row in await self.run(_GRANT, digest)), None)

    async def grants_of(self, account: str) -> list[GrantRow]:
        """Return the worker grants of an account."""
        return [GrantRow(*row) for row in await self.run(_GRANTS_OF, account)]

    async def seal_grant_anew(self, digest: str, before: bytes, after: bytes) -> None:
        """Give a worker grant another seal; see ``Rows.seal_grant_anew``."""
        await self.run(_SEAL_GRANT_ANEW, after, digest, before)

    async def remove_grant(self, account: str, grant_id: str) -> None:
        """Remove a worker grant of an account."""
        await self.run(_REMOVE_GRANT, account, grant_id)

    async def renew_grants(self, account: str, grant_ids: Sequence[str], lease_ends: float) -> None:
        """Let the leases of these grants end later."""
        await self.run(_RENEW_GRANTS, lease_ends, account, json.dumps(list(grant_ids)))

    async def note_grant_use(self, account: str, grant_id: str, at: float) -> None:
        """Store when a grant was used last."""
        await self.run(_NOTE_GRANT_USE, at, account, grant_id)

    async def run(self, statement: str, *arguments: object) -> list[Any]:
        """Run one statement and return its rows; what it has written is on the disk then."""
        return await self._in_thread(lambda: self._connection.execute(statement, arguments).fetchall())

    async def aclose(self) -> None:
        """Close the file; closing twice is no error."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown(wait=False)

    def _close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.close()
        if self._process is not None:
            self._process.release()

    def _open(self) -> int:
        """Open the file for this process alone, and return the version of its tables."""
        if self._database is None:
            self._take_file()
            try:
                self._path.touch(mode=0o600)
                self._database = sqlite3.connect(self._path, isolation_level=None)
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = FULL")
            except BaseException:
                self._close()
                raise
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _take_file(self) -> None:
        """Lock the file for this process; raises ``StorageUnavailable`` if another one has it, or may have it unseen."""
        from filelock import FileLock, Timeout

        if is_network(self._path.parent):
            raise StorageUnavailable(
                N_("The database file of the sessions is on a network file system, where others may use it unnoticed."),
                action=N_("Put it on a disk of this machine, or use a PostgreSQL database."),
                detail="lock_network",
            )
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

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._database is None:
            raise database_away()
        return self._database

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Return ``work()``; it ends also if the caller is cancelled, before the next begins."""
        if self._is_closed:
            raise database_away()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError):
            raise database_away() from None
