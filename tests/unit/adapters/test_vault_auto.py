"""The choice between the keyring and memory: made once, and kept (B17, B18, B22)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import null

from jupyter_oidc.adapters.vault_auto import AutoVault
from jupyter_oidc.adapters.vault_keyring import KeyringThread, KeyringVault
from jupyter_oidc.errors import StorageUnavailable
from tests.unit.adapters import rings
from tests.unit.adapters.entries import entry, token_in

NULL = null.Keyring()  # type: ignore[no-untyped-call]

Use = Callable[[KeyringBackend], KeyringBackend]


def vault() -> AutoVault:
    keyring = KeyringVault(
        provider="corp", issuer="https://id.example.com", client_id="c1", installation="here", thread=KeyringThread(0.2)
    )
    return AutoVault(keyring, logging.getLogger("tests.vault_auto"))


async def test_a_keyring_that_answers_is_chosen(use_ring: Use) -> None:
    use_ring(rings.Ring())
    assert await vault().kind() == "keyring"


@pytest.mark.parametrize(
    "ring",
    [NULL, rings.AltRing(), rings.LockedRing(), rings.DroppingRing(), rings.ChattyRing(), rings.HangingRing()],
    ids=["null", "plaintext", "locked", "drops writes", "fails", "hangs"],
)
async def test_any_other_keyring_means_memory(use_ring: Use, ring: KeyringBackend) -> None:
    """B17, B18."""
    use_ring(ring)
    assert await vault().kind() == "memory"


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
    """B22."""
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
    """B22: or the next server would sign the user in again."""
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
    """D3."""
    use_ring(rings.LockedRing())
    store = vault()
    await store.save(entry())
    with pytest.raises(StorageUnavailable):
        await store.delete()


async def test_a_sign_out_clears_memory_even_if_the_keyring_is_still_locked(use_ring: Use) -> None:
    """D3."""
    use_ring(rings.LockedRing())
    store = vault()
    await store.save(entry())
    with pytest.raises(StorageUnavailable):
        await store.delete()
    assert await store.load() is None


async def test_a_sign_out_is_complete_where_there_is_no_keyring(use_ring: Use) -> None:
    """D3."""
    use_ring(NULL)
    store = vault()
    await store.save(entry())
    await store.delete()
    assert await store.load() is None
