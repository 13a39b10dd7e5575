"""Replicas of a broker at one database, and a broker with a file of its own, for tests."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jupyter_oidc.adapters.storage.database.entry import DatabaseEntry
from jupyter_oidc.adapters.storage.database.postgres import PostgresRows
from jupyter_oidc.adapters.storage.database.rows import Rows
from jupyter_oidc.adapters.storage.database.sqlite import SqliteRows
from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.background import Background
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import Problem
from jupyter_oidc.secret import Secret
from tests.support.postgres import Postgres

ONE = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"
TWO = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI"


def rows_at(address: Secret, name: str = "one", **options: float) -> PostgresRows:
    """Return the rows that the replica ``name`` sees; a defect in its background work fails the test."""
    background = Background(lambda defect: pytest.fail(str(defect)), expected=Problem)
    return PostgresRows(address, name, background, SystemEntropy(), **options)


async def fresh_database(postgres: Postgres) -> Secret:
    """Make a database with our tables, and return its address."""
    name = f"oidc_{secrets.token_hex(8)}"
    postgres.run(f"CREATE DATABASE {name}")
    address = postgres.address(name)
    rows = rows_at(address)
    await rows.migrate()
    await rows.aclose()
    return address


@asynccontextmanager
async def replica(
    address: Secret, name: str = "one", presence_seconds: float = 15.0, timeout_seconds: float = 5.0
) -> AsyncIterator[PostgresRows]:
    """Open the rows as the replica ``name`` does."""
    rows = rows_at(address, name, presence_seconds=presence_seconds, timeout_seconds=timeout_seconds)
    try:
        await rows.open()
        yield rows
    finally:
        await rows.aclose()


@asynccontextmanager
async def sqlite_rows(path: Path) -> AsyncIterator[SqliteRows]:
    """Open the rows of the file at ``path``, with our tables."""
    rows = SqliteRows(path)
    await rows.migrate()
    await rows.open()
    try:
        yield rows
    finally:
        await rows.aclose()


@asynccontextmanager
async def rows_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Rows]:
    """The rows of a database of this ``kind``: ``sqlite`` or ``postgresql``."""
    if kind == "sqlite":
        async with sqlite_rows(folder / "sessions.sqlite") as rows:
            yield rows
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        async with replica(await fresh_database(postgres)) as replicated:
            yield replicated


def entry_of(rows: Rows, account: str = "ada", keys: str = ONE, **changed: str) -> DatabaseEntry:
    """Return the entry of an account at the provider of the tests."""
    owner = {"provider": "corp", "issuer": "https://id.example.com", "client_id": "c1", **changed}
    return DatabaseEntry(rows, keys_in(Secret(keys)), account=account, **owner)
