"""``diagnostics``: what is right and wrong with the set-up, and who can fix it."""

from __future__ import annotations

from jupyter_oidc.server.door import door
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.whereabouts import is_browser


class DiagnosticsHandler(OidcHandler):
    """The checks of ``jupyter oidc doctor``; where the settings contain mistakes, the same answer as everywhere."""

    _track_activity = False

    @door("user", action="read")
    async def get(self) -> None:
        """Return the checks of these services."""
        own = f"{self.request.protocol}://{self.request.host}{self.base_url}"
        shown = own if is_browser(self.request.headers) else self.context.whereabouts.public_url()
        self.answer(await self.context.diagnosis.view(self.services, shown or own, seen=shown is not None))
