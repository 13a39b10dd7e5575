"""The vault keeps the refresh token in a keyring, and survives the faults of keyrings (B17 to B23, B34, D3)."""

from __future__ import annotations

import asyncio
import json
import platform
import time
import traceback
from collections.abc import Awaitable, Callable

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from jupyter_oidc.adapters.storage.machine_id import machine_id
from jupyter_oidc.adapters.storage.vault_keyring import KeyringThread, KeyringVault
from jupyter_oidc.problems import StorageUnavailable
from tests.support.marker import MARKER
from tests.unit.adapters import rings
from tests.unit.adapters.entries import entry, token_in

SHORT = MARKER + "rt-short"
LONG = MARKER + "".join(f"{number:04d}" for number in range(1_500))
HUGE = MARKER + "h" * 16_384
"""Text of about 6 KB, no two pieces alike."""

LONGER = MARKER + "".join(f"{number:04d}" for number in range(3_000, 5_000))

NULL, FAIL = null.Keyring(), fail.Keyring()  # type: ignore[no-untyped-call]

Use = Callable[[KeyringBackend], KeyringBackend]


def vault(**changed: str) -> KeyringVault:
    owner = {"provider": "corp", "issuer": "https://id.example.com", "client_id": "c1", "machine_id": "here"}
    return KeyringVault(**{**owner, **changed}, thread=KeyringThread(0.2))


async def detail_of(call: object) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        await call  # type: ignore[misc]
    return caught.value.detail


async def outcome_of(call: Awaitable[object]) -> object:
    """Return what ``call`` returns, or the detail of its refusal."""
    try:
        return await call
    except StorageUnavailable as problem:
        return problem.detail


# -- stored texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", [SHORT, LONG, HUGE, 'with space, "quote" and \\', "x"], ids=["short", "long", "16 KB", "odd", "one"]
)
@pytest.mark.parametrize("kind", [rings.Ring, rings.ShortRing, rings.WindowsRing, rings.CuttingRing])
async def test_an_entry_comes_back_as_it_was_saved_after_a_restart(
    use_ring: Use, kind: type[rings.Ring], token: str
) -> None:
    """B19: A long token is stored in pieces. N-5: Tokens are opaque and kept byte for byte."""
    use_ring(kind())
    await vault().save(entry(token))
    assert await vault().load() == entry(token)


async def test_an_empty_keyring_holds_no_entry(use_ring: Use) -> None:
    use_ring(rings.Ring())
    assert await vault().load() is None


async def test_a_vault_says_that_it_is_a_keyring(use_ring: Use) -> None:
    assert await vault().kind() == "keyring"


async def test_a_short_token_takes_one_entry(use_ring: Use) -> None:
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(SHORT))
    assert ring.ends() == [""]


async def test_a_long_token_takes_one_entry_where_entries_may_be_long(use_ring: Use) -> None:
    ring = rings.Ring()
    use_ring(ring)
    await vault().save(entry(LONG))
    assert ring.ends() == [""]


async def test_a_long_token_is_cut_into_pieces_where_entries_are_short(use_ring: Use) -> None:
    """B19: A long token is stored in pieces."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    assert ring.ends() == ["", "a.0", "a.1", "a.2", "a.3", "a.4", "a.5"]


async def test_the_manifest_says_how_many_pieces_there_are_and_what_they_add_up_to(use_ring: Use) -> None:
    """B19: A long token is stored in pieces."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    manifest = json.loads(ring.entries["jupyter_oidc", ring.head])
    assert (manifest["format"], manifest["pieces"], manifest["generation"], len(manifest["digest"])) == (1, 6, "a", 64)


async def test_the_windows_credential_manager_is_never_asked_to_keep_a_long_entry(use_ring: Use) -> None:
    """B19: A long token is stored in pieces."""
    ring = rings.WindowsRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    assert ring.refused == 0


async def test_entries_of_the_windows_credential_manager_stay_on_this_machine(use_ring: Use) -> None:
    """B34: A stored entry belongs to one machine."""
    ring = rings.WindowsRing()
    use_ring(ring)
    await vault().save(entry(SHORT))
    assert ring.persist == "local machine"


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (LONG, LONGER, ["", *(f"b.{number}" for number in range(7))]),
        (LONGER, LONG, ["", *(f"b.{number}" for number in range(6))]),
        (LONG, SHORT, [""]),
        (SHORT, LONG, ["", *(f"a.{number}" for number in range(6))]),
    ],
    ids=["longer", "shorter", "short at last", "long at last"],
)
async def test_a_new_token_replaces_the_old_one_and_leaves_none_of_its_pieces(
    use_ring: Use, first: str, second: str, left: list[str]
) -> None:
    """B19: A long token is stored in pieces."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(first))
    await vault().save(entry(second))
    assert (await token_in(vault()), ring.ends()) == (second, sorted(left))


# -- torn writes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [LONGER, SHORT], ids=["long", "short"])
async def test_a_crash_at_any_step_of_a_write_leaves_one_complete_token(use_ring: Use, second: str) -> None:
    """B19: A long token is stored in pieces."""
    found = []
    for crash_at in range(100):
        ring = rings.CrashingRing()
        use_ring(ring)
        await vault().save(entry(LONG))
        ring.changes, ring.crash_at = 0, crash_at
        try:
            await vault().save(entry(second))
        except StorageUnavailable:
            found.append(await token_in(vault()))
        else:
            break
    assert set(found) == {LONG, second}
    assert found == sorted(found, key=lambda token: token == second)


async def test_what_a_torn_write_left_is_gone_after_the_next_write(use_ring: Use) -> None:
    """B19: A long token is stored in pieces."""
    for crash_at in range(20):
        ring = rings.CrashingRing()
        use_ring(ring)
        await vault().save(entry(LONG))
        ring.changes, ring.crash_at = 0, crash_at
        try:
            await vault().save(entry(LONGER))
        except StorageUnavailable:
            ring.crash_at = None
            await vault().save(entry(SHORT))
            assert ring.ends() == [""], crash_at
        else:
            break


async def test_what_a_torn_write_left_is_gone_after_a_sign_out(use_ring: Use) -> None:
    """B19: A long token is stored in pieces. D3: A stored entry that resists deletion is overwritten."""
    for crash_at in range(20):
        ring = rings.CrashingRing()
        use_ring(ring)
        await vault().save(entry(LONG))
        ring.changes, ring.crash_at = 0, crash_at
        try:
            await vault().save(entry(LONGER))
        except StorageUnavailable:
            ring.crash_at = None
            await vault().delete()
            assert ring.names == [], crash_at
        else:
            break


async def test_what_a_torn_sign_out_left_is_gone_after_the_next_one(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    for crash_at in range(20):
        ring = rings.CrashingRing()
        use_ring(ring)
        await vault().save(entry(LONG))
        ring.changes, ring.crash_at = 0, crash_at
        try:
            await vault().delete()
        except StorageUnavailable:
            ring.crash_at = None
            await vault().delete()
            assert ring.names == [], crash_at
        else:
            break


# -- damage --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 3, 5], ids=["first", "middle", "last"])
async def test_a_missing_piece_makes_the_entry_damaged_and_never_a_shorter_token(use_ring: Use, number: int) -> None:
    """B20: A damaged entry is never used in part."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    del ring.entries["jupyter_oidc", f"{ring.head}.a.{number}"]
    assert await detail_of(vault().load()) == "storage_corrupt"


@pytest.mark.parametrize(
    "replaced", ["", "x", "another text of another program"], ids=["empty", "one character", "foreign"]
)
async def test_a_piece_with_another_content_makes_the_entry_damaged(use_ring: Use, replaced: str) -> None:
    """B20: A damaged entry is never used in part."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    ring.entries["jupyter_oidc", f"{ring.head}.a.2"] = replaced
    assert await detail_of(vault().load()) == "storage_corrupt"


async def test_exchanged_pieces_make_the_entry_damaged(use_ring: Use) -> None:
    """B20: A damaged entry is never used in part."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    one, two = (("jupyter_oidc", f"{ring.head}.a.{number}") for number in (1, 2))
    ring.entries[one], ring.entries[two] = ring.entries[two], ring.entries[one]
    assert await detail_of(vault().load()) == "storage_corrupt"


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "0" * 64},
        {"digest": None},
        {"format": 2},
        {"generation": "c"},
        {"generation": None},
        {"pieces": 5},
        {"pieces": 7},
        {"pieces": 0},
        {"pieces": -1},
        {"pieces": True},
        {"pieces": "6"},
        {"pieces": 10**9},
    ],
    ids=lambda change: "{}={!r:.9}".format(*next(iter(change.items()))),
)
async def test_a_manifest_that_is_wrong_or_newer_makes_the_entry_damaged(
    use_ring: Use, change: dict[str, object]
) -> None:
    """B20: A damaged entry is never used in part."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    place = ("jupyter_oidc", ring.head)
    ring.entries[place] = json.dumps({**json.loads(ring.entries[place]), **change})
    assert await detail_of(vault().load()) == "storage_corrupt"


@pytest.mark.parametrize(
    "text",
    ["not JSON", "[]", "17", "null", "{}", '{"format": 3}', "[" * 100_000],
    ids=["text", "list", "number", "null", "object", "newer", "deep"],
)
async def test_a_foreign_value_in_our_entry_is_damage(use_ring: Use, text: str) -> None:
    """B20: A damaged entry is never used in part."""
    ring = rings.Ring()
    use_ring(ring)
    await vault().save(entry(SHORT))
    ring.entries["jupyter_oidc", ring.head] = text
    assert await detail_of(vault().load()) == "storage_corrupt"


@pytest.mark.parametrize("member", ["issuer", "client_id", "subject", "scopes", "signed_in_at", "refresh_token"])
async def test_an_entry_without_one_of_its_members_is_damaged(use_ring: Use, member: str) -> None:
    """B20: A damaged entry is never used in part."""
    ring = rings.Ring()
    use_ring(ring)
    await vault().save(entry(SHORT))
    place = ("jupyter_oidc", ring.head)
    ring.entries[place] = json.dumps({k: v for k, v in json.loads(ring.entries[place]).items() if k != member})
    assert await detail_of(vault().load()) == "storage_corrupt"


async def test_an_entry_that_the_version_before_wrote_is_still_read(use_ring: Use) -> None:
    """B35: the previous version wrote format 1 and did not name the store."""
    ring = rings.Ring()
    use_ring(ring)
    await vault().save(entry(SHORT))
    place = ("jupyter_oidc", ring.head)
    stored = {**json.loads(ring.entries[place]), "format": 1}
    del stored["kept_in"]
    ring.entries[place] = json.dumps(stored)
    assert await vault().load() == entry(SHORT)


async def test_a_damaged_entry_is_left_alone_by_reading(use_ring: Use) -> None:
    """B20: no write replaces the entry before the next sign-in."""
    ring = rings.Ring()
    use_ring(ring)
    await vault().save(entry(SHORT))
    ring.entries["jupyter_oidc", ring.head] = "foreign"
    before = dict(ring.entries)
    await detail_of(vault().load())
    assert ring.entries == before


async def test_a_damaged_entry_is_replaced_by_the_next_sign_in(use_ring: Use) -> None:
    """B20: A damaged entry is never used in part."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    ring.entries["jupyter_oidc", ring.head] = '{"pieces": "many"}'
    await vault().save(entry(LONGER))
    assert (await token_in(vault()), ring.ends()) == (LONGER, ["", *(f"a.{number}" for number in range(7))])


async def test_a_damaged_entry_is_removed_by_a_sign_out_with_all_pieces(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(LONG))
    del ring.entries["jupyter_oidc", f"{ring.head}.a.2"]
    await vault().delete()
    assert ring.names == []


# -- whose entry it is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [{"issuer": "https://other.example.com"}, {"client_id": "c2"}, {"machine_id": "there"}, {"provider": "staging"}],
    ids=lambda other: next(iter(other)),
)
async def test_another_owner_does_not_see_the_entry(use_ring: Use, other: dict[str, str]) -> None:
    """B23: A token goes only to its own provider. B34: A stored entry belongs to one machine."""
    use_ring(rings.Ring())
    await vault().save(entry(SHORT))
    assert await vault(**other).load() is None


@pytest.mark.parametrize(
    "other",
    [{"issuer": "https://other.example.com"}, {"client_id": "c2"}, {"machine_id": "there"}, {"provider": "staging"}],
    ids=lambda other: next(iter(other)),
)
async def test_another_owners_sign_out_leaves_the_entry_alone(use_ring: Use, other: dict[str, str]) -> None:
    """B23: A token goes only to its own provider. B34: A stored entry belongs to one machine."""
    use_ring(rings.Ring())
    await vault().save(entry(SHORT))
    await vault(**other).delete()
    assert await token_in(vault()) == SHORT


@pytest.mark.parametrize(
    "change",
    [{"issuer": "https://other.example.com"}, {"client_id": "c2"}, {"installation": "there"}],
    ids=lambda change: next(iter(change)),
)
async def test_an_entry_whose_header_names_another_owner_counts_as_absent(
    use_ring: Use, change: dict[str, str]
) -> None:
    """B23, B34: a user may have copied entries from one name to another."""
    ring = rings.Ring()
    use_ring(ring)
    await vault().save(entry(SHORT))
    place = ("jupyter_oidc", ring.head)
    ring.entries[place] = json.dumps({**json.loads(ring.entries[place]), **change})
    assert await vault().load() is None


async def test_the_machine_id_is_that_of_this_machine_unless_said_otherwise(use_ring: Use) -> None:
    """B34: A stored entry belongs to one machine."""
    ring = rings.Ring()
    use_ring(ring)
    await KeyringVault(provider="corp", issuer="https://id.example.com", client_id="c1").save(entry(SHORT))
    assert json.loads(ring.entries["jupyter_oidc", ring.head])["installation"] == machine_id()


def test_a_machine_id_does_not_name_the_host() -> None:
    """B34: A stored entry belongs to one machine."""
    assert len(machine_id()) == 16
    assert platform.node() not in machine_id()


def test_a_machine_id_stays_the_same() -> None:
    """B34: A stored entry belongs to one machine."""
    assert machine_id() == machine_id()


# -- which backends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ring", "name"),
    [
        (NULL, "keyring.backends.null.Keyring"),
        (FAIL, "keyring.backends.fail.Keyring"),
        (rings.PlaintextRing(), "tests.unit.adapters.rings.PlaintextRing"),
        (rings.AltRing(), "keyrings.alt.file.AltRing"),
        (rings.RelabelledRing(), "somewhere.else.RelabelledRing"),
        (rings.Chain(), "keyring.backends.chainer.Chain"),
        (rings.Chain(rings.Ring()), "keyring.backends.chainer.Chain"),
    ],
    ids=["null", "fail", "plaintext", "alt", "derived", "empty chain", "chain"],
)
async def test_a_backend_that_does_not_keep_secrets_is_refused_by_name(
    use_ring: Use, ring: KeyringBackend, name: str
) -> None:
    """B18: Keyring backends that keep no secrets are refused."""
    use_ring(ring)
    with pytest.raises(StorageUnavailable) as caught:
        await vault().save(entry(SHORT))
    assert (caught.value.detail, f"'{name}'" in caught.value.message) == ("keyring_unsafe", True)


async def test_a_refused_backend_is_given_nothing(use_ring: Use) -> None:
    """B18: Keyring backends that keep no secrets are refused."""
    ring = rings.PlaintextRing()
    use_ring(ring)
    await detail_of(vault().save(entry(SHORT)))
    assert ring.entries == {}


async def test_the_refusal_says_what_to_do(use_ring: Use) -> None:
    """B18: Keyring backends that keep no secrets are refused."""
    use_ring(NULL)
    with pytest.raises(StorageUnavailable) as caught:
        await vault().probe()
    assert caught.value.action == (
        "Name another one in c.JupyterOIDC.keyring_backend, remove that setting to use your system's keyring, "
        "or set c.JupyterOIDC.storage = 'memory'."
    )


async def test_an_unsafe_backend_that_was_replaced_no_longer_stands_in_the_way(use_ring: Use) -> None:
    """B18: Keyring backends that keep no secrets are refused."""
    use_ring(NULL)
    store = vault()
    await detail_of(store.save(entry(SHORT)))
    use_ring(rings.Ring())
    await store.save(entry(SHORT))
    assert await token_in(store) == SHORT


# -- backends that fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ring", "detail"),
    [
        (rings.LockedRing, "keyring_locked"),
        (rings.DroppingRing, "keyring_lost_write"),
        (rings.ChattyRing, "keyring_failed"),
        (rings.HangingRing, "keyring_timeout"),
    ],
    ids=["locked", "drops writes", "fails", "hangs"],
)
@pytest.mark.parametrize("token", [SHORT, LONG], ids=["short", "long"])
async def test_a_token_that_was_not_kept_is_reported(
    use_ring: Use, ring: type[rings.Ring], detail: str, token: str
) -> None:
    """B15: A token that cannot be stored stays in memory.

    B16: A locked keyring is reported, without prompts.
    B17: A keyring that hangs holds up nothing else.
    B21: Keyring failures are reported in our own words.
    """
    use_ring(ring())
    assert await detail_of(vault().save(entry(token))) == detail


@pytest.mark.parametrize(
    ("ring", "detail"),
    [
        (rings.LockedRing, "keyring_locked"),
        (rings.DroppingRing, "keyring_lost_write"),
        (rings.ChattyRing, "keyring_failed"),
        (rings.HangingRing, "keyring_timeout"),
    ],
    ids=["locked", "drops writes", "fails", "hangs"],
)
async def test_a_probe_finds_out_what_a_save_would(use_ring: Use, ring: type[rings.Ring], detail: str) -> None:
    use_ring(ring())
    assert await detail_of(vault().probe()) == detail


async def test_a_probe_leaves_nothing_behind(use_ring: Use) -> None:
    ring = rings.Ring()
    use_ring(ring)
    await vault().probe()
    assert (ring.entries, len(ring.deleted)) == ({}, 1)


async def test_a_probe_leaves_the_stored_token_alone(use_ring: Use) -> None:
    use_ring(rings.Ring())
    await vault().save(entry(SHORT))
    await vault().probe()
    assert await token_in(vault()) == SHORT


async def test_what_a_backend_says_of_a_failure_goes_no_further(use_ring: Use) -> None:
    """B21: Keyring failures are reported in our own words. T-12: Secrets never reach logs, pages or URLs."""
    use_ring(rings.ChattyRing())
    with pytest.raises(StorageUnavailable) as caught:
        await vault().save(entry(SHORT))
    assert SHORT not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


# -- backends that hang --------------------------------------------------------------------------------------


async def test_a_call_that_hangs_is_given_up_after_the_deadline(use_ring: Use) -> None:
    """B17: A keyring that hangs holds up nothing else."""
    use_ring(rings.HangingRing())
    began = time.monotonic()
    await detail_of(vault().load())
    assert 0.15 < time.monotonic() - began < 2


async def test_the_event_loop_goes_on_while_a_call_hangs(use_ring: Use) -> None:
    """B17: A keyring that hangs holds up nothing else."""
    use_ring(rings.HangingRing())
    call = asyncio.create_task(detail_of(vault().load()))
    await asyncio.sleep(0.05)
    assert not call.done()
    await call


async def test_two_calls_that_hang_open_the_circuit(use_ring: Use) -> None:
    """B17: A keyring that hangs holds up nothing else."""
    ring = rings.HangingRing()
    use_ring(ring)
    store = vault()
    found = [await detail_of(store.load()) for _ in range(4)]
    assert (found, ring.waited) == (["keyring_timeout", "keyring_timeout", "keyring_stuck", "keyring_stuck"], 2)


async def test_calls_that_wait_behind_one_that_hangs_are_not_taken_for_hanging(use_ring: Use) -> None:
    """B17: one unanswered prompt is one stuck thread, however many calls wait behind it."""
    ring = rings.HangingRing()
    use_ring(ring)
    store = vault()
    calls = [asyncio.create_task(outcome_of(store.load())) for _ in range(5)]
    await asyncio.sleep(0.1)
    ring.hanging = False
    first, *others = await asyncio.gather(*calls)
    assert first == "keyring_timeout"
    assert set(others) <= {
        "keyring_timeout",
        None,
    }  # None: answered when the first was given up, a moment before its end
    assert await store.load() is None


async def test_a_call_behind_one_that_hangs_is_answered_once_that_is_given_up(use_ring: Use) -> None:
    """B17: A keyring that hangs holds up nothing else."""
    ring = rings.HangingRing()
    use_ring(ring)
    store = vault()
    first = asyncio.create_task(detail_of(store.load()))
    await asyncio.sleep(0.1)
    ring.hanging = False
    assert await store.load() is None
    assert await first == "keyring_timeout"


async def test_a_hanging_call_whose_caller_has_gone_does_not_block_the_keyring_for_ever(use_ring: Use) -> None:
    """B17: A keyring that hangs holds up nothing else."""
    ring = rings.HangingRing()
    use_ring(ring)
    store = vault()
    gone = asyncio.create_task(store.load())
    await asyncio.sleep(0.05)
    gone.cancel()
    ring.hanging = False
    assert await detail_of(store.load()) == "keyring_timeout"
    assert await store.load() is None


async def test_a_write_that_was_given_up_before_it_began_is_never_made(use_ring: Use) -> None:
    """B17: the write of a spent token must not come late and replace a newer one."""
    ring = rings.HangingRing()
    use_ring(ring)
    store = vault()
    hanging = asyncio.create_task(detail_of(store.load()))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(store.save(entry("rt-spent")))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await hanging
    ring.hanging = False
    ring.answered.set()
    await store.save(entry("rt-new"))
    assert await token_in(store) == "rt-new"


async def test_the_circuit_closes_when_the_prompt_is_answered(use_ring: Use) -> None:
    """B17: A keyring that hangs holds up nothing else."""
    ring = rings.HangingRing()
    use_ring(ring)
    store = vault()
    for _ in range(2):
        await detail_of(store.load())
    ring.hanging = False
    ring.answered.set()
    await asyncio.sleep(0.1)
    await store.save(entry(SHORT))
    assert await token_in(store) == SHORT


# -- forgetting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [SHORT, LONG], ids=["short", "long"])
async def test_a_sign_out_removes_the_token_with_all_its_pieces(use_ring: Use, token: str) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    ring = rings.ShortRing()
    use_ring(ring)
    await vault().save(entry(token))
    await vault().delete()
    assert ring.entries == {}


async def test_removing_what_is_not_there_is_no_error(use_ring: Use) -> None:
    ring = rings.Ring()
    use_ring(ring)
    await vault().delete()
    assert ring.deleted == []


@pytest.mark.parametrize("kind", [rings.KeepingRing, rings.ReturningRing], ids=["refuses", "brings back"])
async def test_what_a_backend_does_not_delete_is_overwritten(use_ring: Use, kind: type[rings.Ring]) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    ring = kind()
    use_ring(ring)
    await vault().save(entry(SHORT))
    await vault().delete()
    assert list(ring.entries.values()) == ['{"forgotten": true}']


async def test_an_overwritten_entry_counts_as_absent(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    use_ring(rings.KeepingRing())
    await vault().save(entry(SHORT))
    await vault().delete()
    assert await vault().load() is None


async def test_an_overwritten_entry_can_hold_a_token_again(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    use_ring(rings.KeepingRing())
    await vault().save(entry(SHORT))
    await vault().delete()
    await vault().save(entry("rt-2"))
    assert await token_in(vault()) == "rt-2"


async def test_a_sign_out_that_a_locked_keyring_prevents_is_reported(use_ring: Use) -> None:
    """D3: A stored entry that resists deletion is overwritten."""
    ring = rings.LockableRing()
    use_ring(ring)
    await vault().save(entry(SHORT))
    ring.locked = True
    assert await detail_of(vault().delete()) == "keyring_locked"
