"""Grants for kernels: who holds the key of a connection file gets fifteen minutes on the kernel routes.

A kernel proves itself with an HMAC over its id, the time and a nonce (DESIGN 4); the answer is an opaque
grant, of which only a digest is kept.
A grant is good for the routes marked K, and gone the moment its kernel is (ADR 0006).
A command that was begun at this server is a kernel here, with an id that says what it is.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from jupyter_oidc.errors import GrantInvalid, Overloaded
from jupyter_oidc.server.commands import Commands

if TYPE_CHECKING:
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy

PREFIX: Final = "jog."
"""How every grant begins, so that it cannot be mistaken for a Jupyter token."""

_BEARER: Final = "bearer "
_USUAL: Final = f"Bearer {PREFIX}"
_SCHEME: Final = len(_BEARER)

LIFETIME: Final = 900
"""Seconds that a grant is good for."""

WINDOW: Final = 60
"""Seconds by which ``issued_at`` may differ from our clock."""

PURPOSE: Final = "jupyter-oidc kernel grant v1"
MOST: Final = 10_000
"""Grants and nonces remembered at once; beyond, the oldest grants go first."""


@dataclass(frozen=True, slots=True)
class _Issued:
    kernel_id: str
    until: float


class Kernels(Protocol):
    """Whoever knows the kernels of this server."""

    def is_live(self, kernel_id: str) -> bool:
        """Return whether the kernel runs here."""
        ...

    def key_of(self, kernel_id: str) -> bytes | None:
        """Return the connection key of a live kernel, or ``None``."""
        ...


class KernelGrants:
    """Issues and checks grants for ``kernels``, and for the ``commands`` that were begun here."""

    def __init__(self, clock: Clock, entropy: Entropy, kernels: Kernels) -> None:
        self._clock = clock
        self._entropy = entropy
        self._kernels = kernels
        self.commands = Commands(clock, entropy)
        self._issued: dict[bytes, _Issued] = {}
        self._nonces: dict[tuple[str, str], float] = {}

    def issue(self, kernel_id: str, issued_at: int, nonce: str, proof: str) -> tuple[str, int]:
        """Return a new grant and its lifetime in seconds for a kernel that proved itself.

        Raises ``GrantInvalid`` for a wrong or replayed proof, a time outside the window, or a kernel that this
        server does not run; all four look the same from outside.
        """
        now = self._clock.now()
        self._sweep(now.monotonic)
        # NOTE: an unknown kernel is compared with a key that nobody knows, so it costs the same time.
        key = self.commands.key_of(kernel_id) or self._kernels.key_of(kernel_id) or self._entropy.token(256).encode()
        if not hmac.compare_digest(proof_of(key, kernel_id, issued_at, nonce), proof):
            raise GrantInvalid(detail="kernel.proof")
        if abs(now.wall - issued_at) > WINDOW:
            raise GrantInvalid(
                "The kernel's clock differs from the server's by more than a minute.",
                action="Set the clock of the machine that runs the kernel.",
                detail="kernel.clock",
            )
        if (kernel_id, nonce) in self._nonces:
            raise GrantInvalid(detail="kernel.replay")
        if len(self._nonces) >= MOST:
            raise Overloaded(retry_after=float(WINDOW))
        self._nonces[kernel_id, nonce] = now.monotonic + 2 * WINDOW
        if len(self._issued) >= MOST:
            self._issued.pop(next(iter(self._issued)))
        grant = PREFIX + self._entropy.token(256)
        self._issued[_digest(grant)] = _Issued(kernel_id, now.monotonic + LIFETIME)
        return grant, LIFETIME

    def kernel_of(self, grant: str) -> str:
        """Return the id of the live kernel that ``grant`` was issued to; raises ``GrantInvalid``."""
        issued = self._issued.get(_digest(grant))
        if issued is None or issued.until < self._clock.now().monotonic:
            raise GrantInvalid(detail="grant.unknown")
        if not (self._kernels.is_live(issued.kernel_id) or self.commands.is_live(issued.kernel_id)):
            raise GrantInvalid(detail="grant.kernel_gone")
        return issued.kernel_id

    def _sweep(self, now: float) -> None:
        self._nonces = {nonce: until for nonce, until in self._nonces.items() if until > now}
        self._issued = {digest: issued for digest, issued in self._issued.items() if issued.until > now}


def grant_in(authorization: str) -> str | None:
    """Return the grant in the value of an ``Authorization`` header, or ``None`` if it holds something else."""
    if authorization.startswith(_USUAL):
        return authorization[_SCHEME:]
    value = authorization[_SCHEME:].strip() if authorization[:_SCHEME].lower() == _BEARER else ""
    return value if value.startswith(PREFIX) else None


def proof_of(key: bytes, kernel_id: str, issued_at: int, nonce: str) -> str:
    """Return the proof that a kernel with ``key`` sends: HMAC-SHA256 in hexadecimal (RFC 2104)."""
    text = "|".join((PURPOSE, kernel_id, str(issued_at), nonce))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _digest(grant: str) -> bytes:
    return hashlib.sha256(grant.encode("utf-8", "surrogatepass")).digest()
