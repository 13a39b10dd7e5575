"""What every store of entries promises (``sessions.ports``): the same tests for memory, keyring, file and both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from jupyter_oidc.adapters.storage.database.entry import DatabaseEntry
from jupyter_oidc.adapters.storage.database.rows import Rows
from jupyter_oidc.adapters.storage.database.sqlite import SqliteRows
from jupyter_oidc.adapters.storage.entry_lock import FileEntryLock
from jupyter_oidc.adapters.storage.keyring_thread import KeyringThread
from jupyter_oidc.adapters.storage.vault_file import FileVault
from jupyter_oidc.adapters.storage.vault_keyring import KeyringVault
from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.adapters.system.private_directory import PrivateDirectory
from jupyter_oidc.problems import Overloaded, StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.entitlements import Entitlements
from jupyter_oidc.sessions.ports import EntryLock, Vault
from jupyter_oidc.sessions.summary import Profile, User
from tests.support.postgres import Postgres
from tests.unit.adapters import rings
from tests.unit.adapters.entries import entry, token_in
from tests.unit.adapters.storage.database.replicas import ONE, entry_of, fresh_database, replica

OWNER = {"provider": "corp", "issuer": "https://id.example.com", "client_id": "c1"}
LONG = "".join(f"{number:06d}" for number in range(2_000))
PERSON = Profile(
    User(sub="a1", name="Ada", username=None, email="ada@example.com", email_verified=True, picture=None),
    Entitlements(("hr",), 0, True),
)


class Store(NamedTuple):
    """Makes the vault of a provider, and its lock; a new pair stands for another server or replica."""

    make: Callable[..., tuple[Vault, EntryLock | None]]


Owner = dict[str, str]


def in_memory(_: Path) -> Store:
    shared = MemoryVault()
    return Store(lambda: (shared, None))


def lock_in(folder: Path, owner: Owner) -> FileEntryLock:
    provider, issuer, client_id = owner["provider"], owner["issuer"], owner["client_id"]
    return FileEntryLock(lambda: folder, provider=provider, issuer=issuer, client_id=client_id, holder=uuid4().hex)


def in_a_keyring(folder: Path) -> Store:
    def make(**changed: str) -> tuple[Vault, EntryLock]:
        owner: Owner = {**OWNER, **changed}
        return KeyringVault(**owner, thread=KeyringThread(5)), lock_in(folder, owner)

    return Store(make)


def in_a_file(folder: Path) -> Store:
    def make(**changed: str) -> tuple[Vault, EntryLock]:
        owner: Owner = {**OWNER, **changed}
        vault = FileVault(**owner, key=Secret(ONE), folder=PrivateDirectory(lambda: folder))
        return vault, lock_in(folder, owner)

    return Store(make)


def in_rows(rows: Rows) -> Store:
    def make(**changed: str) -> tuple[Vault, EntryLock]:
        made = entry_of(rows, **changed)
        return made, made

    return Store(make)


@asynccontextmanager
async def in_sqlite(path: Path) -> AsyncIterator[Store]:
    rows = SqliteRows(path)
    await rows.migrate()
    await rows.open()
    yield in_rows(rows)
    await rows.aclose()


@asynccontextmanager
async def in_postgresql(postgres: Postgres) -> AsyncIterator[Store]:
    async with replica(await fresh_database(postgres)) as rows:
        yield in_rows(rows)


LOCAL = {"memory": in_memory, "keyring": in_a_keyring, "encrypted-file": in_a_file}


@pytest.fixture(params=[*LOCAL, "sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    use_ring: Callable[[rings.Ring], rings.Ring],
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[Store]:
    use_ring(rings.Ring())
    if request.param in LOCAL:
        yield LOCAL[request.param](tmp_path / "jupyter_oidc")
        return
    if request.param == "sqlite":
        opened = in_sqlite(tmp_path / "sessions.sqlite")
    else:
        opened = in_postgresql(request.getfixturevalue("postgres"))
    yield jp_asyncio_loop.run_until_complete(opened.__aenter__())
    jp_asyncio_loop.run_until_complete(opened.__aexit__(None, None, None))


async def test_an_entry_comes_back_whole(store: Store) -> None:
    vault, _ = store.make()
    assert await vault.load() is None
    whole = entry(LONG, scopes=("a", "b"), sid="s-1", profile=PERSON)
    await vault.save(whole)
    assert await vault.load() == whole
    assert await store.make()[0].load() == whole


async def test_a_new_entry_replaces_the_old_one_and_a_removed_one_is_gone(store: Store) -> None:
    vault, _ = store.make()
    await vault.save(entry("rt-1"))
    await vault.save(entry("rt-2"))
    assert await token_in(vault) == "rt-2"
    await vault.delete()
    assert await vault.load() is None
    await vault.delete()
    await vault.save(entry("rt-3"))
    assert await token_in(vault) == "rt-3"


async def test_each_provider_and_client_has_an_entry_of_its_own(store: Store, request: pytest.FixtureRequest) -> None:
    """B23: A token goes only to its own provider."""
    if "[memory]" in request.node.name:
        return  # a vault of memory is made for one provider
    vault, _ = store.make()
    await vault.save(entry("rt-1"))
    for changed in ({"provider": "other"}, {"issuer": "https://id.example.org"}, {"client_id": "c2"}):
        other, _ = store.make(**changed)
        assert await other.load() is None
        await other.delete()
    assert await token_in(vault) == "rt-1"


async def test_one_turn_at_a_time_and_the_next_sees_what_was_stored(store: Store) -> None:
    """B10: whoever takes part."""
    (one, first), (two, second) = store.make(), store.make()
    if first is None or second is None:
        return  # memory is shared with nobody
    order: list[str] = []

    async def late() -> None:
        async with second.hold(timeout_seconds=10):
            order.append(f"two sees {await token_in(two)}")

    async with first.hold(timeout_seconds=1) as held:
        waiting = asyncio.ensure_future(late())
        with pytest.raises(Overloaded):
            async with store.make()[1].hold(timeout_seconds=0.2):  # type: ignore[union-attr]
                order.append("a third one")
        await held.mark_in_use()
        await one.save(entry("rt-2"))
        await held.clear_mark()
        order.append("one has stored")
    await waiting
    assert order == ["one has stored", "two sees rt-2"]


async def test_a_free_turn_is_taken_whatever_the_time(store: Store) -> None:
    """A sign-out during a refresh waits for no turn, and takes one that is free."""
    vault, lock = store.make()
    if lock is None:
        return
    async with lock.hold(timeout_seconds=0):
        await vault.save(entry("rt-1"))
        with pytest.raises(Overloaded):
            await _hold(store.make()[1], 0)
    assert await token_in(vault) == "rt-1"


async def test_a_holder_knows_whether_another_has_held_the_lock_since(store: Store) -> None:
    """B10: only then is the stored token surely the one that it knows, if the store does not answer."""
    first, second = store.make()[1], store.make()[1]
    if first is None or second is None:
        return
    seen: list[bool] = []
    for lock in (first, first, second, first, first):
        async with lock.hold(timeout_seconds=1) as held:
            seen.append(held.held_last)
    assert seen == [False, True, False, False, True]


async def test_what_a_person_does_without_a_turn_is_not_undone_by_the_turn_it_did_not_wait_for(store: Store) -> None:
    (vault, lock), (other, _) = store.make(), store.make()
    if not isinstance(vault, DatabaseEntry) or lock is None:
        return  # a file knows no turns; there the next look finds another entry
    await vault.save(entry("rt-1"))
    async with lock.hold(timeout_seconds=1):
        await other.delete()
        with pytest.raises(StorageUnavailable):
            await vault.save(entry("rt-2"))
    assert await other.load() is None


async def test_a_turn_that_was_given_up_leaves_nothing_taken(store: Store) -> None:
    """B12: A cancelled caller leaves nothing locked."""
    _, lock = store.make()
    _, other = store.make()
    if lock is None or other is None:
        return
    async with lock.hold(timeout_seconds=1):
        waiting = asyncio.ensure_future(_hold(other))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with other.hold(timeout_seconds=1) as held:
        assert not held.interrupted


async def _hold(lock: EntryLock | None, timeout_seconds: float = 30) -> None:
    assert lock is not None
    async with lock.hold(timeout_seconds=timeout_seconds):
        raise AssertionError("it was taken")
