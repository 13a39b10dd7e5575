"""A kernel manager without kernels, for code that asks which of them live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.clock import SystemClock
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.server.kernel_grants import KernelGrants, proof_of
from tests.support.canary import CANARY

if TYPE_CHECKING:
    from tests.support.server_under_test import ServerUnderTest


class Kernels(dict[str, bytes]):
    """The connection keys of the kernels that live; :meth:`restart` begins another run of all of them.

    With a ``defect``, to ask for a run raises it.
    """

    defect: Exception | None = None

    def restart(self) -> None:
        """Let every kernel run anew, with the id and the key that it had."""
        self._run = object()

    def run_of(self, kernel_id: str) -> object | None:
        """Return the present run of the kernel, if it is among them."""
        if self.defect is not None:
            raise self.defect
        if not hasattr(self, "_run"):
            self.restart()
        return self._run if kernel_id in self else None

    def key_of(self, kernel_id: str) -> bytes | None:
        """Return its key."""
        return self.get(kernel_id)


def grant_for(server_under_test: ServerUnderTest) -> str:
    """Let the server believe in a kernel, and return its grant."""
    clock = SystemClock()
    server_under_test.kernels = Kernels(k1=b"a connection key")
    server_under_test.context.grants = KernelGrants(clock, SystemEntropy(), server_under_test.kernels)
    now = int(clock.now().wall)
    grant, _ = server_under_test.context.grants.issue(
        "k1", now, "n" * 22, proof_of(b"a connection key", "k1", now, "n" * 22)
    )
    CANARY.hold(grant)
    return grant
