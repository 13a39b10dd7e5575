"""A cell writes a file that leads the provider's traffic through a proxy and an authority of its own; real files."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from jupyter_oidc.sessions.refresh_policy import MIN_REFRESH_INTERVAL_SECONDS
from tests.integration.test_corporate_network import API, ID, Outside, certified
from tests.support.authority import Authority, Names
from tests.support.connect_proxy import ConnectProxy
from tests.support.kernels import grant_for
from tests.support.plain_http import PLAIN
from tests.support.server_under_test import EXTENSION, ROUTE, SEVERAL_POLLS_SECONDS, ServerUnderTest
from tests.support.upstream import Upstream


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
def theirs(tmp_path: Path) -> Authority:
    """The attacker's own certificate authority."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    return Authority.in_folder(folder, "Attacker CA")


@pytest.fixture
def trap(theirs: Authority) -> Iterator[Upstream]:
    """Says that it is the provider and the API, with certificates of the attacker's authority."""
    names = Names([x509.DNSName(ID), x509.DNSName(API)])
    with Upstream(tls=theirs.server(names)) as trap:
        yield trap


@pytest.fixture
def detour(trap: Upstream) -> Iterator[ConnectProxy]:
    """The attacker's own proxy, behind which both names lead to the trap."""
    with ConnectProxy(ports={ID: trap.port, API: trap.port}) as detour:
        yield detour


@pytest.fixture
def folder(jp_config_dir: Path, authority: Authority, proxy: ConnectProxy, upstream: Upstream) -> Path:
    assert upstream.port
    network_route = {"egress_proxy": proxy.url}
    orders = {"base_url": f"https://{API}/v1/", **network_route}
    corp = {"issuer": f"https://{ID}", "client_id": "jupyter", "ca_bundle": authority.bundle, **network_route}
    section = {"storage": "memory", "providers": {"corp": {**corp, "apis": {"orders": orders}}}}
    folder = jp_config_dir / "jupyter_server_config.d"
    folder.mkdir(parents=True)
    (folder / "corp.json").write_text(json.dumps({"JupyterOIDC": section}), encoding="utf-8")
    return folder


@pytest.fixture
def jp_server_config(folder: Path) -> dict[str, Any]:
    assert folder.is_dir()
    return {"ServerApp": {"jpserver_extensions": {EXTENSION: True}}}


async def test_no_token_passes_a_proxy_and_an_authority_that_a_cell_wrote_into_a_file(
    server_under_test: ServerUnderTest,
    folder: Path,
    provider: Outside,
    theirs: Authority,
    detour: ConnectProxy,
    trap: Upstream,
) -> None:
    """Q8.1: neither at a call, nor at a refresh, nor at a sign-in of the cell; they go the same way as before."""
    await server_under_test.sign_in()
    own = {"ca_bundle": theirs.bundle, "egress_proxy": detour.url}
    more = {"JupyterOIDC": {"providers": {"corp": {**own, "apis": {"orders": own}}}}}
    (folder / "zz.json").write_text(json.dumps(more), encoding="utf-8")
    await asyncio.sleep(SEVERAL_POLLS_SECONDS)
    assert (await server_under_test.session())["settings_pending"] is True
    grant = {"Authorization": f"Bearer {grant_for(server_under_test)}"}
    async with httpx.AsyncClient(
        base_url=server_under_test.url, headers=grant, timeout=30, trust_env=False, verify=PLAIN
    ) as cell:
        assert (await cell.get("jupyter-oidc/api/orders/x")).status_code == 200
        server_under_test.clock.ahead += MIN_REFRESH_INTERVAL_SECONDS + 1
        assert (await cell.post(f"{ROUTE}/refresh", json={})).status_code == 200
        begun = await cell.post(f"{ROUTE}/sign-in", json={})
        start = str(httpx.URL(server_under_test.url).join(begun.json()["start_url"]))
        page = await asyncio.to_thread(provider.browser().open, start)
        assert "You are signed in" in page.text
        assert (await cell.get("jupyter-oidc/api/orders/x")).status_code == 200
    assert (detour.asked, trap.seen) == ([], [])
