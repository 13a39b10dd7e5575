"""The cookie that binds a sign-in to a browser, in a jar that other programs of this host fill too."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

PLANTED = "; ".join(f"jupyter-oidc-flow-{number}=planted" for number in range(60))


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def came_back(server_under_test: ServerUnderTest, cookies: str) -> httpx.Response:
    """Walk to the provider and back with the browser's own cookie behind ``cookies``, and return the last answer."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
        start = await client.get(httpx.URL(server_under_test.url).join(started["start_url"]))
        own = start.headers["Set-Cookie"].partition(";")[0]
        client.cookies.clear()
        callback = (await client.get(start.headers["Location"])).headers["Location"]
        return await client.get(
            callback, headers={"Cookie": cookies.replace("OWN", own.partition("=")[0]) + "; " + own}
        )


@pytest.mark.parametrize("cookies", [PLANTED, "OWN=planted; OWN=planted", f"{PLANTED}; OWN=planted; a={{}}"])
async def test_a_sign_in_works_however_many_cookies_a_page_at_another_port_has_set(
    server_under_test: ServerUnderTest, cookies: str
) -> None:
    """Q8.7: cookies know no ports; state leads to the flow, and the flow to the one cookie."""
    end = await came_back(server_under_test, cookies)
    assert (end.status_code, await server_under_test.state()) == (303, ("active", None))


async def test_a_flood_of_planted_values_is_not_compared_without_end(server_under_test: ServerUnderTest) -> None:
    """Q8.7: Planted cookies do not disturb a sign-in."""
    end = await came_back(server_under_test, "; ".join(["OWN=planted"] * 60))
    assert (end.status_code, end.headers["X-OIDC-Error"]) == (400, "state_invalid")
