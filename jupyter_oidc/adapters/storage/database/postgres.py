"""Rows in PostgreSQL, for any number of equal replicas.

A turn is an advisory lock of a transaction, so it ends with its connection, whatever becomes of the process.
Its number and its mark are written by other connections: they last when that transaction is rolled back.
Each replica tells every few seconds that it runs. A mark of one that runs means that it has the successor of the used
token and has not stored it yet, so nobody else uses the stored one; a mark of one that runs no more is an interruption.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import AsyncConnection, Error
from psycopg.errors import LockNotAvailable, UndefinedTable
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from jupyter_oidc.adapters.storage.database.rows import (
    PRESENCE_SECONDS,
    RowName,
    database_away,
    other_schema,
    turn_taken,
)
from jupyter_oidc.adapters.storage.database.schema import POSTGRESQL, VERSION
from jupyter_oidc.problems import Problem
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.background import Background
    from jupyter_oidc.secret import Secret

MAX_CONNECTIONS: Final = 8
"""Connections for reading and writing rows; each call holds one for milliseconds."""

MAX_TURNS: Final = 16
"""Turns of this replica at once; each holds a connection for as long as the provider answers."""

TIMEOUT_SECONDS: Final = 5.0
"""Seconds for a connection, and for one statement."""

_MIGRATION_LOCK: Final = 5_283_119_024_701
_MILLISECONDS: Final = 1_000

_TAKE: Final = """
    INSERT INTO oidc_entries (account, entry, turn) VALUES (%(account)s, %(entry)s, 1)
    ON CONFLICT (account, entry) DO UPDATE SET turn = oidc_entries.turn + 1
    WHERE oidc_entries.in_use_by IS NULL OR oidc_entries.in_use_by = %(replica)s OR NOT EXISTS (
        SELECT 1 FROM oidc_replicas
        WHERE replica = oidc_entries.in_use_by AND seen_at > now() - make_interval(secs => %(presence)s)
    )
    RETURNING turn, in_use_by
"""
"""Counts a turn and returns its number and the mark; no row, and no new number, while the mark is of a running replica."""

_SAVE: Final = """
    INSERT INTO oidc_entries (account, entry, sealed) VALUES (%s, %s, %s)
    ON CONFLICT (account, entry) DO UPDATE SET sealed = excluded.sealed, changed_at = now()
    WHERE oidc_entries.turn <= COALESCE(%s::bigint, oidc_entries.turn)
"""
_DELETE: Final = """
    UPDATE oidc_entries SET sealed = NULL, changed_at = now()
    WHERE account = %s AND entry = %s AND turn <= COALESCE(%s::bigint, turn)
"""
_MARK: Final = "UPDATE oidc_entries SET in_use_by = %s WHERE account = %s AND entry = %s AND turn <= %s"
_SEEN: Final = """
    INSERT INTO oidc_replicas (replica, seen_at) VALUES (%s, now())
    ON CONFLICT (replica) DO UPDATE SET seen_at = now()
"""


@dataclass(frozen=True, slots=True)
class _PostgresTurn:
    """Implements ``Turn``."""

    rows: PostgresRows
    name: RowName
    number: int
    interrupted: bool

    async def mark_in_use(self) -> None:
        """Write the name of this replica beside the row."""
        await self.rows.run(_MARK, self.rows.replica, *self.name, self.number)

    async def clear_mark(self) -> None:
        """Remove it."""
        await self.rows.run(_MARK, None, *self.name, self.number)


class PostgresRows:
    """Implements ``Rows`` with the database at ``address`` (a libpq connection string or URI), for ``replica``.

    ``background`` owns the task that tells others that this replica runs.
    """

    def __init__(
        self,
        address: Secret,
        replica: str,
        background: Background,
        *,
        presence_seconds: float = PRESENCE_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.replica = replica
        self._presence_seconds = presence_seconds
        self._work = _pool(address, MAX_CONNECTIONS, timeout_seconds)
        self._turns = _pool(address, MAX_TURNS, timeout_seconds)
        self._background = background
        self._presence: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, check the version of the tables, and tell that this replica runs; see ``Rows.open``."""
        await self._work.open()
        await self._turns.open()
        found = await self.version()
        if found != VERSION:
            raise other_schema(found, VERSION)
        await self.run(_SEEN, self.replica)
        self._presence = self._background.start(self._tell_presence())

    async def version(self) -> int:
        """Return the version of the tables, 0 for none."""
        try:
            async with self._connection() as connection:
                cursor = await connection.execute("SELECT version FROM oidc_schema")
                row = await cursor.fetchone()
        except UndefinedTable:
            return 0
        return int(row[0]) if row else 0

    async def migrate(self) -> tuple[int, int]:
        """Bring the tables to the present version; return the version before and after.

        One process does it at a time; the steps are one transaction.
        Raises ``StorageUnavailable`` for tables that are newer than this program.
        """
        await self._work.open()
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            await connection.execute("CREATE TABLE IF NOT EXISTS oidc_schema (version integer NOT NULL)")
            row = await (await connection.execute("SELECT version FROM oidc_schema")).fetchone()
            before = int(row[0]) if row else 0
            if before > VERSION:
                raise other_schema(before, VERSION)
            for step in POSTGRESQL[before:]:
                await connection.execute(step.encode())  # NOTE: several statements, so without parameters
            await connection.execute("DELETE FROM oidc_schema")
            await connection.execute("INSERT INTO oidc_schema VALUES (%s)", (VERSION,))
        return before, VERSION

    async def load(self, name: RowName) -> bytes | None:
        """Return the sealed text of a row."""
        row = await self.run("SELECT sealed FROM oidc_entries WHERE account = %s AND entry = %s", *name)
        return None if row is None or row[0] is None else bytes(row[0])

    async def save(self, name: RowName, sealed: bytes, turn: int | None) -> None:
        """Store the sealed text of a row; see ``Rows.save``."""
        await self.run(_SAVE, *name, sealed, turn)

    async def delete(self, name: RowName, turn: int | None) -> None:
        """Remove the sealed text of a row; see ``Rows.delete``."""
        await self.run(_DELETE, *name, turn)

    @asynccontextmanager
    async def take_turn(self, name: RowName, timeout_seconds: float) -> AsyncIterator[_PostgresTurn]:
        """Wait for the advisory lock of the row; see ``Rows.take_turn``."""
        try:
            connection = await self._turns.getconn(timeout_seconds)
        except (PoolTimeout, Error, OSError):
            raise (turn_taken() if self._is_busy() else database_away()) from None
        try:
            await self._lock(connection, name, timeout_seconds)
            yield await self._turn(name)
        finally:
            with suppress(Error, OSError):
                await connection.rollback()
            await self._turns.putconn(connection)  # NOTE: a broken one is dropped

    async def run(self, statement: str, *arguments: object) -> tuple[Any, ...] | None:
        """Run one statement in a transaction of its own; return its first row, or ``None``."""
        async with self._connection() as connection:
            cursor = await connection.execute(statement.encode(), arguments)
            return await cursor.fetchone() if cursor.description else None

    async def aclose(self) -> None:
        """Tell that this replica runs no more, and close all connections."""
        if self._presence is not None:
            self._presence.cancel()
            with suppress(Problem):  # NOTE: the others wait a few seconds longer then
                await self.run("DELETE FROM oidc_replicas WHERE replica = %s", self.replica)
        await self._work.close()
        await self._turns.close()

    async def _lock(self, connection: AsyncConnection[Any], name: RowName, timeout_seconds: float) -> None:
        wait = max(1, int(timeout_seconds * _MILLISECONDS))
        try:
            # NOTE: a wait for a lock is no slow statement; the time of both is limited by the first.
            await connection.execute(f"SET LOCAL lock_timeout = {wait}".encode())
            await connection.execute(b"SET LOCAL statement_timeout = 0")
            await connection.execute(b"SELECT pg_advisory_xact_lock(%s)", (_lock_number(name),))
        except LockNotAvailable:
            raise turn_taken() from None
        except (Error, OSError):
            raise database_away() from None

    async def _turn(self, name: RowName) -> _PostgresTurn:
        told = {**name._asdict(), "replica": self.replica, "presence": self._presence_seconds}
        async with self._connection() as connection:
            row = await (await connection.execute(_TAKE.encode(), told)).fetchone()
        if row is None:
            raise turn_taken()
        number, user = row
        return _PostgresTurn(self, name, number, interrupted=user not in (None, self.replica))

    async def _tell_presence(self) -> None:
        while True:
            await asyncio.sleep(self._presence_seconds / 3)
            with suppress(Problem):  # NOTE: while the database is away, every other call says so
                await self.run(_SEEN, self.replica)

    def _is_busy(self) -> bool:
        """Return whether all turns of this replica are taken."""
        held = self._turns.get_stats()
        return held.get("pool_size", 0) >= MAX_TURNS and not held.get("pool_available", 0)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        try:
            async with self._work.connection() as connection:
                yield connection
        except UndefinedTable:
            raise
        except (Error, PoolTimeout, OSError):
            raise database_away() from None  # NOTE: the text of an error may quote the address, which has a password


def _pool(address: Secret, most: int, timeout_seconds: float) -> AsyncConnectionPool[AsyncConnection[Any]]:
    return AsyncConnectionPool(
        reveal(address),
        min_size=0,
        max_size=most,
        open=False,
        timeout=timeout_seconds,
        check=AsyncConnectionPool.check_connection,
        kwargs={
            "connect_timeout": max(1, int(timeout_seconds)),
            "keepalives_idle": int(TIMEOUT_SECONDS),
            "tcp_user_timeout": int(
                2 * TIMEOUT_SECONDS * _MILLISECONDS
            ),  # NOTE: else a cut network is noticed in hours
            "options": f"-c statement_timeout={int(timeout_seconds * _MILLISECONDS)}",
            "application_name": "jupyter_oidc",
        },
    )


def _lock_number(name: RowName) -> int:
    """Return the number of the row's advisory lock: 64 bits of a digest; two rows that share one wait for each other."""
    digest = hashlib.sha256("\0".join(("jupyter_oidc", *name)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
