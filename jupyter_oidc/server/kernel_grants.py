"""Issues grants to kernels: a proof of a connection file's key gives fifteen minutes on the kernel routes.

A kernel proves itself with an HMAC over its id, the time and a nonce (DESIGN 4); the answer is an opaque
grant, of which only a digest is kept.
A grant is good for the routes marked K, and invalid as soon as its kernel ends or restarts (ADR 0006); the streams of
that kernel end then, too (``caller_streams``).
A command that was begun at this server counts as a kernel here, with an id that begins differently.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from jupyter_oidc.language import N_
from jupyter_oidc.problems import GrantInvalid, Overloaded
from jupyter_oidc.server.commands import PREFIX as COMMAND_PREFIX
from jupyter_oidc.server.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy

PREFIX: Final = "jog."
"""The beginning of every grant, so that it cannot be mistaken for a Jupyter token."""

GRANT_LIFETIME_SECONDS: Final = 900
"""Seconds that a grant is good for."""

PROOF_WINDOW_SECONDS: Final = 60
"""Seconds by which ``issued_at`` may differ from our clock."""

PURPOSE: Final = "jupyter-oidc kernel grant v1"
MAX_GRANTS: Final = 4_000
"""Grants of all kernels; beyond that, the kernel with the most grants loses its oldest."""

MAX_GRANTS_PER_KERNEL: Final = 1_000
"""Grants of one kernel, each of whose processes has its own; beyond that, its oldest is dropped."""

MAX_PROOFS_PER_KERNEL: Final = 1_000
"""Proofs of one kernel that are accepted within the time in which one could be replayed (two minutes)."""


@dataclass(frozen=True, slots=True)
class KernelRun:
    """One run of a kernel, from its start to its end or restart; ``run`` is compared by identity."""

    kernel_id: str
    run: object


@dataclass(frozen=True, slots=True)
class _Issued:
    kernel: KernelRun
    until: float


class Kernels(Protocol):
    """The kernels of this server."""

    def run_of(self, kernel_id: str) -> object | None:
        """Return the object that identifies the kernel's present run; ``None`` if it does not run here."""
        ...

    def key_of(self, kernel_id: str) -> bytes | None:
        """Return the connection key of a live kernel, or ``None``."""
        ...


class KernelGrants:
    """Issues and checks grants for ``kernels``, and for the ``commands`` that were begun here."""

    def __init__(
        self, clock: Clock, entropy: Entropy, kernels: Kernels, admits: Callable[[str], bool] = lambda _: True
    ) -> None:
        """``admits`` returns whether a live kernel may act for the owner of a shared server."""
        self._clock = clock
        self._entropy = entropy
        self._kernels = kernels
        self._admits = admits
        self.commands = Commands(clock, entropy)
        self._issued: dict[bytes, _Issued] = {}
        self._nonces: dict[str, dict[str, float]] = {}

    def issue(self, kernel_id: str, issued_at: int, nonce: str, proof: str) -> tuple[str, int]:
        """Return a new grant and its lifetime in seconds for a kernel that proved its identity.

        Raises ``GrantInvalid`` for a wrong or replayed proof, a time outside the window, or a kernel that this
        server does not run; all four look the same from outside.
        """
        now = self._clock.now()
        self._sweep(now.monotonic)
        # NOTE: an unknown kernel is compared with a random key, so it costs the same time.
        key = self.commands.key_of(kernel_id) or self._kernels.key_of(kernel_id) or self._entropy.token(256).encode()
        if not hmac.compare_digest(proof_of(key, kernel_id, issued_at, nonce), proof):
            raise GrantInvalid(detail="kernel.proof")
        if abs(now.wall - issued_at) > PROOF_WINDOW_SECONDS:
            raise GrantInvalid(
                N_("The kernel's clock differs from the server's by more than a minute."),
                action=N_("Set the clock of the machine that runs the kernel."),
                detail="kernel.clock",
            )
        self._check_owner(kernel_id)
        proofs = self._nonces.setdefault(kernel_id, {})
        if nonce in proofs:
            raise GrantInvalid(detail="kernel.replay")
        if len(proofs) >= MAX_PROOFS_PER_KERNEL:
            raise Overloaded(retry_after=float(PROOF_WINDOW_SECONDS))
        proofs[nonce] = now.monotonic + 2 * PROOF_WINDOW_SECONDS
        run = self._run_of(kernel_id)
        if run is None:
            raise GrantInvalid(detail="kernel.proof")
        self._make_room(kernel_id)
        grant = PREFIX + self._entropy.token(256)
        self._issued[_digest(grant)] = _Issued(KernelRun(kernel_id, run), now.monotonic + GRANT_LIFETIME_SECONDS)
        return grant, GRANT_LIFETIME_SECONDS

    def run_of(self, grant: str) -> KernelRun:
        """Return the kernel run that ``grant`` was issued to, if it still lasts; raises ``GrantInvalid``."""
        issued = self._issued.get(_digest(grant))
        if issued is None or issued.until < self._clock.now().monotonic:
            raise GrantInvalid(detail="grant.unknown")
        kernel = issued.kernel
        is_command = self.commands.is_live(kernel.kernel_id)
        if not is_command:
            self._check_owner(kernel.kernel_id)
        # NOTE: a command that has ended is unknown to the kernel manager, and so is every kernel to the commands.
        run = (self.commands if is_command else self._kernels).run_of(kernel.kernel_id)
        if run is None or run is not kernel.run:
            raise GrantInvalid(detail="grant.kernel_gone")
        return kernel

    def may_act(self, kernel: KernelRun) -> bool:
        """Return whether ``kernel``, which may have ended, may act for the server's owner (Q10.4).

        Only the owner can begin a command.
        """
        return kernel.kernel_id.startswith(COMMAND_PREFIX) or self._admits(kernel.kernel_id)

    def lasts(self, kernel: KernelRun) -> bool:
        """Return whether ``kernel`` has neither ended nor been restarted, and may still act for the owner (Q8.12)."""
        run = self._run_of(kernel.kernel_id)
        return run is not None and run is kernel.run and self._may_act(kernel.kernel_id)

    def _make_room(self, kernel_id: str) -> None:
        """Drop the oldest grant of ``kernel_id``, or of the kernel with the most, if a maximum is reached."""
        held = Counter(issued.kernel.kernel_id for issued in self._issued.values())
        if held[kernel_id] >= MAX_GRANTS_PER_KERNEL:
            loser = kernel_id
        elif len(self._issued) >= MAX_GRANTS:
            loser = held.most_common(1)[0][0]
        else:
            return
        self._issued.pop(next(digest for digest, issued in self._issued.items() if issued.kernel.kernel_id == loser))

    def _run_of(self, kernel_id: str) -> object | None:
        return self.commands.run_of(kernel_id) or self._kernels.run_of(kernel_id)

    def _may_act(self, kernel_id: str) -> bool:
        """Return whether it may act for the server's owner; only the owner can begin a command."""
        return self.commands.is_live(kernel_id) or self._admits(kernel_id)

    def _check_owner(self, kernel_id: str) -> None:
        if not self._may_act(kernel_id):
            raise GrantInvalid(
                N_("This server is shared, and somebody else than its owner started or used this kernel."),
                action=N_("Let the owner start a kernel of their own, or set grant_kernels_of_others."),
                detail="kernel.shared",
            )

    def _sweep(self, now: float) -> None:
        for kernel_id, proofs in list(self._nonces.items()):
            left = {nonce: until for nonce, until in proofs.items() if until > now}
            if left:
                self._nonces[kernel_id] = left
            else:
                del self._nonces[kernel_id]
        self._issued = {digest: issued for digest, issued in self._issued.items() if issued.until > now}


def proof_of(key: bytes, kernel_id: str, issued_at: int, nonce: str) -> str:
    """Return the proof that a kernel with ``key`` sends: HMAC-SHA256 in hexadecimal (RFC 2104)."""
    text = "|".join((PURPOSE, kernel_id, str(issued_at), nonce))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _digest(grant: str) -> bytes:
    return hashlib.sha256(grant.encode("utf-8", "surrogatepass")).digest()
