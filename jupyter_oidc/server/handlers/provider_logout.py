"""``providers/{p}/backchannel-logout``: the provider says that a session has ended (Back-Channel Logout 1.0, 2.5)."""

from __future__ import annotations

from jupyter_oidc.errors import LogoutTokenInvalid
from jupyter_oidc.secret import Secret
from jupyter_oidc.server.access_rule import public_route
from jupyter_oidc.server.handler import OidcHandler


class BackchannelLogoutHandler(OidcHandler):
    """Called by the provider itself, without a browser: no cookie, no login, no XSRF token (B-1)."""

    @public_route(protection="a logout token that the provider has signed, good once (B-5, B-12)")
    async def post(self, provider: str) -> None:
        """End the session that the logout token names; nothing to end is a success too (B-15)."""
        session = self.services.sessions.of_provider(provider)
        await session.sign_outs.end_by_provider(self._logout_token())
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def _logout_token(self) -> Secret:
        """Return ``logout_token``, which must be there exactly once; other fields are ignored (B-2)."""
        tokens = [value for name, value in self.form() or [] if name == "logout_token"]
        if len(tokens) != 1:
            raise LogoutTokenInvalid(detail="logout_token.form")
        return Secret(tokens[0])
