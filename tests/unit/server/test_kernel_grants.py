"""Kernel grants: proof, replay, expiry, and the end of the kernel (ADR 0006)."""

from __future__ import annotations

import pytest

from jupyter_oidc.clock import Moment
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import GrantInvalid, Overloaded
from jupyter_oidc.server.kernel_grants import (
    GRANT_LIFETIME_SECONDS,
    MAX_GRANTS,
    MAX_GRANTS_PER_KERNEL,
    MAX_PROOFS_PER_KERNEL,
    KernelGrants,
    proof_of,
)
from tests.support.kernels import Kernels

KEY = b"the key in the connection file"
NONCE = "abcdefghijklmnopqrstuv"
NOW = 1_795_424_400


class Frozen:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.moment = Moment(float(NOW), 1000.0)

    def now(self) -> Moment:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment = self.moment.later(seconds)


@pytest.fixture
def clock() -> Frozen:
    return Frozen()


@pytest.fixture
def kernels() -> Kernels:
    return Kernels({"k1": KEY})


@pytest.fixture
def grants(clock: Frozen, kernels: Kernels) -> KernelGrants:
    return KernelGrants(clock, SystemEntropy(), kernels)


def proof(key: bytes = KEY, kernel: str = "k1", issued_at: int = NOW, nonce: str = NONCE) -> str:
    return proof_of(key, kernel, issued_at, nonce)


def test_the_proof_is_the_documented_hmac() -> None:
    assert proof(b"key", "k1", 1, "n") == "413113151e80acd777ba0ec8ec7db53d6b9fb0bbbe3922f3242991ca1975ef8b"


def test_a_kernel_that_proves_itself_gets_a_grant(grants: KernelGrants) -> None:
    grant, lifetime = grants.issue("k1", NOW, NONCE, proof())
    assert grants.run_of(grant).kernel_id == "k1"
    assert lifetime == 900


@pytest.mark.parametrize(
    ("kernel", "issued_at", "nonce", "given"),
    [
        ("k1", NOW, NONCE, proof(b"another key")),
        ("k1", NOW + 1, NONCE, proof()),
        ("k1", NOW, NONCE[::-1], proof()),
        ("k2", NOW, NONCE, proof()),
        ("k2", NOW, NONCE, proof(b"", "k2")),
        ("k1", NOW, NONCE, "0" * 64),
    ],
    ids=["wrong key", "other time", "other nonce", "other kernel", "unknown kernel, empty key", "made up"],
)
def test_a_forged_proof_is_refused(grants: KernelGrants, kernel: str, issued_at: int, nonce: str, given: str) -> None:
    with pytest.raises(GrantInvalid):
        grants.issue(kernel, issued_at, nonce, given)


@pytest.mark.parametrize("offset", [-61, 61, -3600])
def test_a_proof_from_another_time_is_refused(grants: KernelGrants, offset: int) -> None:
    with pytest.raises(GrantInvalid) as refused:
        grants.issue("k1", NOW + offset, NONCE, proof(issued_at=NOW + offset))
    assert refused.value.detail == "kernel.clock"


def test_a_replayed_proof_is_refused(grants: KernelGrants, clock: Frozen) -> None:
    grants.issue("k1", NOW, NONCE, proof())
    clock.advance(30)
    with pytest.raises(GrantInvalid) as refused:
        grants.issue("k1", NOW, NONCE, proof())
    assert refused.value.detail == "kernel.replay"


def test_a_proof_is_not_replayable_for_as_long_as_its_time_is_accepted(grants: KernelGrants, clock: Frozen) -> None:
    ahead = NOW + 60
    grants.issue("k1", ahead, NONCE, proof(issued_at=ahead))
    clock.advance(119)
    with pytest.raises(GrantInvalid) as refused:
        grants.issue("k1", ahead, NONCE, proof(issued_at=ahead))
    assert refused.value.detail == "kernel.replay"


def test_a_grant_expires(grants: KernelGrants, clock: Frozen) -> None:
    grant, _ = grants.issue("k1", NOW, NONCE, proof())
    clock.advance(GRANT_LIFETIME_SECONDS + 1)
    with pytest.raises(GrantInvalid):
        grants.run_of(grant)


def test_a_grant_is_gone_the_moment_its_kernel_is(grants: KernelGrants, kernels: Kernels) -> None:
    grant, _ = grants.issue("k1", NOW, NONCE, proof())
    del kernels["k1"]
    with pytest.raises(GrantInvalid) as refused:
        grants.run_of(grant)
    assert refused.value.detail == "grant.kernel_gone"


def test_a_made_up_grant_is_refused(grants: KernelGrants) -> None:
    with pytest.raises(GrantInvalid):
        grants.run_of("jog.made-up")


def test_only_a_digest_of_a_grant_is_kept(grants: KernelGrants) -> None:
    grant, _ = grants.issue("k1", NOW, NONCE, proof())
    assert grant not in repr(vars(grants))


def test_a_grant_does_not_outlive_a_restart_of_its_kernel(grants: KernelGrants, kernels: Kernels) -> None:
    """Q8.12: the kernel keeps its id and its key; the grants of its earlier process are worthless."""
    grant, _ = grants.issue("k1", NOW, NONCE, proof())
    kernels.restart()
    with pytest.raises(GrantInvalid) as refused:
        grants.run_of(grant)
    assert refused.value.detail == "grant.kernel_gone"
    again, _ = grants.issue("k1", NOW, "z" * 22, proof(nonce="z" * 22))
    assert grants.run_of(again).kernel_id == "k1"


def issued(grants: KernelGrants, clock: Frozen, kernel: str, count: int) -> list[str]:
    """Issue ``count`` grants to ``kernel``, as slowly as proofs are taken."""
    given = []
    for number in range(count):
        if number % MAX_PROOFS_PER_KERNEL == 0 and number:
            clock.advance(121)
        now, nonce = int(clock.now().wall), f"{number:022}"
        given.append(grants.issue(kernel, now, nonce, proof(kernel=kernel, issued_at=now, nonce=nonce))[0])
    return given


def test_a_kernel_with_too_many_grants_loses_its_own_oldest(
    grants: KernelGrants, clock: Frozen, kernels: Kernels
) -> None:
    """Q8.12: one kernel's grants take no room of another's."""
    kernels["k2"] = KEY
    (other,) = issued(grants, clock, "k2", 1)
    first, *_, last = issued(grants, clock, "k1", MAX_GRANTS_PER_KERNEL + 1)
    with pytest.raises(GrantInvalid):
        grants.run_of(first)
    assert (grants.run_of(last).kernel_id, grants.run_of(other).kernel_id) == ("k1", "k2")


def test_when_there_are_too_many_in_all_the_kernel_with_most_loses_one(
    grants: KernelGrants, clock: Frozen, kernels: Kernels
) -> None:
    names = [f"n{number}" for number in range(MAX_GRANTS // MAX_GRANTS_PER_KERNEL)]
    kernels.update(dict.fromkeys([*names, "late"], KEY))
    kept = [issued(grants, clock, name, MAX_GRANTS_PER_KERNEL - (name == "n1"))[0] for name in names]
    (small,) = issued(grants, clock, "k1", 1)
    (late,) = issued(grants, clock, "late", 1)
    assert [grants.run_of(small).kernel_id, grants.run_of(late).kernel_id, grants.run_of(kept[1]).kernel_id] == [
        "k1",
        "late",
        "n1",
    ]
    with pytest.raises(GrantInvalid):
        grants.run_of(kept[0])


def test_a_kernel_that_proves_itself_without_end_is_told_to_wait_and_others_are_not(
    grants: KernelGrants, clock: Frozen, kernels: Kernels
) -> None:
    kernels["k2"] = KEY
    issued(grants, clock, "k1", MAX_PROOFS_PER_KERNEL)
    with pytest.raises(Overloaded):
        grants.issue("k1", NOW, NONCE, proof())
    assert issued(grants, clock, "k2", 1)
