"""Every reply of a route names the contract that it keeps to, and what an older server does not know is refused (ADR 48)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from tests.integration.test_access_rules import PROVIDERS, VERBS, walk

Ask = Callable[..., Awaitable[HTTPResponse]]
OTHER_ORIGIN = "https://portal.example.com"


@pytest.fixture
def jp_server_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("server")
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_oidc": True}, **(marker.kwargs if marker else {})},
        "JupyterOIDC": {"providers": PROVIDERS, "storage": "memory"},
    }


@pytest.fixture
def ask(jp_serverapp: Any, jp_base_url: str, http_server_client: Any) -> Ask:
    """Ask the server, with Jupyter's token unless ``logged_in`` is false."""

    async def fetch(
        verb: str, path: str, body: bytes | None = None, *, logged_in: bool = True, **headers: str
    ) -> HTTPResponse:
        token = {"Authorization": f"token {jp_serverapp.identity_provider.token}"} if logged_in else {}
        if body is None and verb in ("POST", "PUT", "PATCH"):
            body = b""
        reply: HTTPResponse = await http_server_client.fetch(
            jp_base_url.rstrip("/") + path,
            method=verb,
            headers={**token, **{name.replace("_", "-"): value for name, value in headers.items()}},
            body=body,
            raise_error=False,
            follow_redirects=False,
        )
        return reply

    return fetch


@pytest.mark.parametrize("logged_in", [True, False])
async def test_every_reply_of_every_route_names_its_contract_refusals_included(ask: Ask, logged_in: bool) -> None:
    unnamed = []
    for path in sorted({path for _, path, _ in walk()}):
        for verb in (*VERBS, "OPTIONS"):
            reply = await ask(verb, path, logged_in=logged_in)
            if reply.headers.get_list("X-OIDC-Contract") != ["1"]:
                unnamed.append((verb, path, reply.code))
    assert unnamed == []


async def test_a_summary_that_is_not_sent_again_names_its_contract(ask: Ask) -> None:
    path = "/jupyter-oidc/providers/corp/session"
    first = await ask("GET", path)
    again = await ask("GET", path, If_None_Match=first.headers["ETag"])
    assert (again.code, again.headers["X-OIDC-Contract"]) == (304, "1")


async def test_a_route_of_jupyter_names_none(ask: Ask) -> None:
    """The positive control."""
    assert "X-OIDC-Contract" not in (await ask("GET", "/api/status")).headers


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("sign-in", {"gentle": True}, "data (additionalProperties)"),
        ("sign-in", {"strategy": "pigeon"}, "data.strategy (anyOf)"),
        ("sign-in", {"prompt": "create"}, "data.prompt (enum)"),
        ("sign-out", {"everywhere": True}, "data (additionalProperties)"),
        ("refresh", {"api": "orders"}, "data (additionalProperties)"),
    ],
)
async def test_what_a_newer_client_asks_for_is_refused_and_not_left_out(
    ask: Ask, path: str, body: dict[str, Any], where: str
) -> None:
    """A demand that is dropped without a word would make a sign-in weaker than its caller believes."""
    sent = json.dumps(body).encode()
    reply = await ask("POST", f"/jupyter-oidc/providers/corp/{path}", sent, Content_Type="application/json")
    told = json.loads(reply.body)
    assert (reply.code, told["code"]) == (400, "request_invalid")
    assert told["message"] == f"The request asks for something that this server does not know: {where}."
    assert told["action"] == "Leave it out, or install a newer jupyter_oidc in the environment of the Jupyter server."


async def test_a_member_of_the_wrong_type_is_a_mistake_and_not_a_newer_client(ask: Ask) -> None:
    reply = await ask("POST", "/jupyter-oidc/providers/corp/sign-in", b'{"next": 7}', Content_Type="application/json")
    assert json.loads(reply.body)["message"] == "The request does not match its contract: data.next (type)."


async def test_the_name_of_a_member_is_not_repeated(ask: Ask) -> None:
    sent = json.dumps({"<script>alert(1)</script>": 1}).encode()
    reply = await ask("POST", "/jupyter-oidc/providers/corp/sign-in", sent, Content_Type="application/json")
    assert b"script" not in reply.body


@pytest.mark.server(allow_origin=OTHER_ORIGIN)
async def test_a_page_of_another_origin_that_jupyter_admits_may_read_our_headers(ask: Ask) -> None:
    reply = await ask("GET", "/jupyter-oidc/providers", Origin=OTHER_ORIGIN)
    assert reply.headers["Access-Control-Allow-Origin"] == OTHER_ORIGIN
    assert reply.headers["Access-Control-Expose-Headers"] == (
        "X-OIDC-Contract, X-OIDC-Error, X-OIDC-Request-Id, Retry-After"
    )


async def test_no_other_page_is_told_of_headers(ask: Ask) -> None:
    reply = await ask("GET", "/jupyter-oidc/providers", logged_in=False, Origin=OTHER_ORIGIN)
    assert "Access-Control-Expose-Headers" not in reply.headers
