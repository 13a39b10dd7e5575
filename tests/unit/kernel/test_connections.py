"""All clients of a kernel share their connections, which are made once and closed by no client."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import httpx
import pytest

import jupyter_oidc as oidc
from tests.unit.kernel.fake_server import FakeServer

ITEMS = "jupyter-oidc/api/orders/items"
MODELS = "jupyter-oidc/api/models/items"


@pytest.fixture
def dialled(kernel: FakeServer) -> list[Any]:
    """List the connections that the server has accepted: one entry each."""
    kernel.answers("GET", ITEMS, ["a book"])
    kernel.answers("GET", MODELS, ["a model"])
    return kernel.accepted


def of_grants(fake_server: FakeServer) -> int:
    """Return the number of connections for grants, each of which has a client of its own."""
    return len(fake_server.issued)


def test_clients_made_for_each_call_share_a_connection(kernel: FakeServer, dialled: list[Any]) -> None:
    for _ in range(5):
        oidc.api("orders").get("items")
        oidc.api("models").get("items")
    assert len(dialled) - of_grants(kernel) == 1


def test_a_client_that_is_closed_leaves_the_connection_to_the_others(kernel: FakeServer, dialled: list[Any]) -> None:
    with oidc.api("orders") as outer:
        with oidc.api("orders") as inner:
            inner.get("items")
        assert outer.get("items").json() == ["a book"]
    oidc.api("orders").get("items")
    assert len(dialled) - of_grants(kernel) == 1


def test_what_is_set_on_one_client_is_not_on_another(kernel: FakeServer, dialled: list[Any]) -> None:
    first = oidc.api("orders")
    first.headers["X-Team"] = "blue"
    oidc.api("orders").get("items")
    assert "x-team" not in kernel.received[-1].headers


def test_options_that_concern_one_client_share_the_connection_too(kernel: FakeServer, dialled: list[Any]) -> None:
    oidc.api("orders").get("items")
    oidc.api("orders", timeout=5, headers={"X-Team": "blue"}, patience=0).get("items")
    assert len(dialled) - of_grants(kernel) == 1


@pytest.mark.parametrize("options", [{"limits": httpx.Limits(max_connections=1)}, {"http1": True}])
def test_options_that_concern_connections_get_their_own(
    kernel: FakeServer, dialled: list[Any], options: dict[str, Any]
) -> None:
    oidc.api("orders").get("items")
    with oidc.api("orders", **options) as client:
        client.get("items")
    assert len(dialled) - of_grants(kernel) == 2


def test_a_transport_of_the_callers_is_used(kernel: FakeServer) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="by the caller")

    with oidc.api("orders", transport=httpx.MockTransport(answer)) as client:
        assert client.get("items").text == "by the caller"


def test_asynchronous_clients_of_one_loop_share_a_connection(kernel: FakeServer, dialled: list[Any]) -> None:
    async def calls() -> None:
        kept = oidc.async_api("orders")
        await kept.get("items")
        for _ in range(5):
            async with oidc.async_api("orders") as client:
                await client.get("items")
            await kept.get("items")
        await kept.aclose()

    asyncio.run(calls())
    of_names = 1  # NOTE: names are checked by the process's own pool, once.
    assert len(dialled) - of_grants(kernel) - of_names == 1


def test_a_client_can_be_used_in_one_loop_after_another(kernel: FakeServer, dialled: list[Any]) -> None:
    client = oidc.async_api("orders")
    assert [asyncio.run(client.get("items")).status_code for _ in range(2)] == [200, 200]


def test_the_last_asynchronous_client_closes_the_connections_of_its_loop(
    kernel: FakeServer, dialled: list[Any], recwarn: pytest.WarningsRecorder
) -> None:
    async def calls() -> None:
        async with oidc.async_api("orders") as client:
            await client.get("items")

    gc.collect()
    recwarn.clear()
    asyncio.run(calls())
    gc.collect()
    assert [str(warning.message) for warning in recwarn if warning.category is ResourceWarning] == []


def test_a_proxy_in_the_environment_does_not_see_calls_of_a_kernel_to_a_local_server(
    kernel: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.answers("GET", ITEMS, ["a book"])
    with FakeServer() as corporate:
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, corporate.url)
        oidc.api("orders").get("items")
        assert corporate.received == []
