"""The route ``diagnostics``: what ``jupyter oidc doctor`` says, said by the server itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_oidc import contract
from tests.support.desk import Desk, configured
from tests.support.scripted_provider import ScriptedProvider
from tests.support.upstream import Upstream

ROUTE = ("jupyter-oidc", "diagnostics")


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream, request: pytest.FixtureRequest) -> dict[str, Any]:
    return getattr(request, "param", None) or configured(provider, upstream)


async def checks_of(jp_fetch: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    told = contract.check("diagnostics.reply", json.loads((await jp_fetch(*ROUTE)).body))
    return {check["name"]: check for check in told["checks"]}


async def test_a_running_server_knows_its_own_address(jp_fetch: Any, jp_http_port: int, jp_base_url: str) -> None:
    """A30: the redirect URI is that of the address at which the server was asked, if it is a loopback one."""
    checks = await checks_of(jp_fetch)
    assert checks["redirect URI"]["message"] == (
        "Register exactly this, to the letter: "
        f"http://127.0.0.1:{jp_http_port}{jp_base_url}jupyter-oidc/providers/corp/callback"
    )
    assert {check["status"] for check in checks.values()} == {"ok"}


async def test_the_provider_is_asked_for_metadata_and_keys_once_for_all_who_ask(
    jp_fetch: Any, provider: ScriptedProvider
) -> None:
    """G-6, H-5: and never whether it knows the client."""
    await asyncio.gather(*(checks_of(jp_fetch) for _ in range(5)))
    await checks_of(jp_fetch)
    assert sorted(received.endpoint for received in provider.received) == ["discovery", "jwks"]


async def test_a_signed_in_server_looks_at_its_access_token(
    jp_fetch: Any, desk: Desk, provider: ScriptedProvider
) -> None:
    assert (await checks_of(jp_fetch))["audience of orders"]["message"].endswith(
        "sign in to see whether it names the API."
    )
    assert desk.provider is provider


@pytest.mark.parametrize(
    "jp_server_config",
    [
        {
            "ServerApp": {"jpserver_extensions": {"jupyter_oidc": True}},
            "JupyterOIDC": {"providers": {"corp": {"issuer": "http://id.example.com", "clientid": "a"}}},
        }
    ],
    indirect=True,
)
async def test_mistakes_in_the_settings_are_answered_as_everywhere(jp_fetch: Any) -> None:
    """D8: one list for every route; ``jupyter oidc doctor`` has it line by line."""
    refused = await refusal(jp_fetch)
    assert refused["code"] == "configuration_invalid"
    for key in ("issuer", "client_id", "clientid"):
        assert f"providers.corp.{key}:" in refused["message"]


async def refusal(jp_fetch: Callable[..., Any]) -> dict[str, Any]:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch(*ROUTE)
    assert raised.value.response is not None
    return contract.check("error", json.loads(raised.value.response.body))


@pytest.mark.parametrize(
    "jp_server_config",
    [
        {
            "ServerApp": {"jpserver_extensions": {"jupyter_oidc": True}},
            "JupyterOIDC": {"providers": ["corp"], "storage": 7},
        }
    ],
    indirect=True,
)
async def test_even_the_wrong_type_for_everything_leaves_jupyter_running(jp_fetch: Any) -> None:
    """D8."""
    assert (await jp_fetch("api", "status")).code == 200
    message = (await refusal(jp_fetch))["message"]
    assert "(1) providers: is not a mapping." in message
    assert "(2) storage: is not a known storage." in message
