"""A body that drips is not waited for: one deadline for all routes that read a whole one (D13)."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from jupyter_oidc.server.handler import BODY_TIMEOUT_SECONDS, OidcHandler
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

LENGTHS = ("Content-Length: 60000", "Transfer-Encoding: chunked")
OPEN = (
    ("POST", "jupyter-oidc/kernel/grant"),
    ("POST", f"{ROUTE}/callback"),
    ("POST", f"{ROUTE}/initiate-login"),
    ("POST", f"{ROUTE}/backchannel-logout"),
    ("GET", f"{ROUTE}/callback"),
    ("GET", f"{ROUTE}/signed-out"),
    ("GET", "jupyter-oidc/start/ticket"),
    ("OPTIONS", f"{ROUTE}/session"),
    ("OPTIONS", "jupyter-oidc/api/orders/x"),
)


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def drip(server_under_test: ServerUnderTest, verb: str, path: str, *headers: str) -> tuple[bytes, float]:
    """Send a head and then a byte of the body now and then; return the answer and the seconds until it came."""
    url = httpx.URL(server_under_test.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = [f"{verb} {url.raw_path.decode()}{path} HTTP/1.1", f"Host: {url.netloc.decode()}", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    begun, answer = time.monotonic(), asyncio.ensure_future(reader.read(65_536))
    piece = b"1\r\nx\r\n" if any("chunked" in line for line in headers) else b"x"
    while not answer.done() and time.monotonic() - begun < 25:
        writer.write(piece)
        await asyncio.wait([answer], timeout=0.1)
    seconds = time.monotonic() - begun
    answer.cancel()
    writer.close()
    return answer.result() if answer.done() and not answer.cancelled() else b"", seconds


async def test_no_public_route_waits_for_a_dripping_body(server_under_test: ServerUnderTest) -> None:
    """Q8.14: a caller without login may not hold a connection for long. All at once, since each takes ten seconds."""
    every = [(verb, path, length) for verb, path in OPEN for length in LENGTHS]
    answers = await asyncio.gather(*[drip(server_under_test, *one) for one in every])
    statuses = {one: answer[:12] for one, (answer, _) in zip(every, answers, strict=True)}
    assert {one: status for one, status in statuses.items() if status != b"HTTP/1.1 408"} == {}
    assert min(seconds for _, seconds in answers) >= 9.5


async def test_a_user_s_envelope_has_the_same_deadline_and_an_upload_to_an_api_has_not(
    server_under_test: ServerUnderTest,
) -> None:
    """Q8.14: timeout_upload is a setting of the API, and counts silence, not seconds in all."""
    await server_under_test.sign_in()
    settings = server_under_test.services.sessions.of_provider("corp").settings
    object.__setattr__(settings.apis[0], "methods", ("GET", "POST"))
    token = f"Authorization: token {server_under_test.token}"
    (envelope, _), (upload, seconds) = await asyncio.gather(
        drip(
            server_under_test,
            "POST",
            f"{ROUTE}/sign-in",
            token,
            "Content-Type: application/json",
            "Content-Length: 60000",
        ),
        drip(server_under_test, "POST", "jupyter-oidc/api/orders/x", token, "Content-Length: 110"),
    )
    head, _, body = envelope.partition(b"\r\n\r\n")
    assert (head[:12], json.loads(body)["code"]) == (b"HTTP/1.1 408", "client_too_slow")
    assert (upload[:12], seconds > BODY_TIMEOUT_SECONDS) == (b"HTTP/1.1 200", True)


def test_the_deadline_is_ten_seconds() -> None:
    """Q8.14: Open routes wait ten seconds for a body."""
    assert OidcHandler.body_timeout_seconds == BODY_TIMEOUT_SECONDS == 10.0
