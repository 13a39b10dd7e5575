"""Admits the calls of workers: by a grant that lives, from this machine unless the settings say otherwise (ADR 61).

Which grants live is decided by the sessions (:class:`~jupyter_oidc.sessions.delegation.LivingGrants`); here are the kernels that made them, with
which most of them end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_oidc.language import N_
from jupyter_oidc.problems import GrantInvalid

if TYPE_CHECKING:
    from jupyter_oidc.server.kernel_grants import KernelGrants, KernelRun
    from jupyter_oidc.sessions.delegation import LivingGrants, WorkerGrant


@dataclass(frozen=True, slots=True)
class _Maker:
    """The run of the kernel that made a grant, and whether the grant goes on after that run."""

    kernel: KernelRun
    is_outlived: bool


class WorkerAccess:
    """The kernels that have made worker grants; ``kernels`` knows which of them run, and may act for the owner."""

    def __init__(self, kernels: KernelGrants) -> None:
        self._kernels = kernels
        self._makers: dict[str, _Maker] = {}

    def made_by(self, grant_id: str, kernel: KernelRun, *, is_outlived: bool) -> None:
        """Remember which ``kernel`` made the grant; the grant ends with it, unless it ``is_outlived``."""
        self._makers[grant_id] = _Maker(kernel, is_outlived)

    def use(self, text: str, grants: LivingGrants) -> WorkerGrant:
        """Return the grant of a call; raises ``GrantInvalid`` for one that has ended."""
        grant = grants.use(text)
        if self._is_backed(grant.id):
            return grant
        self._end(grant.id, grants)
        raise GrantInvalid(
            N_("The worker grant has ended with the kernel that made it."),
            action=N_("Make a new one in the notebook: oidc.delegate()."),
            detail="worker.kernel_gone",
        )

    def lasts(self, grant_id: str, grants: LivingGrants) -> bool:
        """Return whether a stream that was opened with the grant may go on."""
        return grants.lives(grant_id) and self._is_backed(grant_id)

    def end_forsaken(self, grants: LivingGrants) -> None:
        """Revoke the grants that no kernel backs any more, and forget the makers of grants that have ended."""
        living = {grant.id for grant in grants.living()}
        for grant_id in list(self._makers):
            if grant_id not in living or not self._is_backed(grant_id):
                self._end(grant_id, grants)

    def _is_backed(self, grant_id: str) -> bool:
        """Return whether the maker may still act for the owner (Q10.4) and, unless it is outlived, still runs."""
        maker = self._makers.get(grant_id)
        if maker is None:
            return False
        return self._kernels.may_act(maker.kernel) if maker.is_outlived else self._kernels.lasts(maker.kernel)

    def _end(self, grant_id: str, grants: LivingGrants) -> None:
        grants.revoke(grant_id)
        self._makers.pop(grant_id, None)
