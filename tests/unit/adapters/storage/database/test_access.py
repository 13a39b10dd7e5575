"""The access tokens beside an entry, in both databases: sealed, fenced by turns, and gone with the entry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_oidc.adapters.storage.database.access_codec import decoded, encoded
from jupyter_oidc.adapters.storage.database.rows import RowName
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.delegation import SessionKey
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, TokenKey
from jupyter_oidc.sessions.shared_tokens import SharedAccess, SharedToken
from tests.unit.adapters.entries import entry
from tests.unit.adapters.storage.database.replicas import TWO, entry_of, rows_of

KINDS = ("sqlite", "postgresql")
ACCESS = SharedAccess(
    SessionKey("s1", 1_800_000_000.125),
    (
        SharedToken(SIGN_IN_KEY, Secret("CANARY-at-1"), 1_800_000_001.5, 300.0, is_bound=False),
        SharedToken(TokenKey("orders", None, ("a", "b")), Secret("CANARY-at-2"), 1_800_000_002.5, None, is_bound=True),
    ),
)


@pytest.mark.parametrize("kind", KINDS)
async def test_access_tokens_are_kept_beside_their_entry(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with rows_of(kind, tmp_path, request) as rows:
        mine, other = entry_of(rows), entry_of(rows, "bob")
        await mine.save_access(ACCESS)
        assert await mine.load_access() is None, "there is no entry that they could belong to"
        await mine.save(entry("rt-1"))
        await mine.save_access(ACCESS)
        assert (await mine.load_access(), await other.load_access()) == (ACCESS, None)
        assert await entry_of(rows, keys=TWO).load_access() is None, "others are got from the provider"
        async with mine.hold(timeout_seconds=5):
            await mine.save(entry("rt-2"))
            assert await mine.load_access() == ACCESS, "a refresh stores the successor first"
        await mine.save(entry("rt-3"))
        assert await mine.load_access() is None, "a sign-in ends the session before it"
        await mine.save_access(ACCESS)
        await mine.delete()
        assert await mine.load_access() is None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_late_writer_changes_no_access_tokens(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with rows_of(kind, tmp_path, request) as rows:
        mine = entry_of(rows)
        await mine.save(entry("rt-1"))
        name = RowName("ada", mine._name.entry)
        async with mine.hold(timeout_seconds=5) as first:
            late = first.number
        async with mine.hold(timeout_seconds=5):
            await mine.save_access(ACCESS)
        await rows.save_access(name, b"late", late)
        assert await mine.load_access() == ACCESS


@pytest.mark.parametrize("kind", KINDS)
async def test_access_tokens_are_sealed_for_their_row(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with rows_of(kind, tmp_path, request) as rows:
        mine, other = entry_of(rows), entry_of(rows, "bob")
        for one in (mine, other):
            await one.save(entry("rt-1"))
        await mine.save_access(ACCESS)
        sealed = await rows.load_access(mine._name)
        assert sealed is not None
        assert b"CANARY" not in sealed
        await rows.save_access(other._name, sealed, None)
        assert await other.load_access() is None
        stored = await rows.load(mine._name)
        assert stored is not None
        await rows.save_access(mine._name, stored, None)
        assert await mine.load_access() is None, "an entry is no access token"


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format": 2}', '{"format": 1, "session": [1], "tokens": []}'])
def test_what_cannot_be_read_is_none(text: str) -> None:
    assert decoded(Secret(text)) is None


@pytest.mark.parametrize("changed", ['"obtained_at": "soon"', '"lifetime": "long"'])
def test_a_token_without_its_times_is_none(changed: str) -> None:
    name = changed.partition(":")[0]
    text = reveal(encoded(replace(ACCESS, tokens=ACCESS.tokens[:1])))
    number = "1800000001.5" if "obtained" in name else "300.0"
    assert decoded(Secret(text.replace(f"{name}: {number}", changed))) is None
