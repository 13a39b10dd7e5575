"""``delegate`` and the grant for workers that it returns."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel.delegation import WorkerGrant, grant_in
from jupyter_oidc.kernel.errors import Forbidden, GrantInvalid, ServerNotFound
from jupyter_oidc.kernel.server_connection import WORKER_VARIABLE
from tests.support.canary import CANARY
from tests.unit.kernel.fake_server import Answer, FakeServer, refusal

GRANTS = "jupyter-oidc/grants"
ITEMS = "jupyter-oidc/api/orders/items"
TEXT = "jow." + "A" * 43
LIVING = {
    "id": "worker-AbCdEfGhIjKlMnOp",
    "provider": "corp",
    "apis": ["orders"],
    "methods": ["GET", "HEAD"],
    "name": "cluster",
    "maker": "kernel:5e3c8f9a",
    "outlives_kernel": False,
    "began_at": "2026-11-30T09:00:00Z",
    "ends_at": "2026-12-01T09:00:00Z",
    "last_used_at": None,
}
MADE = {**LIVING, "grant": TEXT, "address": "https://hub.example.com/user/ada/"}


@pytest.fixture(autouse=True)
def server(kernel: FakeServer) -> FakeServer:
    kernel.answers("POST", GRANTS, Answer(MADE, 201))
    kernel.answers("GET", ITEMS, ["a book"])
    return kernel


def asked(server: FakeServer, path: str = GRANTS) -> Any:
    (last,) = [request for request in server.received if request.path.endswith(path)][-1:]
    return last


def test_a_grant_is_asked_for_with_what_the_author_wrote_and_nothing_else(server: FakeServer) -> None:
    oidc.delegate("orders")
    assert json.loads(asked(server).body) == {
        "apis": ["orders"],
        "methods": ["GET", "HEAD"],
        "name": "",
        "outlives_kernel": False,
    }
    oidc.delegate("orders", "plans", methods=["post"], hours=2.5, name="cluster", outlives_kernel=True)
    assert json.loads(asked(server).body) == {
        "apis": ["orders", "plans"],
        "methods": ["POST"],
        "hours": 2.5,
        "name": "cluster",
        "outlives_kernel": True,
    }


def test_a_grant_shows_what_it_opens_and_hides_its_text() -> None:
    grant = oidc.delegate("orders")
    assert repr(grant) == "<WorkerGrant 'cluster' orders: GET, HEAD until 2026-12-01T09:00:00Z>"
    assert TEXT not in repr([grant]) + str(grant) + repr(vars(grant)["_way"])


def test_calls_of_a_grant_carry_its_text_and_a_kernels_own_do_not(server: FakeServer) -> None:
    grant = oidc.delegate("orders")
    assert grant.api().get("items").json() == ["a book"]
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"
    with httpx.Client(auth=grant.auth("orders"), trust_env=False) as client:
        assert client.get(grant.auth().base_url + "items").status_code == 200
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"
    oidc.api("orders").get("items")
    assert asked(server, ITEMS).bearer != f"Bearer {TEXT}"


def test_a_pickled_grant_and_what_it_made_call_alike(server: FakeServer) -> None:
    grant = oidc.delegate("orders")
    again, client, auth = pickle.loads(pickle.dumps((grant, grant.api(patience=1.0), grant.auth())))
    assert (again, hash(again), again.id, again.apis) == (grant, hash(grant), LIVING["id"], ("orders",))
    assert client.get("items").json() == ["a book"]
    assert auth.base_url.endswith("/jupyter-oidc/api/orders/")
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"


def test_a_process_can_call_as_a_worker(server: FakeServer) -> None:
    oidc.delegate("orders").use()
    oidc.api("orders").get("items")
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"
    with pytest.raises(GrantInvalid, match="is not for the API 'plans'"):
        oidc.api("plans")


def test_an_endpoint_of_a_worker_has_its_grant_and_asks_no_route_for_kernels(server: FakeServer) -> None:
    oidc.delegate("orders").use()
    before = len(server.received)
    url, headers = oidc.endpoint("orders")
    assert len(server.received) == before
    assert httpx.get(url + "items", headers=headers, trust_env=False).json() == ["a book"]
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"
    with pytest.raises(GrantInvalid, match="is not for the API 'plans'"):
        oidc.endpoint("plans")


def test_headers_of_a_kernel_become_those_of_the_worker_that_unpickles_them(server: FakeServer) -> None:
    server.answers("GET", "jupyter-oidc/providers", {"providers": [], "default_provider": None})
    _, headers = oidc.endpoint("orders")
    sent = pickle.dumps(headers)
    oidc.delegate("orders").use()
    httpx.get(oidc.endpoint("orders").base_url + "items", headers=pickle.loads(sent), trust_env=False)
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"


def test_an_environment_makes_a_worker(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (pair,) = oidc.delegate("orders").environment().items()
    assert pair[0] == WORKER_VARIABLE
    monkeypatch.setenv(*pair)
    oidc.api("orders").get("items")
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"


@pytest.mark.parametrize("text", ["x", "e30=", "W10=", "bnVsbA==", "ä"])
def test_a_damaged_variable_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(WORKER_VARIABLE, text)
    with pytest.raises(GrantInvalid, match="JUPYTER_OIDC_WORKER_GRANT holds no worker grant"):
        oidc.api("orders")


def test_a_refusal_is_ours_and_says_what_the_server_says(server: FakeServer) -> None:
    server.answers("POST", GRANTS, refusal("forbidden", 403, message="This server makes no worker grants."))
    with pytest.raises(Forbidden):
        oidc.delegate("orders")


def test_a_grant_that_has_ended_is_not_asked_for_again(server: FakeServer) -> None:
    """A kernel gets another grant after such a refusal; a worker has no other."""
    grant = oidc.delegate("orders")
    server.answers("GET", ITEMS, refusal("grant_invalid"))
    before = len(server.received)
    with pytest.raises(GrantInvalid):
        grant.api().get("items")
    assert {request.path.rpartition("/")[2] for request in server.received[before:]} == {"items"}


# -- other machines ------------------------------------------------------------------------------------------------


def elsewhere(grant: WorkerGrant) -> WorkerGrant:
    """The grant as it is on another machine."""
    make, (way, *rest) = grant.__reduce__()
    return make(replace(way, machine="another"), *rest)


def test_a_worker_elsewhere_goes_to_the_address_for_browsers_or_the_one_that_was_named() -> None:
    assert elsewhere(oidc.delegate("orders")).server().url == "https://hub.example.com/user/ada/"
    named = oidc.delegate("orders", address="https://workers.example.com/ada")
    assert elsewhere(named).server().url == "https://workers.example.com/ada/"
    assert not elsewhere(named).server().same_machine


def test_a_worker_elsewhere_says_so_where_no_address_is_known(server: FakeServer) -> None:
    server.answers("POST", GRANTS, Answer({**MADE, "address": None}, 201))
    with pytest.raises(ServerNotFound, match="runs on another machine"):
        elsewhere(oidc.delegate("orders")).api()


@pytest.mark.parametrize("address", ["", "hub.example.com", "ftp://hub.example.com/"])
def test_an_address_that_is_none_is_refused_before_anything_is_made(server: FakeServer, address: str) -> None:
    with pytest.raises(ValueError, match="no address of a Jupyter server"):
        oidc.delegate("orders", address=address)
    assert server.received == []


def test_systems_without_an_identifier_of_a_machine_are_told_apart() -> None:
    """Else a worker elsewhere would send the grant to its own loopback address."""
    grant = oidc.delegate("orders")
    _, (way, *_) = grant.__reduce__()
    assert way.machine != ""


# -- names, lists and ends -----------------------------------------------------------------------------------------


def test_an_api_has_to_be_named(server: FakeServer) -> None:
    with pytest.raises(TypeError, match=r"oidc\.delegate\('orders'\)"):
        oidc.delegate()
    server.answers("POST", GRANTS, Answer({**MADE, "apis": ["orders", "plans"]}, 201))
    with pytest.raises(TypeError, match="name one of: orders, plans"):
        oidc.delegate("orders", "plans").api()


def test_a_grant_is_revoked_by_its_kernel_and_at_the_end_of_a_block(server: FakeServer) -> None:
    server.answers("DELETE", f"{GRANTS}/{LIVING['id']}", {"grants": []})
    oidc.delegate("orders").revoke()
    with oidc.delegate("orders") as grant:
        assert grant.id == LIVING["id"]
    assert [request.method for request in server.received].count("DELETE") == 2


def test_a_kernel_that_calls_as_a_worker_can_still_make_list_and_revoke(server: FakeServer) -> None:
    server.answers("DELETE", f"{GRANTS}/{LIVING['id']}", {"grants": []})
    server.answers("GET", GRANTS, {"grants": [LIVING]})
    grant = oidc.delegate("orders")
    grant.use()
    oidc.api("orders").get("items")
    assert asked(server, ITEMS).bearer == f"Bearer {TEXT}"
    before = len(server.received)
    oidc.delegate("orders")
    oidc.grants()[0].revoke()
    grant.revoke()
    assert all(request.bearer != f"Bearer {TEXT}" for request in server.received[before:])


def test_what_lives_is_a_table(server: FakeServer) -> None:
    server.answers("GET", GRANTS, {"grants": [{**LIVING, "name": "<b>cluster</b>"}]})
    living = oidc.grants()
    assert living[0].apis == ["orders"]
    assert "never" in str(living)
    assert "<b>" not in living._repr_html_()
    with pytest.raises(KeyError, match="No grant is called"):
        living["worker-x"]
    server.answers("GET", GRANTS, {"grants": []})
    assert str(oidc.grants()) == "No worker has a grant. Make one: oidc.delegate('orders')."


def test_a_socket_and_a_certificate_travel_in_the_environment(tmp_path: Path) -> None:
    grant = oidc.delegate("orders")
    make, (way, *rest) = grant.__reduce__()
    home = replace(way.home, socket=tmp_path / "jupyter.sock", certificate=tmp_path / "server.pem")
    (text,) = make(replace(way, home=home), *rest).environment().values()
    assert grant_in(text).server() == home
    CANARY.look("the representation of a server", repr(home))
