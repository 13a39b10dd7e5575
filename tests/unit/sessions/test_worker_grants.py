"""Which grants for workers live, and what each opens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from jupyter_oidc.adapters.storage.grants_memory import MemoryGrants
from jupyter_oidc.problems import Forbidden, GrantInvalid, Overloaded, RequestInvalid, StorageUnavailable
from jupyter_oidc.sessions.delegation import (
    PREFIX,
    SOCKET,
    USUAL_HOURS,
    Delegation,
    IssuedGrant,
    SessionKey,
    StoredGrant,
)
from jupyter_oidc.sessions.ports import database_away
from jupyter_oidc.sessions.worker_grants import (
    FORSAKEN_SECONDS,
    LEASE_SECONDS,
    LOOK_SECONDS,
    MAX_GRANTS,
    MAX_GRANTS_PER_MAKER,
    MAX_UNSEEN_SECONDS,
    USE_NOTED_SECONDS,
    WorkerGrants,
)
from tests.unit.sessions.fake_environment import CountingEntropy, HandClock

ORDERS = Delegation("kernel:k1", ("orders",), ("GET", "HEAD"), hours=2.0, name="cluster")
ADA = SessionKey("ada", 1_000.5)
HOUR = 3_600.0


@dataclass
class Living:
    """The sessions that live, at every provider."""

    keys: set[SessionKey] = field(default_factory=lambda: {ADA})

    async def has_session(self, provider: str, key: SessionKey) -> bool:
        return self.is_present(provider, key)

    def is_present(self, provider: str, key: SessionKey) -> bool:
        return key in self.keys

    def is_followed(self, provider: str, key: SessionKey) -> bool:
        return any(one.signed_in_at > key.signed_in_at for one in self.keys)


class Store(MemoryGrants):
    """A store that can be away, and that counts the looks at it."""

    is_away = False
    looks = 0
    notes = 0

    async def find(self, digest: str) -> StoredGrant | None:
        self._answer()
        self.looks += 1
        return await super().find(digest)

    async def every(self) -> list[StoredGrant]:
        self._answer()
        return await super().every()

    async def remove(self, grant_id: str) -> None:
        self._answer()
        await super().remove(grant_id)

    async def renew(self, grant_ids: Sequence[str], lease_ends: float) -> None:
        self._answer()
        await super().renew(grant_ids, lease_ends)

    async def note_use(self, grant_id: str, at: float) -> None:
        self.notes += 1
        await super().note_use(grant_id, at)

    def _answer(self) -> None:
        if self.is_away:
            raise database_away()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def sessions() -> Living:
    return Living()


def process(
    store: Store, sessions: Living, clock: HandClock, *, is_leased: bool = False, max_hours: float = USUAL_HOURS
) -> WorkerGrants:
    """The grants as one process sees them."""
    return WorkerGrants(
        store,
        sessions,
        clock,
        CountingEntropy(),
        max_hours=max_hours,
        is_leased=is_leased,
        spawn=asyncio.ensure_future,
    )


@pytest.fixture
def grants(store: Store, sessions: Living, clock: HandClock) -> WorkerGrants:
    return process(store, sessions, clock)


@pytest.fixture
def other_process(store: Store, sessions: Living, clock: HandClock) -> WorkerGrants:
    return process(store, sessions, clock)


@pytest.fixture
def leased(store: Store, sessions: Living, clock: HandClock) -> WorkerGrants:
    """The grants as a broker sees them, which knows no kernels."""
    return process(store, sessions, clock, is_leased=True)


@pytest.fixture
def issued(grants: WorkerGrants, jp_asyncio_loop: asyncio.AbstractEventLoop) -> IssuedGrant:
    return jp_asyncio_loop.run_until_complete(grants.issue("corp", ORDERS, ADA))


def test_a_grant_tells_what_it_opens_and_its_text_is_shown_nowhere(issued: IssuedGrant, clock: HandClock) -> None:
    grant = issued.grant
    assert (grant.apis, grant.methods, grant.name, grant.maker) == (
        ("orders",),
        ("GET", "HEAD"),
        "cluster",
        "kernel:k1",
    )
    assert grant.ends - clock.now().wall == 2 * HOUR
    assert issued.text.startswith(PREFIX)
    assert issued.text not in repr(issued) + repr(grant)


async def test_a_use_is_noted(grants: WorkerGrants, issued: IssuedGrant, clock: HandClock) -> None:
    assert [grant.last_used for grant in await grants.living()] == [None]
    clock.advance(60)
    assert (await grants.use(issued.text)).id == issued.grant.id
    assert [grant.last_used for grant in await grants.living()] == [clock.now().wall]


async def test_uses_are_stored_now_and_then(
    grants: WorkerGrants, issued: IssuedGrant, store: Store, clock: HandClock
) -> None:
    """Another process shows the use, and a cluster that calls all the time writes once a minute."""
    for _ in range(10):
        clock.advance(1)
        await grants.use(issued.text)
    await asyncio.sleep(0)
    assert store.notes == 1
    clock.advance(USE_NOTED_SECONDS)
    await grants.use(issued.text)
    await asyncio.sleep(0)
    assert [one.grant.last_used for one in await store.every()] == [clock.now().wall]


@pytest.mark.parametrize(
    ("api", "method", "detail"),
    [
        ("plans", "GET", "worker.api"),
        ("orders", "DELETE", "worker.method"),
        ("orders", "POST", "worker.method"),
        ("orders", SOCKET, "worker.method"),
        ("ORDERS", "GET", "worker.api"),
        ("", "GET", "worker.api"),
    ],
)
def test_a_grant_opens_nothing_else(issued: IssuedGrant, api: str, method: str, detail: str) -> None:
    with pytest.raises(Forbidden) as refused:
        issued.grant.check(api, method)
    assert refused.value.detail == detail


def test_a_grant_opens_what_it_names(issued: IssuedGrant) -> None:
    issued.grant.check("orders", "GET")
    replace(issued.grant, methods=(SOCKET,)).check("orders", SOCKET)


async def ended(grants: WorkerGrants, issued: IssuedGrant) -> bool:
    assert grants.lives(issued.grant.id) is (issued.grant.id in [grant.id for grant in await grants.living()])
    try:
        await grants.use(issued.text)
    except GrantInvalid:
        assert not grants.lives(issued.grant.id)
        return True
    return False


async def test_a_grant_ends_when_its_time_is_over(grants: WorkerGrants, issued: IssuedGrant, clock: HandClock) -> None:
    clock.advance(2 * HOUR - 1)
    assert not await ended(grants, issued)
    clock.advance(2)
    assert await ended(grants, issued)


async def test_a_grant_ends_by_either_clock(grants: WorkerGrants, issued: IssuedGrant, clock: HandClock) -> None:
    """The monotonic clock may stand still while the machine sleeps; the wall clock may be set back."""
    clock.jump_wall(2 * HOUR + 1)
    assert await ended(grants, issued)


async def test_a_grant_ends_with_its_session(
    grants: WorkerGrants, issued: IssuedGrant, sessions: Living, store: Store
) -> None:
    sessions.keys = {SessionKey("ada", 1_001.0)}  # another session of the same person does not bring it back
    assert await ended(grants, issued)
    assert await store.every() == []
    sessions.keys = {ADA}
    assert await ended(grants, issued)


async def test_a_process_that_does_not_know_the_session_refuses_a_grant_and_removes_none(
    grants: WorkerGrants, issued: IssuedGrant, sessions: Living
) -> None:
    """It may have an earlier session, or have failed to read the present one."""
    for keys in (set(), {SessionKey("ada", 999.0)}):
        sessions.keys = keys
        assert await grants.living() == ()
        with pytest.raises(GrantInvalid):
            await grants.use(issued.text)
    sessions.keys = {ADA}
    assert not await ended(grants, issued)


async def test_what_ends_the_session_on_purpose_removes_its_grants_and_no_others(
    grants: WorkerGrants, issued: IssuedGrant, store: Store
) -> None:
    other = await grants.issue("partner", ORDERS, ADA)
    await grants.end_session("corp", ADA)
    assert [one.grant.id for one in await store.every()] == [other.grant.id]
    assert await ended(grants, issued)


async def test_grants_of_sessions_that_are_gone_make_room(grants: WorkerGrants, sessions: Living, store: Store) -> None:
    for number in range(MAX_GRANTS):
        await grants.issue("corp", replace(ORDERS, maker=f"kernel:k{number}"), ADA)
    sessions.keys = {SessionKey("ada", 999.0)}
    await grants.issue("corp", ORDERS, SessionKey("ada", 999.0))
    assert len(await store.every()) == 1


async def test_a_shorter_time_in_the_settings_ends_what_is_longer(
    issued: IssuedGrant, store: Store, sessions: Living, clock: HandClock
) -> None:
    shorter = process(store, sessions, clock, max_hours=1.0)
    await shorter.use(issued.text)
    assert not await ended(shorter, issued)
    clock.advance(HOUR + 1)
    assert await ended(shorter, issued)


async def test_switched_off_no_grant_is_good(
    issued: IssuedGrant, store: Store, sessions: Living, clock: HandClock
) -> None:
    assert await ended(process(store, sessions, clock, max_hours=0.0), issued)


async def test_a_revoked_grant_is_good_for_nothing_and_others_live_on(
    grants: WorkerGrants, issued: IssuedGrant
) -> None:
    other = await grants.issue("corp", ORDERS, ADA)
    assert await grants.revoke(issued.grant.id) == issued.grant
    assert await grants.revoke(issued.grant.id) is None
    assert await ended(grants, issued)
    assert not await ended(grants, other)


@pytest.mark.parametrize("text", ["", PREFIX, "jog.abc", PREFIX + "x" * 10_000, PREFIX + "\ud800"])
async def test_an_unknown_text_is_no_grant(grants: WorkerGrants, issued: IssuedGrant, text: str) -> None:
    with pytest.raises(GrantInvalid):
        await grants.use(text)


@pytest.mark.parametrize("hours", [0.0, -1.0, USUAL_HOURS + 0.1, float("inf"), float("nan")])
async def test_no_grant_lives_longer_than_a_day(grants: WorkerGrants, hours: float) -> None:
    with pytest.raises(RequestInvalid, match="24 hours at most"):
        await grants.issue("corp", replace(ORDERS, hours=hours), ADA)


async def test_one_kernel_cannot_take_the_place_of_all(grants: WorkerGrants, clock: HandClock) -> None:
    for _ in range(MAX_GRANTS_PER_MAKER):
        await grants.issue("corp", ORDERS, ADA)
    with pytest.raises(Overloaded):
        await grants.issue("corp", ORDERS, ADA)
    await grants.issue("corp", replace(ORDERS, maker="kernel:k2"), ADA)
    clock.advance(2 * HOUR + 1)
    await grants.issue("corp", ORDERS, ADA)  # those that have ended make room
    assert len(await grants.living()) == 1


async def test_the_number_of_grants_is_limited(grants: WorkerGrants) -> None:
    for number in range(MAX_GRANTS):
        await grants.issue("corp", replace(ORDERS, maker=f"kernel:k{number}"), ADA)
    with pytest.raises(Overloaded, match="Too many worker grants live"):
        await grants.issue("corp", replace(ORDERS, maker="kernel:another"), ADA)


# -- several processes at one store ------------------------------------------------------------------------


async def test_another_process_knows_the_grant(issued: IssuedGrant, other_process: WorkerGrants) -> None:
    assert (await other_process.use(issued.text)).apis == ("orders",)
    assert other_process.lives(issued.grant.id)


async def test_what_another_process_revokes_ends_here_too(
    grants: WorkerGrants, issued: IssuedGrant, other_process: WorkerGrants, clock: HandClock
) -> None:
    """For a new call as soon as the store is looked at again, and for a stream at the look after that."""
    await grants.use(issued.text)
    await other_process.revoke(issued.grant.id)
    clock.advance(LOOK_SECONDS)
    assert grants.lives(issued.grant.id)
    await asyncio.sleep(0.01)
    assert not grants.lives(issued.grant.id)
    with pytest.raises(GrantInvalid):
        await grants.use(issued.text)


async def test_calls_ask_the_store_now_and_then(
    grants: WorkerGrants, issued: IssuedGrant, store: Store, clock: HandClock
) -> None:
    for _ in range(100):
        clock.advance(LOOK_SECONDS / 50)
        await grants.use(issued.text)
    assert 1 <= store.looks <= 3


async def test_a_known_grant_is_good_for_a_minute_without_the_store(
    grants: WorkerGrants, issued: IssuedGrant, other_process: WorkerGrants, store: Store, clock: HandClock
) -> None:
    await grants.use(issued.text)
    store.is_away = True
    clock.advance(MAX_UNSEEN_SECONDS - 1)
    assert grants.lives(issued.grant.id)
    await grants.use(issued.text)
    with pytest.raises(StorageUnavailable):  # and not that it has ended, which is not known
        await other_process.use(issued.text)
    clock.advance(LOOK_SECONDS)
    assert not grants.lives(issued.grant.id)
    with pytest.raises(StorageUnavailable):
        await grants.use(issued.text)
    store.is_away = False
    assert (await grants.use(issued.text)).id == issued.grant.id
    assert grants.lives(issued.grant.id)


# -- leases ------------------------------------------------------------------------------------------------


async def test_a_grant_that_its_server_does_not_renew_opens_nothing(leased: WorkerGrants, clock: HandClock) -> None:
    """Its caller is told to try later, since the server may only have been kept from it."""
    issued = await leased.issue("corp", ORDERS, ADA)
    for _ in range(5):
        clock.advance(LEASE_SECONDS - 1)
        await leased.use(issued.text)
        assert await leased.renew([issued.grant.id]) == (issued.grant.id,)
    clock.advance(LEASE_SECONDS + 1)
    assert not leased.lives(issued.grant.id)
    with pytest.raises(Overloaded) as refused:
        await leased.use(issued.text)
    assert (refused.value.detail, refused.value.retry_after) == ("worker.lease", 5.0)


async def test_a_server_that_was_kept_from_renewing_can_make_up_for_it(leased: WorkerGrants, clock: HandClock) -> None:
    issued = await leased.issue("corp", ORDERS, ADA)
    clock.advance(LEASE_SECONDS + FORSAKEN_SECONDS - 1)
    with pytest.raises(Overloaded):
        await leased.use(issued.text)
    assert await leased.renew([issued.grant.id]) == (issued.grant.id,)
    assert (await leased.use(issued.text)).id == issued.grant.id
    clock.advance(LEASE_SECONDS + FORSAKEN_SECONDS + 1)
    assert await leased.renew([issued.grant.id]) == ()
    assert await leased.living() == ()


async def test_a_lease_that_ends_while_the_store_is_away_is_no_end(
    leased: WorkerGrants, store: Store, clock: HandClock
) -> None:
    issued = await leased.issue("corp", ORDERS, ADA)
    store.is_away = True
    clock.advance(LEASE_SECONDS + 1)
    with pytest.raises(StorageUnavailable):
        await leased.use(issued.text)


@pytest.mark.parametrize("lease_ends", [None, 10 * HOUR])
async def test_who_writes_to_the_store_makes_no_lease_longer(
    leased: WorkerGrants, store: Store, clock: HandClock, lease_ends: float | None
) -> None:
    issued = await leased.issue("corp", ORDERS, ADA)
    [stored] = await store.every()
    planted = None if lease_ends is None else clock.now().wall + lease_ends
    await store.add(replace(stored, lease_ends=planted))
    clock.advance(LOOK_SECONDS + 1)
    with pytest.raises(Overloaded):
        await leased.use(issued.text)
    assert not leased.lives(issued.grant.id)


async def test_a_renewal_prolongs_no_life(leased: WorkerGrants, clock: HandClock) -> None:
    """Neither of a grant that needs none, nor beyond the hours of one that does."""
    free = await leased.issue("corp", replace(ORDERS, outlives_kernel=True), ADA)
    bound = await leased.issue("corp", replace(ORDERS, hours=1.0), ADA)
    renewed = await leased.renew([free.grant.id, bound.grant.id, "worker-unknown"])
    assert set(renewed) == {free.grant.id, bound.grant.id}
    clock.advance(HOUR + 1)
    assert await ended(leased, bound)
    clock.advance(HOUR)
    assert await ended(leased, free)


async def test_many_that_ask_at_once_get_no_more_than_one_kernel_may_have(grants: WorkerGrants) -> None:
    asked = (grants.issue("corp", ORDERS, ADA) for _ in range(3 * MAX_GRANTS_PER_MAKER))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, IssuedGrant) for one in outcomes) == MAX_GRANTS_PER_MAKER


async def test_a_slow_list_forgets_no_grant_that_is_made_meanwhile(sessions: Living, clock: HandClock) -> None:
    class Slow(Store):
        async def every(self) -> list[StoredGrant]:
            found = await super().every()
            await asyncio.sleep(0.05)
            return found

    store = Slow()
    grants = process(store, sessions, clock)
    listing = asyncio.ensure_future(grants.living())
    await asyncio.sleep(0.01)
    other = process(store, sessions, clock)
    issued = await other.issue("corp", ORDERS, ADA)
    await grants.use(issued.text)
    await listing
    assert grants.lives(issued.grant.id)
