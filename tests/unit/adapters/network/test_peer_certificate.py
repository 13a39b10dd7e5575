"""An error names the issuer of a refused certificate, and finding the name puts no secret at risk (C35)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from jupyter_oidc.adapters.network.peer_certificate import PeerCertificates, as_plain_name, issuer_name
from jupyter_oidc.problems import Problem
from jupyter_oidc.settings import SecretRef
from tests.support.authority import SOMEBODY_ELSE, Authority, Names
from tests.support.connect_proxy import ConnectProxy
from tests.support.marker import MARKER
from tests.support.peers import Peer, answer, unused_port
from tests.unit.adapters.network_routes import NetworkRoutes, ToApi, ToProvider

HOST = "host.example.com"
URL = f"https://{HOST}/items"


@pytest.fixture(params=[ToProvider, ToApi], ids=["provider", "API"])
def kind(request: pytest.FixtureRequest) -> type[NetworkRoutes]:
    found: type[NetworkRoutes] = request.param
    return found


@pytest.fixture
def company(tmp_path: Path) -> Authority:
    return Authority.in_folder(tmp_path, "Corp Interception CA")


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy() as proxy:
        yield proxy


def named(host: str) -> Names:
    return Names([x509.DNSName(host)])


async def problem_of(network_route: NetworkRoutes, url: str) -> Problem:
    with pytest.raises(Problem) as caught:
        await network_route.status(url)
    return caught.value


# -- the name in the error ------------------------------------------------------------------------------------


async def test_an_unknown_authority_is_named_with_the_host_and_what_to_set(
    kind: type[NetworkRoutes], company: Authority
) -> None:
    """C35: A forward proxy's refusal has its own code."""
    async with Peer(answer(), tls=company.server()) as peer, kind() as network_route:
        problem = await problem_of(network_route, peer.url)
    assert (problem.code, problem.status, problem.retryable) == ("tls_untrusted", 502, False)
    assert problem.message == (
        "The certificate that 127.0.0.1 presents is issued by 'Corp Interception CA', whom this machine does not trust."
    )
    assert problem.action == (
        "If that is your company's certificate authority, ask your administrator to add it to the trust store, or to "
        f"name its file in ca_bundle of the {kind.peer}. If nobody knows it, somebody on the way may want to listen."
    )


async def test_a_proxy_that_opens_tls_is_named(
    kind: type[NetworkRoutes], company: Authority, proxy: ConnectProxy
) -> None:
    """C35: the look goes the same way as the call, or it would see another certificate."""
    tls = company.server(named(HOST))
    async with Peer(answer(), tls=tls) as interceptor, kind(egress_proxy=proxy.url) as network_route:
        proxy.ports = {HOST: interceptor.port}
        problem = await problem_of(network_route, URL)
        assert f"that {HOST} presents is issued by 'Corp Interception CA', whom" in problem.message
        assert (interceptor.seen, len(proxy.asked)) == ([], 2)


async def test_a_proxy_that_wants_a_password_is_looked_through(
    kind: type[NetworkRoutes], company: Authority, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C35: A forward proxy's refusal has its own code."""
    proxy.password = f"ada:{MARKER}proxy-password"
    monkeypatch.setenv("CORP_PROXY", proxy.password)
    network = {"egress_proxy": proxy.url, "egress_proxy_credentials": SecretRef("env", "CORP_PROXY")}
    async with Peer(answer(), tls=company.server(named(HOST))) as interceptor, kind(**network) as network_route:
        proxy.ports = {HOST: interceptor.port}
        assert "issued by 'Corp Interception CA'" in (await problem_of(network_route, URL)).message


async def test_an_expired_certificate_is_its_owners_affair(kind: type[NetworkRoutes], company: Authority) -> None:
    """C35: the message says who has to fix it."""
    tls = company.server(days=-1)
    async with Peer(answer(), tls=tls) as peer, kind(ca_bundle=company.bundle) as network_route:
        problem = await problem_of(network_route, peer.url)
    assert problem.message == (
        "The certificate that 127.0.0.1 presents, issued by 'Corp Interception CA', has expired."
    )
    assert problem.action.startswith(f"Ask the owner of the {kind.peer} to renew it.")


async def test_a_certificate_for_another_host_is_called_that(kind: type[NetworkRoutes], company: Authority) -> None:
    """C35: A forward proxy's refusal has its own code."""
    tls = company.server(SOMEBODY_ELSE)
    async with Peer(answer(), tls=tls) as peer, kind(ca_bundle=company.bundle) as network_route:
        problem = await problem_of(network_route, peer.url)
    assert problem.message == (
        "The certificate that 127.0.0.1 presents, issued by 'Corp Interception CA', is for another host."
    )


# -- no secret on the unverified connection -------------------------------------------------------------------


class Shy(Peer):
    """A server that shows its certificate once, and never again; it counts connections."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(b"")
        self.came = 0
        self.said = bytearray()
        self._inner = tls

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        loop = asyncio.get_running_loop()
        protocol = writer.transport.get_protocol()
        try:
            if self.came > 1:
                await asyncio.sleep(60)
            upgraded = await loop.start_tls(writer.transport, protocol, self._inner, server_side=True)
            self.said += await reader.read()
            if upgraded is not None:
                upgraded.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


async def test_a_look_sends_no_byte_of_a_request(company: Authority) -> None:
    """C35, H-1: the unverified connection carries its handshake and nothing else."""
    async with Shy(company.server()) as peer:
        found = await PeerCertificates().issuer(peer.url, None, public_only=False)
        await asyncio.sleep(0.1)
        assert (found, bytes(peer.said)) == ("Corp Interception CA", b"")


async def test_a_look_that_gets_no_answer_ends_in_time(kind: type[NetworkRoutes], company: Authority) -> None:
    """C35: the first connection fails, the second hangs; the message then names no issuer."""
    async with Shy(company.server()) as peer, kind() as network_route:
        began = asyncio.get_running_loop().time()
        problem = await problem_of(network_route, peer.url)
        assert asyncio.get_running_loop().time() - began < 8
    assert problem.message == "The certificate that 127.0.0.1 presents is not trusted on this machine."


async def test_the_event_loop_goes_on_during_a_look(company: Authority) -> None:
    async with Shy(company.server()) as peer:
        peer.came = 1
        looking = asyncio.ensure_future(PeerCertificates().issuer(peer.url, None, public_only=False))
        began = asyncio.get_running_loop().time()
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began < 1
        assert await looking is None


async def test_many_refused_calls_are_one_look_a_minute(company: Authority) -> None:
    """C35: many refusals cause no storm of further looks."""
    async with Peer(answer(), tls=company.server()) as peer:
        came = 0

        async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal came
            came += 1
            back, forth = await asyncio.open_connection("127.0.0.1", peer.port)
            await asyncio.wait(
                [asyncio.ensure_future(_pipe(reader, forth)), asyncio.ensure_future(_pipe(back, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            writer.close()
            forth.close()

        server = await asyncio.start_server(counted, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        certificates = PeerCertificates()
        found = await asyncio.gather(*(certificates.issuer(url, None, public_only=False) for _ in range(50)))
        found.append(await certificates.issuer(url, None, public_only=False))
        server.close()
        assert (set(found), came) == ({"Corp Interception CA"}, 1)


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(65_536):
        target.write(piece)
        await target.drain()


async def test_a_private_address_is_not_looked_at_either(company: Authority) -> None:
    """C34: a name that leads to a private address is refused for the look as for the call."""
    async with Peer(answer(), tls=company.server()) as peer:
        url = f"https://localhost:{peer.port}/"
        assert await PeerCertificates().issuer(url, None, public_only=True) is None
        assert await PeerCertificates().issuer(url, None, public_only=False) == "Corp Interception CA"


@pytest.mark.parametrize("url", ["https://127.0.0.1:{}/", "https://does-not-exist.invalid/"])
async def test_where_nobody_answers_there_is_no_name(url: str) -> None:
    assert await PeerCertificates().issuer(url.format(unused_port()), None, public_only=False) is None


async def test_a_server_without_tls_has_no_name() -> None:
    async with Peer(answer()) as peer:
        assert await PeerCertificates().issuer(f"https://127.0.0.1:{peer.port}", None, public_only=False) is None


@pytest.mark.parametrize("given", [b"", b"HTTP/1.1 407 No\r\n\r\n", b"x" * 40_000], ids=["closes", "407", "babbles"])
async def test_a_proxy_that_opens_no_tunnel_leaves_no_name(proxy: ConnectProxy, given: bytes) -> None:
    from jupyter_oidc.adapters.network.forward_proxy import ForwardProxy

    proxy.answer = given
    through = ForwardProxy("127.0.0.1", proxy.port)
    assert await PeerCertificates().issuer(URL, through, public_only=False) is None


# -- the name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Corp Root CA 2", "Corp Root CA 2"),
        ("Müller & Söhne GmbH (Intern), Nr. 1", "Müller & Söhne GmbH (Intern), Nr. 1"),
        ("<script>alert(1)</script>", "script alert(1) script"),
        ("https://evil.example/?token=1", "https evil.example token 1"),
        ("two\nlines\x00\x1b[31m", "two lines 31m"),
        ("\u202eright to left", "right to left"),
        ("a" * 1000, "a" * 64),
        ("\n\t", ""),
    ],
)
def test_a_name_is_harmless_text(written: str, shown: str) -> None:
    """C35: the attacker who intercepts the connection chooses the issuer's name."""
    assert as_plain_name(written) == shown


def test_organisation_and_name_are_both_said(tmp_path: Path) -> None:
    company = Authority.in_folder(tmp_path, "Root 1")
    assert issuer_name(ssl.PEM_cert_to_DER_cert(company.pem.decode())) == "Root 1"


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(ValueError):
        issuer_name(b"no certificate")
