"""A whole session in a company's network: nothing reaches the outside but through a proxy that wants a password, and
the certificates are of the company's own authority (C35, H-1).

``id.example.com`` and ``api.example.com`` exist for that proxy only.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from yarl import URL

from jupyter_oidc.sessions.refresh_policy import MIN_REFRESH_INTERVAL_SECONDS
from jupyter_oidc.settings import Settings
from tests.support.authority import Authority, Names
from tests.support.connect_proxy import ConnectProxy
from tests.support.dpop_proofs import ProofJudge, ProofRefused
from tests.support.form_sign_in import FormBrowser
from tests.support.marker import MARKER
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import EXTENSION, ROUTE, ServerUnderTest
from tests.support.upstream import Upstream, refused

ID, API = "id.example.com", "api.example.com"
PASSWORD = f"ada:{MARKER}proxy-password"
SOCKET = "jupyter-oidc/api/orders/live"


@dataclass
class Outside(ScriptedProvider):
    """A provider that is known by a name which only the proxy can resolve; its users' browsers use the proxy, too."""

    proxy: ConnectProxy | None = None
    trust: ssl.SSLContext | None = None

    @property
    def issuer(self) -> str:
        return f"https://{ID}"

    @property
    def port(self) -> int:
        return self._server.port

    def browser(self) -> FormBrowser:
        assert self.proxy is not None
        return FormBrowser(self.issuer, tls=self.trust, tunnel=self.proxy.port)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority.in_folder(folder, "Corp Root CA")


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy(ports={}) as proxy:
        yield proxy


@pytest.fixture
def provider(authority: Authority, proxy: ConnectProxy) -> Iterator[Outside]:
    trust = ssl.create_default_context(cafile=authority.bundle)
    with Outside(claims={"sid": "s-1"}, tls=certified(authority, ID), proxy=proxy, trust=trust) as provider:
        yield provider


@pytest.fixture
def upstream(provider: Outside, authority: Authority, proxy: ConnectProxy) -> Iterator[Upstream]:
    with Upstream(provider.accepts, tls=certified(authority, API)) as upstream:
        proxy.ports = {ID: provider.port, API: upstream.port}
        yield upstream


@pytest.fixture
def jp_server_config(
    authority: Authority, proxy: ConnectProxy, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    monkeypatch.setenv("CORP_PROXY", PASSWORD)
    network_route = {"egress_proxy": proxy.url, "egress_proxy_credentials": "env:CORP_PROXY"}
    orders = {"base_url": f"https://{API}/v1/", **network_route}
    corp = {"issuer": f"https://{ID}", "client_id": "jupyter", "ca_bundle": authority.bundle, **network_route}
    return {
        "ServerApp": {"jpserver_extensions": {EXTENSION: True}},
        "JupyterOIDC": {"storage": "memory", "providers": {"corp": {**corp, "apis": {"orders": orders}}}},
    }


def certified(authority: Authority, host: str) -> ssl.SSLContext:
    return authority.server(Names([x509.DNSName(host)]))


def changed(server_under_test: ServerUnderTest, **changes: Any) -> Settings:
    """The settings in force, with another word here and there."""
    settings = server_under_test.settings
    assert settings is not None
    return replace(settings, providers=(replace(settings.providers[0], **changes),))


async def echo(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"echo {message.data}")
    return socket


async def heard(server_under_test: ServerUnderTest, message: str) -> str:
    """Open a WebSocket through the server, say ``message`` and return the answer."""
    headers = {"Authorization": f"token {server_under_test.token}"}
    url = URL(f"{server_under_test.url}{SOCKET}", encoded=True)
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(url) as socket:
        await socket.send_str(message)
        return str(await asyncio.wait_for(socket.receive_str(), 10))


async def test_a_session_begins_calls_renews_and_ends_through_the_proxy(
    server_under_test: ServerUnderTest, proxy: ConnectProxy, provider: Outside, upstream: Upstream
) -> None:
    """C35: HTTP, a WebSocket, a refresh and the revocation; the proxy hears two names and sees no token."""
    await server_under_test.sign_in()
    proxy.password = PASSWORD  # the browser signs in at the proxy in its own way, and is done
    assert await server_under_test.call(5) == [200] * 5
    upstream.plan(echo)
    assert await heard(server_under_test, "hello") == "echo hello"
    server_under_test.clock.ahead += MIN_REFRESH_INTERVAL_SECONDS + 1
    assert (await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})).json()["state"] == "active"
    assert await server_under_test.call(1) == [200]
    assert (await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})).json()["revoked"] == "done"
    assert {line.split(" ")[1] for line in proxy.lines} == {f"{ID}:443", f"{API}:443"}
    assert {one.authorized for one in proxy.asked} == {True}
    assert [secret for secret in provider.issued() if secret.encode() in proxy.passed] == []


async def test_tokens_that_are_bound_to_a_key_pass_the_proxy(
    server_under_test: ServerUnderTest, proxy: ConnectProxy, provider: Outside, upstream: Upstream
) -> None:
    """X-3: a proof names the API's own address, not the proxy's; for a WebSocket, too."""
    judge = ProofJudge()

    def guard(request: web.Request, scheme: str, token: str) -> web.Response | None:
        try:
            url = f"https://{API}{request.raw_path}"
            judge.judge(request.headers.get("DPoP"), request.method, url, now=time.time(), token=token)
        except ProofRefused as refusal:
            return refused("DPoP", refusal.error)
        return None if scheme == "DPoP" else refused("DPoP", "invalid_token")

    provider.proofs = ProofJudge()
    upstream.judge = guard
    await server_under_test.context.reload(changed(server_under_test, dpop_bound_access_tokens=True))
    await server_under_test.sign_in()
    assert await server_under_test.call(2) == [200] * 2
    upstream.plan(echo)
    assert await heard(server_under_test, "hello") == "echo hello"
    assert {seen.scheme for seen in upstream.seen} == {"DPoP"}
    assert len(proxy.asked) > 0


async def test_a_proxy_that_stops_taking_the_password_ends_no_session(
    server_under_test: ServerUnderTest, proxy: ConnectProxy, provider: Outside
) -> None:
    """C35, B6: it is a transient failure; the refresh token is unspent and kept, and the proxy is asked once."""
    await server_under_test.sign_in()
    proxy.password = "ada:another"
    proxy.cut()
    server_under_test.clock.ahead += 3600
    assert set(await server_under_test.call(10)) == {503}
    told = (await server_under_test.ask("GET", "jupyter-oidc/api/orders/1")).json()
    assert (told["code"], "the egress proxy of this network does not" in told["message"]) == ("idp_unavailable", True)
    assert await server_under_test.state() == ("refresh-failed", "egress_proxy_auth")
    assert len([one for one in proxy.asked if not one.authorized]) == 1
    assert (len(provider.ledger.refresh), provider.ledger.spent) == (1, {})


async def test_a_password_that_is_gone_ends_no_session(
    server_under_test: ServerUnderTest, provider: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B6: a mistake that appears while the server runs is a transient failure; the refresh token was not sent."""
    await server_under_test.sign_in()
    monkeypatch.delenv("CORP_PROXY")
    await server_under_test.context.reload(changed(server_under_test, http_timeout=5.0))
    assert set(await server_under_test.call(3)) == {503}
    assert await server_under_test.state() == ("refresh-failed", "configuration_invalid")
    assert (len(provider.ledger.refresh), provider.ledger.spent) == (1, {})
    monkeypatch.setenv("CORP_PROXY", PASSWORD)
    server_under_test.clock.ahead += 3600
    assert await server_under_test.call(3) == [200] * 3


async def test_a_proxy_that_begins_to_open_tls_is_named_and_gets_nothing(
    server_under_test: ServerUnderTest,
    proxy: ConnectProxy,
    upstream: Upstream,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """C35: A forward proxy's refusal has its own code."""
    caplog.set_level(logging.DEBUG)
    await server_under_test.sign_in()
    folder = tmp_path / "interceptor"
    folder.mkdir()
    with Upstream(tls=certified(Authority.in_folder(folder, "Corp Inspection CA"), API)) as interceptor:
        proxy.ports = {**proxy.ports, API: interceptor.port}
        answer = await server_under_test.ask("GET", "jupyter-oidc/api/orders/items")
        told = answer.json()
        assert (answer.status_code, told["code"], told["retryable"]) == (502, "tls_untrusted", False)
        assert told["message"] == (
            f"The certificate that {API} presents is issued by 'Corp Inspection CA', whom this machine does not trust."
        )
        assert interceptor.seen == []
    assert PASSWORD.partition(":")[2] not in caplog.text


async def test_a_proxy_that_opens_tls_at_the_sign_in_is_named(
    server_under_test: ServerUnderTest, proxy: ConnectProxy, tmp_path: Path
) -> None:
    """C35: in the answer to the click."""
    folder = tmp_path / "interceptor"
    folder.mkdir()
    with Upstream(tls=certified(Authority.in_folder(folder, "Corp Inspection CA"), ID)) as interceptor:
        proxy.ports = {**proxy.ports, ID: interceptor.port}
        answer = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})
        told = answer.json()
        assert (answer.status_code, told["code"]) == (502, "tls_untrusted")
        assert "issued by 'Corp Inspection CA'" in told["message"]
        assert "ca_bundle of the provider" in told["action"]
        assert interceptor.seen == []


async def test_a_proxy_that_wants_a_password_at_the_sign_in_is_named(
    server_under_test: ServerUnderTest, proxy: ConnectProxy
) -> None:
    """C35: A forward proxy's refusal has its own code."""
    proxy.password = "ada:another"
    answer = await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (502, "egress_proxy_auth")
    assert told["action"] == "Ask your administrator to set egress_proxy_credentials of the provider."
