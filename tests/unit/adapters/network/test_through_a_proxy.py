"""Calls through a forward proxy: what the proxy sees, and the error when it opens no connection (C35).

Every test runs for the provider's client and for an API's.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_oidc.problems import Problem
from jupyter_oidc.settings import SecretRef
from tests.support.authority import Authority, Names
from tests.support.connect_proxy import ConnectProxy
from tests.support.marker import MARKER
from tests.support.peers import Peer, answer, drip, silence, unused_port
from tests.unit.adapters.network_routes import TOKEN, NetworkRoutes, ToApi, ToProvider

HOST = "host.example.com"
URL = f"https://{HOST}/items"
PASSWORD = f"ada:{MARKER}proxy-password"
BY_REFERENCE = SecretRef("env", "CORP_PROXY")


@pytest.fixture(params=[ToProvider, ToApi], ids=["provider", "API"])
def kind(request: pytest.FixtureRequest) -> type[NetworkRoutes]:
    found: type[NetworkRoutes] = request.param
    return found


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("CORP_PROXY", PASSWORD)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.in_folder(tmp_path)


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy() as proxy:
        yield proxy


def here(authority: Authority) -> Peer:
    """Run the destination, with a certificate for its name."""
    return Peer(answer(), tls=authority.server(named(HOST)))


def named(host: str) -> Names:
    from cryptography import x509

    return Names([x509.DNSName(host)])


async def problem_of(network_route: NetworkRoutes, url: str = URL) -> Problem:
    with pytest.raises(Problem) as caught:
        await network_route.status(url)
    return caught.value


# -- the route -----------------------------------------------------------------------------------------------


async def test_a_call_goes_through_the_proxy_of_the_settings(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority
) -> None:
    async with here(authority) as peer, kind(egress_proxy=proxy.url, ca_bundle=authority.bundle) as network_route:
        proxy.ports = {HOST: peer.port}
        assert await network_route.status(URL) == 200
        assert (proxy.lines, peer.seen[0].target) == ([f"CONNECT {HOST}:443 HTTP/1.1"], "/items")
        assert peer.seen[0].header("Proxy-Authorization") is None


async def test_a_call_goes_through_the_proxy_of_the_environment(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with here(authority) as peer, kind(ca_bundle=authority.bundle) as network_route:
        proxy.ports = {HOST: peer.port}
        assert await network_route.status(URL) == 200
        assert len(proxy.asked) == 1


async def test_none_goes_past_the_proxy_of_the_environment(
    kind: type[NetworkRoutes], proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with kind(egress_proxy="none") as network_route:
        await problem_of(network_route, "https://does-not-exist.invalid/")
        assert proxy.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_loopback_host_is_called_directly(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    tls = authority.server() if host == "127.0.0.1" else authority.server(named(host))
    async with (
        Peer(answer(), tls=tls) as peer,
        kind(egress_proxy=proxy.url, ca_bundle=authority.bundle) as network_route,
    ):
        assert await network_route.status(f"https://{host}:{peer.port}/") == 200
        assert proxy.asked == []


async def test_a_proxy_learns_the_hosts_name_and_nothing_of_the_call(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority
) -> None:
    """T-12: the proxy sees no token, no path and no header of the call."""
    async with here(authority) as peer, kind(egress_proxy=proxy.url, ca_bundle=authority.bundle) as network_route:
        proxy.ports = {HOST: peer.port}
        await network_route.status(URL)
        assert set(proxy.asked[0].names) <= {"host", "accept", "accept-encoding", "user-agent"}
        assert (b"items" in proxy.passed, TOKEN.encode() in proxy.passed) == (False, False)


async def test_a_connection_through_the_proxy_is_used_again(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority
) -> None:
    """C29: One API's trouble is not another's."""
    kept = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    async def twice(writer: asyncio.StreamWriter) -> None:
        writer.write(kept)
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.write(kept)
        await writer.drain()

    tls = authority.server(named(HOST))
    async with Peer(twice, tls=tls) as peer, kind(egress_proxy=proxy.url, ca_bundle=authority.bundle) as network_route:
        proxy.ports = {HOST: peer.port}
        assert [await network_route.status(URL), await network_route.status(URL)] == [200, 200]
        assert len(proxy.asked) == 1


# -- who may use it ------------------------------------------------------------------------------------------


async def test_the_proxy_gets_its_password_and_nobody_else_does(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority
) -> None:
    proxy.password = PASSWORD
    network = {"egress_proxy": proxy.url, "egress_proxy_credentials": BY_REFERENCE, "ca_bundle": authority.bundle}
    async with here(authority) as peer, kind(**network) as network_route:
        proxy.ports = {HOST: peer.port}
        assert await network_route.status(URL) == 200
        assert [one.authorized for one in proxy.asked] == [True]
        assert peer.seen[0].header("Proxy-Authorization") is None


async def test_a_password_in_the_environments_address_is_used(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.password = PASSWORD
    monkeypatch.setenv("HTTPS_PROXY", f"http://{PASSWORD}@127.0.0.1:{proxy.port}")
    async with here(authority) as peer, kind(ca_bundle=authority.bundle) as network_route:
        proxy.ports = {HOST: peer.port}
        assert await network_route.status(URL) == 200


async def test_a_proxy_that_refuses_us_is_named_with_who_can_help(
    kind: type[NetworkRoutes], proxy: ConnectProxy
) -> None:
    """C35: A forward proxy's refusal has its own code."""
    proxy.password = "ada:another"
    async with kind(egress_proxy=proxy.url, egress_proxy_credentials=BY_REFERENCE) as network_route:
        problem = await problem_of(network_route)
    assert (problem.code, problem.status, problem.retryable) == ("egress_proxy_auth", 502, False)
    assert problem.message == (
        "The egress proxy of this network asks for a user name and password, or refuses those it got."
    )
    assert problem.action == f"Ask your administrator to set egress_proxy_credentials of the {kind.peer}."


async def test_a_proxy_that_refused_us_is_left_alone_for_a_while(
    kind: type[NetworkRoutes], proxy: ConnectProxy
) -> None:
    """C35: a directory locks an account after a few wrong passwords, so refused calls are not repeated."""
    proxy.password = "ada:another"
    async with kind(egress_proxy=proxy.url, egress_proxy_credentials=BY_REFERENCE) as network_route:
        codes = [(await problem_of(network_route)).code for _ in range(5)]
    assert (codes, len(proxy.asked)) == (["egress_proxy_auth"] * 5, 1)


async def test_a_hundred_calls_at_once_try_a_wrong_password_once(proxy: ConnectProxy) -> None:
    """C35: a page with widgets calls an API many times at once."""
    proxy.password = "ada:another"
    async with ToApi(egress_proxy=proxy.url, egress_proxy_credentials=BY_REFERENCE) as network_route:
        problems = await asyncio.gather(*(problem_of(network_route) for _ in range(100)))
    assert ({problem.code for problem in problems}, len(proxy.asked)) == ({"egress_proxy_auth"}, 1)


async def test_a_hundred_calls_at_once_find_out_once_that_a_proxy_hangs(proxy: ConnectProxy) -> None:
    """C35: the calls find out together, and not one after the other."""
    proxy.answer = silence
    async with ToApi(egress_proxy=proxy.url) as network_route:
        problems = await asyncio.wait_for(asyncio.gather(*(problem_of(network_route) for _ in range(100))), 20)
        assert ({problem.detail for problem in problems}, len(proxy.asked)) == ({"upstream.proxy"}, 1)
        proxy.answer = answer(502)
        assert (await problem_of(network_route)).detail == "upstream.proxy"
        assert len(proxy.asked) == 2, "the next call asks anew"


async def test_calls_at_once_do_not_wait_for_each_others_answers(proxy: ConnectProxy, authority: Authority) -> None:
    """C29: only the first call asks the proxy alone."""

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.write(answer())

    tls = authority.server(named(HOST))
    async with (
        Peer(slowly, tls=tls) as peer,
        ToApi(egress_proxy=proxy.url, ca_bundle=authority.bundle, timeout=5.0) as network_route,
    ):
        proxy.ports = {HOST: peer.port}
        began = asyncio.get_running_loop().time()
        assert await asyncio.gather(*(network_route.status(URL) for _ in range(10))) == [200] * 10
        assert asyncio.get_running_loop().time() - began < 6, "one after the other would take ten seconds"


# -- what goes wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (502, "could not reach the {}; it answered 502."),
        (504, "could not reach the {}; it answered 504."),
        (403, "refuses connections to the {}; it answered 403."),
        (302, "refuses connections to the {}; it answered 302."),
    ],
)
async def test_a_proxy_that_opens_no_connection_is_named(
    kind: type[NetworkRoutes], proxy: ConnectProxy, status: int, said: str
) -> None:
    """C35: the error repeats the proxy's status, and not its text."""
    proxy.answer = answer(status, b"<h1>Call 555-0100 and tell your password</h1>")
    async with kind(egress_proxy=proxy.url) as network_route:
        problem = await problem_of(network_route)
    assert problem.message == "The egress proxy of this network " + said.format(kind.peer)
    assert (problem.detail, "555" in problem.message + problem.action) == (detail_of(kind), False)


@pytest.mark.parametrize(
    "given",
    [b"", b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", silence, drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.3)],
    ids=["closes", "garbage", "half a reply", "hangs", "drips"],
)
async def test_a_proxy_that_breaks_or_hangs_means_that_nothing_was_sent(
    kind: type[NetworkRoutes], proxy: ConnectProxy, given: object
) -> None:
    """C35, T-10: nothing was sent, so no refresh token is spent, and the API has done nothing."""
    proxy.answer = given  # type: ignore[assignment]
    async with kind(egress_proxy=proxy.url) as network_route:
        problem = await asyncio.wait_for(problem_of(network_route), 10)
    assert problem.message == f"The egress proxy opened no connection to the {kind.peer}."
    assert (problem.detail, problem.retryable) == (detail_of(kind), True)


async def test_a_proxy_that_is_not_there_is_named(kind: type[NetworkRoutes]) -> None:
    """C35: A forward proxy's refusal has its own code."""
    async with kind(egress_proxy=f"http://127.0.0.1:{unused_port()}") as network_route:
        problem = await problem_of(network_route)
    assert problem.message == f"The egress proxy on the way to the {kind.peer} cannot be reached."
    assert (problem.detail, "egress_proxy" in problem.action) == (detail_of(kind), True)


async def test_a_connection_that_died_in_the_pool_does_not_hide_the_proxys_refusal(
    proxy: ConnectProxy, authority: Authority
) -> None:
    """C35: aiohttp begins anew, with a tunnel of its own, after a call has left on a connection that was dead."""

    async def once(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.5)

    tls = authority.server(named(HOST))
    async with Peer(once, tls=tls) as peer, ToApi(egress_proxy=proxy.url, ca_bundle=authority.bundle) as network_route:
        proxy.ports = {HOST: peer.port}
        assert await network_route.status(URL) == 200
        proxy.password = "ada:another"
        assert (await problem_of(network_route)).code == "egress_proxy_auth"
        assert len(proxy.asked) == 2


async def test_a_destination_that_breaks_inside_the_tunnel_is_not_the_proxys_fault(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority
) -> None:
    """T-10: the call has left, so its outcome is unknown."""
    tls = authority.server(named(HOST))
    async with Peer(b"", tls=tls) as peer, kind(egress_proxy=proxy.url, ca_bundle=authority.bundle) as network_route:
        proxy.ports = {HOST: peer.port}
        problem = await problem_of(network_route)
    assert problem.detail == ("idp.unanswered" if kind is ToProvider else "upstream.answer")


async def test_a_proxy_that_opens_tls_is_not_trusted_and_gets_no_token(
    kind: type[NetworkRoutes], proxy: ConnectProxy, authority: Authority
) -> None:
    """C35: A forward proxy's refusal has its own code."""
    async with here(authority) as interceptor, kind(egress_proxy=proxy.url) as network_route:
        proxy.ports = {HOST: interceptor.port}
        assert (await problem_of(network_route)).code == "tls_untrusted"
        assert interceptor.seen == []


# -- no secret in logs and errors -----------------------------------------------------------------------------


async def test_no_password_is_shown_or_logged(
    kind: type[NetworkRoutes], proxy: ConnectProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """C35: A forward proxy's refusal has its own code. D13: Logs at debug level hold no secret either."""
    for name in ("", "httpx", "httpcore", "httpcore.proxy", "httpcore.http11", "httpcore.connection", "aiohttp.client"):
        caplog.set_level(logging.DEBUG, name)
    proxy.password = "ada:another"
    async with kind(egress_proxy=proxy.url, egress_proxy_credentials=BY_REFERENCE) as network_route:
        problem = await problem_of(network_route)
    shown = "".join(traceback.format_exception(problem)) + caplog.text
    assert (PASSWORD in shown, "Basic" in shown, "aiohttp." in shown, "httpx." in shown) == (False,) * 4


def detail_of(kind: type[NetworkRoutes]) -> str:
    return "idp.proxy" if kind is ToProvider else "upstream.proxy"
