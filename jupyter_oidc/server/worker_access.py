"""Admits the calls of workers: by a grant that lives, from this machine unless the settings say otherwise (ADR 61).

Which grants live is decided by the sessions (:class:`~jupyter_oidc.sessions.delegation.LivingGrants`); here are the kernels that made them, with
which most of them end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import GrantInvalid
from jupyter_oidc.sessions.delegation import PREFIX

if TYPE_CHECKING:
    from jupyter_oidc.server.kernel_grants import KernelGrants, KernelRun
    from jupyter_oidc.sessions.delegation import LivingGrants, WorkerGrant

_BEARER_SCHEME: Final = "bearer "


class WorkerAccess:
    """The kernels with which worker grants end; ``kernels`` knows which of them still run."""

    def __init__(self, kernels: KernelGrants) -> None:
        self._kernels = kernels
        self._makers: dict[str, KernelRun] = {}

    def end_with(self, grant_id: str, kernel: KernelRun) -> None:
        """Let the grant end with ``kernel``."""
        self._makers[grant_id] = kernel

    def use(self, text: str, grants: LivingGrants) -> WorkerGrant:
        """Return the grant of a call; raises ``GrantInvalid`` for one that has ended."""
        grant = grants.use(text)
        if self._has_maker(grant.id):
            return grant
        self._end(grant.id, grants)
        raise GrantInvalid(
            N_("The worker grant has ended with the kernel that made it."),
            action=N_("Make a new one in the notebook: oidc.delegate()."),
            detail="worker.kernel_gone",
        )

    def lasts(self, grant_id: str, grants: LivingGrants) -> bool:
        """Return whether a stream that was opened with the grant may go on."""
        return grants.lives(grant_id) and self._has_maker(grant_id)

    def end_forsaken(self, grants: LivingGrants) -> None:
        """Revoke the grants whose kernels have ended, and forget the kernels of grants that have ended."""
        living = {grant.id for grant in grants.living()}
        for grant_id in list(self._makers):
            if grant_id not in living or not self._has_maker(grant_id):
                self._end(grant_id, grants)

    def _has_maker(self, grant_id: str) -> bool:
        """Return whether the kernel that the grant is to end with, if any, still runs."""
        kernel = self._makers.get(grant_id)
        return kernel is None or self._kernels.lasts(kernel)

    def _end(self, grant_id: str, grants: LivingGrants) -> None:
        grants.revoke(grant_id)
        self._makers.pop(grant_id, None)


def worker_grant_in(authorization: str) -> str | None:
    """Return the worker grant in the value of an ``Authorization`` header, or ``None`` if it holds none."""
    is_bearer = authorization[: len(_BEARER_SCHEME)].lower() == _BEARER_SCHEME
    value = authorization[len(_BEARER_SCHEME) :].strip() if is_bearer else ""
    return value if value.startswith(PREFIX) else None
