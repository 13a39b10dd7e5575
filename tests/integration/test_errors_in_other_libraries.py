"""Refusals on the wire: problem details with facts, in whatever way they reach a person (RFC 9457).

A real Jupyter server refuses; httpx, requests, urllib, pandas and curl show it as they show any server's error.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd
import pytest
import requests

from jupyter_oidc import contract
from jupyter_oidc.contract.reader import read
from tests.support.kernels import grant_for
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream

NOT_OPEN = "The API 'orders' does not open DELETE. It opens GET, HEAD and POST below /items and /carts."
ACTION = "Use one of these, or ask your administrator to add DELETE to the API's methods."
CLOSED = "The API 'orders' does not open '/admin'. It opens what is below /items and /carts."
PHRASE = re.compile(r"\[(\w+), request [A-Za-z0-9_-]{16}\]")


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    config["JupyterOIDC"]["providers"]["corp"]["apis"] = {
        "orders": {
            "base_url": upstream.url,
            "methods": ["GET", "HEAD", "POST"],
            "path_prefixes": ["/items", "/carts"],
            "max_request_bytes": 10,
        },
        "pages": {"base_url": upstream.url, "callers": ["browser"]},
        "dead": {"base_url": "http://127.0.0.1:9/"},
    }
    return config


async def kernel_of(server_under_test: ServerUnderTest) -> str:
    """Sign in, and return the grant of a kernel."""
    await server_under_test.sign_in()
    return grant_for(server_under_test)


def proxied(server_under_test: ServerUnderTest, path: str) -> str:
    return f"{server_under_test.url}jupyter-oidc/api/{path}"


async def refused(
    server_under_test: ServerUnderTest, grant: str, verb: str, path: str, **options: Any
) -> httpx.Response:
    """Return the refusal of a kernel's call, which keeps to the contract to the letter."""
    headers = {"Authorization": f"Bearer {grant}", **options.pop("headers", {})}
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
        reply = await client.request(verb, proxied(server_under_test, path), headers=headers, **options)
    if reply.content:
        assert contract.check("error", reply.json())["request_id"] == reply.headers["X-OIDC-Request-Id"]
        assert reply.json()["status"] == reply.status_code
    return reply


# -- the facts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "0"}], ids=["on the fast path", "by the handler"])
async def test_a_method_that_is_not_open_is_refused_with_what_is_open(
    server_under_test: ServerUnderTest, headers: dict[str, str]
) -> None:
    grant = await kernel_of(server_under_test)
    reply = await refused(server_under_test, grant, "DELETE", "orders/items/1", headers=headers)
    told = reply.json()
    assert (reply.status_code, told["code"], told["message"], told["action"]) == (
        405,
        "method_not_allowed",
        NOT_OPEN,
        ACTION,
    )
    assert told["params"] == {
        "api": "orders",
        "provider": "corp",
        "method": "DELETE",
        "methods": ["GET", "HEAD", "POST"],
        "paths": ["/items", "/carts"],
    }


async def test_the_reply_is_problem_details(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    reply = await refused(server_under_test, grant, "DELETE", "orders/items/1")
    told = reply.json()
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert {name: told[name] for name in ("type", "title", "status", "detail", "reason")} == {
        "type": "urn:jupyter-oidc:error:method_not_allowed",
        "title": "This HTTP method is not allowed here.",
        "status": 405,
        "detail": f"{NOT_OPEN} {ACTION}",
        "reason": NOT_OPEN,
    }


async def test_a_path_that_is_not_open_is_quoted_with_those_that_are(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    told = (await refused(server_under_test, grant, "GET", "orders/admin?token=x")).json()
    assert (told["code"], told["message"]) == ("route_forbidden", CLOSED)
    assert (told["params"]["path"], told["params"]["paths"]) == ("/admin", ["/items", "/carts"])


async def test_a_long_path_is_cut(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    reply = await refused(server_under_test, grant, "GET", "orders/" + "a" * 5000)
    assert len(reply.json()["params"]["path"]) == 100
    assert len(reply.content) < 2000
    assert len(reply.reason_phrase) < 400


async def test_a_mistyped_api_is_told_with_those_that_exist(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    told = (await refused(server_under_test, grant, "GET", "order/items")).json()
    assert (told["code"], told["message"], told["action"]) == (
        "unknown_api",
        "No API is called 'order'. Did you mean 'orders'?",
        "Use one of the APIs that this server has: 'orders', 'pages' and 'dead'.",
    )
    assert told["params"] == {"api": "order", "nearest": "orders", "names": ["orders", "pages", "dead"]}


async def test_an_api_for_pages_says_so_to_a_kernel(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    told = (await refused(server_under_test, grant, "GET", "pages/x")).json()
    assert (told["code"], told["message"], told["action"]) == (
        "caller_forbidden",
        "The API 'pages' does not admit a kernel as its caller. It admits: browser.",
        "Ask your administrator to add 'kernel' to the API's callers.",
    )


async def test_an_api_that_cannot_be_reached_is_named_with_its_provider(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    told = (await refused(server_under_test, grant, "GET", "dead/x")).json()
    assert (told["code"], told["message"]) == ("upstream_unreachable", "The API 'dead' cannot be reached.")
    assert told["params"] == {"api": "dead", "provider": "corp"}


async def test_an_upload_that_is_too_large_is_told_the_limit(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)

    async def pieces() -> Any:
        for _ in range(3):
            yield b"12345"

    for body in (b"x" * 11, pieces()):
        told = (await refused(server_under_test, grant, "POST", "orders/items", content=body)).json()
        assert (told["code"], told["message"]) == (
            "body_too_large",
            "The request body is larger than the 10 bytes that the API 'orders' takes.",
        )


async def test_a_call_without_a_session_names_where_to_sign_in(server_under_test: ServerUnderTest) -> None:
    told = (await refused(server_under_test, grant_for(server_under_test), "GET", "orders/items")).json()
    assert (told["code"], told["message"], told["action"]) == (
        "not_signed_in",
        "Nobody is signed in at 'corp', which the API 'orders' needs.",
        "Sign in at 'corp', then run this again.",
    )


async def test_a_route_of_a_provider_names_it(server_under_test: ServerUnderTest) -> None:
    reply = await server_under_test.ask("POST", "jupyter-oidc/providers/corp/refresh", json={})
    assert reply.json()["message"] == "Nobody is signed in at 'corp'."
    unknown = await server_under_test.ask("GET", "jupyter-oidc/providers/crop/session")
    assert unknown.json()["message"] == "No provider is called 'crop'. Did you mean 'corp'?"


# -- what an attacker reads --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["api/orders/items", "api/order/items", "providers/crop/session", "providers/corp/session"]
)
async def test_a_caller_who_is_not_known_learns_nothing_of_the_settings(
    server_under_test: ServerUnderTest, path: str
) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
        for headers in ({}, {"Authorization": "Bearer jog." + "a" * 40}):
            reply = await client.get(f"{server_under_test.url}jupyter-oidc/{path}", headers=headers)
            assert reply.status_code in (401, 403)
            assert reply.json()["params"] == {}
            assert "corp" not in reply.text + reply.reason_phrase
            assert "orders" not in reply.text + reply.reason_phrase


async def test_a_public_page_tells_no_stranger_which_providers_there_are(server_under_test: ServerUnderTest) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
        for verb, path in (("GET", "crop/callback?state=x"), ("POST", "crop/backchannel-logout")):
            reply = await client.request(verb, f"{server_under_test.url}jupyter-oidc/providers/{path}")
            assert reply.status_code >= 400
            assert "corp" not in reply.text + reply.reason_phrase


@pytest.mark.parametrize("name", ["%0d%0aX-Evil:1", "%3Cscript%3E", "%E2%80%AEevil", "o'rders"])
async def test_a_name_that_is_none_is_not_repeated(server_under_test: ServerUnderTest, name: str) -> None:
    grant = await kernel_of(server_under_test)
    reply = await refused(server_under_test, grant, "GET", f"{name}/items")
    assert reply.json()["message"] == "No API of this name is configured."
    assert "X-Evil" not in reply.headers
    assert "<" not in reply.reason_phrase


# -- the media type ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/problem+json"),
        ("application/json, application/problem+json", "application/problem+json"),
        ("application/json, text/plain, */*", "application/problem+json"),
        ("application/*", "application/problem+json"),
        ("text/csv", "application/problem+json"),
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/json, */*;q=0", "application/json"),
        ("application/json, application/problem+json; q=0.0", "application/json"),
        ("application/json;q=0", "application/problem+json"),
        (",;,=", "application/problem+json"),
    ],
)
async def test_a_caller_that_takes_json_alone_gets_the_same_as_json(
    server_under_test: ServerUnderTest, accept: str, media_type: str
) -> None:
    stranger = f"Bearer jog.{'a' * 40}"
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
        url = proxied(server_under_test, "orders/items")
        reply = await client.get(url, headers={"Accept": accept, "Authorization": stranger})
    assert (reply.headers["Content-Type"], reply.json()["code"]) == (media_type, "grant_invalid")


async def test_a_reader_of_before_reads_what_it_knew(server_under_test: ServerUnderTest) -> None:
    """Contract 1 promised these members; a reader leaves the others out."""
    grant = await kernel_of(server_under_test)
    told = (await refused(server_under_test, grant, "DELETE", "orders/items/1")).json()
    known = ("code", "message", "action", "retryable", "request_id", "reason")
    assert set(known) <= set(told)
    assert read("error", {name: told[name] for name in known})["params"] == {}


# -- other libraries ---------------------------------------------------------------------------------------


def by_httpx(url: str, headers: dict[str, str]) -> None:
    httpx.delete(url, headers=headers, trust_env=False).raise_for_status()


def by_requests(url: str, headers: dict[str, str]) -> None:
    requests.delete(url, headers=headers, timeout=10).raise_for_status()


def by_urllib(url: str, headers: dict[str, str]) -> None:
    urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="DELETE"), timeout=10)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (by_httpx, httpx.HTTPStatusError),
        (by_requests, requests.HTTPError),
        (by_urllib, urllib.error.HTTPError),
    ],
)
async def test_the_error_of_a_library_holds_our_sentences(
    server_under_test: ServerUnderTest, call: Callable[[str, dict[str, str]], None], kind: type[Exception]
) -> None:
    grant = await kernel_of(server_under_test)
    url = proxied(server_under_test, "orders/items/1")
    with pytest.raises(kind) as raised:
        await asyncio.to_thread(call, url, {"Authorization": f"Bearer {grant}"})
    assert f"{NOT_OPEN} {ACTION}" in str(raised.value)
    found = PHRASE.search(str(raised.value))
    assert found is not None
    assert found[1] == "method_not_allowed"


@pytest.mark.parametrize("reader", [pd.read_json, pd.read_csv])
async def test_the_error_of_pandas_holds_our_sentences(
    server_under_test: ServerUnderTest, reader: Callable[..., object]
) -> None:
    grant = await kernel_of(server_under_test)
    url, headers = proxied(server_under_test, "orders/admin"), {"Authorization": f"Bearer {grant}"}
    with pytest.raises(urllib.error.HTTPError) as raised:
        await asyncio.to_thread(reader, url, storage_options=headers)
    assert CLOSED in str(raised.value)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_shows_our_sentences_first(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    curl = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "--fail-with-body", "-X", "DELETE", "-H", "@-", proxied(server_under_test, "orders/items/1")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    shown, errors = await curl.communicate(f"Authorization: Bearer {grant}\n".encode())
    assert curl.returncode == 22
    assert b"405" in errors
    assert shown.decode().startswith(json.dumps({"message": NOT_OPEN, "action": ACTION})[:-1])
    assert shown.endswith(b"}\n")


async def test_a_head_says_in_its_status_line_what_its_body_cannot(server_under_test: ServerUnderTest) -> None:
    grant = await kernel_of(server_under_test)
    reply = await refused(server_under_test, grant, "HEAD", "orders/admin")
    assert reply.content == b""
    assert reply.reason_phrase.startswith(CLOSED)
