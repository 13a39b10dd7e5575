"""Many calls at once on a token that is no longer good: one renewal for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from jupyter_oidc.clock import Moment, SystemClock
from jupyter_oidc.compose import build, system_parts
from jupyter_oidc.settings import Settings, read_settings
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream

MANY = 500


class ShiftedClock:
    """The system's clock, some seconds ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> Moment:
        return SystemClock().now().later(self.ahead)


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def upstream(provider: ScriptedProvider) -> Iterator[Upstream]:
    with Upstream(provider.accepts) as upstream:
        yield upstream


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_oidc": True}},
        "JupyterOIDC": {
            "storage": "memory",
            "providers": {
                "corp": {
                    "issuer": provider.issuer,
                    "client_id": "jupyter",
                    "allow_insecure_loopback": True,
                    "apis": {"orders": {"base_url": upstream.url}},
                }
            },
        },
    }


class Desk:
    """A signed-in server in this process, whose clock can be moved."""

    def __init__(self, serverapp: Any, provider: ScriptedProvider, url: str) -> None:
        self.clock = ShiftedClock()
        self.provider = provider
        self.url = url
        self.token = serverapp.identity_provider.token
        point = serverapp.extension_manager.extension_points["jupyter_oidc"]
        context = point.app._context
        journal = context.opening.__closure__[0].cell_contents
        settings = read_settings(point.app.providers, "memory")
        assert isinstance(settings, Settings)
        context.opening = lambda: build(settings, replace(system_parts(settings, journal), clock=self.clock))
        self.context = context

    async def sign_in(self) -> None:
        headers = {"Authorization": f"token {self.token}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False) as client:
            started = (await client.post("jupyter-oidc/providers/corp/sign-in", json={})).json()
        start = str(httpx.URL(self.url).join(started["start_url"]))
        page = await asyncio.to_thread(self.provider.browser().open, start)
        assert "You are signed in" in page.text

    async def call(self, count: int) -> list[int]:
        headers = {"Authorization": f"token {self.token}"}
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, limits=limits, timeout=60, trust_env=False
        ) as client:
            replies = await asyncio.gather(*[client.get(f"jupyter-oidc/api/orders/{n}") for n in range(count)])
        return [reply.status_code for reply in replies]


@pytest.fixture
def desk(jp_serverapp: Any, http_server: Any, jp_http_port: int, jp_base_url: str, provider: ScriptedProvider) -> Desk:
    return Desk(jp_serverapp, provider, f"http://127.0.0.1:{jp_http_port}{jp_base_url}")


async def test_five_hundred_calls_on_an_expired_token_cost_one_token_request(
    desk: Desk, provider: ScriptedProvider
) -> None:
    """B1's herd, without the refusal: exactly one request, 500 successes."""
    await desk.sign_in()
    desk.clock.ahead = 1_000.0
    before = provider.count("token")
    assert await desk.call(MANY) == [200] * MANY
    assert provider.count("token") - before == 1


async def test_five_hundred_calls_on_a_session_that_the_provider_has_ended_fail_at_once(
    desk: Desk, provider: ScriptedProvider
) -> None:
    """B1: one refresh, 500 answers `session_expired`, and no further token request."""
    await desk.sign_in()
    desk.clock.ahead = 1_000.0
    provider.revoke_all()
    before = provider.count("token")
    assert await desk.call(MANY) == [401] * MANY
    assert await desk.call(20) == [401] * 20
    assert provider.count("token") - before == 1


async def test_five_hundred_calls_on_a_revoked_token_cost_one_token_request(
    desk: Desk, provider: ScriptedProvider, upstream: Upstream
) -> None:
    """B27: the API refuses a token that has not expired; all callers share one forced refresh."""
    await desk.sign_in()
    (first,) = {token for token in provider.issued() if provider.accepts(token)} or {""}
    upstream.accepts = lambda token: token != first and provider.accepts(token)
    before = provider.count("token")
    assert await desk.call(MANY) == [200] * MANY
    assert provider.count("token") - before == 1
