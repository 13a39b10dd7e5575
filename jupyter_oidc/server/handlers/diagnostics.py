"""``diagnostics``: what is right and wrong with the set-up, and who can fix it."""

from __future__ import annotations

from jupyter_oidc.server.door import door
from jupyter_oidc.server.handler import OidcHandler


class DiagnosticsHandler(OidcHandler):
    """The checks of ``jupyter oidc doctor``; where the settings contain mistakes, the same answer as everywhere."""

    _track_activity = False

    @door("user", action="read")
    async def get(self) -> None:
        """Return the checks of these services."""
        address = f"{self.request.protocol}://{self.request.host}{self.base_url}"
        self.answer(await self.context.diagnosis.view(self.services, address))
