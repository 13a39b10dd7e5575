"""Kernels for whoever asks which of them live, without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.clock import SystemClock
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.server.kernel_grants import KernelGrants, proof_of
from tests.support.canary import CANARY

if TYPE_CHECKING:
    from tests.support.desk import Desk


class Kernels(dict[str, bytes]):
    """The connection keys of the kernels that live."""

    def is_live(self, kernel_id: str) -> bool:
        """Return whether the kernel is among them."""
        return kernel_id in self

    def key_of(self, kernel_id: str) -> bytes | None:
        """Return its key."""
        return self.get(kernel_id)


def grant_for(desk: Desk) -> str:
    """Let the server believe in a kernel, and return its grant."""
    clock = SystemClock()
    desk.context.grants = KernelGrants(clock, SystemEntropy(), Kernels(k1=b"a connection key"))
    now = int(clock.now().wall)
    grant, _ = desk.context.grants.issue("k1", now, "n" * 22, proof_of(b"a connection key", "k1", now, "n" * 22))
    CANARY.hold(grant)
    return grant
