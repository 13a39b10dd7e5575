"""Kernel grants: proof, replay, expiry, and the end of the kernel (ADR 0006)."""

from __future__ import annotations

import pytest

from jupyter_oidc.clock import Moment
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.errors import GrantInvalid
from jupyter_oidc.server.kernel_grants import LIFETIME, KernelGrants, proof_of
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


def test_the_proof_is_the_documented_hmac():
    assert proof(b"key", "k1", 1, "n") == "413113151e80acd777ba0ec8ec7db53d6b9fb0bbbe3922f3242991ca1975ef8b"


def test_a_kernel_that_proves_itself_gets_a_grant(grants):
    grant, lifetime = grants.issue("k1", NOW, NONCE, proof())
    assert grants.kernel_of(grant) == "k1"
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
def test_a_forged_proof_is_refused(grants, kernel, issued_at, nonce, given):
    with pytest.raises(GrantInvalid):
        grants.issue(kernel, issued_at, nonce, given)


@pytest.mark.parametrize("offset", [-61, 61, -3600])
def test_a_proof_from_another_time_is_refused(grants, offset):
    with pytest.raises(GrantInvalid) as refused:
        grants.issue("k1", NOW + offset, NONCE, proof(issued_at=NOW + offset))
    assert refused.value.detail == "kernel.clock"


def test_a_replayed_proof_is_refused(grants, clock):
    grants.issue("k1", NOW, NONCE, proof())
    clock.advance(30)
    with pytest.raises(GrantInvalid) as refused:
        grants.issue("k1", NOW, NONCE, proof())
    assert refused.value.detail == "kernel.replay"


def test_a_proof_is_not_replayable_for_as_long_as_its_time_is_accepted(grants, clock):
    ahead = NOW + 60
    grants.issue("k1", ahead, NONCE, proof(issued_at=ahead))
    clock.advance(119)
    with pytest.raises(GrantInvalid) as refused:
        grants.issue("k1", ahead, NONCE, proof(issued_at=ahead))
    assert refused.value.detail == "kernel.replay"


def test_a_grant_expires(grants, clock):
    grant, _ = grants.issue("k1", NOW, NONCE, proof())
    clock.advance(LIFETIME + 1)
    with pytest.raises(GrantInvalid):
        grants.kernel_of(grant)


def test_a_grant_is_gone_the_moment_its_kernel_is(grants, kernels):
    grant, _ = grants.issue("k1", NOW, NONCE, proof())
    del kernels["k1"]
    with pytest.raises(GrantInvalid) as refused:
        grants.kernel_of(grant)
    assert refused.value.detail == "grant.kernel_gone"


def test_a_made_up_grant_is_refused(grants):
    with pytest.raises(GrantInvalid):
        grants.kernel_of("jog.made-up")


def test_only_a_digest_of_a_grant_is_kept(grants):
    grant, _ = grants.issue("k1", NOW, NONCE, proof())
    assert grant not in repr(vars(grants))
