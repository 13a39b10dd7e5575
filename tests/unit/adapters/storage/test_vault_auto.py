"""The vault chooses between keyring, encrypted file and memory once, and keeps the choice (B17, B18, B22)."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import null

from jupyter_oidc.adapters.storage.vault_auto import AutoVault
from jupyter_oidc.adapters.storage.vault_file import FileVault, storage_folder
from jupyter_oidc.adapters.storage.vault_keyring import KeyringThread, KeyringVault
from jupyter_oidc.adapters.system.private_directory import Disk, PrivateDirectory
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.secret import Secret
from tests.unit.adapters import rings
from tests.unit.adapters.disks import FailingDisk, StubbornDisk
from tests.unit.adapters.entries import entry, token_in

NULL = null.Keyring()  # type: ignore[no-untyped-call]

Use = Callable[[KeyringBackend], KeyringBackend]


KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"
EARLIER, LATER = 1_800_000_000.0, 1_800_000_001.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))


def keyring_vault() -> KeyringVault:
    return KeyringVault(
        provider="corp", issuer="https://id.example.com", client_id="c1", machine_id="here", thread=KeyringThread(0.2)
    )


def file_vault(key: str | None = KEY, disk: Disk | None = None) -> FileVault:
    return FileVault(
        provider="corp",
        issuer="https://id.example.com",
        client_id="c1",
        machine_id="here",
        key=None if key is None else Secret(key),
        folder=PrivateDirectory(storage_folder, disk),
    )


def vault(key: str | None = None, disk: Disk | None = None) -> AutoVault:
    return AutoVault(keyring_vault(), file_vault(key, disk), logging.getLogger("tests.vault_auto"))


def files() -> int:
    """Count the files that are left."""
    return len(list(storage_folder().iterdir())) if storage_folder().exists() else 0


async def test_a_keyring_that_answers_is_chosen(use_ring: Use) -> None:
    use_ring(rings.Ring())
    assert await vault().kind() == "keyring"


@pytest.mark.parametrize(
    "ring",
    [NULL, rings.AltRing(), rings.LockedRing(), rings.DroppingRing(), rings.ChattyRing(), rings.HangingRing()],
    ids=["null", "plaintext", "locked", "drops writes", "fails", "hangs"],
)
@pytest.mark.parametrize(("key", "kind"), [(None, "memory"), (KEY, "encrypted-file")], ids=["no key", "key"])
async def test_any_other_keyring_means_the_file_if_there_is_a_key_and_else_memory(
    use_ring: Use, ring: KeyringBackend, key: str | None, kind: str
) -> None:
    """B17: A keyring that hangs holds up nothing else.

    B18: Keyring backends that keep no secrets are refused.
    """
    use_ring(ring)
    assert await vault(key).kind() == kind


async def test_a_keyring_that_answers_is_preferred_to_a_key(use_ring: Use) -> None:
    use_ring(rings.Ring())
    assert await vault(KEY).kind() == "keyring"


async def test_a_wrong_key_means_memory_and_is_announced(use_ring: Use, caplog: pytest.LogCaptureFixture) -> None:
    use_ring(NULL)
    assert await vault("hunter2").kind() == "memory"
    assert caplog.messages[0].startswith("jupyter_oidc: Key 1 of 1 in JUPYTER_OIDC_STORAGE_KEY is not 32 bytes")


async def test_a_disk_that_cannot_be_written_means_memory_and_is_announced(
    use_ring: Use, caplog: pytest.LogCaptureFixture
) -> None:
    """D15: A disk that cannot be used costs durability only."""
    use_ring(NULL)
    assert await vault(KEY, FailingDisk(errno.EROFS)).kind() == "memory"
    assert caplog.messages[0].startswith("jupyter_oidc: The place for the stored session does not let this user")


@pytest.mark.parametrize("ring", [rings.Ring, rings.LockedRing], ids=["keyring", "memory"])
async def test_an_entry_comes_back_from_what_was_chosen(use_ring: Use, ring: type[rings.Ring]) -> None:
    use_ring(ring())
    store = vault()
    await store.save(entry())
    assert await store.load() == entry()


async def test_an_entry_in_the_keyring_outlives_the_server(use_ring: Use) -> None:
    use_ring(rings.Ring())
    await vault().save(entry())
    assert await token_in(vault()) == "rt-1"


async def test_an_entry_in_memory_does_not(use_ring: Use) -> None:
    use_ring(NULL)
    await vault().save(entry())
    assert await vault().load() is None


async def test_the_choice_is_kept_when_the_keyring_is_unlocked_later(use_ring: Use) -> None:
    """B22: One place holds the session, and no copy counts."""
    use_ring(rings.LockedRing())
    store = vault()
    assert await store.kind() == "memory"
    use_ring(rings.Ring())
    assert await store.kind() == "memory"


async def test_the_choice_is_kept_when_the_keyring_is_locked_later(use_ring: Use) -> None:
    """B22: no copy goes to memory behind the user's back."""
    ring = rings.LockableRing()
    use_ring(ring)
    store = vault()
    await store.save(entry())
    ring.locked = True
    with pytest.raises(StorageUnavailable):
        await store.load()


async def test_many_first_calls_make_one_choice(use_ring: Use) -> None:
    ring = rings.Ring()
    use_ring(ring)
    store = vault()
    await asyncio.gather(*(store.kind() for _ in range(20)))
    assert len(ring.deleted) == 1


async def test_a_first_caller_who_goes_away_does_not_stop_the_choice(use_ring: Use) -> None:
    ring = rings.HangingRing()
    use_ring(ring)
    store = vault()
    gone = asyncio.create_task(store.kind())
    await asyncio.sleep(0.02)
    gone.cancel()
    ring.hanging = False
    ring.answered.set()
    assert await store.kind() == "keyring"


async def test_memory_is_announced_with_its_reason(use_ring: Use, caplog: pytest.LogCaptureFixture) -> None:
    use_ring(rings.LockedRing())
    await vault().kind()
    assert caplog.messages == [
        "jupyter_oidc: The keyring is locked. The session is kept in memory and ends with this server."
    ]


async def test_a_sign_out_empties_what_was_chosen(use_ring: Use) -> None:
    ring = rings.Ring()
    use_ring(ring)
    store = vault()
    await store.save(entry())
    await store.delete()
    assert (await store.load(), ring.entries) == (None, {})


async def test_a_sign_out_while_memory_serves_removes_an_earlier_session_from_the_keyring(use_ring: Use) -> None:
    """B22: otherwise the next server would sign the user in again."""
    ring = rings.LockableRing()
    use_ring(ring)
    await vault().save(entry())
    ring.locked = True
    store = vault()
    assert await store.kind() == "memory"
    ring.locked = False
    await store.delete()
    assert ring.entries == {}


async def test_a_sign_out_reports_a_keyring_that_is_still_locked(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    use_ring(rings.LockedRing())
    store = vault()
    await store.save(entry())
    with pytest.raises(StorageUnavailable):
        await store.delete()


async def test_a_sign_out_clears_memory_even_if_the_keyring_is_still_locked(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    use_ring(rings.LockedRing())
    store = vault()
    await store.save(entry())
    with pytest.raises(StorageUnavailable):
        await store.delete()
    assert await store.load() is None


async def test_a_sign_out_is_complete_where_there_is_no_keyring(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    use_ring(NULL)
    store = vault()
    await store.save(entry())
    await store.delete()
    assert await store.load() is None


# -- with a file ---------------------------------------------------------------------------------------------


async def test_an_entry_in_the_file_outlives_the_server(use_ring: Use) -> None:
    use_ring(NULL)
    await vault(KEY).save(entry())
    assert await token_in(vault(KEY)) == "rt-1"


async def test_the_file_is_announced_without_alarm(use_ring: Use, caplog: pytest.LogCaptureFixture) -> None:
    use_ring(rings.LockedRing())
    with caplog.at_level(logging.INFO):
        await vault(KEY).kind()
    assert caplog.record_tuples == [
        (
            "tests.vault_auto",
            logging.INFO,
            "jupyter_oidc: The keyring is locked. The session is kept in an encrypted file.",
        )
    ]


async def test_the_file_stays_the_choice_when_the_keyring_is_unlocked_later(use_ring: Use) -> None:
    """B22: One place holds the session, and no copy counts."""
    use_ring(rings.LockedRing())
    store = vault(KEY)
    await store.save(entry())
    ring = rings.Ring()
    use_ring(ring)
    await store.save(entry("rt-2"))
    assert (await store.kind(), ring.entries, await token_in(store)) == ("encrypted-file", {}, "rt-2")


async def test_a_sign_in_of_the_file_is_found_by_a_server_with_a_keyring(use_ring: Use) -> None:
    """B22: One place holds the session, and no copy counts."""
    use_ring(NULL)
    await vault(KEY).save(entry())
    use_ring(rings.Ring())
    assert await token_in(vault(KEY)) == "rt-1"


async def test_the_next_save_moves_it_to_the_keyring(use_ring: Use) -> None:
    """B22: One place holds the session, and no copy counts."""
    use_ring(NULL)
    await vault(KEY).save(entry())
    use_ring(rings.Ring())
    await vault(KEY).save(entry("rt-2"))
    assert (await token_in(keyring_vault()), files()) == ("rt-2", 0)


async def test_of_two_sign_ins_the_later_one_counts_if_it_is_in_the_file(use_ring: Use) -> None:
    """B22: One place holds the session, and no copy counts."""
    use_ring(rings.Ring())
    await keyring_vault().save(entry("rt-ring", signed_in_at=EARLIER))
    await file_vault().save(entry("rt-file", signed_in_at=LATER))
    assert await token_in(vault(KEY)) == "rt-file"


async def test_of_two_sign_ins_the_later_one_counts_if_it_is_in_the_keyring(use_ring: Use) -> None:
    """B22: an earlier server could not remove the file."""
    use_ring(rings.Ring())
    await keyring_vault().save(entry("rt-ring", signed_in_at=LATER))
    await file_vault().save(entry("rt-file", signed_in_at=EARLIER))
    assert await token_in(vault(KEY)) == "rt-ring"


async def test_a_move_to_the_keyring_that_was_cut_off_leaves_the_keyring_in_charge(use_ring: Use) -> None:
    """B22: both hold the same sign-in, and the file's refresh token may be spent."""
    use_ring(rings.Ring())
    await file_vault().save(entry("rt-1"))
    await keyring_vault().save(entry("rt-2"))
    assert await token_in(vault(KEY)) == "rt-2"


@pytest.mark.parametrize("key", [None, "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI"], ids=["no key", "another key"])
async def test_a_file_that_cannot_be_opened_keeps_the_keyrings_token_from_use(use_ring: Use, key: str | None) -> None:
    """B22: the keyring's token may be spent, and spending it again would end the session that the file holds."""
    use_ring(rings.Ring())
    await keyring_vault().save(entry())
    await file_vault().save(entry("rt-2"))
    with pytest.raises(StorageUnavailable) as caught:
        await vault(key).load()
    assert caught.value.detail == "storage_key"


async def test_after_the_next_sign_in_that_file_is_gone(use_ring: Use) -> None:
    """B22: One place holds the session, and no copy counts."""
    use_ring(rings.Ring())
    await file_vault().save(entry("rt-2"))
    await vault().save(entry("rt-3"))
    assert (await token_in(vault()), files()) == ("rt-3", 0)


async def test_a_file_that_cannot_be_removed_does_not_fail_a_save_in_the_keyring(
    use_ring: Use, caplog: pytest.LogCaptureFixture
) -> None:
    use_ring(rings.Ring())
    await file_vault().save(entry("rt-1"))
    await vault(KEY, StubbornDisk()).save(entry("rt-2"))
    assert await token_in(vault(KEY)) == "rt-2"
    assert caplog.messages[0].endswith("An earlier session is left there.")


@pytest.mark.parametrize("ring", [rings.Ring, rings.LockableRing], ids=["keyring", "unlocked later"])
@pytest.mark.parametrize("key", [None, KEY], ids=["no key", "key"])
async def test_a_sign_out_empties_every_place(use_ring: Use, ring: type[rings.Ring], key: str | None) -> None:
    """B22: this holds for every choice."""
    now = ring()
    use_ring(now)
    await keyring_vault().save(entry("rt-ring"))
    await file_vault().save(entry("rt-file"))
    if isinstance(now, rings.LockableRing):
        now.locked = True
    store = vault(key)
    await store.kind()
    if isinstance(now, rings.LockableRing):
        now.locked = False
    await store.delete()
    assert (now.entries, files()) == ({}, 0)


async def test_a_sign_out_that_fails_in_one_place_still_empties_the_other(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    ring = rings.Ring()
    use_ring(ring)
    store = vault(KEY, StubbornDisk())
    await file_vault().save(entry("rt-file"))
    await keyring_vault().save(entry("rt-ring"))
    with pytest.raises(StorageUnavailable) as caught:
        await store.delete()
    assert (caught.value.detail, ring.entries) == ("storage_read_only", {})


async def test_a_keyring_that_is_still_locked_does_not_keep_the_file_from_a_sign_out(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    use_ring(rings.LockedRing())
    store = vault(KEY)
    await store.save(entry())
    with pytest.raises(StorageUnavailable):
        await store.delete()
    assert files() == 0
