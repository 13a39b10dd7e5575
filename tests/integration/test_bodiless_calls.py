"""Calls of users without a body: tornado runs their verb at once, and their answers are those of every other call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule

from jupyter_oidc.server import kernel_fast_path
from jupyter_oidc.server.handlers import proxied
from jupyter_oidc.web.relay import CLIENT_ABORT
from tests.support.api_replies import REPLIES, says, streams, told
from tests.support.plain_http import PLAIN
from tests.support.polling import eventually
from tests.support.raw_client import RawClient
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Answer, Upstream

EMPTY_BODY = {"Content-Length": "0"}
"""The headers of a request with a body of no bytes, which takes the handler that streams bodies."""


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    config["JupyterOIDC"]["providers"]["corp"]["apis"]["orders"]["methods"] = sorted(kernel_fast_path.METHODS)
    return config


class NotedMatcher(Matcher):
    """A matcher of the proxy's requests that notes the handler class of each match."""

    def __init__(self, rule: Rule, names: list[str]) -> None:
        self.matcher, self.name, self.names = rule.matcher, rule.target.__name__, names

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        found = self.matcher.match(request)
        if found is not None:
            self.names.append(self.name)
        return found


@pytest.fixture
def served(server_under_test: ServerUnderTest) -> list[str]:
    """The names of the classes that served the calls, in their order."""
    names: list[str] = []
    routers = [rule.target for rule in server_under_test.rules()]
    for rule in [rule for router in routers for rule in getattr(router, "rules", ())]:
        if isinstance(rule.matcher, proxied.ProxiedKindMatcher):
            rule.matcher = NotedMatcher(rule, names)
    return names


async def ask(server: ServerUnderTest, verb: str, path: str, headers: dict[str, str]) -> httpx.Response | Exception:
    """Call by Jupyter's token, over a connection that stays open; the request has no header about a body."""
    headers = {"Authorization": f"token {server.token}", **headers}
    async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False, verify=PLAIN) as client:
        request = client.build_request(verb, f"jupyter-oidc/api/{path}", headers=headers)
        if "Content-Length" not in headers:
            request.headers.pop("Content-Length", None)
        try:
            return await client.send(request)
        except httpx.HTTPError as error:
            return error


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://a.page.example.com"}], ids=["no page", "a page"])
@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
async def test_a_call_without_a_body_is_answered_as_one_with_an_empty_body(
    server_under_test: ServerUnderTest,
    upstream: Upstream,
    served: list[str],
    verb: str,
    reply: Callable[[], Answer],
    origin: dict[str, str],
) -> None:
    await server_under_test.sign_in()
    served.clear()
    replies = []
    for headers in (EMPTY_BODY, {}, {"Connection": "close"}):
        upstream.plan(*([reply()] * 2))  # a 401 is tried again
        replies.append(told(await ask(server_under_test, verb, "orders/items", {**headers, **origin})))
        upstream.plan_nothing()
    assert replies[0] == replies[1]
    assert without_connection(replies[2]) == without_connection(replies[0])
    assert served == ["ProxyHandler", "BodilessProxyHandler", "BodilessProxyHandler"]


def without_connection(reply: object) -> object:
    """Leave out what a caller has asked for itself: the end of the connection."""
    if not isinstance(reply, tuple):
        return reply
    status, headers, body = reply
    return status, [one for one in headers if one[0] != "connection"], body


async def test_a_page_that_may_read_the_answer_is_named_once(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """Jupyter admits a page with its token, whatever the API says about pages of other origins."""
    await server_under_test.sign_in()
    upstream.plan(says(Access_Control_Allow_Origin="https://the.api.example.com"))
    reply = await ask(server_under_test, "GET", "orders/items", {"Origin": "https://a.page.example.com"})
    assert isinstance(reply, httpx.Response)
    assert reply.headers.get_list("Access-Control-Allow-Origin") == ["https://a.page.example.com"]


@pytest.mark.parametrize("headers", [{"Content-Type": "multipart/form-data"}, {"Content-Type": "text/plain"}], ids=str)
async def test_a_content_type_without_a_body_is_no_form(
    server_under_test: ServerUnderTest, upstream: Upstream, served: list[str], headers: dict[str, str]
) -> None:
    """Tornado would read the missing body as a form, and refuse it."""
    await server_under_test.sign_in()
    served.clear()
    reply = await ask(server_under_test, "GET", "orders/items", headers)
    assert isinstance(reply, httpx.Response)
    assert (reply.status_code, served) == (200, ["ProxyHandler"])
    assert upstream.seen[-1].header("Content-Type") == headers["Content-Type"]


async def test_a_page_that_leaves_ends_the_call(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    await server_under_test.sign_in()
    labels = {"api": "orders", "caller": "browser", "outcome": CLIENT_ABORT}

    def left() -> float:
        return REGISTRY.get_sample_value("jupyter_oidc_calls_total", labels) or 0.0

    before = left()
    seen = len(upstream.seen)
    upstream.plan(streams(*[b"x"] * 500, pause=0.02))
    raw = RawClient(server_under_test.url, server_under_test.token)
    with raw.sent(raw.head("GET", "orders/items")):
        await eventually(lambda: len(upstream.seen) > seen)
    await eventually(lambda: left() == before + 1)


async def test_calls_on_one_connection_are_answered_in_their_order(server_under_test: ServerUnderTest) -> None:
    """RFC 9112, 9.3.2: sent at once, with a call of another class in between."""
    await server_under_test.sign_in()

    def sent() -> list[str]:
        raw = RawClient(server_under_test.url, server_under_test.token)
        heads = [raw.head("GET", f"orders/{number}", *(["Content-Length: 0"] * (number % 2))) for number in range(6)]
        with raw.sent(b"".join(heads)) as connection:
            return [connection.reply().json["path"] for _ in heads]

    assert await asyncio.to_thread(sent) == [f"/v1/{number}" for number in range(6)]
