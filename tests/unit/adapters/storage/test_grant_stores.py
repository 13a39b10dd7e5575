"""What every store of worker grants does, and what those in a database do beside it: seal, and tell accounts apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_oidc.adapters.storage.database.grants import DatabaseGrants
from jupyter_oidc.adapters.storage.database.rows import GrantRow, Rows
from jupyter_oidc.adapters.storage.grants_memory import MemoryGrants
from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.delegation import SessionKey, StoredGrant, WorkerGrant
from jupyter_oidc.sessions.ports import GrantStore
from tests.unit.adapters.storage.database.replicas import ONE, TWO, rows_of

KINDS = ("memory", "sqlite", "postgresql")
ADA = SessionKey("ada|ö", 1_800_000_000.123456)


def grant(name: str = "one", began: float = 1_800_000_100.5, *, lease_ends: float | None = None) -> StoredGrant:
    held = WorkerGrant(
        id=f"worker-{name}-xxxxxxxx",
        provider="corp",
        apis=("orders", "plans"),
        methods=("GET", "WEBSOCKET"),
        name="nightly ✓",
        maker="kernel:k1",
        outlives_kernel=True,
        began=began,
        ends=began + 3_600,
    )
    return StoredGrant(f"digest-{name}", held, ADA, lease_ends)


def store_of(rows: Rows, account: str = "ada", keys: str = ONE) -> DatabaseGrants:
    return DatabaseGrants(rows, keys_in(Secret(keys)), account)


@asynccontextmanager
async def store(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[GrantStore]:
    if kind == "memory":
        yield MemoryGrants()
    else:
        async with rows_of(kind, folder, request) as rows:
            yield store_of(rows)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_store_returns_what_it_has_stored(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with store(kind, tmp_path, request) as grants:
        assert await grants.every() == []
        assert await grants.find("digest-one") is None
        newer, older = grant("one", lease_ends=1_800_000_160.25), grant("two", began=1_800_000_000.0)
        await grants.add(older)
        await grants.add(newer)
        assert await grants.every() == [older, newer]
        assert await grants.find("digest-one") == newer
        await grants.remove(newer.grant.id)
        await grants.remove(newer.grant.id)
        assert await grants.every() == [older]
        assert await grants.find("digest-one") is None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_store_keeps_uses_and_renewals(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with store(kind, tmp_path, request) as grants:
        leased, free = grant("one", lease_ends=1_800_000_160.25), grant("two")
        await grants.add(leased)
        await grants.add(free)
        await grants.note_use(free.grant.id, 1_800_000_111.5)
        await grants.note_use("worker-unknown-xx", 1.0)
        await grants.renew([leased.grant.id, free.grant.id, "worker-unknown-xx"], 1_800_000_222.5)
        await grants.renew([], 1.0)
        assert {one.grant.id: (one.lease_ends, one.grant.last_used) for one in await grants.every()} == {
            leased.grant.id: (1_800_000_222.5, None),
            free.grant.id: (None, 1_800_000_111.5),
        }


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_an_account_sees_its_own_grants(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with rows_of(kind, tmp_path, request) as rows:
        ada, bob = store_of(rows), store_of(rows, "bob")
        mine = grant()
        await ada.add(mine)
        assert (await bob.every(), await bob.find(mine.digest)) == ([], None)
        await bob.remove(mine.grant.id)
        await bob.renew([mine.grant.id], 1.0)
        await bob.note_use(mine.grant.id, 1.0)
        assert await ada.every() == [mine]


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_who_writes_to_the_database_makes_no_grant(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Neither a new one, nor one of another account or of another text, nor a longer one."""
    async with rows_of(kind, tmp_path, request) as rows:
        ada, mine = store_of(rows), grant()
        await ada.add(mine)
        row = await rows.grant(mine.digest)
        assert row is not None
        planted = {
            "bob": row._replace(account="bob", digest="d1", id="worker-1"),
            "ada": row._replace(digest="d2", id="worker-2"),
            "eve": GrantRow("worker-3", "d3", "eve", b"{}", row.began, row.ends, None, None),
        }
        for account, forged in planted.items():
            await rows.add_grant(forged)
            assert await store_of(rows, account).find(forged.digest) is None
        assert [await store_of(rows, account).every() for account in planted] == [[], [mine], []]
        await rows.remove_grant("ada", mine.grant.id)
        await rows.add_grant(row._replace(ends=row.ends + 9e6))
        assert await ada.find(mine.digest) == mine


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_without_its_key_a_grant_is_not_taken_for_ended(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with rows_of(kind, tmp_path, request) as rows:
        mine = grant()
        await store_of(rows).add(mine)
        with pytest.raises(StorageUnavailable) as refused:
            await store_of(rows, keys=TWO).find(mine.digest)
        assert refused.value.detail == "storage_key"
        newer = grant("newer", began=mine.grant.began + 1)
        await store_of(rows, keys=TWO).add(newer)
        assert await store_of(rows, keys=TWO).every() == [newer], "one old row hides no other"
        assert await store_of(rows, keys=f"{TWO} {ONE}").every() == [mine, newer]
        assert await store_of(rows, keys=TWO).every() == [mine, newer], "it was sealed anew with the first key"
        assert await store_of(rows, keys=TWO).find(mine.digest) == mine
        await store_of(rows, keys=TWO).remove(mine.grant.id)
        assert await store_of(rows).every() == []


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_ended_grants_leave_the_database(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Of every account, when any makes a new one: a row that nobody asks for would stay."""
    async with rows_of(kind, tmp_path, request) as rows:
        old = grant("old")
        await store_of(rows, "bob").add(old)
        await store_of(rows).add(grant("new", began=old.grant.ends + 1))
        assert await store_of(rows, "bob").every() == []
        assert await rows.grant(old.digest) is None
        assert replace(old, digest="x") != old
