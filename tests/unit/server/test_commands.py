"""A command's identity: the routes that it opens, and the time at which it ends (Q4.4)."""

from __future__ import annotations

import pytest

from jupyter_oidc.clock import Moment
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import GrantInvalid, Overloaded
from jupyter_oidc.server.commands import Commands
from jupyter_oidc.server.kernel_grants import KernelGrants, proof_of
from tests.support.kernels import Kernels


class Frozen:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> Moment:
        return Moment(wall=1_800_000_000.0 + self.seconds, monotonic=self.seconds)


@pytest.fixture
def clock() -> Frozen:
    return Frozen()


@pytest.fixture
def grants(clock: Frozen) -> KernelGrants:
    return KernelGrants(clock, SystemEntropy(), Kernels())


def grant_of(grants: KernelGrants, clock: Frozen, command_id: str, key: str) -> str:
    """Prove to be the command, as the kernel helper does, and return the grant."""
    now, nonce = int(clock.now().wall), SystemEntropy().token(192)
    return grants.issue(command_id, now, nonce, proof_of(key.encode(), command_id, now, nonce))[0]


def test_a_command_gets_a_grant_as_a_kernel_does_and_is_named_as_a_command(clock: Frozen, grants: KernelGrants) -> None:
    """Q4.4: A command can run with an identity."""
    command = grants.commands.begin()
    caller = grants.run_of(grant_of(grants, clock, command.id, command.key)).kernel_id
    assert (caller, caller.startswith("command-")) == (command.id, True)


def test_a_grant_ends_with_its_command(clock: Frozen, grants: KernelGrants) -> None:
    """Q4.4: A command can run with an identity."""
    command = grants.commands.begin()
    grant = grant_of(grants, clock, command.id, command.key)
    grants.commands.end(command.id)
    with pytest.raises(GrantInvalid):
        grants.run_of(grant)
    with pytest.raises(GrantInvalid):
        grant_of(grants, clock, command.id, command.key)


def test_a_command_whose_keeper_was_killed_is_nobody_a_minute_later(clock: Frozen, grants: KernelGrants) -> None:
    """Q4.4: A command can run with an identity."""
    command = grants.commands.begin()
    grant = grant_of(grants, clock, command.id, command.key)
    clock.seconds += 59
    assert grants.run_of(grant).kernel_id == command.id
    clock.seconds += 2
    with pytest.raises(GrantInvalid):
        grants.run_of(grant)


def test_a_lease_that_is_extended_goes_on(clock: Frozen, grants: KernelGrants) -> None:
    """Q4.4, a sibling: A command can run with an identity."""
    command = grants.commands.begin()
    for _ in range(5):
        clock.seconds += 50
        grants.commands.extend_lease(command.id)
    assert grants.commands.is_live(command.id)


def test_a_command_that_has_ended_cannot_be_extended(clock: Frozen, grants: KernelGrants) -> None:
    """Q4.4: sibling: an identity never comes back."""
    command = grants.commands.begin()
    clock.seconds += 61
    with pytest.raises(GrantInvalid, match="The command has ended"):
        grants.commands.extend_lease(command.id)


def test_another_commands_key_proves_nothing(clock: Frozen, grants: KernelGrants) -> None:
    """Q4.4, a sibling: A command can run with an identity."""
    one, other = grants.commands.begin(), grants.commands.begin()
    with pytest.raises(GrantInvalid):
        grant_of(grants, clock, one.id, other.key)


def test_only_so_many_live_at_once_and_those_that_ended_make_room(clock: Frozen) -> None:
    """Q4.4: sibling: no process can fill the server's memory with identities."""
    commands = Commands(clock, SystemEntropy())
    for _ in range(100):
        commands.begin()
    with pytest.raises(Overloaded):
        commands.begin()
    clock.seconds += 61
    assert commands.begin().id.startswith("command-")


def test_a_commands_key_does_not_show(clock: Frozen) -> None:
    """Q4.4, a sibling: A command can run with an identity."""
    command = Commands(clock, SystemEntropy()).begin()
    assert command.key not in repr(command)
