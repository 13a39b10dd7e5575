"""Lets the workers of a Dask cluster call APIs: ``client.register_plugin(oidc.dask.Access("orders"))``.

It needs ``distributed`` in the notebook's environment and in the workers', which is where Dask itself needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

from jupyter_oidc.kernel.delegation import granted
from jupyter_oidc.kernel.find import is_kernel_process
from jupyter_oidc.kernel.server_connection import call_as

if TYPE_CHECKING:
    from distributed import Worker

    from jupyter_oidc.kernel.delegation import WorkerGrant


class Access(WorkerPlugin):
    """A plugin by which ``oidc.api()`` in a task calls with a grant for workers.

    ``apis`` and ``wish`` are those of :func:`jupyter_oidc.delegate`, whose errors it raises, or one grant of yours. Dask
    sends the plugin to workers that join later or restart, too; its scheduler holds the grant meanwhile.
    """

    name = "jupyter_oidc"

    def __init__(self, *apis: str | WorkerGrant, **wish: Any) -> None:
        self.grant: WorkerGrant = granted(apis, {"name": "Dask", **wish})

    def setup(self, worker: Worker) -> None:
        """Let this worker's tasks call by the grant; those that run in the kernel's own process call as the kernel."""
        del worker
        if not is_kernel_process():
            self.grant.use()

    def teardown(self, worker: Worker) -> None:
        """Let its tasks call by it no more, since another plugin takes its place or the worker ends."""
        del worker
        if not is_kernel_process():
            call_as(None)

    def revoke(self) -> None:
        """End the grant at once, for every worker."""
        self.grant.revoke()
