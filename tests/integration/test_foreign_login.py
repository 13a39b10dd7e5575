"""A server whose users log in by another identity provider than Jupyter's own, as under JupyterHub (C3, C5)."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import RequestHandler
from yarl import URL

from tests.support.marker import MARKER
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream

PERSONAL = f"hub-token-{MARKER}"
"""The user's own token, not the server's, which JupyterLab appends to the address of every WebSocket there."""


class Hub(IdentityProvider):
    """Takes personal tokens besides the server's own."""

    async def get_user(self, handler: RequestHandler) -> User | None:
        if self.get_token(handler) not in (self.token, PERSONAL):
            return None
        handler._token_authenticated = True  # type: ignore[attr-defined]
        return User("ada")


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream, identity_provider_class=Hub)


@pytest.mark.parametrize("name", ["token", "tok%65n"])
async def test_a_personal_token_in_the_address_stays_here(
    server_under_test: ServerUnderTest, upstream: Upstream, name: str
) -> None:
    """C3, C5: it opens all of the user's servers, and is none of the API's business."""
    await server_under_test.sign_in()
    url = f"{server_under_test.url}jupyter-oidc/api/orders/items?a=1&{name}={PERSONAL}&b=2"
    async with aiohttp.ClientSession() as session:
        async with session.get(URL(url, encoded=True)) as reply:
            assert reply.status == 200
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(URL(url, encoded=True))
    assert [seen.path for seen in upstream.seen] == ["/v1/items?a=1&b=2"] * 2
