"""A successful proxied call does not log, set a cookie, look into a token or ask the provider."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from tests.support.kernels import grant_for
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream

CALLS = 20


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def calls(server_under_test: ServerUnderTest, authorization: str) -> list[httpx.Response]:
    headers = {"Authorization": authorization}
    async with httpx.AsyncClient(base_url=server_under_test.url, headers=headers, verify=PLAIN) as client:
        await client.get("jupyter-oidc/api/orders/first")
        return [await client.get(f"jupyter-oidc/api/orders/{number}") for number in range(CALLS)]


async def test_a_call_with_a_grant_writes_no_log_record_at_any_level(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    await server_under_test.sign_in()
    authorization = f"Bearer {grant_for(server_under_test)}"
    await calls(server_under_test, authorization)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    replies = await calls(server_under_test, authorization)
    assert [reply.status_code for reply in replies] == [200] * CALLS
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore", "asyncio"))]
    assert [record.getMessage() for record in ours] == []


@pytest.mark.parametrize("kind", ["grant", "token"])
async def test_a_reply_of_an_api_sets_no_cookie(server_under_test: ServerUnderTest, kind: str) -> None:
    """C23: neither the API's nor Jupyter's own."""
    await server_under_test.sign_in()
    authorization = f"Bearer {grant_for(server_under_test)}" if kind == "grant" else f"token {server_under_test.token}"
    replies = await calls(server_under_test, authorization)
    assert [reply.headers.get_list("set-cookie") for reply in replies] == [[]] * CALLS


async def test_a_token_is_validated_when_it_comes_and_never_for_a_call(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """A second validation of the token would have to ask for keys, and the new ones would not fit."""
    await server_under_test.sign_in()
    session = server_under_test.services.sessions.of_provider("corp")
    shared: Any = server_under_test.services.shared[session]
    shared.facts._keys = None
    provider.rotate_keys()
    asked = len(provider.received)
    replies = await calls(server_under_test, f"token {server_under_test.token}")
    assert [reply.status_code for reply in replies] == [200] * CALLS
    assert len(provider.received) == asked
