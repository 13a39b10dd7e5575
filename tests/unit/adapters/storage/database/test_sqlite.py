"""Rows in SQLite: one process, and what it stored is there after a crash."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from jupyter_oidc.adapters.storage.database.schema import SQLITE, VERSION
from jupyter_oidc.adapters.storage.database.sqlite import SqliteRows
from jupyter_oidc.problems import StorageUnavailable
from tests.support.marker import MARKER
from tests.unit.adapters.entries import entry, token_in
from tests.unit.adapters.storage.database.replicas import entry_of, sqlite_rows


async def detail_of(call: object) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        await call  # type: ignore[misc]
    return caught.value.detail


def test_both_databases_have_the_same_number_of_steps() -> None:
    assert len(SQLITE) == VERSION


async def test_entries_outlive_the_process_and_hold_no_readable_token(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    async with sqlite_rows(path) as rows:
        await entry_of(rows).save(entry(MARKER + "rt-1"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert MARKER.encode() not in b"".join(one.read_bytes() for one in tmp_path.iterdir())
    async with sqlite_rows(path) as rows:
        assert await token_in(entry_of(rows)) == MARKER + "rt-1"


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    async with sqlite_rows(path):
        second = SqliteRows(path)
        assert await detail_of(second.open()) == "database_in_use"
        await second.aclose()
    async with sqlite_rows(path):
        pass


async def test_a_mark_that_is_there_at_the_start_is_an_interruption_once(tmp_path: Path) -> None:
    """B14: A server that ended between using a token and storing its successor is noticed."""
    path = tmp_path / "sessions.sqlite"
    async with sqlite_rows(path) as rows, entry_of(rows).hold(timeout_seconds=1) as held:
        await held.mark_in_use()
    async with sqlite_rows(path) as rows:
        async with entry_of(rows).hold(timeout_seconds=1) as held:
            assert held.interrupted
            await held.mark_in_use()
        async with entry_of(rows).hold(timeout_seconds=1) as held:
            assert not held.interrupted
            await held.clear_mark()


async def test_a_file_without_tables_is_named_and_one_of_a_newer_version_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    rows = SqliteRows(path)
    assert await detail_of(rows.open()) == "database_schema"
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    rows = SqliteRows(path)
    assert await detail_of(rows.migrate()) == "database_schema"
    await rows.aclose()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    path.write_bytes(b"not a database" * 100)
    rows = SqliteRows(path)
    assert await detail_of(rows.migrate()) == "database"
    await rows.aclose()


async def test_a_file_that_cannot_be_opened_is_free_for_the_next_attempt(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    path.mkdir()
    rows = SqliteRows(path)
    assert (await detail_of(rows.open()), await detail_of(rows.open())) == ("database", "database")
    await rows.aclose()


async def test_the_same_file_by_another_name_is_the_same_file(tmp_path: Path) -> None:
    path, link = tmp_path / "sessions.sqlite", tmp_path / "link.sqlite"
    link.symlink_to(path)
    async with sqlite_rows(path):
        second = SqliteRows(link)
        assert await detail_of(second.open()) == "database_in_use"
        await second.aclose()


async def test_a_closed_file_is_told_and_closed_once(tmp_path: Path) -> None:
    async with sqlite_rows(tmp_path / "sessions.sqlite") as rows:
        mine = entry_of(rows)
        await rows.aclose()
        await rows.aclose()
        assert await detail_of(mine.save(entry())) == "database"
