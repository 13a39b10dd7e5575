"""Rows in PostgreSQL, for any number of equal replicas.

A turn is an advisory lock of a transaction, so it ends with its connection, whatever becomes of the process.
Its number and its mark are written by other connections: they last when that transaction is rolled back.
Each replica tells every few seconds that it runs. A mark of one that runs means that it may have the successor of the
used token and has not stored it yet, so no other one uses the stored token; a mark of one that runs no more is an
interruption.

Nothing here depends on the state of a connection beyond its transaction, so a pooler may hand connections out by
transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakValueDictionary

from psycopg import AsyncConnection, Error, ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import LockNotAvailable, UndefinedTable
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from jupyter_oidc.adapters.storage.database.rows import (
    NO_TAGS,
    PRESENCE_SECONDS,
    GrantRow,
    RowName,
    Tags,
    Turn,
    acquire,
    other_schema,
    turn_taken,
)
from jupyter_oidc.adapters.storage.database.schema import POSTGRESQL, VERSION
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Problem, StorageUnavailable
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.ports import database_away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from jupyter_oidc.background import Background
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.secret import Secret

MAX_CONNECTIONS: Final = 8
"""Connections for reading and writing rows; each call holds one for milliseconds."""

MAX_TURNS: Final = 16
"""Turns of this replica at once; each holds a connection for as long as the provider answers."""

MAX_TURN_SECONDS: Final = 60.0
"""Seconds after which the database ends a turn of a replica that is stopped or cut off: longer than any refresh."""

TIMEOUT_SECONDS: Final = 5.0
"""Seconds for a connection, and for one call with it."""

_MIGRATION_SECONDS: Final = 600.0
_MIGRATION_LOCK: Final = 5_283_119_024_701
_MILLISECONDS: Final = 1_000
_KEEPALIVE: Final = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2}
"""Seconds, seconds and number of probes after which a cut network is noticed, at both ends."""

_TAKE: Final = """
    WITH before AS (
        SELECT in_use_by FROM oidc_entries WHERE account = %(account)s AND entry = %(entry)s
    )
    INSERT INTO oidc_entries (account, entry, turn) VALUES (%(account)s, %(entry)s, 1)
    ON CONFLICT (account, entry) DO UPDATE SET
        turn = oidc_entries.turn + 1,
        in_use_by = CASE WHEN oidc_entries.in_use_by = %(replica)s THEN oidc_entries.in_use_by END
    WHERE oidc_entries.in_use_by IS NULL OR oidc_entries.in_use_by = %(replica)s OR NOT EXISTS (
        SELECT 1 FROM oidc_replicas
        WHERE replica = oidc_entries.in_use_by AND seen_at > now() - make_interval(secs => %(presence)s)
    )
    RETURNING turn, (SELECT in_use_by FROM before)
"""
"""Counts a turn, and returns its number and the mark that was there; a mark of a replica that runs no more is removed.

No row, and no new number, while the mark is of another replica that runs.
"""

_SAVE: Final = """
    INSERT INTO oidc_entries (account, entry, sealed, subject, sid)
    VALUES (%(account)s, %(entry)s, %(sealed)s, %(subject)s, %(sid)s)
    ON CONFLICT (account, entry) DO UPDATE SET
        sealed = excluded.sealed,
        subject = excluded.subject,
        sid = excluded.sid,
        access = CASE WHEN %(turn)s::bigint IS NOT NULL THEN oidc_entries.access END,
        changed_at = now(),
        turn = oidc_entries.turn + CASE WHEN %(turn)s::bigint IS NULL THEN 1 ELSE 0 END,
        in_use_by = CASE WHEN %(turn)s::bigint IS NOT NULL THEN oidc_entries.in_use_by END
    WHERE oidc_entries.turn <= COALESCE(%(turn)s::bigint, oidc_entries.turn)
    RETURNING turn
"""
_DELETE: Final = """
    UPDATE oidc_entries SET
        sealed = NULL,
        subject = NULL,
        sid = NULL,
        access = NULL,
        changed_at = now(),
        turn = turn + CASE WHEN %(turn)s::bigint IS NULL THEN 1 ELSE 0 END,
        in_use_by = CASE WHEN %(turn)s::bigint IS NOT NULL THEN in_use_by END
    WHERE account = %(account)s AND entry = %(entry)s AND turn <= COALESCE(%(turn)s::bigint, turn)
"""
"""As the one above: what is written without a turn counts as a turn of its own, and ends the use of the token before."""

_MARK: Final = """
    UPDATE oidc_entries SET in_use_by = %(user)s
    WHERE account = %(account)s AND entry = %(entry)s AND turn <= %(turn)s
    RETURNING turn
"""
_WITH: Final = """
    SELECT account FROM oidc_entries
    WHERE entry = %(entry)s AND (subject = %(subject)s OR sid = %(sid)s) AND sealed IS NOT NULL
"""
_ACCOUNTS: Final = """
    SELECT DISTINCT account FROM oidc_entries WHERE sealed IS NOT NULL
"""
_LOAD: Final = """
    SELECT sealed FROM oidc_entries WHERE account = %(account)s AND entry = %(entry)s
"""
_SEAL_ANEW: Final = """
    UPDATE oidc_entries SET sealed = %(after)s
    WHERE account = %(account)s AND entry = %(entry)s AND sealed = %(before)s
"""
_LOAD_ACCESS: Final = """
    SELECT access FROM oidc_entries WHERE account = %(account)s AND entry = %(entry)s
"""
_SAVE_ACCESS: Final = """
    UPDATE oidc_entries SET access = %(sealed)s
    WHERE account = %(account)s AND entry = %(entry)s AND sealed IS NOT NULL
    AND turn <= COALESCE(%(turn)s::bigint, turn)
"""
_SEEN: Final = """
    INSERT INTO oidc_replicas (replica, seen_at) VALUES (%(replica)s, now())
    ON CONFLICT (replica) DO UPDATE SET seen_at = now()
"""
_FORGET: Final = """
    DELETE FROM oidc_replicas WHERE replica = %(replica)s OR seen_at < now() - interval '1 day'
"""

_ADD_GRANT: Final = """
    WITH ended AS (DELETE FROM oidc_grants WHERE ends < %(began)s)
    INSERT INTO oidc_grants (id, digest, account, sealed, began, ends, lease_ends, last_used)
    VALUES (%(id)s, %(digest)s, %(account)s, %(sealed)s, %(began)s, %(ends)s, %(lease_ends)s, %(last_used)s)
"""
_GRANT: Final = """
    SELECT id, digest, account, sealed, began, ends, lease_ends, last_used FROM oidc_grants WHERE digest = %(digest)s
"""
_GRANTS_OF: Final = """
    SELECT id, digest, account, sealed, began, ends, lease_ends, last_used FROM oidc_grants
    WHERE account = %(account)s ORDER BY began
"""
_SEAL_GRANT_ANEW: Final = """
    UPDATE oidc_grants SET sealed = %(after)s WHERE digest = %(digest)s AND sealed = %(before)s
"""
_REMOVE_GRANT: Final = """
    DELETE FROM oidc_grants WHERE account = %(account)s AND id = %(grant_id)s
"""
_RENEW_GRANTS: Final = """
    UPDATE oidc_grants SET lease_ends = %(lease_ends)s
    WHERE account = %(account)s AND id = ANY(%(grant_ids)s) AND lease_ends IS NOT NULL
"""
_NOTE_GRANT_USE: Final = """
    UPDATE oidc_grants SET last_used = %(at)s WHERE account = %(account)s AND id = %(grant_id)s
"""

_T = TypeVar("_T")


class PostgresRows:
    """Implements ``Rows`` with the database at ``address`` (a libpq connection string or URI), for ``replica``.

    ``background`` owns the task that tells others that this replica runs.
    Raises :class:`~jupyter_oidc.problems.StorageUnavailable` for an address that is none.
    """

    def __init__(
        self,
        address: Secret,
        replica: str,
        background: Background,
        entropy: Entropy,
        *,
        presence_seconds: float = PRESENCE_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
        turn_seconds: float = MAX_TURN_SECONDS,
    ) -> None:
        # NOTE: a replica that was started again knows nothing of what the one before it has used.
        self.replica = f"{replica}.{entropy.token(64)}"
        self._presence_seconds = presence_seconds
        self._timeout_seconds = timeout_seconds
        self._turn_seconds = turn_seconds
        parts = _parts_of(address)
        self._work = _pool(parts, MAX_CONNECTIONS, timeout_seconds)
        self._turns = _pool(parts, MAX_TURNS, timeout_seconds)
        self._held = 0
        self._alone: WeakValueDictionary[RowName, asyncio.Lock] = WeakValueDictionary()
        self._background = background
        self._presence: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, check the version of the tables, and tell that this replica runs; see ``Rows.open``."""
        await self._work.open()
        await self._turns.open()
        found = await self.version()
        if found != VERSION:
            raise other_schema(found, VERSION)
        await self.run(_FORGET, replica=self.replica)
        await self.run(_SEEN, replica=self.replica)
        self._start_presence()

    async def version(self) -> int:
        """Return the version of the tables, 0 for none."""
        try:
            rows = await self._within(self._once("SELECT version FROM oidc_schema", {}), self._timeout_seconds)
        except UndefinedTable:
            return 0
        return int(rows[0][0]) if rows else 0

    async def migrate(self) -> tuple[int, int]:
        """Bring the tables to the present version; return the version before and after.

        One process does it at a time; the steps are one transaction.
        Raises ``StorageUnavailable`` for tables that are newer than this program.
        """
        await self._work.open()
        return await self._within(self._migrated(), _MIGRATION_SECONDS)

    async def ping(self) -> None:
        """Ask the database for an answer."""
        await self.run("SELECT 1")

    async def load(self, name: RowName) -> bytes | None:
        """Return the sealed text of a row."""
        row = await self.run(_LOAD, **name._asdict())
        return None if row is None or row[0] is None else bytes(row[0])

    async def save(self, name: RowName, sealed: bytes, turn: int | None, tags: Tags = NO_TAGS) -> bool:
        """Store the sealed text of a row; see ``Rows.save``."""
        return await self.run(_SAVE, **name._asdict(), sealed=sealed, turn=turn, **tags._asdict()) is not None

    async def load_access(self, name: RowName) -> bytes | None:
        """Return the sealed access tokens of a row."""
        row = await self.run(_LOAD_ACCESS, **name._asdict())
        return None if row is None or row[0] is None else bytes(row[0])

    async def save_access(self, name: RowName, sealed: bytes, turn: int | None) -> None:
        """Store the sealed access tokens of a row; see ``Rows.save_access``."""
        await self.run(_SAVE_ACCESS, **name._asdict(), sealed=sealed, turn=turn)

    async def seal_anew(self, name: RowName, before: bytes, after: bytes) -> None:
        """Give a row another seal; see ``Rows.seal_anew``."""
        await self.run(_SEAL_ANEW, **name._asdict(), before=before, after=after)

    async def accounts_with(self, entry: str, tags: Tags) -> list[str]:
        """Return the accounts that have a sealed row ``entry`` with one of ``tags``."""
        return [account for (account,) in await self._rows(_WITH, entry=entry, **tags._asdict())]

    async def accounts(self) -> list[str]:
        """Return every account that has a sealed row."""
        return [account for (account,) in await self._rows(_ACCOUNTS)]

    async def delete(self, name: RowName, turn: int | None) -> None:
        """Remove the sealed text of a row; see ``Rows.delete``."""
        await self.run(_DELETE, **name._asdict(), turn=turn)

    async def mark(self, name: RowName, turn: int, *, in_use: bool) -> bool:
        """Write or remove the name of this replica beside the row; see ``Rows.mark``."""
        user = self.replica if in_use else None
        return await self.run(_MARK, **name._asdict(), user=user, turn=turn) is not None

    async def add_grant(self, row: GrantRow) -> None:
        """Store a new worker grant; see ``Rows.add_grant``."""
        await self.run(_ADD_GRANT, **row._asdict())

    async def grant(self, digest: str) -> GrantRow | None:
        """Return the worker grant whose text has this ``digest``."""
        row = await self.run(_GRANT, digest=digest)
        return None if row is None else _grant_row(row)

    async def grants_of(self, account: str) -> list[GrantRow]:
        """Return the worker grants of an account."""
        return [_grant_row(row) for row in await self._rows(_GRANTS_OF, account=account)]

    async def seal_grant_anew(self, digest: str, before: bytes, after: bytes) -> None:
        """Give a worker grant another seal; see ``Rows.seal_grant_anew``."""
        await self.run(_SEAL_GRANT_ANEW, digest=digest, before=before, after=after)

    async def remove_grant(self, account: str, grant_id: str) -> None:
        """Remove a worker grant of an account."""
        await self.run(_REMOVE_GRANT, account=account, grant_id=grant_id)

    async def renew_grants(self, account: str, grant_ids: Sequence[str], lease_ends: float) -> None:
        """Let the leases of these grants end later."""
        await self.run(_RENEW_GRANTS, account=account, grant_ids=list(grant_ids), lease_ends=lease_ends)

    async def note_grant_use(self, account: str, grant_id: str, at: float) -> None:
        """Store when a grant of an account was used last."""
        await self.run(_NOTE_GRANT_USE, account=account, grant_id=grant_id, at=at)

    @asynccontextmanager
    async def take_turn(self, name: RowName, timeout_seconds: float) -> AsyncIterator[Turn]:
        """Wait for the others of this replica, then for the advisory lock of the row; see ``Rows.take_turn``."""
        now = asyncio.get_running_loop().time
        deadline = now() + timeout_seconds
        alone = self._alone.setdefault(name, asyncio.Lock())
        await acquire(alone, timeout_seconds)
        try:
            connection = await self._turn_connection(max(deadline - now(), self._timeout_seconds))
            self._held += 1
            try:
                await self._lock(connection, name, max(deadline - now(), 0.0))
                yield await self._turn(name)
            finally:
                self._held -= 1
                # NOTE: a broken one is dropped by the pool; a cancelled caller does not keep it.
                await asyncio.shield(self._end_turn(connection))
        finally:
            alone.release()

    async def run(self, statement: str, **arguments: object) -> tuple[Any, ...] | None:
        """Run one statement in a transaction of its own; return its first row, or ``None``."""
        return next(iter(await self._rows(statement, **arguments)), None)

    async def _rows(self, statement: str, **arguments: object) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; return its rows."""
        try:
            return await self._within(self._once(statement, arguments), self._timeout_seconds)
        except UndefinedTable:  # a restore may make the tables anew
            raise database_away() from None

    async def aclose(self) -> None:
        """Tell that this replica runs no more, and close all connections."""
        if self._presence is not None:
            self._presence.cancel()
            with suppress(Problem):  # NOTE: the others wait a few seconds longer then
                await self.run(_FORGET, replica=self.replica)
        await self._work.close()
        await self._turns.close()

    async def _end_turn(self, connection: AsyncConnection[Any]) -> None:
        with suppress(Error, OSError):
            await connection.rollback()
        await self._turns.putconn(connection)

    async def _turn_connection(self, timeout_seconds: float) -> AsyncConnection[Any]:
        try:
            return await self._turns.getconn(timeout_seconds)
        except (PoolTimeout, Error, OSError):
            raise (turn_taken() if self._held >= MAX_TURNS else database_away()) from None

    async def _lock(self, connection: AsyncConnection[Any], name: RowName, timeout_seconds: float) -> None:
        """Take the lock of the row; the database gives it back if this replica is stopped or cut off."""
        wait = max(1, int(timeout_seconds * _MILLISECONDS))
        limits = {"lock_timeout": wait, "idle_in_transaction_session_timeout": int(self._turn_seconds * _MILLISECONDS)}
        limits |= {f"tcp_{name}": value for name, value in _KEEPALIVE.items()}

        async def lock() -> None:
            for limit, value in limits.items():
                await connection.execute(f"SET LOCAL {limit} = {value}".encode())
            await connection.execute(b"SELECT pg_advisory_xact_lock(%s)", (_lock_number(name),))

        try:
            await self._within(lock(), timeout_seconds + self._timeout_seconds)
        except LockNotAvailable:
            raise turn_taken() from None

    async def _turn(self, name: RowName) -> Turn:
        row = await self.run(_TAKE, **name._asdict(), replica=self.replica, presence=self._presence_seconds)
        if row is None:
            raise turn_taken()
        number, user = row
        return Turn(self, name, number, interrupted=user not in (None, self.replica))

    async def _once(self, statement: str, arguments: dict[str, object]) -> list[tuple[Any, ...]]:
        async with self._work.connection() as connection:
            cursor = await connection.execute(statement.encode(), arguments)
            return await cursor.fetchall() if cursor.description else []

    async def _migrated(self) -> tuple[int, int]:
        async with self._work.connection() as connection:
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

    async def _within(self, work: Awaitable[_T], seconds: float) -> _T:
        """Return the result of ``work``; a database that does not answer in time is away.

        The text of an error may quote the address, which has a password, so none is handed on.
        """
        try:
            return await asyncio.wait_for(work, seconds)
        except (LockNotAvailable, UndefinedTable):
            raise
        except (Error, OSError, asyncio.TimeoutError):
            raise database_away() from None

    def _start_presence(self) -> None:
        self._presence = self._background.start(self._tell_presence(), after_defect=self._start_presence)

    async def _tell_presence(self) -> None:
        pause = self._presence_seconds / 4
        while True:
            await asyncio.sleep(pause)
            try:
                await self.run(_SEEN, replica=self.replica)
                pause = self._presence_seconds / 4
            except Problem:  # NOTE: while the database is away, every other call says so
                pause = self._presence_seconds / 15


def _parts_of(address: Secret) -> dict[str, Any]:
    """Return the parts of the address; an error of the driver, which the pool would log, quotes it."""
    try:
        return dict(conninfo_to_dict(reveal(address)))
    except ProgrammingError:
        raise StorageUnavailable(
            N_("The address of the database is none that PostgreSQL knows."),
            action=N_("Write it as postgresql://user:password@host/database, with other characters percent-encoded."),
            detail="database_address",
        ) from None


def _pool(parts: dict[str, Any], most: int, timeout_seconds: float) -> AsyncConnectionPool[AsyncConnection[Any]]:
    return AsyncConnectionPool(
        min_size=0,
        max_size=most,
        open=False,
        timeout=timeout_seconds,
        reconnect_timeout=timeout_seconds,
        check=AsyncConnectionPool.check_connection,
        kwargs={
            "application_name": "jupyter_oidc",
            **_KEEPALIVE,
            **parts,
            "connect_timeout": max(1, int(timeout_seconds)),
            "tcp_user_timeout": int(2 * timeout_seconds * _MILLISECONDS),
            "prepare_threshold": None,  # NOTE: a pooler by transaction gives the next statement another connection
        },
    )


def _grant_row(row: tuple[Any, ...]) -> GrantRow:
    found = GrantRow(*row)
    return found._replace(sealed=bytes(found.sealed))


def _lock_number(name: RowName) -> int:
    """Return the number of the row's advisory lock: 64 bits of a digest; two rows that share one wait for each other."""
    digest = hashlib.sha256("\0".join(("jupyter_oidc", *name)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
