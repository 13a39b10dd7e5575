"""``apis``: the APIs of the proxy."""

from __future__ import annotations

from jupyter_server.utils import url_path_join

from jupyter_oidc.server.access_rule import allow
from jupyter_oidc.server.handler import OidcHandler
from jupyter_oidc.server.views import api_view


class ApisHandler(OidcHandler):
    """Lists the APIs with readiness and entitlements."""

    _track_activity = False

    @allow("user", "kernel", action="read")
    async def get(self) -> None:
        """List every API in the order of the settings."""
        views = []
        for session in self.services.sessions:
            summary = await session.view.summary()
            for api, access in zip(session.settings.apis, summary.apis, strict=True):
                path = url_path_join(self.base_url, "jupyter-oidc", "api", api.name) + "/"
                to_kernel = self.kernel_id is not None
                views.append(api_view(api, access, summary.state.value, path, to_kernel=to_kernel))
        self.answer({"apis": views})
