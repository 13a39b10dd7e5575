"""Which grants for workers live, and what each opens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_oidc.problems import Forbidden, GrantInvalid, Overloaded, RequestInvalid
from jupyter_oidc.sessions.delegation import MAX_HOURS, PREFIX, SOCKET, Delegation, IssuedGrant
from jupyter_oidc.sessions.worker_grants import MAX_GRANTS, MAX_GRANTS_PER_MAKER, WorkerGrants
from tests.unit.sessions.fake_environment import CountingEntropy, HandClock

ORDERS = Delegation("kernel:k1", ("orders",), ("GET", "HEAD"), hours=2.0, name="cluster")
HOUR = 3_600.0


class Session:
    """A session that lives until it is told otherwise."""

    lives = True


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def grants(clock: HandClock) -> WorkerGrants:
    return WorkerGrants(clock, CountingEntropy())


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def issued(grants: WorkerGrants, session: Session) -> IssuedGrant:
    return grants.issue("corp", ORDERS, lambda: session.lives)


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


def test_a_use_is_noted(grants: WorkerGrants, issued: IssuedGrant, clock: HandClock) -> None:
    assert [grant.last_used for grant in grants.living()] == [None]
    clock.advance(60)
    assert grants.use(issued.text).id == issued.grant.id
    assert [grant.last_used for grant in grants.living()] == [clock.now().wall]


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


def ended(grants: WorkerGrants, issued: IssuedGrant) -> bool:
    assert grants.lives(issued.grant.id) is (issued.grant.id in [grant.id for grant in grants.living()])
    try:
        grants.use(issued.text)
    except GrantInvalid:
        assert not grants.lives(issued.grant.id)
        return True
    return False


def test_a_grant_ends_when_its_time_is_over(grants: WorkerGrants, issued: IssuedGrant, clock: HandClock) -> None:
    clock.advance(2 * HOUR - 1)
    assert not ended(grants, issued)
    clock.advance(2)
    assert ended(grants, issued)


def test_a_grant_ends_by_either_clock(grants: WorkerGrants, issued: IssuedGrant, clock: HandClock) -> None:
    """The monotonic clock may stand still while the machine sleeps; the wall clock may be set back."""
    clock.jump_wall(2 * HOUR + 1)
    assert ended(grants, issued)


def test_a_grant_ends_with_its_session(grants: WorkerGrants, issued: IssuedGrant, session: Session) -> None:
    session.lives = False
    assert ended(grants, issued)
    session.lives = True
    assert ended(grants, issued)  # another session of the same person does not bring it back


def test_a_revoked_grant_is_good_for_nothing_and_others_live_on(grants: WorkerGrants, issued: IssuedGrant) -> None:
    other = grants.issue("corp", ORDERS, lambda: True)
    assert grants.revoke(issued.grant.id) == issued.grant
    assert grants.revoke(issued.grant.id) is None
    assert ended(grants, issued)
    assert not ended(grants, other)


@pytest.mark.parametrize("text", ["", PREFIX, "jog.abc", PREFIX + "x" * 10_000, PREFIX + "\ud800"])
def test_an_unknown_text_is_no_grant(grants: WorkerGrants, issued: IssuedGrant, text: str) -> None:
    with pytest.raises(GrantInvalid):
        grants.use(text)


@pytest.mark.parametrize("hours", [0.0, -1.0, MAX_HOURS + 0.1, float("inf"), float("nan")])
def test_no_grant_lives_longer_than_a_day(grants: WorkerGrants, hours: float) -> None:
    with pytest.raises(RequestInvalid, match="24 hours at most"):
        grants.issue("corp", replace(ORDERS, hours=hours), lambda: True)


def test_one_kernel_cannot_take_the_place_of_all(grants: WorkerGrants, clock: HandClock) -> None:
    for _ in range(MAX_GRANTS_PER_MAKER):
        grants.issue("corp", ORDERS, lambda: True)
    with pytest.raises(Overloaded):
        grants.issue("corp", ORDERS, lambda: True)
    grants.issue("corp", replace(ORDERS, maker="kernel:k2"), lambda: True)
    clock.advance(2 * HOUR + 1)
    grants.issue("corp", ORDERS, lambda: True)  # those that have ended make room
    assert len(grants.living()) == 1


def test_the_number_of_grants_is_limited(grants: WorkerGrants) -> None:
    for number in range(MAX_GRANTS):
        grants.issue("corp", replace(ORDERS, maker=f"kernel:k{number}"), lambda: True)
    with pytest.raises(Overloaded, match="Too many worker grants live"):
        grants.issue("corp", replace(ORDERS, maker="kernel:another"), lambda: True)
