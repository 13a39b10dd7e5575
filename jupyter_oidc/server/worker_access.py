"""Admits the calls of workers: by a grant that lives, from this machine unless the settings say otherwise (ADR 61).

Which grants live is decided by the sessions (:class:`~jupyter_oidc.sessions.delegation.LivingGrants`), or by a broker; here
are the kernels that made them, with which most of them end.
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


def kernel_gone() -> GrantInvalid:
    """Return the refusal of a grant that no kernel backs any more."""
    return GrantInvalid(
        N_("The worker grant has ended with the kernel that made it."),
        action=N_("Make a new one in the notebook: oidc.delegate()."),
        detail="worker.kernel_gone",
    )


class WorkerAccess:
    """The kernels that have made worker grants; ``kernels`` knows which of them run, and may act for the owner."""

    def __init__(self, kernels: KernelGrants) -> None:
        self._kernels = kernels
        self._makers: dict[str, _Maker] = {}

    def made_by(self, grant_id: str, kernel: KernelRun, *, is_outlived: bool) -> None:
        """Remember which ``kernel`` made the grant; the grant ends with it, unless it ``is_outlived``."""
        self._makers[grant_id] = _Maker(kernel, is_outlived)

    async def use(self, text: str, grants: LivingGrants) -> WorkerGrant:
        """Return the grant of a call; raises ``GrantInvalid`` for one that has ended."""
        grant = await grants.use(text)
        if self._is_backed(grant.id):
            return grant
        await self._end(grant.id, grants)
        raise kernel_gone()

    def lasts(self, grant_id: str, grants: LivingGrants) -> bool:
        """Return whether a stream that was opened with the grant may go on."""
        return grants.lives(grant_id) and self._is_backed(grant_id)

    async def end_forsaken(self, grants: LivingGrants) -> None:
        """Revoke the grants that no kernel backs any more, and forget the makers of grants that have ended."""
        before = set(self._makers)  # NOTE: one that is made meanwhile is not in the list
        for grant_id in before - {grant.id for grant in await grants.living()}:
            self.forget(grant_id)
        for grant_id in self.forsaken():
            await self._end(grant_id, grants)

    def forsaken(self) -> list[str]:
        """Return the grants that no kernel backs any more."""
        return [grant_id for grant_id in self._makers if not self._is_backed(grant_id)]

    def backed(self) -> list[str]:
        """Return the grants whose kernel runs, or is outlived."""
        return [grant_id for grant_id in self._makers if self._is_backed(grant_id)]

    def forget(self, grant_id: str) -> None:
        """Forget the maker of a grant that has ended."""
        self._makers.pop(grant_id, None)

    def knows(self, grant_id: str) -> bool:
        """Return whether the maker of the grant is remembered."""
        return grant_id in self._makers

    @property
    def is_empty(self) -> bool:
        """Whether no maker is remembered."""
        return not self._makers

    def _is_backed(self, grant_id: str) -> bool:
        """Return whether the maker may still act for the owner (Q10.4) and, unless it is outlived, still runs."""
        maker = self._makers.get(grant_id)
        if maker is None:
            return False
        return self._kernels.may_act(maker.kernel) if maker.is_outlived else self._kernels.lasts(maker.kernel)

    async def _end(self, grant_id: str, grants: LivingGrants) -> None:
        self.forget(grant_id)
        await grants.revoke(grant_id)
