"""Tells a broker which kernels still back the worker grants that were made through this server.

A broker does not know the kernels. It lets a grant that ends with its kernel go on for a minute after this server has
renewed it, so that such grants end with this server, too, whatever becomes of it.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from jupyter_oidc import contract
from jupyter_oidc.adapters.telemetry.named_log import SERVER
from jupyter_oidc.contract import ContractBroken
from jupyter_oidc.problems import Problem
from jupyter_oidc.server.broker import said_by_server
from jupyter_oidc.server.worker_access import kernel_gone
from jupyter_oidc.sessions.delegation import digest_of, ended, may_be_grant
from jupyter_oidc.web.request import Caller, Headers, Request

if TYPE_CHECKING:
    from typing import Any

    from jupyter_oidc.server.broker import Broker
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.server.kernel_grants import KernelRun
    from jupyter_oidc.web.reply import Reply

LOOK_SECONDS: Final = 3.0
"""Seconds between two looks at the kernels that have made grants."""

RENEWAL_SECONDS: Final = 20.0
"""Seconds between two renewals, of which two may fail before a broker lets no worker call any more."""

ANSWER_SECONDS: Final = 15.0
"""Seconds for the answers to one round of either, so that a slow broker does not keep the next renewal from it."""

MAX_RENEWED: Final = 1_000
"""Grants that are renewed by one request."""


class WorkerLeases:
    """Renews the grants that were made through the server of ``context`` at its ``broker``, and revokes forsaken ones."""

    def __init__(
        self,
        context: Context,
        broker: Broker,
        *,
        look_seconds: float = LOOK_SECONDS,
        renewal_seconds: float = RENEWAL_SECONDS,
    ) -> None:
        self._context = context
        self._broker = broker
        self._look_seconds = look_seconds
        self._renewal_seconds = renewal_seconds
        self._watch: asyncio.Task[None] | None = None
        self._digests: dict[str, str] = {}

    def made(self, reply: Reply, kernel: KernelRun | None) -> None:
        """Remember the ``kernel`` by which the grant in a ``reply`` of the broker was made."""
        if kernel is None or reply.status != 201:
            return
        made = contract.check("grant.reply", json.loads(reply.body))
        self._digests[digest_of(made["grant"])] = made["id"]
        self._context.workers.made_by(made["id"], kernel, is_outlived=made["outlives_kernel"])
        if self._watch is None or self._watch.done():
            self._begin()

    def revoked(self, grant_id: str) -> None:
        """Forget the maker of a grant that a person or kernel has revoked through this server."""
        self._context.workers.forget(grant_id)

    def _begin(self) -> None:
        self._watch = self._broker.background.start(self._keep(), after_defect=self._begin)

    def require_backed(self, text: str) -> None:
        """Refuse a worker's call with a grant that was made here and has lost its kernel; raises ``GrantInvalid``.

        Whether any other grant is good, the broker judges.
        """
        if not may_be_grant(text):
            raise ended()
        grant_id = self._digests.get(digest_of(text))
        if grant_id is not None and grant_id in self._context.workers.forsaken():
            raise kernel_gone()

    async def end_forsaken(self) -> None:
        """Revoke the grants that no kernel backs any more; raises ``BrokerUnavailable``."""
        workers = self._context.workers
        for grant_id in workers.forsaken():
            reply = await self._ask("DELETE", f"grants/{grant_id}")
            if reply.status == 200:  # NOTE: else it is tried again
                workers.forget(grant_id)
        self._digests = {digest: grant_id for digest, grant_id in self._digests.items() if workers.knows(grant_id)}

    async def _keep(self) -> None:
        """Look after the grants for as long as there are any; a broker that is away is asked the next time."""
        workers, loop = self._context.workers, asyncio.get_running_loop()
        renewed, told = loop.time(), ""
        while not workers.is_empty:
            await asyncio.sleep(self._look_seconds)
            trouble = ""
            try:
                # NOTE: first, since it cannot wait for a slow broker.
                if loop.time() - renewed >= self._renewal_seconds:
                    trouble = await asyncio.wait_for(self._renew(), ANSWER_SECONDS)
                    renewed = renewed if trouble else loop.time()
                await asyncio.wait_for(self.end_forsaken(), ANSWER_SECONDS)
            except Problem as problem:
                trouble = f"{problem.code} ({problem.detail})"
            except ContractBroken:
                trouble = "an answer that is none of this version's"
            except asyncio.TimeoutError:
                trouble = "the broker is slow"
            if trouble not in ("", told):
                SERVER.warning("jupyter_oidc: worker grants are not renewed: %s", trouble)
            told = trouble

    async def _renew(self) -> str:
        """Renew the grants, and forget those that have ended; return what keeps the broker from it, if anything does."""
        workers = self._context.workers
        backed = workers.backed()
        for first in range(0, len(backed), MAX_RENEWED):
            some = backed[first : first + MAX_RENEWED]
            reply = await self._ask("POST", "grant-leases", {"grants": some})
            if reply.status != 200:
                return f"status {reply.status}"
            living = contract.check("grant-leases.reply", json.loads(reply.body))["grants"]
            for grant_id in set(some) - set(living):
                workers.forget(grant_id)
        return ""

    async def _ask(self, method: str, path: str, body: Any = None) -> Reply:
        said = said_by_server(self._context, self._context.entropy.token(96))
        request = Request(
            method,
            f"{said.base_url}jupyter-oidc/{path}",
            Caller("server"),
            headers=Headers([("Content-Type", "application/json")] if body is not None else []),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        return await self._broker.ask(request, said)
