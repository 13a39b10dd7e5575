"""Calls to other hosts from a company network: their route, their headers, and the host that an error names (Q3.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import jupyter_oidc as oidc
from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.kernel.errors import ServerNotFound, UpstreamUnreachable
from jupyter_oidc.kernel.find import Server
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.routing import AsyncRoutingTransport, RoutingTransport
from jupyter_oidc.kernel.server_connection import ApiOfClient, ServerConnection
from jupyter_oidc.kernel.transport import AsyncOIDCClient, OIDCClient
from tests.support.certificate import of_a_company
from tests.support.connect_proxy import ConnectProxy
from tests.unit.kernel.certificates import write_certificate
from tests.unit.kernel.fake_server import KERNEL, ORDERS, Answer, FakeServer

ITEMS = "jupyter-oidc/api/orders/items"
STORAGE = "storage.example.com"


def sync_call(
    server: Server, path: str = "items", *, options: dict[str, Any] | None = None, **arguments: Any
) -> httpx.Response:
    with OIDCClient(server, GrantAuth(server, KERNEL), "jupyter-oidc/api/orders/", **options or {}) as client:
        return client.get(path, **arguments)


def async_call(
    server: Server, path: str = "items", *, options: dict[str, Any] | None = None, **arguments: Any
) -> httpx.Response:
    async def call() -> httpx.Response:
        auth = GrantAuth(server, KERNEL)
        async with AsyncOIDCClient(server, auth, "jupyter-oidc/api/orders/", **options or {}) as client:
            return await client.get(path, **arguments)

    return asyncio.run(call())


@pytest.fixture(params=[sync_call, async_call], ids=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Make one call: the same test for both clients."""
    made: Callable[..., Any] = request.param
    return made


@pytest.fixture
def company(tmp_path: Path) -> str:
    """Write a PEM file with the certificate of the host outside, its authority and its key."""
    made = of_a_company(tmp_path, [STORAGE, "localhost"])
    file = tmp_path / "storage.pem"
    file.write_bytes(made.certfile.read_bytes() + made.keyfile.read_bytes())
    return str(file)


@pytest.fixture
def storage(company: str) -> Iterator[FakeServer]:
    """Run a host outside, which this machine trusts and reaches through the proxy only."""
    with FakeServer(certificate=company) as outside:
        outside.answers("GET", "file", ["a file"])
        yield outside


@pytest.fixture
def proxy(storage: FakeServer, company: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectProxy]:
    """Run the company's proxy, named in the environment as its administrators do."""
    with ConnectProxy({STORAGE: storage.port}) as opened:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, opened.url)
        monkeypatch.setenv("SSL_CERT_FILE", company)
        yield opened


def leads(fake_server: FakeServer, location: str) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"", 302, {"Location": location}))


# -- the route ---------------------------------------------------------------------------------------------------


def test_a_redirect_to_another_host_goes_through_the_proxy_of_the_company(
    fake_server: FakeServer, storage: FakeServer, proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: the call went directly, and its failure was reported as the Jupyter server's."""
    leads(fake_server, f"https://{STORAGE}/file")
    assert call(fake_server.server, follow_redirects=True).json() == ["a file"]
    assert proxy.lines == [f"CONNECT {STORAGE}:443 HTTP/1.1"]


def test_a_kernels_own_clients_do_the_same(kernel: FakeServer, storage: FakeServer, proxy: ConnectProxy) -> None:
    """Q3.6: the clients use the connections that all clients of a kernel share."""
    leads(kernel, f"https://{STORAGE}/file")
    assert oidc.api("orders").get("items", follow_redirects=True).json() == ["a file"]

    async def in_a_loop() -> httpx.Response:
        async with oidc.async_api("orders") as client:
            return await client.get("items", follow_redirects=True)

    assert asyncio.run(in_a_loop()).json() == ["a file"]
    assert proxy.lines == [f"CONNECT {STORAGE}:443 HTTP/1.1"] * 2


def test_our_server_is_never_asked_for_through_the_proxy(
    fake_server: FakeServer, storage: FakeServer, proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: neither the call nor the grant request goes to the proxy, wherever the redirect leads."""
    leads(fake_server, f"https://{STORAGE}/file")
    call(fake_server.server, follow_redirects=True)
    assert [line for line in proxy.lines if "127.0.0.1" in line or "localhost" in line] == []
    assert [got.path for got in fake_server.received] == ["/jupyter-oidc/kernel/grant", f"/{ITEMS}"]


@pytest.mark.parametrize("left_out", [STORAGE, ".example.com", "example.com", "*", f"10.0.0.1, {STORAGE}"])
def test_what_no_proxy_leaves_out_is_reached_directly(
    fake_server: FakeServer,
    proxy: ConnectProxy,
    call: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    left_out: str,
) -> None:
    """Q3.6: the name does not exist on this machine, so the direct call fails."""
    monkeypatch.setenv("NO_PROXY", left_out)
    leads(fake_server, f"https://{STORAGE}/file")
    with pytest.raises(UpstreamUnreachable) as caught:
        call(fake_server.server, follow_redirects=True)
    assert (STORAGE in caught.value.message, proxy.asked) == (True, [])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_another_server_on_this_machine_is_reached_directly(
    fake_server: FakeServer, proxy: ConnectProxy, call: Callable[..., Any], name: str
) -> None:
    """Q3.6: seen from the proxy, a loopback address is another machine."""
    with FakeServer() as neighbour:
        neighbour.answers("GET", "items", ["next door"])
        leads(fake_server, f"http://{name}:{neighbour.port}/items")
        assert call(fake_server.server, follow_redirects=True).json() == ["next door"]
    assert proxy.asked == []


def test_a_caller_who_trusts_no_environment_goes_directly(
    fake_server: FakeServer, proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: ``trust_env`` is the caller's decision about other hosts."""
    leads(fake_server, f"https://{STORAGE}/file")
    with pytest.raises(UpstreamUnreachable):
        call(fake_server.server, follow_redirects=True, options={"trust_env": False})
    assert proxy.asked == []


@pytest.mark.parametrize("named", ["trust_env", "proxy"])
def test_no_option_leads_our_server_through_a_proxy(
    fake_server: FakeServer, storage: FakeServer, proxy: ConnectProxy, call: Callable[..., Any], named: str
) -> None:
    """Q3.6: a caller's options for a company network apply to the network outside."""
    options = {"trust_env": {"trust_env": True}, "proxy": {"proxy": proxy.url}}[named]
    leads(fake_server, f"https://{STORAGE}/file")
    assert call(fake_server.server, follow_redirects=True, options=options).json() == ["a file"]
    assert proxy.lines == [f"CONNECT {STORAGE}:443 HTTP/1.1"]


def test_a_server_far_away_is_reached_through_the_proxy_by_a_tunnel(
    storage: FakeServer, company: str, proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: the proxy sees the host and none of the bytes that it carries."""
    storage.answers("GET", ITEMS, ["a book"])
    assert call(Server(f"https://{STORAGE}/", Path(company))).json() == ["a book"]
    assert set(proxy.lines) == {f"CONNECT {STORAGE}:443 HTTP/1.1"}
    assert storage.issued[0].encode() not in proxy.passed


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_server_far_away_is_reached_through_the_proxy_that_the_caller_names(
    storage: FakeServer, company: str, monkeypatch: pytest.MonkeyPatch, is_async: bool
) -> None:
    """Q3.6: the environment may name no proxy; the bytes in the tunnel are encrypted."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    server = Server(f"https://{STORAGE}/", Path(company))
    with ConnectProxy({STORAGE: storage.port}) as named:
        options, headers = {"proxy": named.url}, {"Authorization": "Bearer grant-of-a-kernel"}

        async def called() -> None:
            async with httpx.AsyncClient(transport=AsyncRoutingTransport(server, options)) as client:
                await client.get(f"{server.url}file", headers=headers)

        if is_async:
            asyncio.run(called())
        else:
            with httpx.Client(transport=RoutingTransport(server, options)) as client:
                client.get(f"{server.url}file", headers=headers)
        assert named.lines == [f"CONNECT {STORAGE}:443 HTTP/1.1"]
        assert [got.bearer for got in storage.received] == ["Bearer grant-of-a-kernel"]
        assert b"grant-of-a-kernel" not in named.passed


def test_no_option_leads_a_server_far_away_without_tls_through_a_proxy(
    proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: the proxy would read the grant."""
    with pytest.raises(ServerNotFound):
        call(Server("http://hub.invalid/"), options={"proxy": proxy.url})
    assert proxy.asked == []


def test_a_server_far_away_without_tls_is_not_asked_for_through_a_proxy(
    proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: the proxy would read the grant, and the proof in the request for it."""
    with pytest.raises(ServerNotFound):
        call(Server("http://hub.invalid/"))
    assert proxy.asked == []


# -- the headers, and the certificates that it trusts -------------------------------------------------------------


def test_neither_the_other_host_nor_the_proxy_gets_the_grant(
    fake_server: FakeServer, storage: FakeServer, proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: Redirects to other hosts follow the environment."""
    leads(fake_server, f"https://{STORAGE}/file")
    call(fake_server.server, follow_redirects=True)
    assert [got.bearer for got in storage.received] == [None]
    assert [
        one.names for one in proxy.asked if "authorization" in one.names or "proxy-authorization" in one.names
    ] == []


def test_a_proxy_that_reads_along_sees_no_grant(
    fake_server: FakeServer, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q3.6: a call without TLS goes to the proxy as a whole."""
    with FakeServer() as reader:
        reader.answers("GET", "file", ["a file"])
        monkeypatch.setenv("HTTP_PROXY", reader.url)
        leads(fake_server, f"http://{STORAGE}/file")
        call(fake_server.server, follow_redirects=True)
        assert [(got.headers["host"], got.bearer) for got in reader.received] == [(STORAGE, None)]


def test_the_certificate_of_our_server_says_nothing_about_others(
    storage: FakeServer, proxy: ConnectProxy, company: str, call: Callable[..., Any], tmp_path: Path
) -> None:
    """Q3.6: our server is trusted by its own certificate, the others by the authorities of this machine."""
    certificate = write_certificate(tmp_path / "server.pem")
    with FakeServer(certificate=str(certificate)) as own:
        leads(own, f"https://{STORAGE}/file")
        server = Server(own.url, certificate, same_machine=True)
        assert call(server, follow_redirects=True).json() == ["a file"]


# -- the host that an error names ---------------------------------------------------------------------------------


def test_the_host_that_failed_is_named_and_not_our_server(fake_server: FakeServer, call: Callable[..., Any]) -> None:
    """Q3.6: this failure was reported as 'the Jupyter server does not answer'."""
    leads(fake_server, f"http://localhost:{free_port()}/file")
    with pytest.raises(UpstreamUnreachable) as caught:
        call(fake_server.server, follow_redirects=True)
    assert caught.value.message == (
        "The call was led to localhost, which is not reached from this kernel: nobody listens there."
    )


def test_a_host_that_the_proxy_does_not_admit_is_named_with_the_proxy(
    fake_server: FakeServer, proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: Redirects to other hosts follow the environment."""
    leads(fake_server, "https://elsewhere.example.com/file?sig=secret-of-an-address")
    with pytest.raises(UpstreamUnreachable) as caught:
        call(fake_server.server, follow_redirects=True)
    assert caught.value.message == (
        f"The call was led to elsewhere.example.com, which is not reached through the proxy at 127.0.0.1:{proxy.port}."
    )


def test_a_password_of_the_proxy_is_in_no_error(
    fake_server: FakeServer, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q3.6: the environment names the password in the proxy's address."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:secret-of-ada@127.0.0.1:{free_port()}")
    leads(fake_server, f"https://{STORAGE}/file")
    with pytest.raises(UpstreamUnreachable) as caught:
        call(fake_server.server, follow_redirects=True)
    assert "ada" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_there_is_said(
    fake_server: FakeServer,
    storage: FakeServer,
    proxy: ConnectProxy,
    call: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Q3.6: Redirects to other hosts follow the environment."""
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("NO_PROXY", "localhost")
    leads(fake_server, f"https://localhost:{storage.port}/file")
    with pytest.raises(UpstreamUnreachable) as caught:
        call(fake_server.server, follow_redirects=True)
    assert caught.value.message == (
        "The call was led to localhost, which is not reached from this kernel: the issuer of its certificate is not known here."
    )


def test_our_own_server_is_still_named_as_such(call: Callable[..., Any]) -> None:
    """Q3.6: a failure of our own server is the positive control."""
    with pytest.raises(ServerNotFound):
        call(Server(f"http://127.0.0.1:{free_port()}/"))


def test_a_client_for_one_api_still_names_no_other_address(fake_server: FakeServer, proxy: ConnectProxy) -> None:
    """Q3.3: only redirects lead to other hosts; an address that the caller writes has to be the API's."""
    fake_server.answers("GET", "jupyter-oidc/apis", {"apis": [ORDERS]})
    client = OIDCClient(
        fake_server.server,
        GrantAuth(fake_server.server, KERNEL),
        "jupyter-oidc/api/orders/",
        api=ApiOfClient("orders", ServerConnection(fake_server.server, fake_server.grants())),
    )
    with client, pytest.raises(oidc.OIDCError, match="not one of this API"):
        client.get(f"https://{STORAGE}/file")
    assert proxy.asked == []


def test_what_a_caller_does_with_transports_is_the_callers(
    fake_server: FakeServer, proxy: ConnectProxy, call: Callable[..., Any]
) -> None:
    """Q3.6: a caller's own transport gets every request."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=[])

    if call is sync_call:
        leads(fake_server, f"https://{STORAGE}/file")
        call(fake_server.server, options={"transport": httpx.MockTransport(answer)})
        assert asked == [f"{fake_server.url}{ITEMS}"]
