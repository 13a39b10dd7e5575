"""A broker behind a proxy: answers of the proxy are told from those of the broker, and a token of the Hub goes along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp import web

from jupyter_oidc.adapters.broker.broker_client import BrokerClient
from jupyter_oidc.contract.version import BROKER_HEADER
from jupyter_oidc.problems import BrokerUnavailable, Problem, UpstreamUnreachable
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings.broker import BrokerAddress, broker_address
from tests.support.loop_thread import ServedInThread


class HubsProxy:
    """What answers at the address of a broker: the broker, or the proxy before it with ``status``."""

    def __init__(self) -> None:
        self.status = 0
        self.tokens: list[str] = []
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self.served = ServedInThread(application)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.status:
            headers = {"Location": "/hub/services/oidc/"} if self.status == 302 else {}
            return web.Response(status=self.status, text="<html>", content_type="text/html", headers=headers)
        return web.Response(text="here", headers={BROKER_HEADER: "1"})

    def client(self) -> BrokerClient:
        address = broker_address(f"http://127.0.0.1:{self.served.port}/services/oidc")
        assert isinstance(address, BrokerAddress)
        return BrokerClient(address, Secret("t-1"))


@pytest.fixture
def proxy() -> Iterator[HubsProxy]:
    made = HubsProxy()
    with made.served:
        yield made


async def test_the_broker_knows_the_server_by_its_token_of_the_hub(proxy: HubsProxy) -> None:
    client = proxy.client()
    answer = await client.ask("GET", "jupyter-oidc/providers", [], b"")
    await client.aclose()
    assert (answer.status, answer.body, proxy.tokens) == (200, b"here", ["token t-1"])


@pytest.mark.parametrize(
    ("status", "method", "problem"),
    [
        (302, "POST", BrokerUnavailable),
        (404, "POST", BrokerUnavailable),
        (503, "GET", BrokerUnavailable),
        (200, "GET", BrokerUnavailable),
        (503, "POST", UpstreamUnreachable),
        (502, "PUT", UpstreamUnreachable),
    ],
)
async def test_an_answer_of_the_proxy_is_told_from_one_of_the_broker(
    proxy: HubsProxy, status: int, method: str, problem: type[Problem]
) -> None:
    """What surely did not arrive may be sent again; of other calls nobody knows."""
    proxy.status, client = status, proxy.client()
    with pytest.raises(problem):
        await client.ask(method, "jupyter-oidc/providers", [], b"")
    with pytest.raises(problem):
        await client.open(method, "jupyter-oidc/api/orders/items", [], None, None)
    await client.aclose()


async def test_a_socket_that_the_proxy_refuses_was_not_opened(proxy: HubsProxy) -> None:
    proxy.status, client = 503, proxy.client()
    with pytest.raises(BrokerUnavailable):
        await client.open_socket("jupyter-oidc/api/orders/live", [], ())
    await client.aclose()
