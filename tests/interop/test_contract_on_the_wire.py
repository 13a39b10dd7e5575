"""What a real server sends keeps to the closed schemas, carries the number of the contract, and lacks nothing of version 1.

An answer of an API carries no number, whatever the API says (ADR 48).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from jupyter_oidc import contract
from tests.contract.fixtures import members_of, replies_of
from tests.interop.person import Person, at_work
from tests.support.certified_provider import CertifiedProvider
from tests.support.documents import ORDERS
from tests.support.kernel_proof import GRANT, proof, start_kernel
from tests.support.upstream import Upstream

GRANTS = "jupyter-oidc/grants"


class Recorded:
    """The replies of our routes, in order, by their contract."""

    def __init__(self) -> None:
        self.replies: list[tuple[str, httpx.Response]] = []

    def keep(self, name: str, reply: httpx.Response) -> dict[str, Any]:
        """Record ``reply`` and return its content."""
        self.replies.append((name, reply))
        told: dict[str, Any] = reply.json()
        return told


OF_A_BROKER = {"grant-leases.reply"}
"""The replies that a Jupyter server gets and does not give; the tests of a broker at a Hub keep them to their contract."""


def walk(person: Person) -> Recorded:
    """Call every route that answers with JSON, signed out and signed in."""
    recorded, jupyter, corp = Recorded(), person.jupyter, "jupyter-oidc/providers/corp"
    recorded.keep("providers.reply", jupyter.get("jupyter-oidc/providers"))
    recorded.keep("session.reply", jupyter.get(f"{corp}/session"))
    recorded.keep("error", jupyter.post(f"{corp}/refresh", json={}))
    flow = recorded.keep("sign-in.reply", jupyter.post(f"{corp}/sign-in", json={}))["flow"]
    recorded.keep("sign-in-progress.reply", jupyter.get(f"{corp}/sign-in/{flow}"))
    recorded.keep("sign-in-progress.reply", jupyter.delete(f"{corp}/sign-in/{flow}"))
    person.sign_in()
    recorded.keep("session.reply", jupyter.get(f"{corp}/session"))
    recorded.keep("apis.reply", jupyter.get("jupyter-oidc/apis"))
    operations = "jupyter-oidc/apis/orders/operations"
    recorded.keep("operations.reply", jupyter.get(operations))
    of_one = {"method": "GET", "path": "/orders/{id}"}
    recorded.keep("operation-example.reply", jupyter.get(f"{operations}/example", params=of_one))
    kernel = jupyter.post(GRANT, json=proof(*start_kernel(person.process, jupyter)))
    granted = {"Authorization": f"Bearer {recorded.keep('kernel-grant.reply', kernel)['grant']}"}
    recorded.keep("apis.reply", jupyter.get("jupyter-oidc/apis", headers=granted))
    recorded.keep("error", jupyter.get("jupyter-oidc/api/nothing/", headers=granted))
    made = recorded.keep("grant.reply", jupyter.post(GRANTS, json={"apis": ["orders"]}, headers=granted))
    recorded.keep("grants.reply", jupyter.get(GRANTS))
    recorded.keep("grants.reply", jupyter.delete(f"{GRANTS}/{made['id']}", headers=granted))
    command = recorded.keep("command.reply", jupyter.post("jupyter-oidc/commands", json={}))["command_id"]
    recorded.keep("command-lease.reply", jupyter.delete(f"jupyter-oidc/commands/{command}"))
    recorded.keep("diagnostics.reply", jupyter.get("jupyter-oidc/diagnostics"))
    recorded.keep("sign-out.reply", jupyter.post(f"{corp}/sign-out", json={}))
    return recorded


def test_every_reply_keeps_to_its_contract_and_lacks_nothing_that_version_1_promised(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    document = tmp_path / "orders.json"
    document.write_text(json.dumps(ORDERS), encoding="utf-8")
    orders = {"base_url": upstream.url, "openapi": f"file:{document}"}
    with at_work(tmp_path, provider, upstream, changes={"apis": {"orders": orders}}) as person:
        recorded = walk(person)
    for name, reply in recorded.replies:
        assert contract.check(name, reply.json())
        assert reply.headers["X-OIDC-Contract"] == "1"
        missing = [members_of(one) - members_of(reply.json()) for one in replies_of(1, name)]
        assert set() in missing, f"{name} lacks {min(missing, key=len)}"
    served = {one for one in contract.names() if not one.endswith("request")} - OF_A_BROKER
    assert {name for name, _ in recorded.replies} == served


@pytest.mark.parametrize("caller", ["page", "kernel"])
def test_an_answer_of_an_api_carries_no_number(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, caller: str
) -> None:
    """The number says that a reply is ours; an API that sends one could tell a client that its server is old."""

    async def boastful(_: web.Request) -> web.Response:
        return web.json_response([], headers={"X-OIDC-Contract": "99"})

    upstream.plan(boastful)
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        headers = {}
        if caller == "kernel":
            grant = person.jupyter.post(GRANT, json=proof(*start_kernel(person.process, person.jupyter))).json()
            headers = {"Authorization": f"Bearer {grant['grant']}"}
        answer = person.jupyter.get("jupyter-oidc/api/orders/items", headers=headers)
    assert (answer.status_code, "X-OIDC-Contract" in answer.headers) == (200, False)
