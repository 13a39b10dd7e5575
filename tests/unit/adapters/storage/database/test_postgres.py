"""Rows in a real PostgreSQL: equal replicas take turns, whatever becomes of a replica or of the database."""

from __future__ import annotations

import asyncio
import signal
import time
import traceback
from contextlib import suppress

import psycopg
import pytest

from jupyter_oidc.adapters.storage.database.entry import DatabaseEntry
from jupyter_oidc.adapters.storage.database.postgres import PostgresRows
from jupyter_oidc.adapters.storage.database.schema import VERSION
from jupyter_oidc.problems import Overloaded, StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from tests.support.marker import MARKER
from tests.support.postgres import Postgres
from tests.unit.adapters.entries import entry, token_in
from tests.unit.adapters.storage.database.replicas import ONE, TWO, entry_of, fresh_database, replica, rows_at


@pytest.fixture
def address(postgres: Postgres, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Secret:
    return jp_asyncio_loop.run_until_complete(fresh_database(postgres))


async def ask(address: Secret, statement: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(reveal(address), autocommit=True) as connection:
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


async def detail_of(call: object) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        await call  # type: ignore[misc]
    return caught.value.detail


# -- tables --------------------------------------------------------------------------------------------------------


async def test_tables_are_made_once_and_a_database_without_them_is_named(postgres: Postgres) -> None:
    postgres.run("CREATE DATABASE bare")
    rows = rows_at(postgres.address("bare"))
    assert await detail_of(rows.open()) == "database_schema"
    assert (await rows.migrate(), await rows.migrate()) == ((0, VERSION), (VERSION, VERSION))
    await rows.aclose()
    async with replica(postgres.address("bare")) as opened:
        assert await opened.version() == VERSION


async def test_replicas_that_migrate_at_once_do_it_once(postgres: Postgres) -> None:
    postgres.run("CREATE DATABASE together")
    every = [rows_at(postgres.address("together"), str(number)) for number in range(4)]
    done = await asyncio.gather(*(rows.migrate() for rows in every))
    await asyncio.gather(*(rows.aclose() for rows in every))
    assert sorted(before for before, _ in done) == [0, VERSION, VERSION, VERSION]


async def test_tables_of_a_newer_version_are_left_alone(address: Secret) -> None:
    await ask(address, f"UPDATE oidc_schema SET version = {VERSION + 1}")
    rows = rows_at(address)
    with pytest.raises(StorageUnavailable, match="another version") as caught:
        await rows.migrate()
    assert "Update jupyter_oidc" in caught.value.action
    assert await detail_of(rows.open()) == "database_schema"
    await rows.aclose()


# -- the seal ------------------------------------------------------------------------------------------------------


async def test_nobody_reads_a_token_in_the_database(address: Secret, postgres: Postgres) -> None:
    """Issue 18: a dump, a backup and its administrator see a seal."""
    async with replica(address) as rows:
        await entry_of(rows).save(entry(MARKER + "rt-1"))
    [(account, sealed)] = await ask(address, "SELECT account, sealed FROM oidc_entries")
    assert isinstance(sealed, bytes)
    assert (account, MARKER.encode() in sealed, sealed.count(b".")) == ("ada", False, 4)


async def test_a_row_that_is_copied_to_another_account_is_damage_there(address: Secret) -> None:
    """Who can write to the database gets nobody else's session."""
    async with replica(address) as rows:
        ada, eve = entry_of(rows, "ada"), entry_of(rows, "eve")
        await ada.save(entry("rt-of-ada"))
        await eve.save(entry("rt-of-eve"))
        await ask(
            address,
            "UPDATE oidc_entries SET sealed = (SELECT sealed FROM oidc_entries WHERE account = 'ada') "
            "WHERE account = 'eve'",
        )
        assert await detail_of(eve.load()) == "storage_corrupt"
        assert await token_in(ada) == "rt-of-ada"


async def test_a_new_key_opens_what_the_earlier_one_has_sealed_and_seals_anew(address: Secret) -> None:
    async with replica(address) as rows:
        await entry_of(rows, keys=ONE).save(entry("rt-1"))
        assert await detail_of(entry_of(rows, keys=TWO).load()) == "storage_key"
        both = entry_of(rows, keys=f"{TWO} {ONE}")
        assert await token_in(both) == "rt-1"
        assert await token_in(entry_of(rows, keys=TWO)) == "rt-1", "a look is enough, also where no token is replaced"
        assert await detail_of(entry_of(rows, keys=ONE).load()) == "storage_key"
        await both.save(entry("rt-2"))
        assert await token_in(entry_of(rows, keys=TWO)) == "rt-2"


# -- turns ---------------------------------------------------------------------------------------------------------


async def test_two_replicas_spend_each_token_once(address: Secret) -> None:
    """A token is read, used and replaced within one turn; any second use would be seen here."""
    used: list[str] = []
    async with replica(address, "one") as one, replica(address, "two") as two:
        await entry_of(one).save(entry("rt-0"))

        async def refresh(rows: PostgresRows) -> None:
            mine = entry_of(rows)
            async with mine.hold(timeout_seconds=30) as held:
                token = await token_in(mine)
                assert token is not None
                await held.mark_in_use()
                used.append(token)
                await asyncio.sleep(0.01)
                await mine.save(entry(f"rt-{int(token.removeprefix('rt-')) + 1}"))
                await held.clear_mark()

        await asyncio.gather(*(refresh(rows) for rows in (one, two) * 12))
        assert used == [f"rt-{number}" for number in range(24)]
        assert await token_in(entry_of(two)) == "rt-24"


async def test_a_mark_of_a_replica_that_runs_no_more_is_an_interruption(address: Secret) -> None:
    """B14: and one of a replica that runs means: wait, its successor is on the way."""
    async with replica(address, "two", 0.6) as two:
        one = rows_at(address, presence_seconds=0.6)
        await one.open()
        mine = entry_of(one)
        await mine.save(entry("rt-1"))
        async with mine.hold(timeout_seconds=1) as held:
            await held.mark_in_use()
        for _ in range(3):
            with pytest.raises(Overloaded):
                async with entry_of(two).hold(timeout_seconds=1):
                    raise AssertionError("it was taken")
        async with mine.hold(timeout_seconds=1) as held:
            assert not held.interrupted  # its own mark: it knows what became of the token
            assert held.number == 2
        await asyncio.sleep(3 * 0.6)
        with pytest.raises(Overloaded):  # it tells again and again that it runs
            async with entry_of(two).hold(timeout_seconds=1):
                raise AssertionError("it was taken")
        presence = one._presence
        assert presence is not None
        presence.cancel()  # as a killed one ends: nothing is said
        await asyncio.sleep(0.8)
        async with entry_of(two).hold(timeout_seconds=1) as held:
            assert held.interrupted
            await held.clear_mark()
        async with entry_of(two).hold(timeout_seconds=1) as held:
            assert not held.interrupted
        await one.aclose()


async def test_a_late_write_of_an_earlier_turn_is_dropped(address: Secret) -> None:
    """A replica that was stopped in its turn does not bring back a session that another one has ended."""
    async with replica(address, "one") as one, replica(address, "two") as two:
        mine, other = entry_of(one), entry_of(two)
        await other.save(entry("rt-0"))
        async with mine.hold(timeout_seconds=1):
            await ask(address, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
            async with other.hold(timeout_seconds=5):
                await other.delete()
            with pytest.raises(StorageUnavailable):
                await mine.save(entry("rt-1"))
        assert await other.load() is None
        async with mine.hold(timeout_seconds=1):
            await mine.save(entry("rt-2"))
        assert await token_in(other) == "rt-2"


async def test_a_turn_of_a_replica_that_is_stopped_ends_and_it_uses_no_token_any_more(address: Secret) -> None:
    """Its connection stands, and nothing comes over it: the database ends the turn."""
    async with replica(address, "two") as two:
        one = rows_at(address, turn_seconds=0.3)
        await one.open()
        mine, other = entry_of(one), entry_of(two)
        async with mine.hold(timeout_seconds=1) as late:
            async with other.hold(timeout_seconds=10) as held:
                await held.mark_in_use()
                await other.save(entry("rt-2"))
                await held.clear_mark()
            with pytest.raises(Overloaded):
                await late.mark_in_use()
        assert await token_in(mine) == "rt-2"
        await one.aclose()


async def test_a_second_turn_of_the_same_entry_does_not_lend_its_number(address: Secret) -> None:
    """What a task writes belongs to the turn that it has taken."""
    async with replica(address) as rows:
        mine, taken, goes_on = entry_of(rows), asyncio.Event(), asyncio.Event()

        async def late() -> None:
            async with mine.hold(timeout_seconds=1):
                await ask(address, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
                taken.set()
                await goes_on.wait()
                with pytest.raises(StorageUnavailable):
                    await mine.save(entry("rt-late"))

        writing = asyncio.ensure_future(late())
        await taken.wait()
        other = entry_of(rows, "ada")
        await other.delete()  # a person signs out
        goes_on.set()
        await writing
        assert await other.load() is None


async def test_a_sign_out_and_a_sign_in_end_the_use_of_the_token_before(address: Secret) -> None:
    """A mark that its replica has forgotten locks nobody out for longer than until then."""
    async with replica(address, "one") as one, replica(address, "two") as two:
        mine, other = entry_of(one), entry_of(two)
        async with mine.hold(timeout_seconds=1) as held:
            await held.mark_in_use()
        with pytest.raises(Overloaded):
            async with other.hold(timeout_seconds=1):
                raise AssertionError("it was taken")
        await other.save(entry("rt-of-a-new-sign-in"))
        async with other.hold(timeout_seconds=1) as held:
            assert not held.interrupted
        assert await token_in(mine) == "rt-of-a-new-sign-in"


async def test_a_late_removal_of_an_earlier_turn_is_dropped(address: Secret) -> None:
    """Nor does it end a session that has begun since."""
    async with replica(address, "one") as one, replica(address, "two") as two:
        mine, other = entry_of(one), entry_of(two)
        async with mine.hold(timeout_seconds=1):
            await ask(address, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
            async with other.hold(timeout_seconds=5):
                await other.save(entry("rt-of-a-new-sign-in"))
            await mine.delete()
        assert await token_in(other) == "rt-of-a-new-sign-in"


async def test_a_turn_ends_with_the_connection_of_a_replica_that_is_killed(address: Secret) -> None:
    async with replica(address, "one") as one, replica(address, "two") as two, entry_of(one).hold(timeout_seconds=1):
        began = time.monotonic()
        with pytest.raises(Overloaded):
            async with entry_of(two).hold(timeout_seconds=0.3):
                raise AssertionError("it was taken")
        assert 0.25 < time.monotonic() - began < 5
        await ask(address, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        async with entry_of(two).hold(timeout_seconds=5):
            pass


# -- the database goes and comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
async def test_a_database_that_goes_is_told_and_one_that_comes_back_is_used_again(how: signal.Signals) -> None:
    """Section 7 of the design: while it is away nothing is stored and nobody is told otherwise."""
    with Postgres() as postgres:
        address = await fresh_database(postgres)
        async with replica(address, timeout_seconds=1) as rows:
            mine = entry_of(rows)
            await mine.save(entry("rt-1"))
            async with mine.hold(timeout_seconds=5):
                await asyncio.to_thread(postgres.stop, how)
                assert await detail_of(mine.save(entry("rt-2"))) == "database"
                assert await detail_of(mine.load()) == "database"
            with pytest.raises((StorageUnavailable, Overloaded)):
                async with mine.hold(timeout_seconds=1):
                    raise AssertionError("it was taken")
            await asyncio.to_thread(postgres.start)
            until = time.monotonic() + 60
            while await token_of(mine) != "rt-2":
                assert time.monotonic() < until
                with suppress(StorageUnavailable, Overloaded):
                    async with mine.hold(timeout_seconds=1):
                        await mine.save(entry("rt-2"))


async def token_of(mine: DatabaseEntry) -> str | None:
    """Return the stored token, or ``None`` while the database does not answer."""
    with suppress(StorageUnavailable):
        return await token_in(mine)
    return None


@pytest.mark.parametrize(
    "address",
    ["postgresql://oidc:{}@127.0.0.1:9/none", "postgresql://oidc:50%z{}@127.0.0.1:9/none", "postgres:/oidc:{}@h/db"],
    ids=["right", "not encoded", "a slip"],
)
async def test_no_error_shows_the_address_of_the_database(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does the pool's own log."""

    async def connect() -> None:
        async with replica(Secret(address.format(MARKER + "secret")), timeout_seconds=1):
            raise AssertionError("it is open")

    with pytest.raises(StorageUnavailable) as caught:
        await connect()
    assert caught.value.__cause__ is None
    assert MARKER not in str(caught.value) + caplog.text + "".join(traceback.format_exception(caught.value))
