"""What a successful proxied call does not do: log, set a cookie, look into a token, ask the provider."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from tests.support.desk import Desk, configured
from tests.support.kernels import grant_for
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream

CALLS = 20


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def calls(desk: Desk, authorization: str) -> list[httpx.Response]:
    async with httpx.AsyncClient(base_url=desk.url, headers={"Authorization": authorization}) as client:
        await client.get("jupyter-oidc/api/orders/first")
        return [await client.get(f"jupyter-oidc/api/orders/{number}") for number in range(CALLS)]


async def test_a_call_with_a_grant_writes_no_log_record_at_any_level(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.sign_in()
    authorization = f"Bearer {grant_for(desk)}"
    await calls(desk, authorization)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    replies = await calls(desk, authorization)
    assert [reply.status_code for reply in replies] == [200] * CALLS
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore", "asyncio"))]
    assert [record.getMessage() for record in ours] == []


@pytest.mark.parametrize("kind", ["grant", "token"])
async def test_a_reply_of_an_api_sets_no_cookie(desk: Desk, kind: str) -> None:
    """C23: neither the API's nor Jupyter's own."""
    await desk.sign_in()
    authorization = f"Bearer {grant_for(desk)}" if kind == "grant" else f"token {desk.token}"
    replies = await calls(desk, authorization)
    assert [reply.headers.get_list("set-cookie") for reply in replies] == [[]] * CALLS


async def test_a_token_is_validated_when_it_comes_and_never_for_a_call(desk: Desk, provider: ScriptedProvider) -> None:
    """Whoever looked into a token now would have to ask for keys, and the new ones would not fit."""
    await desk.sign_in()
    session = desk.context.services.sessions.of_provider("corp")
    session._oidc_client._keys = None
    provider.rotate_keys()
    asked = len(provider.received)
    replies = await calls(desk, f"token {desk.token}")
    assert [reply.status_code for reply in replies] == [200] * CALLS
    assert len(provider.received) == asked
