"""What a grant for workers opens, and everything that it does not: the attack table of decision 61."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import httpx
import pytest
from yarl import URL

from jupyter_oidc.clock import SystemClock
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.server.kernel_grants import KernelGrants, proof_of
from jupyter_oidc.sessions.worker_grants import MAX_GRANTS_PER_MAKER
from tests.integration.test_kernel_endings import echo, events
from tests.support.canary import CANARY
from tests.support.kernels import grant_for
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

GRANTS = "jupyter-oidc/grants"
SECONDS = 8.0
"""Longer than the pause between two looks at the callers of streams, on a busy machine too."""


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    document = configured(provider, upstream)
    reads = {"base_url": upstream.url, "methods": ["GET", "POST", "DELETE"]}
    document["JupyterOIDC"]["providers"]["corp"]["apis"] = {"orders": reads, "plans": reads}
    return document


class Notebook:
    """A kernel of the server under test, which is signed in."""

    def __init__(self, server_under_test: ServerUnderTest) -> None:
        self.server = server_under_test
        self.grant = grant_for(server_under_test)

    def prove(self) -> None:
        """Get another grant for the kernel."""
        now, nonce = int(SystemClock().now().wall), "o" * 22
        proof = proof_of(b"a connection key", "k1", now, nonce)
        self.grant, _ = self.server.context.grants.issue("k1", now, nonce, proof)
        CANARY.hold(self.grant)

    async def ask(self, verb: str, path: str, bearer: str | None = None, **rest: Any) -> httpx.Response:
        async with self.server.client() as client:
            client.headers["Authorization"] = f"Bearer {bearer or self.grant}"
            return await client.request(verb, path, **rest)

    async def delegate(self, *apis: str, **wish: Any) -> dict[str, Any]:
        """Make a grant, and return the reply."""
        reply = await self.ask("POST", GRANTS, json={"apis": list(apis), **wish})
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = reply.json()
        CANARY.hold(made["grant"])
        return made

    async def call(self, grant: str, path: str = "orders/items", verb: str = "GET", **rest: Any) -> httpx.Response:
        """Call as a worker does."""
        return await self.ask(verb, f"jupyter-oidc/api/{path}", grant, **rest)


@pytest.fixture
def notebook(server_under_test: ServerUnderTest, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Notebook:
    jp_asyncio_loop.run_until_complete(server_under_test.sign_in())
    return Notebook(server_under_test)


def told(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.headers.get("X-OIDC-Error", "")


async def test_a_worker_calls_what_the_grant_names(notebook: Notebook, upstream: Upstream) -> None:
    made = await notebook.delegate("orders", name="cluster", hours=1)
    assert (await notebook.call(made["grant"])).status_code == 200
    (sent,) = upstream.seen[-1:]
    assert made["grant"] not in str(sent.headers)
    listed = (await notebook.ask("GET", GRANTS)).json()["grants"]
    assert [(one["id"], one["name"], one["apis"], one["methods"]) for one in listed] == [
        (made["id"], "cluster", ["orders"], ["GET", "HEAD"])
    ]
    assert listed[0]["last_used_at"] is not None
    assert "grant" not in listed[0]


ELSEWHERE = [
    ("GET", "jupyter-oidc/api/plans/items", (403, "forbidden")),
    ("POST", "jupyter-oidc/api/orders/items", (403, "forbidden")),
    ("DELETE", "jupyter-oidc/api/orders/items", (403, "forbidden")),
    ("GET", "jupyter-oidc/api/unknown/items", (403, "forbidden")),
    ("POST", GRANTS, (401, "grant_invalid")),
    ("GET", GRANTS, (401, "grant_invalid")),
    ("DELETE", f"{GRANTS}/worker-x", (401, "grant_invalid")),
    ("GET", f"{ROUTE}/session", (401, "grant_invalid")),
    ("POST", f"{ROUTE}/sign-out", (401, "grant_invalid")),
    ("POST", f"{ROUTE}/sign-in", (401, "grant_invalid")),
    ("POST", f"{ROUTE}/refresh", (401, "grant_invalid")),
    ("GET", "jupyter-oidc/providers", (401, "grant_invalid")),
    ("GET", "jupyter-oidc/apis", (401, "grant_invalid")),
    ("GET", "jupyter-oidc/diagnostics", (401, "grant_invalid")),
    ("POST", "jupyter-oidc/commands", (403, "forbidden")),
    ("GET", "api/kernels", (403, "")),
]


async def test_a_worker_calls_nothing_else(notebook: Notebook, provider: ScriptedProvider, upstream: Upstream) -> None:
    """Not another API, not another method, no route of ours beside the proxy, and nothing of Jupyter's."""
    grant = (await notebook.delegate("orders"))["grant"]
    before, calls = provider.received[:], len(upstream.seen)
    found = {}
    for verb, path, _ in ELSEWHERE:
        body: dict[str, Any] = {"json": {}} if verb == "POST" else {}
        found[verb, path] = told(await notebook.ask(verb, path, grant, **body))
    assert found == {(verb, path): expected for verb, path, expected in ELSEWHERE}
    assert (provider.received, len(upstream.seen)) == (before, calls)
    assert (await notebook.server.state())[0] == "active"


async def test_only_a_kernel_makes_a_grant(notebook: Notebook) -> None:
    """A page could keep it beyond the page, and a worker would delegate for ever."""
    grant = (await notebook.delegate("orders"))["grant"]
    assert told(await notebook.server.ask("POST", GRANTS, json={"apis": ["orders"]})) == (403, "forbidden")
    assert told(await notebook.ask("POST", GRANTS, grant, json={"apis": ["orders"]})) == (401, "grant_invalid")


WRONG: list[dict[str, Any]] = [
    {},
    {"apis": []},
    {"apis": "orders"},
    {"apis": ["orders"], "hours": 0},
    {"apis": ["orders"], "hours": 25},
    {"apis": ["orders"], "methods": ["TRACE"]},
    {"apis": ["orders"], "methods": []},
    {"apis": ["orders"], "name": "two\nlines"},
    {"apis": ["orders"] * 21},
    {"apis": ["orders"], "person": "another"},
]


@pytest.mark.parametrize("wish", WRONG, ids=json.dumps)
async def test_a_wish_out_of_the_contract_is_refused(notebook: Notebook, wish: dict[str, Any]) -> None:
    assert told(await notebook.ask("POST", GRANTS, json=wish)) == (400, "request_invalid")
    assert (await notebook.ask("GET", GRANTS)).json()["grants"] == []


async def test_an_unknown_api_is_named_with_those_that_exist(notebook: Notebook) -> None:
    refused = await notebook.ask("POST", GRANTS, json={"apis": ["order"]})
    assert told(refused) == (404, "unknown_api")
    assert "Did you mean 'orders'?" in refused.json()["message"]


async def test_without_a_session_there_is_nothing_to_delegate(server_under_test: ServerUnderTest) -> None:
    refused = await Notebook(server_under_test).ask("POST", GRANTS, json={"apis": ["orders"]})
    assert told(refused) == (401, "not_signed_in")


# -- how a grant ends ----------------------------------------------------------------------------------------------


async def test_a_grant_ends_with_the_sign_out_and_no_sign_in_brings_it_back(notebook: Notebook) -> None:
    grant = (await notebook.delegate("orders"))["grant"]
    await notebook.server.ask("POST", f"{ROUTE}/sign-out", json={})
    assert told(await notebook.call(grant)) == (401, "grant_invalid")
    await notebook.server.sign_in()
    assert told(await notebook.call(grant)) == (401, "grant_invalid")
    assert (await notebook.ask("GET", GRANTS)).json()["grants"] == []


async def test_a_grant_ends_when_it_is_revoked_by_the_user_or_a_kernel(notebook: Notebook) -> None:
    first, second = await notebook.delegate("orders"), await notebook.delegate("orders")
    revoked = await notebook.server.ask("DELETE", f"{GRANTS}/{first['id']}")
    assert [one["id"] for one in revoked.json()["grants"]] == [second["id"]]
    assert told(await notebook.call(first["grant"])) == (401, "grant_invalid")
    assert (await notebook.call(second["grant"])).status_code == 200
    again = await notebook.ask("DELETE", f"{GRANTS}/{second['id']}")
    assert (again.status_code, again.json()["grants"]) == (200, [])
    assert told(await notebook.call(second["grant"])) == (401, "grant_invalid")


async def test_a_grant_ends_with_its_hours(notebook: Notebook) -> None:
    grant = (await notebook.delegate("orders", hours=0.5))["grant"]
    notebook.server.clock.ahead = 1_900.0
    assert told(await notebook.call(grant)) == (401, "grant_invalid")


async def test_a_grant_goes_on_over_many_access_tokens(notebook: Notebook, provider: ScriptedProvider) -> None:
    """The worker renews nothing: the server refreshes the token behind the grant."""
    grant = (await notebook.delegate("orders"))["grant"]
    for hours in (1, 2, 3):
        notebook.server.clock.ahead = hours * 3_600.0
        assert (await notebook.call(grant)).status_code == 200
    assert len(set(provider.issued())) > 3


@pytest.mark.parametrize(("outlives", "status"), [(False, 401), (True, 200)])
async def test_a_grant_ends_with_its_kernel_unless_it_is_to_outlive_it(
    notebook: Notebook, outlives: bool, status: int
) -> None:
    """A restart is an end: the code that made the grant is gone."""
    made = await notebook.delegate("orders", outlives_kernel=outlives)
    notebook.server.kernels.restart()
    assert (await notebook.call(made["grant"])).status_code == status
    listed = (await notebook.server.ask("GET", GRANTS)).json()["grants"]
    assert [one["id"] for one in listed] == ([made["id"]] if outlives else [])


async def test_a_list_shows_no_grant_of_a_kernel_that_has_ended(notebook: Notebook) -> None:
    await notebook.delegate("orders")
    notebook.server.kernels.clear()
    assert (await notebook.server.ask("GET", GRANTS)).json()["grants"] == []


async def test_a_shared_server_admits_no_grant_of_a_kernel_that_another_user_has_used(notebook: Notebook) -> None:
    """Q10.4: also one that is to outlive its kernel; the owner's other kernels go on."""
    used: set[str] = set()
    notebook.server.context.grants = KernelGrants(
        SystemClock(), SystemEntropy(), notebook.server.kernels, admits=lambda kernel_id: kernel_id not in used
    )
    notebook.prove()
    ending, outliving = await notebook.delegate("orders"), await notebook.delegate("orders", outlives_kernel=True)
    notebook.server.kernels.clear()
    assert (await notebook.call(outliving["grant"])).status_code == 200
    used.add("k1")
    for made in (ending, outliving):
        assert told(await notebook.call(made["grant"])) == (401, "grant_invalid")
    assert (await notebook.server.ask("GET", GRANTS)).json()["grants"] == []


async def test_a_grant_does_not_follow_an_api_to_another_provider(notebook: Notebook, upstream: Upstream) -> None:
    """The session of the other provider is none of this grant."""
    grant = (await notebook.delegate("orders"))["grant"]
    calls = len(upstream.seen)
    route = notebook.server.services.proxy.route("orders")
    object.__setattr__(route.api, "provider", "another")
    assert told(await notebook.call(grant)) == (403, "forbidden")
    assert len(upstream.seen) == calls


async def test_a_refusal_tells_a_worker_nothing_of_other_apis_and_providers(notebook: Notebook) -> None:
    grant = (await notebook.delegate("orders"))["grant"]
    for path, named in [
        ("jupyter-oidc/api/plans/x", "plans"),
        ("jupyter-oidc/api/zzz/x", "zzz"),
        ("jupyter-oidc/providers/corp/session", "corp"),
    ]:
        said = (await notebook.ask("GET", path, grant)).text.replace(named, "")
        assert [word for word in ("corp", "orders", "plans") if word in said] == []


async def test_an_api_that_is_in_the_settings_no_more_names_no_other(notebook: Notebook, upstream: Upstream) -> None:
    grant, calls = (await notebook.delegate("orders"))["grant"], len(upstream.seen)
    notebook.server.services.proxy._routes.pop("orders")
    refused = await notebook.call(grant)
    assert told(refused) == (403, "forbidden")
    assert "plans" not in refused.text
    assert len(upstream.seen) == calls


# -- streams -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["revoked", "signed out", "kernel gone"])
async def test_a_stream_ends_with_its_grant(notebook: Notebook, upstream: Upstream, ending: str) -> None:
    """Q8.12: a grant is checked again while a stream flows."""
    made = await notebook.delegate("orders")
    upstream.plan(events)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {made['grant']}"}) as worker:
        address = URL(f"{notebook.server.url}jupyter-oidc/api/orders/events", encoded=True)
        async with worker.get(address) as stream:
            assert stream.status == 200
            await stream.content.readany()
            if ending == "revoked":
                await notebook.ask("DELETE", f"{GRANTS}/{made['id']}")
            elif ending == "signed out":
                await notebook.server.ask("POST", f"{ROUTE}/sign-out", json={})
            else:
                notebook.server.kernels.restart()

            async def read_on() -> None:
                while await stream.content.readany():
                    continue

            with pytest.raises(aiohttp.ClientError):
                await asyncio.wait_for(read_on(), SECONDS)


async def test_a_socket_needs_a_word_of_its_own(notebook: Notebook, upstream: Upstream) -> None:
    """A grant for GET opens none: its messages can write."""
    upstream.plan(echo)
    reading, talking = await notebook.delegate("orders"), await notebook.delegate("orders", methods=["WEBSOCKET"])
    address = URL(f"{notebook.server.url}jupyter-oidc/api/orders/live".replace("http", "ws", 1), encoded=True)
    async with aiohttp.ClientSession() as worker:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await worker.ws_connect(address, headers={"Authorization": f"Bearer {reading['grant']}"})
        assert refused.value.status == 403
        async with worker.ws_connect(address, headers={"Authorization": f"Bearer {talking['grant']}"}) as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello"
            await notebook.ask("DELETE", f"{GRANTS}/{talking['id']}")
            ended = await asyncio.wait_for(socket.receive(), SECONDS)
            assert ended.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert told(await notebook.call(talking["grant"])) == (401, "grant_invalid")


# -- limits, and other places --------------------------------------------------------------------------------------


async def test_a_kernel_that_makes_grants_without_end_is_refused(notebook: Notebook) -> None:
    for _ in range(MAX_GRANTS_PER_MAKER):
        await notebook.delegate("orders")
    refused = await notebook.ask("POST", GRANTS, json={"apis": ["orders"]})
    assert told(refused) == (503, "overloaded")
    assert "Revoke those that are not needed" in refused.json()["action"]


async def test_guesses_are_refused_alike_and_reach_nobody(notebook: Notebook, upstream: Upstream) -> None:
    await notebook.delegate("orders")
    calls = len(upstream.seen)
    for text in ("jow.", "jow." + "A" * 43, "jow." + "A" * 5_000):
        assert told(await notebook.call(text)) == (401, "grant_invalid")
    assert (await notebook.call("JOW.x")).status_code == 403  # no grant at all
    assert len(upstream.seen) == calls


async def test_a_grant_is_good_at_this_machine_only_unless_the_settings_say_otherwise(
    notebook: Notebook, http_server: Any
) -> None:
    """Q8.12: as a kernel's, one that has leaked is worth nothing elsewhere."""
    http_server.xheaders = True
    grant = (await notebook.delegate("orders"))["grant"]
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    refused = await notebook.call(grant, headers=elsewhere)
    assert told(refused) == (401, "grant_invalid")
    assert "allow_remote_workers" in refused.json()["action"]
    notebook.server.context.allow_remote_workers = True
    assert (await notebook.call(grant, headers=elsewhere)).status_code == 200


async def test_settings_switch_worker_grants_off(notebook: Notebook) -> None:
    notebook.server.context.makes_worker_grants = False
    refused = await notebook.ask("POST", GRANTS, json={"apis": ["orders"]})
    assert told(refused) == (403, "forbidden")
    assert "c.JupyterOIDC.worker_grants = True" in refused.json()["action"]
