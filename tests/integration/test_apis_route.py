"""The list of APIs holds only the facts that its caller may see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kernels import grant_for
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def test_a_kernel_is_told_where_an_api_is_and_a_page_is_not(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """Q3.3: a kernel gives back the addresses that it finds in answers; a page has no use for it."""
    to_page = (await server_under_test.ask("GET", "jupyter-oidc/apis")).json()["apis"][0]
    headers = {"Authorization": f"Bearer {grant_for(server_under_test)}"}
    async with server_under_test.client() as client:
        to_kernel = (await client.get("jupyter-oidc/apis", headers=headers)).json()["apis"][0]
    assert ("base_url" in to_page, to_kernel["base_url"]) == (False, upstream.url)
