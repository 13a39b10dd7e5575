"""Rows that a logout token names are found without a key, in both databases, and those of an earlier version are kept."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import psycopg

from jupyter_oidc.adapters.storage.database.entry import entry_name
from jupyter_oidc.adapters.storage.database.rows import NO_TAGS, RowName, Rows, tags_of
from jupyter_oidc.adapters.storage.database.schema import POSTGRESQL, SQLITE, VERSION
from jupyter_oidc.adapters.storage.database.sqlite import SqliteRows
from jupyter_oidc.secret_access import reveal
from tests.support.postgres import Postgres
from tests.unit.adapters.entries import entry
from tests.unit.adapters.storage.database.replicas import entry_of, fresh_database, replica, rows_at, sqlite_rows

NAME = entry_name("corp", "https://id.example.com", "c1")


async def check_tags(rows: Rows) -> None:
    """The rows of three accounts, two of one person."""
    for account, subject, sid in (("ada", "s1", "a"), ("ada.gpu", "s1", "b"), ("bob", "s2", None)):
        await entry_of(rows, account).save(replace(entry("rt"), subject=subject, sid=sid))

    async def found(subject: str | None, sid: str | None, name: str = NAME) -> list[str]:
        return sorted(await rows.accounts_with(name, tags_of(name, subject, sid)))

    assert await found("s1", None) == ["ada", "ada.gpu"]
    assert await found(None, "b") == ["ada.gpu"]
    assert await found("s2", "no such") == ["bob"]
    assert await found(None, None) == await found("nobody", None) == []
    assert await found("s1", None, entry_name("other", "https://id.example.com", "c1")) == []
    assert sorted(await rows.accounts()) == ["ada", "ada.gpu", "bob"]
    await entry_of(rows, "ada").save(replace(entry("rt"), subject="s3", sid=None))
    assert (await found("s1", "a"), await found("s3", None)) == (["ada.gpu"], ["ada"])
    await entry_of(rows, "ada").delete()
    assert (await found("s3", None), sorted(await rows.accounts())) == ([], ["ada.gpu", "bob"])


async def test_rows_are_found_by_person_and_session_in_sqlite(tmp_path: Path) -> None:
    async with sqlite_rows(tmp_path / "sessions.sqlite") as rows:
        await check_tags(rows)


async def test_rows_are_found_by_person_and_session_in_postgresql(postgres: Postgres) -> None:
    async with replica(await fresh_database(postgres)) as rows:
        await check_tags(rows)


async def test_rows_of_the_first_version_are_kept_in_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    with sqlite3.connect(path) as before:
        before.executescript(f"{SQLITE[0]} PRAGMA user_version = 1;")
        before.execute("INSERT INTO oidc_entries (account, entry, sealed, turn) VALUES ('ada', 'e', X'01', 7)")
    rows = SqliteRows(path)
    assert await rows.migrate() == (1, VERSION)
    await rows.open()
    assert (await rows.load(RowName("ada", "e")), await rows.accounts()) == (b"\x01", ["ada"])
    assert not await rows.save(RowName("ada", "e"), b"\x02", 6), "its turns are kept"
    await rows.aclose()


async def test_rows_of_the_first_version_are_kept_in_postgresql(postgres: Postgres) -> None:
    """Also those that a replica of the first version writes meanwhile."""
    postgres.run("CREATE DATABASE first_version")
    address = postgres.address("first_version")
    async with await psycopg.AsyncConnection.connect(reveal(address), autocommit=True) as connection:
        await connection.execute(POSTGRESQL[0].encode())
        await connection.execute("CREATE TABLE oidc_schema (version integer NOT NULL)")
        await connection.execute("INSERT INTO oidc_schema VALUES (1)")
        rows = rows_at(address)
        assert await rows.migrate() == (1, VERSION)
        await connection.execute("INSERT INTO oidc_entries (account, entry, sealed) VALUES ('ada', 'e', 'x')")
        await rows.open()
        assert (await rows.load(RowName("ada", "e")), await rows.accounts()) == (b"x", ["ada"])
        await rows.aclose()


def test_a_row_without_a_person_has_no_tags() -> None:
    assert tags_of(NAME, None, None) == NO_TAGS
    assert tags_of(NAME, "a", "a").subject != tags_of(NAME, "a", "a").sid
