"""``kernel/grant``: a kernel proves its identity and gets a grant."""

from __future__ import annotations

from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.web.access_rule import public_route
from jupyter_oidc.web.reply import json_reply
from jupyter_oidc.web.request import envelope


class KernelGrantHandler(OidcHandler):
    """Issues grants; the proof is checked in ``kernel_grants``."""

    @public_route(protection="proof of a live kernel's connection key")
    async def post(self) -> None:
        """Check the proof and the client's address, and return a grant."""
        self.context.require_local_kernel(self.request)
        proof = envelope(self.received(), "kernel-grant.request")
        grant, lifetime = self.context.grants.issue(
            proof["kernel_id"],
            proof["issued_at"],
            proof["nonce"],
            proof["proof"],
        )
        self.send(json_reply({"grant": grant, "expires_in": lifetime}))
