"""A refusal is one line that the id on the page leads to, is counted, and holds nothing of absurd length."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from tests.support.kernel_proof import GRANT, proof
from tests.support.kernels import grant_for
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
LONG_NUMBERS = ["9" * 400, "-" + "9" * 400, "1e999", "1" * 30 + ".5", "NaN", "-Infinity"]


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


def counted(code: str) -> float:
    return REGISTRY.get_sample_value("jupyter_oidc_refusals_total", {"provider": "corp", "code": code}) or 0.0


async def visit(server_under_test: ServerUnderTest, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(
        base_url=server_under_test.url, trust_env=False, verify=PLAIN, headers={**PAGE, **headers}
    ) as client:
        return await client.get(path)


def lines_with(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    return [line for line in caplog.messages if what in line]


def id_on(page: httpx.Response) -> str:
    found = re.search(r" · ([\w-]{8,64})</p>", page.text)
    assert found, page.text
    return found[1]


# -- one line, one count -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code", "detail"),
    [
        (f"{ROUTE}/callback?code=c&state=unknown", "state_invalid", "callback.state"),
        (f"{ROUTE}/initiate-login?iss=https%3A%2F%2Fevil.example", "request_invalid", "initiate.iss"),
    ],
)
async def test_a_refusal_beside_a_sign_in_is_found_by_the_id_on_the_page(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture, path: str, code: str, detail: str
) -> None:
    """Q5.9: code, detail, flow and request id in one line, and the counter that sign-ins use."""
    await server_under_test.session()
    before = counted(code)
    page = await visit(server_under_test, path, Authorization=f"token {server_under_test.token}")
    [line] = lines_with(caplog, f"[{id_on(page)}]")[:1]
    assert f"{code} ({detail}) flow -" in line
    assert counted(code) == before + 1


async def test_a_wrong_browser_is_logged_with_the_sign_in_that_it_came_for(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.9: the state leads to the flow, the page shows the request."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    start = await visit(server_under_test, str(httpx.URL(server_under_test.url).join(started["start_url"])))
    state = httpx.URL(start.headers["Location"]).params["state"]
    page = await visit(server_under_test, f"{ROUTE}/callback?code=c&state={state}")
    assert f"state_invalid (callback.state) flow {started['flow']} [{id_on(page)}]" in caplog.text


async def test_another_issuer_at_discovery_is_counted(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.9: no sign-in has begun yet."""
    provider.advertise = {"issuer": "https://other.example"}
    before = counted("issuer_mismatch")
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})
    assert f"[{reply.json()['request_id']}]" in caplog.text
    assert counted("issuer_mismatch") == before + 1


async def test_a_sign_in_that_is_declined_is_counted_once(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    """Q5.9: the owner of the sign-in has written it down; the page's line adds its id to the flow."""
    before = counted("sign_in_declined")
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    start = await visit(server_under_test, str(httpx.URL(server_under_test.url).join(started["start_url"])))
    state = httpx.URL(start.headers["Location"]).params["state"]
    cookie = start.headers["Set-Cookie"].partition(";")[0]
    page = await visit(
        server_under_test,
        f"{ROUTE}/callback?error=access_denied&state={state}&iss={server_under_test.provider.issuer}",
        Cookie=cookie,
    )
    assert f"(declined.access_denied) flow {started['flow']} [{id_on(page)}]" in caplog.text
    assert counted("sign_in_declined") == before + 1


# -- absurd lengths ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", LONG_NUMBERS)
async def test_a_proof_with_an_absurd_time_is_refused(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture, number: str
) -> None:
    """Q8.13: a number that no arithmetic can take is no defect of ours."""
    grant_for(server_under_test)
    body = proof("k1", b"a connection key", issued_at=int(number) if number.strip("-").isdigit() else 7)
    text = httpx.Request("POST", "http://x", json={**body, "issued_at": 7}).content.decode()
    text = re.sub(r'"issued_at":\s*7', f'"issued_at": {number}', text)
    reply = await server_under_test.ask("POST", GRANT, content=text, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (400, "request_invalid")
    assert "defect" not in caplog.text


@pytest.mark.parametrize("where", ["sign-in", "sign-out", "refresh"])
async def test_no_envelope_takes_an_absurd_number(server_under_test: ServerUnderTest, where: str) -> None:
    """Q8.13: a number in a place where none belongs is refused as well."""
    body = f'{{"api": {"9" * 400}}}'
    reply = await server_under_test.ask(
        "POST", f"{ROUTE}/{where}", content=body, headers={"Content-Type": "application/json"}
    )
    assert (reply.status_code, reply.json()["code"]) == (400, "request_invalid")


@pytest.mark.parametrize(
    "query", ["sequence=--5", "sequence=-", "sequence=" + "9" * 400, "wait=" + "9" * 400, "wait=1e999"]
)
async def test_no_parameter_takes_an_absurd_number(server_under_test: ServerUnderTest, query: str) -> None:
    """Q8.13: Absurd values are refused, not defects."""
    reply = await server_under_test.ask("GET", f"{ROUTE}/session?{query}")
    assert (reply.status_code, reply.json()["code"]) == (400, "request_invalid")


@pytest.mark.parametrize("path", [f"{ROUTE}/session", "jupyter-oidc/api/orders/x", f"{ROUTE}/callback"])
async def test_a_method_of_any_length_is_logged_and_counted_as_another(
    server_under_test: ServerUnderTest, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Q8.15: Jupyter's own metric has the method for a label, and each would be a time series."""
    url = httpx.URL(server_under_test.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        f"{'X' * 60_000} {url.raw_path.decode()}{path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n\r\n".encode()
    )
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 405")
    writer.close()
    assert "XXXX" not in caplog.text
    methods = {
        sample.labels["method"]
        for family in REGISTRY.collect()
        for sample in family.samples
        if family.name == "http_request_duration_seconds"
    }
    assert max(map(len, methods)) < 10
