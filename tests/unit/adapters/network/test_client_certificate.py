"""The clients show a certificate where a server asks for one, and never leave its key anywhere (C35, T-12)."""

from __future__ import annotations

import logging
import socket
import ssl
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from typing_extensions import Self

from jupyter_oidc.adapters.network.client_certificate import ClientCertificate, UnusableCertificate, load, thumbprint
from jupyter_oidc.adapters.network.network_route import network_route_of
from jupyter_oidc.adapters.provider.provider_http import HttpProvider
from jupyter_oidc.adapters.storage.keyring_backends import use_backend
from jupyter_oidc.adapters.system.referenced_files import check_referenced_files
from jupyter_oidc.problems import ConfigurationInvalid, Problem
from jupyter_oidc.protocol.message import Call
from jupyter_oidc.settings import Provider, SecretRef, Settings, read_settings
from tests.support.authority import LOOPBACK, Authority, Names
from tests.support.connect_proxy import ConnectProxy
from tests.support.marker import MARKER
from tests.support.peers import Peer, answer
from tests.unit.adapters.network_routes import NetworkRoutes, ToApi, ToProvider
from tests.unit.adapters.rings import Ring

HOST = "host.example.com"
PASSWORD = f"{MARKER}key-password"


@pytest.fixture(params=[ToProvider, ToApi], ids=["provider", "API"])
def kind(request: pytest.FixtureRequest) -> type[NetworkRoutes]:
    found: type[NetworkRoutes] = request.param
    return found


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.in_folder(tmp_path)


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy() as proxy:
        yield proxy


def asking(authority: Authority, names: Names = LOOPBACK, *, newest: bool = True) -> ssl.SSLContext:
    """Return the TLS context of a server that refuses clients without a certificate of ``authority``."""
    context = authority.server(names)
    context.load_verify_locations(cafile=authority.bundle)
    context.verify_mode = ssl.CERT_REQUIRED
    if not newest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def pair(authority: Authority, folder: Path, name: str = "us", **more: Any) -> tuple[str, str]:
    """Write a certificate and its key into two files."""
    certificate, key = authority.issued(name, **more)
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    for path, content in zip(paths, (certificate, key), strict=True):
        path.write_bytes(content)
    return str(paths[0]), str(paths[1])


class Strict:
    """Context manager: a server on blocking sockets, because asyncio's ends a refused handshake without an error."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                plug, _ = self._listening.accept()
                with plug, suppress(OSError):
                    self._refuse(plug)

    def _refuse(self, plug: socket.socket) -> None:
        plug.settimeout(5)
        before = plug.dup()
        with before:
            try:
                self._tls.wrap_socket(plug, server_side=True).close()
            except ssl.SSLError:
                before.shutdown(socket.SHUT_WR)
                while before.recv(65_536):
                    pass


class Known(Peer):
    """Record the subjects of the certificates that clients show."""

    names: list[str]

    async def __aenter__(self) -> Self:
        self.names = []
        await super().__aenter__()
        return self

    async def _serve(self, reader: Any, writer: Any) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if shown:
            self.names.append(x509.load_der_x509_certificate(shown).subject.rfc4514_string())
        await super()._serve(reader, writer)


async def problem_of(network_route: NetworkRoutes, url: str) -> Problem:
    with pytest.raises(Problem) as caught:
        await network_route.status(url)
    return caught.value


# -- shown ---------------------------------------------------------------------------------------------------


async def test_a_certificate_is_shown_where_one_is_asked_for(
    kind: type[NetworkRoutes], authority: Authority, tmp_path: Path
) -> None:
    certificate, key = pair(authority, tmp_path)
    network = {"client_certificate": certificate, "client_certificate_key": SecretRef("file", key)}
    async with (
        Known(answer(), tls=asking(authority)) as peer,
        kind(ca_bundle=authority.bundle, **network) as network_route,
    ):
        assert await network_route.status(peer.url) == 200
        assert peer.names == ["CN=us"]


async def test_certificate_and_key_may_stand_in_one_file(
    kind: type[NetworkRoutes], authority: Authority, tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(authority.issued("us")))
    async with (
        Known(answer(), tls=asking(authority)) as peer,
        kind(ca_bundle=authority.bundle, client_certificate=str(both)) as network_route,
    ):
        assert await network_route.status(peer.url) == 200


async def test_a_certificate_is_shown_through_a_proxy_and_not_to_it(
    kind: type[NetworkRoutes], authority: Authority, tmp_path: Path, proxy: ConnectProxy
) -> None:
    certificate, key = pair(authority, tmp_path)
    network = {"client_certificate": certificate, "client_certificate_key": SecretRef("file", key)}
    tls = asking(authority, Names([x509.DNSName(HOST)]))
    async with (
        Known(answer(), tls=tls) as peer,
        kind(ca_bundle=authority.bundle, egress_proxy=proxy.url, **network) as network_route,
    ):
        proxy.ports = {HOST: peer.port}
        assert await network_route.status(f"https://{HOST}/") == 200
        assert peer.names == ["CN=us"]


async def test_a_certificate_is_not_shown_where_a_redirect_leads(authority: Authority, tmp_path: Path) -> None:
    """H-4: metadata may move, and the new place does not learn who the client is."""
    certificate, key = pair(authority, tmp_path)
    named = Provider(
        "corp",
        "https://id.example.com",
        "jupyter",
        ca_bundle=authority.bundle,
        client_certificate=certificate,
        client_certificate_key=SecretRef("file", key),
    )
    curious = asking(authority)
    curious.verify_mode = ssl.CERT_OPTIONAL
    port = HttpProvider(timeout=5, network_route=network_route_of(named))
    async with (
        Known(answer(), tls=curious) as other,
        Known(answer(302, Location="/next"), answer(302, Location=f"{other.url}/x"), tls=asking(authority)) as peer,
    ):
        try:
            reply = await port.send(Call("GET", f"{peer.url}/first", max_redirects=3))
        finally:
            await port.aclose()
        assert (reply.status, [one.target for one in other.seen]) == (200, ["/x"])
        assert (peer.names, other.names) == (["CN=us", "CN=us"], [])


@pytest.mark.parametrize("newest", [True, False], ids=["TLS 1.3", "TLS 1.2"])
async def test_a_server_that_asks_for_one_and_gets_none_is_named(
    kind: type[NetworkRoutes], authority: Authority, *, newest: bool
) -> None:
    """C35: an administrator who reads "cannot be reached" looks in the wrong place."""
    with Strict(asking(authority, newest=newest)) as server:
        async with kind(ca_bundle=authority.bundle) as network_route:
            problem = await problem_of(network_route, server.url)
    assert (problem.code, problem.retryable) == ("tls_untrusted", False)
    assert problem.message == (
        f"The {kind.peer} does not let this server in; most likely it asks for a client certificate."
    )
    assert problem.action == f"Ask your administrator to set client_certificate of the {kind.peer}."


async def test_a_certificate_of_another_authority_is_not_taken(
    kind: type[NetworkRoutes], authority: Authority, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    certificate, key = pair(Authority.in_folder(folder, "Another"), folder)
    network = {"client_certificate": certificate, "client_certificate_key": SecretRef("file", key)}
    with Strict(asking(authority)) as server:
        async with kind(ca_bundle=authority.bundle, **network) as network_route:
            problem = await problem_of(network_route, server.url)
    assert problem.message == f"The {kind.peer} does not take the client certificate of this server."


async def test_a_new_certificate_is_shown_on_new_connections(
    kind: type[NetworkRoutes], authority: Authority, tmp_path: Path
) -> None:
    """Companies issue certificates for days; a new one needs no restart of the server."""
    certificate, key = pair(authority, tmp_path)
    network = {"client_certificate": certificate, "client_certificate_key": SecretRef("file", key)}
    async with (
        Known(answer(), tls=asking(authority)) as peer,
        kind(ca_bundle=authority.bundle, **network) as network_route,
    ):
        await network_route.status(peer.url)
        renewed, new_key = authority.issued("renewed")
        Path(certificate).write_bytes(renewed)
        await network_route.status(peer.url)
        Path(key).write_bytes(new_key)
        await network_route.status(peer.url)
        assert peer.names == ["CN=us", "CN=us", "CN=renewed"], "half a pair is not shown"


async def test_what_was_shown_is_known_whatever_the_file_holds_by_now(authority: Authority, tmp_path: Path) -> None:
    """Q9.8, RFC 8705, 3.1: a token is bound to the certificate that the provider saw, not to half a new pair."""
    certificate, key = pair(authority, tmp_path)
    network = {"client_certificate": certificate, "client_certificate_key": SecretRef("file", key)}
    async with Known(answer(), tls=asking(authority)) as peer, ToProvider(ca_bundle=authority.bundle, **network) as out:
        assert out.thumbprint is None, "nothing was shown yet"
        await out.status(peer.url)
        first = thumbprint(ClientCertificate(certificate))
        assert out.thumbprint == first
        renewed, new_key = authority.issued("renewed")
        Path(certificate).write_bytes(renewed)
        second = thumbprint(ClientCertificate(certificate))
        await out.status(peer.url)
        assert (out.thumbprint, first == second) == (first, False)
        Path(key).write_bytes(new_key)
        await out.status(peer.url)
        assert out.thumbprint == second


# -- where the key comes from --------------------------------------------------------------------------------


def loaded(certificate: ClientCertificate) -> None:
    load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)


def unusable(certificate: ClientCertificate) -> tuple[str, str]:
    with pytest.raises(UnusableCertificate) as caught:
        loaded(certificate)
    return caught.value.key, caught.value.problem


def test_a_key_may_come_from_the_environment(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = pair(authority, tmp_path)
    monkeypatch.setenv("CORP_KEY", Path(key).read_text())
    loaded(ClientCertificate(certificate, SecretRef("env", "CORP_KEY")))


def test_a_key_may_come_from_a_keyring(authority: Authority, tmp_path: Path) -> None:
    certificate, key = pair(authority, tmp_path)
    ring = Ring()
    use_backend(ring)
    try:
        ring.set_password("corp", "key", Path(key).read_text())
        loaded(ClientCertificate(certificate, SecretRef("keyring", "corp/key")))
    finally:
        use_backend(None)


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """The folder for temporary files of this process, which is empty."""
    folder, before = tmp_path / "temporary", tempfile.tempdir
    folder.mkdir()
    tempfile.tempdir = str(folder)
    yield folder
    tempfile.tempdir = before


def test_a_key_from_elsewhere_leaves_nothing_behind(
    authority: Authority, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B13: the key is written nowhere, not even encrypted, and the process's temporary folder stays empty."""
    certificate, key = pair(authority, tmp_path)
    monkeypatch.setenv("CORP_KEY", Path(key).read_text())
    loaded(ClientCertificate(certificate, SecretRef("env", "CORP_KEY")))
    unusable(ClientCertificate(pair(authority, tmp_path, "other")[0], SecretRef("env", "CORP_KEY")))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "env"])
def test_a_key_may_have_a_password(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    certificate, key = pair(authority, tmp_path, password=PASSWORD.encode())
    monkeypatch.setenv("CORP_KEY", Path(key).read_text())
    monkeypatch.setenv("CORP_PASSWORD", PASSWORD)
    reference = SecretRef("file", key) if place == "file" else SecretRef("env", "CORP_KEY")
    loaded(ClientCertificate(certificate, reference, SecretRef("env", "CORP_PASSWORD")))


@pytest.mark.parametrize("place", ["file", "env"])
def test_a_password_that_is_missing_is_not_asked_for_at_the_terminal(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """OpenSSL would ask, and the server would stand still."""
    certificate, key = pair(authority, tmp_path, password=PASSWORD.encode())
    monkeypatch.setenv("CORP_KEY", Path(key).read_text())
    reference = SecretRef("file", key) if place == "file" else SecretRef("env", "CORP_KEY")
    assert unusable(ClientCertificate(certificate, reference))[0] == "client_certificate_password"


@pytest.mark.parametrize("place", ["file", "env"])
def test_a_wrong_password_is_a_mistake(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    certificate, key = pair(authority, tmp_path, password=PASSWORD.encode())
    monkeypatch.setenv("CORP_KEY", Path(key).read_text())
    monkeypatch.setenv("CORP_PASSWORD", "another")
    reference = SecretRef("file", key) if place == "file" else SecretRef("env", "CORP_KEY")
    assert unusable(ClientCertificate(certificate, reference, SecretRef("env", "CORP_PASSWORD"))) == (
        "client_certificate_key",
        "names no private key that can be read; is its password right?",
    )


# -- mistakes ------------------------------------------------------------------------------------------------


def test_a_key_of_another_certificate_is_a_mistake(authority: Authority, tmp_path: Path) -> None:
    certificate, _ = pair(authority, tmp_path)
    _, key = pair(authority, tmp_path, "other")
    assert unusable(ClientCertificate(certificate, SecretRef("file", key))) == (
        "client_certificate_key",
        "names a private key of another certificate",
    )


def test_a_certificate_without_its_key_is_a_mistake(authority: Authority, tmp_path: Path) -> None:
    certificate, _ = pair(authority, tmp_path)
    assert unusable(ClientCertificate(certificate))[0] == "client_certificate"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "names a file that does not exist or cannot be read"),
        (b"", "names a file without a certificate"),
        (b"\x00\xff", "names a file without a certificate"),
        (b"-----BEGIN CERTIFICATE-----\nx\n", "names no private key that can be read; is its password right?"),
    ],
)
def test_what_is_no_certificate_is_a_mistake(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "us.pem"
    if content is not None:
        path.write_bytes(content)
    assert unusable(ClientCertificate(str(path))) == ("client_certificate", problem)


def test_a_key_that_is_not_there_is_a_mistake(authority: Authority, tmp_path: Path) -> None:
    certificate, _ = pair(authority, tmp_path)
    missing = SecretRef("file", str(tmp_path / "nowhere"))
    assert unusable(ClientCertificate(certificate, missing))[0] == "client_certificate_key"


def findings(**more: Any) -> list[str]:
    read = check_referenced_files(
        read_settings({"corp": {"issuer": "https://id.example.com", "client_id": "c", **more}})
    )
    return [] if isinstance(read, Settings) else [f"{finding.key}: {finding.problem}" for finding in read]


def test_mistakes_are_found_at_the_start_by_key(authority: Authority, tmp_path: Path) -> None:
    """G-5: Mistakes in settings are found without the provider."""
    certificate, key = pair(authority, tmp_path)
    orders = {"base_url": "https://api.example.com/", "client_certificate": certificate}
    assert findings(client_certificate=str(tmp_path / "nowhere"), apis={"orders": orders}) == [
        "providers.corp.client_certificate: names a file that does not exist or cannot be read",
        "providers.corp.apis.orders.client_certificate: names no private key that can be read; is its password right?",
    ]
    assert findings(client_certificate=certificate, client_certificate_key=f"file:{key}") == []


def test_a_keyring_is_not_asked_at_the_start(authority: Authority, tmp_path: Path) -> None:
    certificate, _ = pair(authority, tmp_path)
    assert findings(client_certificate=certificate, client_certificate_key="keyring:corp/key") == []


@pytest.mark.parametrize("key", ["client_certificate_key", "client_certificate_password"])
def test_a_key_without_a_certificate_is_a_mistake(key: str) -> None:
    assert findings(**{key: "env:X"}) == [
        "providers.corp.client_certificate: is missing, and its key or password is given"
    ]


def test_a_key_that_stands_in_the_settings_is_a_mistake_and_is_not_repeated() -> None:
    """D8: Mistakes in the settings are listed all together."""
    pem = f"-----BEGIN PRIVATE KEY-----\n{MARKER}\n"
    said = findings(client_certificate="/x.pem", client_certificate_key=pem)
    assert said == ["providers.corp.client_certificate_key: is not a reference (its value is not shown here)"]


async def test_nothing_of_a_key_is_shown_or_logged(
    kind: type[NetworkRoutes], authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T-12: Secrets never reach logs, pages or URLs. D13: Logs at debug level hold no secret either."""
    caplog.set_level(logging.DEBUG)
    certificate, key = pair(authority, tmp_path)
    content = Path(key).read_text()
    Path(key).write_text(content[:80] + content[100:])
    network = {"client_certificate": certificate, "client_certificate_key": SecretRef("file", key)}
    async with kind(**network) as network_route:
        with pytest.raises(ConfigurationInvalid) as caught:
            await network_route.status("https://127.0.0.1:1/")
    assert caught.value.detail == "client_certificate_key"
    assert content[40:60] not in "".join(traceback.format_exception(caught.value)) + caplog.text
