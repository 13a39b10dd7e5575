"""The memory vault keeps a token as long as its process lives."""

from __future__ import annotations

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from tests.unit.adapters.entries import entry, token_in


async def test_a_vault_says_that_it_is_memory() -> None:
    assert await MemoryVault().kind() == "memory"


async def test_a_new_vault_is_empty() -> None:
    assert await MemoryVault().load() is None


async def test_an_entry_comes_back_as_it_was_saved() -> None:
    vault = MemoryVault()
    await vault.save(entry())
    assert await vault.load() == entry()


async def test_a_new_entry_replaces_the_old_one() -> None:
    vault = MemoryVault()
    await vault.save(entry("rt-1"))
    await vault.save(entry("rt-2"))
    assert await token_in(vault) == "rt-2"


async def test_a_removed_entry_is_gone() -> None:
    vault = MemoryVault()
    await vault.save(entry())
    await vault.delete()
    assert await vault.load() is None


async def test_removing_what_is_not_there_is_no_error() -> None:
    vault = MemoryVault()
    await vault.delete()
    assert await vault.load() is None


async def test_two_vaults_share_nothing() -> None:
    """B23: A token goes only to its own provider."""
    one, two = MemoryVault(), MemoryVault()
    await one.save(entry())
    assert await two.load() is None
