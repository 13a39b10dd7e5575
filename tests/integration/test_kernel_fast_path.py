"""The fast path of a kernel's calls: which calls take it, and that their answers do not tell it from the handler's (ADR 24).

A request that says how long its body is takes the handler's path, even if there is none: so the same call can be made by both.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router

from jupyter_oidc.proxy.ports import UpstreamReply
from jupyter_oidc.server import kernel_fast_path
from jupyter_oidc.server.handlers.proxy import ProxyHandler
from jupyter_oidc.web.access_rule import access_rule_of
from tests.support.api_replies import REPLIES, breaks_off, says, streams, told
from tests.support.breaking_upstream import BreakingUpstream, BrokenReply
from tests.support.kernels import grant_for
from tests.support.plain_http import PLAIN
from tests.support.polling import eventually
from tests.support.raw_client import RawClient
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Answer, Upstream

THROUGH_HANDLER = {"Content-Length": "0"}


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    config = configured(provider, upstream)
    apis = config["JupyterOIDC"]["providers"]["corp"]["apis"]
    apis["orders"]["methods"] = sorted(kernel_fast_path.METHODS)
    apis["dead"] = {"base_url": "http://127.0.0.1:9/"}
    return config


async def signed_in(server_under_test: ServerUnderTest) -> str:
    """Sign in, and return the grant of a kernel of which the server has seen one call."""
    await server_under_test.sign_in()
    grant = grant_for(server_under_test)
    await by(server_under_test, grant, "GET", "orders/first")
    return grant


class NotedFastPath(Router):
    """The fast path, which notes the last part of the path of each call that it takes."""

    def __init__(self, fast_path: kernel_fast_path.KernelFastPath) -> None:
        self.fast_path = fast_path
        self.taken: list[str] = []

    def find_handler(self, request: HTTPServerRequest, **options: Any) -> HTTPMessageDelegate | None:
        found = self.fast_path.find_handler(request, **options)
        if found is not None:
            self.taken.append(request.path.rpartition("/")[2])
        return found


@pytest.fixture
def taken(server_under_test: ServerUnderTest) -> list[str]:
    """The calls that took the fast path."""
    rules = server_under_test.rules()
    (rule,) = [rule for rule in rules if isinstance(rule.target, kernel_fast_path.KernelFastPath)]
    rule.target = noted = NotedFastPath(rule.target)
    return noted.taken


async def by(server_under_test: ServerUnderTest, grant: str, verb: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {grant}", **more.pop("headers", {})}
    async with httpx.AsyncClient(base_url=server_under_test.url, timeout=30, trust_env=False, verify=PLAIN) as client:
        return await client.request(verb, f"jupyter-oidc/api/{path}", headers=headers, **more)


# -- requests that take it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", sorted(kernel_fast_path.METHODS))
async def test_a_call_with_a_grant_and_no_body_takes_the_fast_path(
    server_under_test: ServerUnderTest, taken: list[str], verb: str
) -> None:
    kernel = await signed_in(server_under_test)
    async with httpx.AsyncClient(base_url=server_under_test.url, verify=PLAIN) as client:
        request = client.build_request(
            verb, "jupyter-oidc/api/orders/items", headers={"Authorization": f"Bearer {kernel}"}
        )
        request.headers.pop("Content-Length", None)
        reply = await client.send(request)
    assert (reply.status_code, taken) == (200, ["items"])


def test_its_verbs_are_those_that_kernels_may_use() -> None:
    open_to_kernels = {
        verb for verb in ProxyHandler.SUPPORTED_METHODS if _callers(getattr(ProxyHandler, verb.lower())) >= {"kernel"}
    }
    assert open_to_kernels == kernel_fast_path.METHODS


def _callers(verb: object) -> set[str]:
    rule = access_rule_of(verb)
    return set(rule.callers) if rule else set()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "0"},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Host": "a.name.that.nobody.has.seen"},
        {"Authorization": "Bearer jog.made-up-grant-of-plausible-length"},
        {"Authorization": "Bearer something else"},
        {"Authorization": ""},
    ],
    ids=str,
)
async def test_everything_else_takes_the_handler(
    server_under_test: ServerUnderTest, taken: list[str], headers: dict[str, str]
) -> None:
    kernel = await signed_in(server_under_test)
    await by(server_under_test, kernel, "GET", "orders/items", headers=headers)
    assert taken == []


async def test_a_body_takes_the_handler(server_under_test: ServerUnderTest, taken: list[str]) -> None:
    kernel = await signed_in(server_under_test)

    async def pieces() -> Any:
        yield b"x"

    for content in (b"x", pieces()):
        assert (await by(server_under_test, kernel, "POST", "orders/items", content=content)).status_code == 200
    assert taken == []


async def test_a_user_takes_the_handler(server_under_test: ServerUnderTest, taken: list[str]) -> None:
    await signed_in(server_under_test)
    assert (await server_under_test.ask("GET", "jupyter-oidc/api/orders/items")).status_code == 200
    assert taken == []


async def test_a_kernel_that_has_ended_goes_nowhere(server_under_test: ServerUnderTest, taken: list[str]) -> None:
    """ADR 6: the grant is gone the moment its kernel is."""
    kernel = await signed_in(server_under_test)
    server_under_test.kernels.clear()
    reply = await by(server_under_test, kernel, "GET", "orders/items")
    assert (reply.status_code, reply.json()["code"], taken) == (401, "grant_invalid", [])


# -- that nothing tells it from the long one -----------------------------------------------------------------


def count(outcome: str) -> float:
    """How many calls of kernels ended so, by the counters of this process."""
    labels = {"api": "orders", "caller": "kernel", "outcome": outcome}
    return REGISTRY.get_sample_value("jupyter_oidc_calls_total", labels) or 0.0


async def attempt(
    server_under_test: ServerUnderTest, grant: str, verb: str, path: str, headers: dict[str, str]
) -> httpx.Response | Exception:
    try:
        return await by(server_under_test, grant, verb, path, headers=headers)
    except httpx.HTTPError as error:
        return error


@pytest.mark.parametrize("verb", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
async def test_both_ways_answer_alike(
    server_under_test: ServerUnderTest, upstream: Upstream, taken: list[str], verb: str, reply: Callable[[], Answer]
) -> None:
    kernel = await signed_in(server_under_test)
    replies = []
    for headers in (THROUGH_HANDLER, {}):
        upstream.plan(*([reply()] * 2))  # a 401 is tried again
        replies.append(told(await attempt(server_under_test, kernel, verb, "orders/items", headers)))
        upstream.plan_nothing()
    assert (replies[0], taken) == (replies[1], ["items"])


@pytest.mark.parametrize(
    "path",
    [
        *("nobody/items", "orders", "orders/a%2e%2e/b", "orders/../b", "orders/x?a=1", "dead/items"),
        *("orders/items?token=abc&_xsrf=1&b=2", "orders/%ff", "orders/a//b"),
    ],
)
@pytest.mark.parametrize("verb", ["GET", "OPTIONS"])
async def test_both_ways_refuse_alike(
    server_under_test: ServerUnderTest, upstream: Upstream, verb: str, path: str
) -> None:
    kernel = await signed_in(server_under_test)
    replies = []
    for headers in (THROUGH_HANDLER, {}):
        upstream.seen.clear()
        reply = await attempt(server_under_test, kernel, verb, path, headers)
        replies.append((told(reply), [seen.path for seen in upstream.seen]))
    assert replies[0] == replies[1]


async def test_both_ways_say_that_nobody_is_signed_in(server_under_test: ServerUnderTest) -> None:
    kernel = await signed_in(server_under_test)
    await server_under_test.ask("POST", "jupyter-oidc/providers/corp/sign-out", json={})
    long, short = [
        told(await attempt(server_under_test, kernel, "GET", "orders/items", headers))
        for headers in (THROUGH_HANDLER, {})
    ]
    assert long == short
    assert isinstance(long, tuple)
    assert long[0] == 401


async def test_a_defect_is_answered_and_logged_as_by_the_handler(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """D14: type and place, not the text."""
    server_under_test.extension.upstream = upstream = BreakingUpstream()
    kernel = await signed_in(server_under_test)

    async def fail(_: object) -> UpstreamReply:
        raise ValueError("something that nobody may read")

    upstream.instead = fail
    reply = await by(server_under_test, kernel, "GET", "orders/items")
    assert (reply.status_code, "Something went wrong inside" in reply.json()["message"]) == (500, True)
    assert "defect ValueError" in caplog.text
    assert "nobody may read" not in caplog.text


async def test_a_defect_in_the_middle_ends_the_connection(
    server_under_test: ServerUnderTest,
    upstream: Upstream,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server_under_test.extension.upstream = breaking = BreakingUpstream()
    kernel = await signed_in(server_under_test)

    async def half(_: object) -> UpstreamReply:
        return BrokenReply(ValueError("something that nobody may read"))

    breaking.instead = half
    closes = {"Connection": "close"}
    reply = await attempt(server_under_test, kernel, "GET", "orders/items", closes)
    assert isinstance(reply, httpx.RemoteProtocolError)
    assert "defect ValueError" in caplog.text
    assert "nobody may read" not in caplog.text


BOTH = pytest.mark.parametrize("headers", [THROUGH_HANDLER, {}], ids=["handler", "fast path"])


async def test_a_refresh_that_is_given_up_is_answered(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """D9: the provider hangs while other settings are put in force; the waiting callers are told to try again."""
    kernel = await signed_in(server_under_test)
    server_under_test.clock.ahead += 3600
    provider.plan("token", hang=True)
    waiting = [
        asyncio.ensure_future(by(server_under_test, kernel, "GET", "orders/items", headers=way))
        for way in (THROUGH_HANDLER, {})
    ]
    services, settings = server_under_test.services, server_under_test.settings
    session = services.sessions.of_provider("corp")
    await eventually(
        lambda: services.proxy.route("orders").call_limiter.running == 2 and len(session.tokens.refreshing) == 1
    )
    assert settings is not None
    corp = replace(settings.providers[0], client_id="another")
    await server_under_test.context.reload(replace(settings, providers=(corp,)))
    assert [(reply.status_code, reply.json()["code"]) for reply in await asyncio.gather(*waiting)] == [
        (503, "idp_unavailable")
    ] * 2


async def test_whatever_else_is_given_up_is_answered_too(server_under_test: ServerUnderTest) -> None:
    """On the fast path only our own code ends the connection; tornado does not."""
    server_under_test.extension.upstream = upstream = BreakingUpstream()
    kernel = await signed_in(server_under_test)

    async def give_up(_: object) -> UpstreamReply:
        waiting: asyncio.Future[UpstreamReply] = asyncio.get_running_loop().create_future()
        waiting.cancel()
        return await waiting

    upstream.instead = give_up
    reply = await by(server_under_test, kernel, "GET", "orders/items")
    assert (reply.status_code, reply.json()["code"]) == (503, "overloaded")


@BOTH
async def test_a_grant_that_ends_during_a_call_does_not_change_what_became_of_it(
    server_under_test: ServerUnderTest, upstream: Upstream, headers: dict[str, str]
) -> None:
    """C14: a caller that hears that the grant was refused assumes that the call was never sent, and repeats it."""
    kernel = await signed_in(server_under_test)

    async def take_in_and_break(request: web.Request) -> web.Response:
        server_under_test.kernels.restart()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    before = count("refused")
    upstream.plan(take_in_and_break, take_in_and_break)
    reply = await by(server_under_test, kernel, "DELETE", "orders/items", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (502, "upstream_unreachable")
    assert count("refused") == before + 1


@BOTH
async def test_a_kernel_manager_that_fails_is_a_defect(
    server_under_test: ServerUnderTest,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
) -> None:
    """D14: type and place, not the text."""
    kernel = await signed_in(server_under_test)

    server_under_test.kernels.defect = RuntimeError("something that nobody may read")
    assert (await by(server_under_test, kernel, "GET", "orders/items", headers=headers)).status_code == 500
    assert "defect RuntimeError" in caplog.text
    assert "nobody may read" not in caplog.text


@BOTH
async def test_a_sign_out_ends_a_small_answer_that_nobody_reads(
    server_under_test: ServerUnderTest, upstream: Upstream, http_server: Any, headers: dict[str, str]
) -> None:
    """S-5: only the bytes on their way may still arrive, and the place at the API is free again (C29)."""
    kernel = await signed_in(server_under_test)
    for listening in http_server._sockets.values():
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    upstream.plan(says(body=b"x" * 900_000))
    raw, call_limiter = (
        RawClient(server_under_test.url, server_under_test.token, grant=kernel),
        server_under_test.services.proxy.route("orders").call_limiter,
    )
    lines = [f"{name}: {value}" for name, value in headers.items()]
    with raw.sent(raw.head("GET", "orders/items", *lines)) as connection:
        await eventually(lambda: call_limiter.running == 1)
        await asyncio.sleep(0.3)
        assert call_limiter.running == 1
        await server_under_test.ask("POST", "jupyter-oidc/providers/corp/sign-out", json={})
        await eventually(lambda: call_limiter.running == 0)
        assert not (await asyncio.to_thread(connection.reply)).whole


@pytest.mark.parametrize("path", ["nobody/items", "orders/a//b", "dead/items"])
@BOTH
async def test_a_refused_call_leaves_nothing_behind(
    server_under_test: ServerUnderTest, path: str, headers: dict[str, str]
) -> None:
    """ADR 17: neither a call nor a handler waits for the garbage collector."""
    kernel = await signed_in(server_under_test)
    async with httpx.AsyncClient(
        base_url=server_under_test.url, headers={"Authorization": f"Bearer {kernel}"}, verify=PLAIN
    ) as client:
        await client.get(f"jupyter-oidc/api/{path}", headers=headers)
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                await client.get(f"jupyter-oidc/api/{path}", headers=headers)
            left = [
                one for one in gc.get_objects() if isinstance(one, (kernel_fast_path.FastPathRequest, ProxyHandler))
            ]
        finally:
            gc.enable()
    assert len(left) <= 1  # the one on the connection that is still open


# -- other rules that it has to keep -------------------------------------------------------------------------


async def test_a_kernel_that_leaves_ends_the_call(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    """C18: A caller that leaves ends the call."""
    kernel = await signed_in(server_under_test)
    entered = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def think(_: web.Request) -> web.Response:
        loop.call_soon_threadsafe(entered.set)
        await asyncio.sleep(30)
        return web.Response()

    upstream.plan(think)
    calling = asyncio.ensure_future(by(server_under_test, kernel, "GET", "orders/items"))
    await asyncio.wait_for(entered.wait(), 10)
    calling.cancel()
    await eventually(lambda: upstream.gone == 1)
    assert (await by(server_under_test, kernel, "GET", "orders/items")).status_code == 200


async def test_a_sign_out_ends_what_is_still_flowing(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    """S-5: Ending a session closes everything opened with it."""
    kernel = await signed_in(server_under_test)
    upstream.plan(streams(*[b"x"] * 500, pause=0.02))
    calling = asyncio.ensure_future(attempt(server_under_test, kernel, "GET", "orders/items", {}))
    await eventually(lambda: len(upstream.seen) > 1)
    await asyncio.sleep(0.2)
    await server_under_test.ask("POST", "jupyter-oidc/providers/corp/sign-out", json={})
    assert isinstance(await asyncio.wait_for(calling, 5), httpx.RemoteProtocolError)


async def test_an_answer_that_comes_after_a_sign_out_is_not_passed_on(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """S-5: however small it is; the caller reads why, and that the API may have done what was asked."""
    kernel = await signed_in(server_under_test)
    entered, loop = asyncio.Event(), asyncio.get_running_loop()

    async def think(_: web.Request) -> web.Response:
        loop.call_soon_threadsafe(entered.set)
        await asyncio.sleep(0.5)
        return web.Response(text="late")

    upstream.plan(think)
    calling = asyncio.ensure_future(attempt(server_under_test, kernel, "GET", "orders/items", {}))
    await asyncio.wait_for(entered.wait(), 10)
    await server_under_test.ask("POST", "jupyter-oidc/providers/corp/sign-out", json={})
    refused = await calling
    assert isinstance(refused, httpx.Response)
    assert (refused.status_code, refused.headers["X-OIDC-Error"]) == (401, "session_expired")
    assert "the API may have done what the call asked for" in refused.json()["message"]
    assert "late" not in refused.text


async def test_calls_are_counted(server_under_test: ServerUnderTest, upstream: Upstream) -> None:
    """DESIGN 8."""
    kernel = await signed_in(server_under_test)
    before = {outcome: count(outcome) for outcome in ("2xx", "4xx", "refused", "upstream_truncated")}
    upstream.plan(says(), says(404), breaks_off())
    for path in ("orders/a", "orders/b", "orders/c", "orders/d//e"):
        await attempt(server_under_test, kernel, "GET", path, {})
    assert {outcome: count(outcome) - before[outcome] for outcome in before} == dict.fromkeys(before, 1.0)


async def test_requests_on_one_connection_are_answered_in_their_order(server_under_test: ServerUnderTest) -> None:
    """RFC 9112, 9.3.2: sent at once, with a call through the handler in between."""
    kernel = await signed_in(server_under_test)

    def ask() -> list[str]:
        raw = RawClient(server_under_test.url, server_under_test.token, grant=kernel)
        heads = [raw.head("GET", f"orders/{number}", *(["Content-Length: 0"] * (number % 2))) for number in range(6)]
        with raw.sent(b"".join(heads)) as connection:
            return [connection.reply().json["path"] for _ in heads]

    assert await asyncio.to_thread(ask) == [f"/v1/{number}" for number in range(6)]


async def test_nothing_is_logged_for_a_call_that_passes(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    kernel = await signed_in(server_under_test)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    await by(server_under_test, kernel, "GET", "orders/items")
    assert [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore", "asyncio"))] == []
