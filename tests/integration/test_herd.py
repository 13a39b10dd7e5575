"""Many calls at once on a token that is no longer good share one refresh."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream

MANY = 500


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def test_five_hundred_calls_on_an_expired_token_cost_one_token_request(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B1's herd, without the refusal: exactly one request, 500 successes."""
    await server_under_test.sign_in()
    server_under_test.clock.ahead = 1_000.0
    before = provider.count("token")
    assert await server_under_test.call(MANY) == [200] * MANY
    assert provider.count("token") - before == 1


async def test_five_hundred_calls_on_a_session_that_the_provider_has_ended_fail_at_once(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """B1: one refresh, 500 answers `session_expired`, and no further token request."""
    await server_under_test.sign_in()
    server_under_test.clock.ahead = 1_000.0
    provider.revoke_all()
    before = provider.count("token")
    assert await server_under_test.call(MANY) == [401] * MANY
    assert await server_under_test.call(20) == [401] * 20
    assert provider.count("token") - before == 1


async def test_five_hundred_calls_on_a_revoked_token_cost_one_token_request(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, upstream: Upstream
) -> None:
    """B27: the API refuses a token that has not expired; all callers share one forced refresh."""
    await server_under_test.sign_in()
    (first,) = {token for token in provider.issued() if provider.accepts(token)} or {""}
    upstream.accepts = lambda token: token != first and provider.accepts(token)
    before = provider.count("token")
    assert await server_under_test.call(MANY) == [200] * MANY
    assert provider.count("token") - before == 1
