"""Each proxied call that fails is one line of the log: the caller, the call, the reason, and the request's id (Q5.10).

A kernel's call takes the fast path, or the handler if it has a ``Content-Length`` (ADR 24); a page's takes the handler.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.proxy.ports import UpstreamReply
from tests.support.breaking_upstream import BreakingUpstream
from tests.support.kernels import grant_for
from tests.support.plain_http import PLAIN
from tests.support.raw_upstream import RawUpstream, pause, send, silence
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream
from tests.unit.kernel.certificates import write_certificate

SECRET = "secret-of-the-caller"
LINE = re.compile(r"jupyter_oidc: api (\S+): refused: (\S+) \((\S+)\) (\S+) by (.+), (\d{3}) in \d+ms \[(\S+)\]\Z")

WAYS = {"page": None, "kernel, fast path": {}, "kernel, handler": {"Content-Length": "0"}}


@pytest.fixture
def raw() -> Iterator[RawUpstream]:
    with RawUpstream() as api:
        yield api


@pytest.fixture
def private(tmp_path: Path) -> Iterator[RawUpstream]:
    """An API with a certificate of an unknown authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_certificate(tmp_path / "api.pem"))
    with RawUpstream(tls=context) as api:
        yield api


@pytest.fixture
def jp_server_config(
    provider: ScriptedProvider, upstream: Upstream, raw: RawUpstream, private: RawUpstream
) -> dict[str, Any]:
    config = configured(provider, upstream)
    apis = config["JupyterOIDC"]["providers"]["corp"]["apis"]
    apis["dead"] = {"base_url": f"http://127.0.0.1:{free_port()}/"}
    apis["nowhere"] = {"base_url": "https://nowhere.invalid/"}
    apis["raw"] = {"base_url": raw.url, "timeout_connect": 1, "timeout_header": 1}
    apis["private"] = {"base_url": private.url}
    apis["pages"] = {"base_url": raw.url, "callers": ["browser"]}
    return config


async def called(
    server_under_test: ServerUnderTest, way: dict[str, str] | None, path: str, verb: str = "GET"
) -> tuple[httpx.Response | None, str]:
    """Make one call with secrets in query and headers; return the answer, if one came, and the caller."""
    headers = {"X-Secret": SECRET}
    async with httpx.AsyncClient(base_url=server_under_test.url, timeout=30, trust_env=False, verify=PLAIN) as client:
        if way is None:
            headers["Authorization"], who = f"token {server_under_test.token}", "browser"
        else:
            headers |= {"Authorization": f"Bearer {grant_for(server_under_test)}", **way}
            who = "kernel k1"
            await client.get("jupyter-oidc/api/orders/first", headers={**headers, "Content-Length": "0"})
        try:
            return await client.request(verb, f"jupyter-oidc/api/{path}?key={SECRET}", headers=headers), who
        except httpx.RemoteProtocolError:
            return None, who


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, ...]]:
    """Every line about a refused call, taken apart; a line that does not match is none."""
    found = (LINE.match(record.getMessage()) for record in caplog.records if record.levelno >= logging.WARNING)
    return [match.groups() for match in found if match]


CAUSES = {
    "dead/x": ("dead", "upstream_unreachable", "upstream.refused", 502),
    "nowhere/x": ("nowhere", "upstream_unreachable", "upstream.dns", 502),
    "private/x": ("private", "tls_untrusted", "tls_untrusted", 502),
    "raw/silent": ("raw", "upstream_timeout", "upstream.silent", 504),
    "raw/gone": ("raw", "upstream_unreachable", "upstream.answer", 502),
    "raw/broken": ("raw", "upstream_protocol_error", "upstream_protocol_error", 502),
    "orders/%2e%2e/b": ("orders", "bad_path", "bad_path", 400),
    "nobody/x": ("-", "unknown_api", "unknown_api", 404),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("path", CAUSES)
async def test_a_call_that_fails_is_one_line_that_says_why(
    server_under_test: ServerUnderTest,
    raw: RawUpstream,
    caplog: pytest.LogCaptureFixture,
    way: dict[str, str] | None,
    path: str,
) -> None:
    """Q5.10: it was '502 GET ProxyHandler 36ms [id]'."""
    raw.script("silent", silence())
    raw.script("gone")
    raw.script("broken", send(b"this is no HTTP\r\n\r\n"))
    await server_under_test.sign_in()
    caplog.clear()
    reply, who = await called(server_under_test, way, path)
    api, code, detail, status = CAUSES[path]
    assert reply is not None
    request_id = reply.json()["request_id"]
    assert lines(caplog) == [(api, code, detail, "GET", who, str(status), request_id)]
    assert reply.headers["X-OIDC-Request-Id"] == request_id


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_call_before_any_sign_in_is_such_a_line_too(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture, way: dict[str, str] | None
) -> None:
    """Q5.10: and a user who has to sign in can name the line by its request id."""
    reply, who = await called(server_under_test, way, "orders/x", "DELETE")
    assert reply is not None
    code = reply.headers["X-OIDC-Error"]
    assert [(line[0], line[1], line[3], line[4], line[6]) for line in lines(caplog)][-1] == (
        "orders",
        code,
        "DELETE",
        who,
        reply.headers["X-OIDC-Request-Id"],
    )


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_an_answer_that_breaks_off_is_such_a_line_too(
    server_under_test: ServerUnderTest, raw: RawUpstream, caplog: pytest.LogCaptureFixture, way: dict[str, str] | None
) -> None:
    """Q5.10: sibling; the caller sees a connection that ends, and the log says that the API ended it."""
    raw.script("cut", send(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf"), pause(0.2))
    await server_under_test.sign_in()
    caplog.clear()
    reply, who = await called(server_under_test, way, "raw/cut")
    assert reply is None
    assert [line[:6] for line in lines(caplog)] == [
        ("raw", "upstream_unreachable", "upstream.truncated", "GET", who, "200")
    ]


async def test_an_api_that_is_not_for_kernels_says_who_came(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.10, a sibling: Every failed proxied call leaves one line."""
    await server_under_test.sign_in()
    caplog.clear()
    await called(server_under_test, {}, "pages/x")
    assert [line[:6] for line in lines(caplog)] == [
        ("pages", "caller_forbidden", "caller_forbidden", "GET", "kernel k1", "403")
    ]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_nothing_that_the_caller_wrote_but_the_method_is_logged(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture, way: dict[str, str] | None
) -> None:
    """Q5.10: a path may name a person, and a query hold a key."""
    await server_under_test.sign_in()
    for path in ("dead/ada-lovelace", "nobody-knows/ada-lovelace", "orders/ada-lovelace/%2e%2e/x"):
        await called(server_under_test, way, path)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("jupyter_oidc"))
    assert [word for word in (SECRET, "ada-lovelace", "nobody-knows", server_under_test.token) if word in ours] == []


async def test_an_answer_of_the_api_is_no_line(
    server_under_test: ServerUnderTest, raw: RawUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.10: an answer of any status is not for us to judge; the counters say how many there are."""
    raw.script("fault", send(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\noh"))
    await server_under_test.sign_in()
    caplog.clear()
    for way in WAYS.values():
        reply, _ = await called(server_under_test, way, "raw/fault")
        assert reply is not None
        assert reply.status_code == 500
    assert lines(caplog) == []


async def test_a_handshake_that_fails_is_such_a_line_too(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.10, a sibling: Every failed proxied call leaves one line."""
    await server_under_test.sign_in()
    caplog.clear()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    reply, who = await called(
        server_under_test, {**headers, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}, "dead/socket"
    )
    assert reply is not None
    assert lines(caplog) == [
        ("dead", "upstream_unreachable", "upstream.refused", "GET", who, "502", reply.headers["X-OIDC-Request-Id"])
    ]


async def test_a_head_request_is_told_its_id_in_a_header(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.10: its answer has no body, and a cell names the id all the same."""
    await server_under_test.sign_in()
    caplog.clear()
    reply, _ = await called(server_under_test, {}, "dead/x", "HEAD")
    assert reply is not None
    assert lines(caplog)[0][6] == reply.headers["X-OIDC-Request-Id"]


async def test_calls_that_fail_are_counted_by_api_and_code(server_under_test: ServerUnderTest) -> None:
    """Q5.10: an alert needs to tell an API that is down from one that is called wrongly."""

    def counted() -> float:
        labels = {"api": "dead", "code": "upstream_unreachable"}
        return REGISTRY.get_sample_value("jupyter_oidc_call_refusals_total", labels) or 0.0

    await server_under_test.sign_in()
    before = counted()
    for way in WAYS.values():
        await called(server_under_test, way, "dead/x")
    assert counted() == before + 3


async def test_a_call_event_says_why_a_call_failed(server_under_test: ServerUnderTest) -> None:
    """Q5.10: with the code and the id of the line, and without a person unless the settings name people."""
    heard: list[dict[str, Any]] = []

    async def listen(logger: object, schema_id: str, data: dict[str, Any]) -> None:
        heard.append(data)

    await server_under_test.sign_in()
    services = server_under_test.services
    assert services is not None
    services.event_log.events.add_listener(schema_id="https://events.jupyter.org/jupyter_oidc/call/v1", listener=listen)
    refused, _ = await called(server_under_test, {}, "dead/x")
    await called(server_under_test, None, "orders/x")
    services.event_log.emit_all()
    await asyncio.sleep(0.2)
    assert refused is not None
    told = [(one["api"], one["code"], one["request_id"], one["kernel_id"], one["person"]) for one in heard]
    assert ("dead", "upstream_unreachable", refused.headers["X-OIDC-Request-Id"], "k1", None) in told
    assert told[-1] == ("orders", None, None, None, None)


async def broken(_: object) -> UpstreamReply:
    raise ValueError(SECRET)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_defect_names_file_and_line_and_the_same_id(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture, way: dict[str, str] | None
) -> None:
    """Q5.10, D14: type, file and line, never the text."""
    server_under_test.extension.upstream = upstream = BreakingUpstream()
    await server_under_test.sign_in()
    upstream.instead = broken
    caplog.clear()
    reply, who = await called(server_under_test, way, "orders/x")
    assert reply is not None
    request_id = reply.headers["X-OIDC-Request-Id"]
    told = [record.getMessage() for record in caplog.records if request_id in record.getMessage()]
    assert (reply.status_code, reply.json()["request_id"], len(told)) == (500, request_id, 2)
    assert re.search(r"defect ValueError at broken \(integration/test_refused_calls_in_the_log\.py:\d+\)", told[0])
    assert lines(caplog)[-1] == ("orders", "defect", "defect", "GET", who, "500", request_id)
    assert SECRET not in caplog.text


def test_nothing_in_a_line_can_break_it(caplog: pytest.LogCaptureFixture) -> None:
    """Q5.10: every part of a line is ours, a configured name, a known method or an id."""
    assert LINE.match("jupyter_oidc: api a: refused: b (c.d) GET by kernel k, 502 in 3ms [x]\nforged") is None
    assert json.dumps(lines(caplog)) == "[]"
