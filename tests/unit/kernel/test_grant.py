"""The kernel grant: its proof, its refresh, its requests, and the places where it never shows (DESIGN 4)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from jupyter_oidc import contract
from jupyter_oidc.kernel.errors import ContractError, GrantInvalid, Overloaded, ServerNotFound
from jupyter_oidc.kernel.grant import proof_of
from jupyter_oidc.kernel.transport import OIDCClient
from tests.unit.kernel.fake_server import GRANT_PATH, KERNEL, Answer, FakeServer, refusal


class HandClock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def called(client: OIDCClient, path: str = "items") -> httpx.Response:
    with client:
        return client.get(path)


def test_the_proof_is_the_published_vector() -> None:
    """DESIGN 4: the expected value was computed with openssl, not with this program."""
    proof = proof_of(KERNEL, 1794819600, "bm9uY2Utbm9uY2Utbm9uY2U")
    assert proof == "b026bbe0927d3d8e0bfdb752f1278ab252673caf3307b63e1b6ad8a88355335e"


@pytest.fixture
def proved(fake_server: FakeServer) -> dict[str, Any]:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", [])
    called(fake_server.client())
    sent: dict[str, Any] = json.loads(fake_server.asked("POST", GRANT_PATH)[0].body)
    return sent


def test_the_grant_request_matches_its_contract(proved: dict[str, Any]) -> None:
    assert contract.check("kernel-grant.request", proved) == proved


def test_the_grant_request_names_the_kernel(proved: dict[str, Any]) -> None:
    assert proved["kernel_id"] == "5e3c8f9a-0b1d-4c2e-8f7a-6d5b4c3a2918"


def test_the_grant_request_is_dated_now(proved: dict[str, Any]) -> None:
    assert abs(proved["issued_at"] - time.time()) < 5


def test_the_proof_that_is_sent_covers_what_is_sent(proved: dict[str, Any]) -> None:
    text = f"jupyter-oidc kernel grant v1|{proved['kernel_id']}|{proved['issued_at']}|{proved['nonce']}"
    assert proved["proof"] == hmac.new(KERNEL.key, text.encode(), hashlib.sha256).hexdigest()


def test_every_grant_request_has_a_nonce_of_its_own(fake_server: FakeServer) -> None:
    for _ in range(2):
        fake_server.grants().current()
    nonces = {json.loads(got.body)["nonce"] for got in fake_server.asked("POST", GRANT_PATH)}
    assert len(nonces) == 2


def test_the_key_itself_is_never_sent(fake_server: FakeServer) -> None:
    fake_server.grants().current()
    assert KERNEL.key not in fake_server.asked("POST", GRANT_PATH)[0].body


def test_the_grant_travels_as_a_bearer(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", [])
    called(fake_server.client())
    assert fake_server.received[-1].bearer == "Bearer jog.grant-number-000001"


def test_the_grant_route_lies_below_the_base_url(fake_server: FakeServer) -> None:
    fake_server.base_url = "/user/ada/"
    fake_server.url = fake_server.origin + "/user/ada/"
    fake_server.grants().current()
    assert fake_server.received[0].path == "/user/ada/jupyter-oidc/kernel/grant"


def test_one_grant_serves_many_calls(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", [])
    with fake_server.client() as client:
        for _ in range(3):
            client.get("items")
    assert len(fake_server.issued) == 1


@pytest.mark.parametrize(
    ("elapsed", "issued"),
    [pytest.param(719.9, 1, id="a-fifth-and-a-bit-left"), pytest.param(720.0, 2, id="a-fifth-left")],
)
def test_a_grant_is_refreshed_when_a_fifth_of_its_life_is_left(
    fake_server: FakeServer, elapsed: float, issued: int
) -> None:
    clock = HandClock()
    grants = fake_server.grants(clock)
    grants.current()
    clock.seconds += elapsed
    grants.current()
    assert len(fake_server.issued) == issued


def test_a_refused_grant_is_refreshed_and_the_call_made_again(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal("grant_invalid"), ["a book"])
    assert called(fake_server.client()).json() == ["a book"]


def test_the_repeated_call_carries_the_new_grant(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal("grant_invalid"), [])
    called(fake_server.client())
    bearers = [got.bearer for got in fake_server.asked("GET", "jupyter-oidc/api/orders/items")]
    assert bearers == ["Bearer jog.grant-number-000001", "Bearer jog.grant-number-000002"]


def test_the_repeated_call_carries_the_same_body(fake_server: FakeServer) -> None:
    fake_server.answers("POST", "jupyter-oidc/api/orders/items", refusal("grant_invalid"), {})
    with fake_server.client() as client:
        client.post("items", json={"title": "Notes"})
    bodies = [json.loads(got.body) for got in fake_server.asked("POST", "jupyter-oidc/api/orders/items")]
    assert bodies == [{"title": "Notes"}, {"title": "Notes"}]


def test_a_grant_refused_twice_is_not_refreshed_again(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal("grant_invalid"))
    with pytest.raises(GrantInvalid):
        called(fake_server.client())
    assert len(fake_server.issued) == 2


def test_after_a_second_refusal_the_next_call_asks_for_a_new_grant(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", *[refusal("grant_invalid")] * 2, [])
    with fake_server.client() as client:
        with pytest.raises(GrantInvalid):
            client.get("items")
        client.get("items")
    assert fake_server.received[-1].bearer == "Bearer jog.grant-number-000003"


def test_a_body_that_can_be_sent_only_once_is_not_sent_again(fake_server: FakeServer) -> None:
    fake_server.answers("POST", "jupyter-oidc/api/orders/items", refusal("grant_invalid"), {})
    with fake_server.client() as client, pytest.raises(GrantInvalid):
        client.post("items", content=(piece for piece in [b"one", b"two"]))
    assert [got.body for got in fake_server.asked("POST", "jupyter-oidc/api/orders/items")] == [b"onetwo"]


def test_a_401_of_the_api_does_not_refresh_the_grant(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", Answer({"error": "no"}, 401))
    called(fake_server.client())
    assert len(fake_server.issued) == 1


def test_threads_that_start_together_ask_for_one_grant(fake_server: FakeServer) -> None:
    fake_server.grant_delay = 0.2
    grants = fake_server.grants()
    together(8, grants.current)
    assert len(fake_server.issued) == 1


def test_threads_refused_together_ask_for_one_new_grant(fake_server: FakeServer) -> None:
    fake_server.grant_delay = 0.1
    grants = fake_server.grants()
    old = httpx.Request("GET", fake_server.url, headers={"Authorization": f"Bearer {grants.current()}"})

    def refused_and_again() -> None:
        grants.refused(old)
        grants.current()

    together(8, refused_and_again)
    assert len(fake_server.issued) == 2


def test_a_late_refusal_of_an_old_grant_does_not_cost_the_new_one(fake_server: FakeServer) -> None:
    grants = fake_server.grants()
    old = httpx.Request("GET", fake_server.url, headers={"Authorization": f"Bearer {grants.current()}"})
    grants.refused(old)
    grants.current()
    grants.refused(old)
    assert grants.current() == "jog.grant-number-000002"


def test_tasks_that_start_together_ask_for_one_grant(fake_server: FakeServer) -> None:
    fake_server.grant_delay = 0.2
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", [])

    async def calls() -> None:
        async with fake_server.async_client() as client:
            await asyncio.gather(*[client.get("items") for _ in range(8)])

    asyncio.run(calls())
    assert len(fake_server.issued) == 1


def test_one_grant_serves_an_event_loop_after_another(fake_server: FakeServer) -> None:
    grants = fake_server.grants()
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", [])

    async def call() -> None:
        async with fake_server.async_client(auth=grants) as client:
            await asyncio.gather(client.get("items"), client.get("items"))

    asyncio.run(call())
    asyncio.run(call())
    assert len(fake_server.issued) == 1


def test_a_refused_proof_is_told_in_the_words_of_the_server(fake_server: FakeServer) -> None:
    fake_server.answers("POST", GRANT_PATH, refusal("grant_invalid", message="The kernel's clock differs."))
    with pytest.raises(GrantInvalid, match="The kernel's clock differs"):
        called(fake_server.client())


def test_after_a_refused_proof_the_call_itself_is_not_made(fake_server: FakeServer) -> None:
    fake_server.answers("POST", GRANT_PATH, refusal("grant_invalid"))
    with pytest.raises(GrantInvalid):
        called(fake_server.client())
    assert [got.path for got in fake_server.received] == ["/jupyter-oidc/kernel/grant"]


def test_a_server_that_issues_no_grant_now_is_an_exception_of_its_own(fake_server: FakeServer) -> None:
    fake_server.answers("POST", GRANT_PATH, refusal("overloaded", 503))
    with pytest.raises(Overloaded):
        called(fake_server.client())


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(b"<html>", 200), id="html"),
        pytest.param(Answer(b"<html>", 404), id="no-extension"),
        pytest.param(Answer(b"", 302, {"Location": "/login"}), id="login-page"),
        pytest.param({"grant": "jog.grant-number-000001"}, id="no-lifetime"),
        pytest.param({"grant": "short", "expires_in": 900}, id="short"),
        pytest.param({"grant": "jog.grant-number-000001", "expires_in": 0}, id="no-life"),
        pytest.param({"grant": "jog.grant-number-000001\r\nX: y", "expires_in": 9}, id="header-injection"),
        pytest.param({"grant": "jog.grant-number-000001\n", "expires_in": 9}, id="line-end"),
        pytest.param(Answer(b"[" * 200_000), id="deep"),
    ],
)
def test_a_malformed_grant_says_what_to_do(fake_server: FakeServer, answer: Answer | dict[str, Any]) -> None:
    fake_server.answers("POST", GRANT_PATH, answer)
    with pytest.raises(ContractError, match="Install the same version of jupyter_oidc"):
        called(fake_server.client())


def test_an_endless_grant_is_not_read_to_its_end(fake_server: FakeServer) -> None:
    good = b'{"grant": "jog.grant-number-000001", "expires_in": 900}'
    fake_server.answers("POST", GRANT_PATH, Answer(good + b" " * 1_000_000))
    with pytest.raises(ContractError):
        fake_server.grants().current()


def test_a_grant_route_that_hangs_up_is_a_server_not_found(fake_server: FakeServer) -> None:
    fake_server.answers("POST", GRANT_PATH, Answer(b"{", 200, {"Content-Length": "100", "Connection": "close"}))
    with pytest.raises(ServerNotFound):
        fake_server.grants().current()


def test_the_grant_does_not_show_in_any_repr(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", [])
    grants = fake_server.grants()
    with fake_server.client(auth=grants) as client:
        response = client.get("items")
        shown = [grants, grants._held, client, client.headers, response, response.request, response.request.headers]
    assert "jog." not in "".join(repr(thing) + str(thing) for thing in shown)


def test_the_grant_does_not_show_in_an_exception(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", refusal("not_signed_in"))
    with pytest.raises(Exception, match="It did not work") as caught:
        called(fake_server.client())
    assert "jog." not in repr(caught.value) + str(caught.value) + repr(vars(caught.value))


def test_the_grant_does_not_survive_pickling(fake_server: FakeServer) -> None:
    grants = fake_server.grants()
    grants.current()
    with pytest.raises(TypeError):
        pickle.dumps(grants)


def test_hooks_of_a_caller_do_not_see_the_grant_being_issued(fake_server: FakeServer) -> None:
    fake_server.answers("GET", "jupyter-oidc/api/orders/items", [])
    seen = []
    called(fake_server.client(event_hooks={"response": [lambda response: seen.append(response.url.path)]}))
    assert seen == ["/jupyter-oidc/api/orders/items"]


def together(count: int, act: Callable[[], object]) -> None:
    """Run ``act`` in ``count`` threads that start at the same moment."""
    gate = threading.Barrier(count)
    troubles: list[Exception] = []

    def run() -> None:
        gate.wait()
        try:
            act()
        except Exception as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
