"""The grants for workers that live: makes them, finds the one of a call, and ends them (ADR 61).

Of a grant's text only a digest is kept. A front brings the calls, and knows which kernels still run.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import Overloaded, RequestInvalid
from jupyter_oidc.sessions.delegation import MAX_HOURS, PREFIX, IssuedGrant, WorkerGrant, ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.sessions.delegation import Delegation

MAX_GRANTS: Final = 1_000
"""Worker grants of all sessions that live at once."""

MAX_GRANTS_PER_MAKER: Final = 100
"""Worker grants that one kernel has made and that live."""

SECONDS_PER_HOUR: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """A grant with the session that it belongs to, and its end by the monotonic clock."""

    grant: WorkerGrant
    session_lives: Callable[[], bool]
    until: float


class WorkerGrants:
    """The grants of every session here."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._kept: dict[bytes, _Kept] = {}
        self._digests: dict[str, bytes] = {}

    def issue(self, provider: str, delegation: Delegation, session_lives: Callable[[], bool]) -> IssuedGrant:
        """Return a new grant for a part of the session for which ``session_lives`` answers.

        Raises ``RequestInvalid`` for too long a time, and ``Overloaded`` if too many live. The caller has checked the
        names of the APIs.
        """
        if not 0 < delegation.hours <= MAX_HOURS:
            raise RequestInvalid(
                sentence("A worker grant lasts {hours} hours at most.", hours=format(MAX_HOURS, "g")),
                detail="worker.hours",
            )
        seconds = delegation.hours * SECONDS_PER_HOUR
        self._sweep()
        made = Counter(kept.grant.maker for kept in self._kept.values())
        if made[delegation.maker] >= MAX_GRANTS_PER_MAKER or len(self._kept) >= MAX_GRANTS:
            raise Overloaded(
                N_("Too many worker grants live."),
                action=N_("Revoke those that are not needed any more: grant.revoke(), or 'jupyter oidc grants'."),
                detail="worker.too_many",
            )
        now, text = self._clock.now(), PREFIX + self._entropy.token(256)
        grant = WorkerGrant(
            id=f"worker-{self._entropy.token(96)}",
            provider=provider,
            apis=delegation.apis,
            methods=delegation.methods,
            name=delegation.name,
            maker=delegation.maker,
            outlives_kernel=delegation.outlives_kernel,
            began=now.wall,
            ends=now.wall + seconds,
        )
        self._digests[grant.id] = digest = _digest(text)
        self._kept[digest] = _Kept(grant, session_lives, now.monotonic + seconds)
        return IssuedGrant(grant, text)

    def use(self, text: str) -> WorkerGrant:
        """Return the grant of a call, and note the call's time; raises ``GrantInvalid`` for one that has ended."""
        digest = _digest(text)
        kept = self._kept.get(digest)
        if kept is not None and not self._lives(kept):
            self.revoke(kept.grant.id)
            kept = None
        if kept is None:
            raise ended()
        grant = replace(kept.grant, last_used=self._clock.now().wall)
        self._kept[digest] = replace(kept, grant=grant)
        return grant

    def lives(self, grant_id: str) -> bool:
        """Return whether the grant has not ended."""
        digest = self._digests.get(grant_id)
        return digest is not None and self._lives(self._kept[digest])

    def living(self) -> tuple[WorkerGrant, ...]:
        """Return the grants that have not ended, the oldest first."""
        self._sweep()
        return tuple(kept.grant for kept in self._kept.values())

    def revoke(self, grant_id: str) -> WorkerGrant | None:
        """End a grant and return it; ``None`` if it has ended already, or never was."""
        digest = self._digests.pop(grant_id, None)
        return None if digest is None else self._kept.pop(digest).grant

    def _lives(self, kept: _Kept) -> bool:
        # NOTE: by both clocks: one stands still while the machine sleeps, the other can be set back.
        now = self._clock.now()
        return kept.until > now.monotonic and kept.grant.ends > now.wall and kept.session_lives()

    def _sweep(self) -> None:
        for kept in list(self._kept.values()):
            if not self._lives(kept):
                self.revoke(kept.grant.id)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
