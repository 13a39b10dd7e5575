"""``diagnostics``: the checks of the set-up, and who can fix a fault."""

from __future__ import annotations

from jupyter_oidc.language import speaking
from jupyter_oidc.server.browser_location import is_browser
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.reply import content_language, json_reply


class DiagnosticsHandler(OidcHandler):
    """The checks of ``jupyter oidc doctor``; invalid settings get ``configuration_invalid`` as on every route."""

    _track_activity = False

    @allow("user", action="read")
    async def get(self) -> None:
        """Return the checks of these services, in the language of the caller."""
        browser_location = self.context.browser_location
        address = f"{self.request.protocol}://{self.request.host}{self.base_url}"
        seen = is_browser(self.request.headers)
        if not seen:
            # NOTE: JupyterHub's address is the one that browsers should use; none has reached the server there yet.
            address = browser_location.public_url() or address
            seen = browser_location.origin is not None and address == browser_location.origin + self.base_url
        view = await self.context.diagnostics_cache.view(self.services, address, seen=seen)
        with speaking(self.language):
            reply = json_reply(view, 200, content_language())
        self.send(reply)
