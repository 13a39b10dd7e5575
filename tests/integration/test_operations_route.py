"""The operations of an API, read by a real process from what a real API sends, honest and hostile (ADR 52)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jupyter_oidc import contract
from tests.support.documents import ORDERS, document, operation
from tests.support.kernels import grant_for
from tests.support.polling import eventually
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Answer, Upstream

OPERATIONS = "jupyter-oidc/apis/orders/operations"


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    api = config["JupyterOIDC"]["providers"]["corp"]["apis"]["orders"]
    api.update(
        openapi="/openapi.json",
        path_prefixes=["/orders"],
        title="Orders of the shop",
        description="What was sold, to whom <by id>.",
        example="orders?limit=5",
        docs_url="https://docs.example.com/orders#begin",
    )
    return config


def answer(body: bytes | str, status: int = 200, **headers: str) -> Answer:
    async def given(_: web.Request) -> web.Response:
        content = body.encode() if isinstance(body, str) else body
        return web.Response(body=content, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return given


def sent(value: Any) -> Answer:
    return answer(json.dumps(value))


async def problem_of(server: ServerUnderTest, *answers: Answer, upstream: Upstream) -> tuple[int, str, str]:
    """Sign in, let the API answer so, and return status, code and message of our refusal."""
    await server.sign_in()
    upstream.plan(*answers)
    reply = await server.ask("GET", OPERATIONS)
    body = contract.check("error", reply.json())
    return reply.status_code, body["code"], body["message"]


async def test_the_operations_come_through_the_proxy_with_the_sessions_token(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    await server_under_test.sign_in()
    upstream.plan(sent(ORDERS))
    reply = await server_under_test.ask("GET", OPERATIONS)
    listed = contract.check("operations.reply", reply.json())
    assert [(one["method"], one["path"], one["obstacle"]) for one in listed["operations"]] == [
        ("GET", "/orders/{id}", None),
        ("DELETE", "/orders/{id}", "method"),
        ("POST", "/orders", None),
    ]
    assert listed["document"] == {"title": "Orders", "version": "1.2.0", "openapi": "3.1.0"}
    assert listed["operations"][0]["parameters"] == [
        {"name": "id", "in": "path", "required": True, "type": "integer", "description": None}
    ]
    [seen] = upstream.seen
    assert (seen.method, seen.path, seen.bearer is not None) == ("GET", "/v1/openapi.json", True)


async def test_the_list_of_apis_says_what_the_settings_say(server_under_test: ServerUnderTest) -> None:
    [api] = contract.check("apis.reply", (await server_under_test.ask("GET", "jupyter-oidc/apis")).json())["apis"]
    told = ("title", "description", "example", "docs_url", "path_prefixes", "has_operations")
    assert [api[member] for member in told] == [
        "Orders of the shop",
        "What was sold, to whom <by id>.",
        "orders?limit=5",
        "https://docs.example.com/orders#begin",
        ["/orders"],
        True,
    ]


async def test_without_a_session_a_sign_in_is_asked_for(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    reply = await server_under_test.ask("GET", OPERATIONS)
    assert (reply.status_code, reply.json()["code"], upstream.seen) == (401, "not_signed_in", [])


async def test_the_path_of_the_document_is_open_for_nothing_else(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """Only the server fetches it; to a caller of the proxy it stays closed."""
    await server_under_test.sign_in()
    reply = await server_under_test.ask("GET", "jupyter-oidc/api/orders/openapi.json")
    assert (reply.status_code, reply.json()["code"], upstream.seen) == (403, "route_forbidden", [])


async def test_many_callers_share_one_fetch_and_later_ones_ask_nobody(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    await server_under_test.sign_in()
    upstream.plan(sent(ORDERS))
    replies = await asyncio.gather(*(server_under_test.ask("GET", OPERATIONS) for _ in range(8)))
    again = await server_under_test.ask("GET", OPERATIONS)
    assert ({reply.status_code for reply in (*replies, again)}, len(upstream.seen)) == ({200}, 1)


async def test_a_document_is_fetched_anew_after_ten_minutes_and_after_a_sign_out(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    await server_under_test.sign_in()
    upstream.plan(sent(ORDERS), sent(ORDERS))
    await server_under_test.ask("GET", OPERATIONS)
    server_under_test.clock.ahead = 601.0
    later = await server_under_test.ask("GET", OPERATIONS)
    await server_under_test.ask("POST", "jupyter-oidc/providers/corp/sign-out", json={})
    signed_out = await server_under_test.ask("GET", OPERATIONS)
    assert (later.status_code, signed_out.status_code, len(upstream.seen)) == (200, 401, 2)


async def test_an_example_is_a_cell_and_a_command_without_a_secret(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    await server_under_test.sign_in()
    upstream.plan(sent(ORDERS))
    asked = {"method": "GET", "path": "/orders/{id}"}
    reply = await server_under_test.ask("GET", f"{OPERATIONS}/example", params=asked)
    example = contract.check("operation-example.reply", reply.json())
    assert example["cell"] == (
        "from urllib.parse import quote\n\nimport jupyter_oidc as oidc\n\n# Show an order\nid_ = 1\n\n"
        'reply = oidc.api("orders").get("orders/" + quote(str(id_), safe=""))\n'
        "reply.raise_for_status()\nreply.json()\n"
    )
    assert example["curl"] == (
        "curl --fail --globoff --request GET \\\n"
        '  --header "Authorization: token $JUPYTER_TOKEN" \\\n'
        f"  {server_under_test.url}jupyter-oidc/api/orders/orders/1"
    )
    assert server_under_test.token not in example["curl"]


async def test_an_example_of_an_operation_that_is_not_there_is_refused(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    await server_under_test.sign_in()
    upstream.plan(sent(ORDERS))
    reply = await server_under_test.ask("GET", f"{OPERATIONS}/example", params={"method": "GET", "path": "/admin"})
    assert (reply.status_code, reply.json()["code"]) == (404, "no_operations")


async def test_an_unknown_api_is_named_as_such(server_under_test: ServerUnderTest) -> None:
    reply = await server_under_test.ask("GET", "jupyter-oidc/apis/nothing/operations")
    assert (reply.status_code, reply.json()["code"]) == (404, "unknown_api")


async def test_a_kernel_reads_the_operations_in_its_own_name(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    await server_under_test.sign_in()
    upstream.plan(sent(ORDERS))
    headers = {"Authorization": f"Bearer {grant_for(server_under_test)}"}
    async with server_under_test.client() as client:
        reply = await client.get(OPERATIONS, headers=headers)
    assert (reply.status_code, len(reply.json()["operations"])) == (200, 3)


class TestHostileDocuments:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("<!doctype html><title>Sign in</title>", "it is a page of HTML or XML, and no OpenAPI document"),
            ("", "it is empty"),
            ("{", "it is no JSON at line 1, column 2"),
            ("openapi: 3.1.0\npaths: {a: b\n  c: d", "it is no YAML at line 3, column 4"),
            ("[1]", "it is no OpenAPI document: its top level is no mapping"),
            ('{"swagger": "2.0"}', "it is written in Swagger 2.0, and only OpenAPI 3.0 and 3.1 are read"),
            ('{"hello": 1}', "it is no OpenAPI document: it has no member 'openapi'"),
            (b"\xff\xfe{", "it is no text in UTF-8 from byte 1 on"),
            ("[" * 100_000, "it is nested too deeply"),
            ("a: " + "[" * 10_000, "it is no YAML at line 1, column 1003"),
            ("&a [*a]", "it refers to '*a', which is not there or not complete, at line 1, column 5"),
            (b" " * (6 * 1024 * 1024), "it is larger than 5 MB"),
        ],
        ids=[
            "html",
            "empty",
            "json",
            "yaml",
            "list",
            "swagger",
            "other",
            "utf-16",
            "deep",
            "deep-yaml",
            "loop",
            "large",
        ],
    )
    async def test_it_is_refused_by_a_sentence(
        self, server_under_test: ServerUnderTest, upstream: Upstream, given: bytes | str, message: str
    ) -> None:
        refused = await problem_of(server_under_test, answer(given), upstream=upstream)
        assert refused == (502, "openapi_invalid", f"The OpenAPI document of 'orders' cannot be read: {message}.")

    @pytest.mark.parametrize(
        ("status", "message"),
        [
            (403, "the answer has the status 403"),
            (404, "the answer has the status 404"),
            (500, "the answer has the status 500"),
            (302, "the answer is a redirect (302), which is not followed"),
        ],
    )
    async def test_another_answer_than_the_document_is_named(
        self, server_under_test: ServerUnderTest, upstream: Upstream, status: int, message: str
    ) -> None:
        elsewhere = answer("{}", status, Location="https://evil.example.com/openapi.json")
        refused = await problem_of(server_under_test, elsewhere, upstream=upstream)
        assert refused[2] == f"The OpenAPI document of 'orders' cannot be read: {message}."
        assert len(upstream.seen) == 1

    async def test_a_bomb_of_aliases_is_read_like_any_document(
        self, server_under_test: ServerUnderTest, upstream: Upstream
    ) -> None:
        """Ten levels of ten aliases would be ten thousand million texts if they were written out."""
        bomb = 'a0: &a0 ["lol"]\n' + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 11))
        rest = (
            "openapi: 3.0.3\ninfo: {title: *a10, version: '1'}\npaths:\n  /orders:\n    post:\n      tags: *a10\n"
            "      requestBody: {content: {application/json: {example: *a10}}}\n      responses: {}\n"
        )
        await server_under_test.sign_in()
        upstream.plan(answer(bomb + rest))
        reply = await server_under_test.ask("GET", OPERATIONS)
        listed = contract.check("operations.reply", reply.json())
        assert (reply.status_code, len(listed["operations"]), len(reply.content) < 2_000) == (200, 1, True)

    async def test_schemas_that_refer_to_each_other_end(
        self, server_under_test: ServerUnderTest, upstream: Upstream
    ) -> None:
        kids = {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
        node = {"type": "object", "properties": {"name": {"type": "string"}, "kids": kids}}
        many = {"allOf": [{"$ref": "#/components/schemas/Many"}] * 50}
        body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}
        worse = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Many"}}}}
        endless = {"$ref": "#/components/schemas/Endless"}
        schemas = {"Node": node, "Many": many, "Endless": endless}
        paths = {"/orders": {"post": operation(requestBody=body), "put": operation(requestBody=worse)}}
        paths["/orders/x"] = {"get": operation(parameters=[{"name": "a", "in": "query", "schema": endless}])}
        await server_under_test.sign_in()
        upstream.plan(sent(document(paths, components={"schemas": schemas})))
        listed = (await server_under_test.ask("GET", OPERATIONS)).json()
        assert len(listed["operations"]) == 3
        assert {one["message"] for one in listed["problems"]} == {"The reference leads back to itself."}

    async def test_a_document_that_cannot_be_read_is_left_alone_for_some_seconds(
        self, server_under_test: ServerUnderTest, upstream: Upstream
    ) -> None:
        await problem_of(server_under_test, answer("<html>"), upstream=upstream)
        again = await server_under_test.ask("GET", OPERATIONS)
        assert (again.json()["code"], len(upstream.seen)) == ("openapi_invalid", 1)
        server_under_test.clock.ahead += 11.0
        upstream.plan(sent(ORDERS))
        assert (await server_under_test.ask("GET", OPERATIONS)).status_code == 200

    async def test_an_api_that_refuses_the_token_is_asked_once_more_with_another_one(
        self, server_under_test: ServerUnderTest, upstream: Upstream
    ) -> None:
        """A 401 is handled as for any call: one refresh, one repetition."""
        refused = answer("{}", 401, WWW_Authenticate='Bearer error="invalid_token"')
        told = await problem_of(server_under_test, refused, refused, upstream=upstream)
        assert (told[1], len(upstream.seen) <= 2) == ("openapi_invalid", True)


class TestElsewhere:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        return tmp_path / "openapi.yaml"

    @pytest.fixture
    def jp_server_config(self, provider: ScriptedProvider, upstream: Upstream, place: Path) -> dict[str, Any]:
        place.write_text(json.dumps(ORDERS), encoding="utf-8")
        config = configured(provider, upstream)
        apis = config["JupyterOIDC"]["providers"]["corp"]["apis"]
        base = apis["orders"]["base_url"]
        apis["orders"].update(openapi=f"file:{place}", callers=["kernel"])
        apis["web"] = {"base_url": base, "openapi": f"{base}public.json"}
        return config

    async def test_a_file_needs_no_session_and_a_closed_caller_sees_its_obstacle(
        self, server_under_test: ServerUnderTest, upstream: Upstream
    ) -> None:
        listed = (await server_under_test.ask("GET", OPERATIONS)).json()
        assert [one["obstacle"] for one in listed["operations"]] == ["caller", "method", "caller"]
        assert upstream.seen == []

    async def test_a_file_that_is_gone_is_named_without_its_path(
        self, server_under_test: ServerUnderTest, place: Path
    ) -> None:
        server_under_test.services  # noqa: B018 - the settings have been checked
        place.unlink()
        told = (await server_under_test.ask("GET", OPERATIONS)).json()
        assert (told["code"], str(place) in told["message"]) == ("openapi_invalid", False)

    async def test_an_address_is_asked_without_a_token(
        self, server_under_test: ServerUnderTest, upstream: Upstream
    ) -> None:
        await server_under_test.sign_in()
        upstream.plan(sent(ORDERS))
        reply = await server_under_test.ask("GET", "jupyter-oidc/apis/web/operations")
        [seen] = upstream.seen
        assert (reply.status_code, seen.path, seen.bearer, seen.scheme) == (200, "/v1/public.json", None, "")


async def test_the_fetch_is_a_call_of_the_kernel_that_asked(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """The audit trail says which kernel used the token, and no path."""
    heard: list[dict[str, Any]] = []

    async def listen(logger: object, schema_id: str, data: dict[str, Any]) -> None:
        heard.append(data)

    await server_under_test.sign_in()
    log = server_under_test.services.event_log
    log.events.add_listener(schema_id="https://events.jupyter.org/jupyter_oidc/call/v1", listener=listen)
    upstream.plan(sent(ORDERS))
    headers = {"Authorization": f"Bearer {grant_for(server_under_test)}"}
    async with server_under_test.client() as client:
        await client.get(OPERATIONS, headers=headers)
    log.emit_all()
    await eventually(lambda: bool(heard))
    [call] = heard
    members = ("api", "method", "status", "caller", "kernel_id", "code")
    assert [call[member] for member in members] == ["orders", "GET", 200, "kernel", "k1", None]
    assert "openapi.json" not in str(call)
