"""Whose grant a worker calls with: found in the database once, and by few looks at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from jupyter_oidc.adapters.storage.database.rows import GrantRow, Rows
from jupyter_oidc.background import Background, Defect
from jupyter_oidc.broker.worker_calls import (
    MAX_LOOKS,
    MAX_WAITING_LOOKS,
    UNKNOWN_SECONDS,
    StoredGrantAccounts,
)
from jupyter_oidc.problems import GrantInvalid, Overloaded, Problem, StorageUnavailable
from jupyter_oidc.sessions.delegation import digest_of
from jupyter_oidc.sessions.ports import database_away
from tests.unit.sessions.fake_environment import HandClock

KNOWN = "jow." + "A" * 43


@dataclass
class AskedRows:
    """A database with the grant ``KNOWN`` of the account ``ada``; ``gate`` holds its answers back."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    is_away: bool = False
    looks: int = 0
    at_once: int = 0
    most: int = 0

    async def grant(self, digest: str) -> GrantRow | None:
        self.looks += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await self.gate.wait()
        self.at_once -= 1
        if self.is_away:
            raise database_away()
        return GrantRow("worker-1", digest, "ada", b"", 0.0, 1.0, None, None) if digest == digest_of(KNOWN) else None


@dataclass
class Place:
    rows: AskedRows
    clock: HandClock
    accounts: StoredGrantAccounts
    defects: list[Defect]


@pytest.fixture
def place(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Place:
    rows, clock, defects = AskedRows(), HandClock(), list[Defect]()
    rows.gate.set()
    background = Background(defects.append, expected=Problem)
    return Place(rows, clock, StoredGrantAccounts(cast(Rows, rows), background, clock), defects)


def guess(number: int) -> str:
    return f"jow.{number:043d}"


async def test_a_grant_is_looked_up_once(place: Place) -> None:
    assert {await place.accounts.account_of(KNOWN) for _ in range(5)} == {"ada"}
    assert place.rows.looks == 1
    place.accounts.forget(KNOWN)
    assert await place.accounts.account_of(KNOWN) == "ada"
    assert place.rows.looks == 2


async def test_many_who_begin_with_one_grant_share_a_look(place: Place) -> None:
    place.rows.gate.clear()
    asked = [asyncio.ensure_future(place.accounts.account_of(KNOWN)) for _ in range(500)]
    await asyncio.sleep(0.01)
    asked[0].cancel()
    place.rows.gate.set()
    assert set(await asyncio.gather(*asked[1:])) == {"ada"}
    assert place.rows.looks == 1


async def test_guesses_wait_for_one_another_and_are_remembered(place: Place) -> None:
    place.rows.gate.clear()
    asked = [asyncio.ensure_future(place.accounts.account_of(guess(number))) for number in range(MAX_WAITING_LOOKS)]
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        await place.accounts.account_of(guess(-1))
    place.rows.gate.set()
    outcomes: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(one) for one in outcomes} == {GrantInvalid}
    assert (place.rows.most, place.rows.looks) == (MAX_LOOKS, MAX_WAITING_LOOKS)
    with pytest.raises(GrantInvalid):
        await place.accounts.account_of(guess(1))
    assert place.rows.looks == MAX_WAITING_LOOKS
    place.clock.advance(UNKNOWN_SECONDS + 1)
    with pytest.raises(GrantInvalid):
        await place.accounts.account_of(guess(1))
    assert place.rows.looks == MAX_WAITING_LOOKS + 1


@pytest.mark.parametrize("text", ["jow.", "jow." + "A" * 5_000, "jog." + "A" * 43, "jow." + "A" * 42 + "\n"])
async def test_what_has_another_form_is_not_looked_up(place: Place, text: str) -> None:
    with pytest.raises(GrantInvalid):
        await place.accounts.account_of(text)
    assert place.rows.looks == 0


async def test_a_database_that_is_away_makes_no_grant_unknown(place: Place) -> None:
    place.rows.is_away = True
    with pytest.raises(StorageUnavailable):
        await place.accounts.account_of(KNOWN)
    place.rows.is_away = False
    assert await place.accounts.account_of(KNOWN) == "ada"
    assert place.defects == []
