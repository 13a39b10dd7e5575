"""The route by which the provider says that a session has ended (Back-Channel Logout 1.0, 2.5).

The provider itself calls it, without a browser: no cookie, no login, no XSRF token (B-1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.problems import LogoutTokenInvalid
from jupyter_oidc.web.access_rule import public_route
from jupyter_oidc.web.reply import Reply, empty_reply
from jupyter_oidc.web.request import form_of

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call
    from jupyter_oidc.web.request import Request


@public_route(protection="a logout token that the provider has signed, good once (B-5, B-12)")
async def end_session_by_provider(call: Call, provider: str) -> Reply:
    """End the session that the logout token names; nothing to end is a success too (B-15).

    ``logout_token`` must be there exactly once; other fields are ignored (B-2).
    """
    await call.sessions.settings(provider)
    await call.sessions.end_by_provider(provider, logout_token_in(call.request))
    return empty_reply(200)


def logout_token_in(request: Request) -> str:
    """Return the one logout token in the form of ``request``; raises ``LogoutTokenInvalid``."""
    logout_tokens = [value for name, value in form_of(request) or () if name == "logout_token"]
    if len(logout_tokens) != 1:
        raise LogoutTokenInvalid(detail="logout_token.form")
    return logout_tokens[0]
