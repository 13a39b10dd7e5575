"""Each failure of TLS gets its own error, the same for the provider and for an API; the peers are real, on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jupyter_oidc.adapters.network.system_store import authorities_in
from jupyter_oidc.adapters.network.tls_problems import handshake_fault
from jupyter_oidc.problems import Problem
from tests.support.authority import LOOPBACK, Authority
from tests.unit.adapters.network.test_client_certificate import Strict, asking, problem_of
from tests.unit.adapters.network_routes import NetworkRoutes, ToApi, ToProvider

WEAK_BITS = 1024


@pytest.fixture(params=[ToProvider, ToApi], ids=["provider", "API"])
def kind(request: pytest.FixtureRequest) -> type[NetworkRoutes]:
    found: type[NetworkRoutes] = request.param
    return found


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.in_folder(tmp_path)


@pytest.fixture
def plain_http() -> Iterator[str]:
    """Run a web server without TLS at an ``https`` address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                plug, _ = listening.accept()
                with plug:
                    plug.recv(65_536)
                    plug.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    with closing(listening):
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/"


async def told(kind: type[NetworkRoutes], url: str, bundle: str) -> Problem:
    async with kind(ca_bundle=bundle) as network_route:
        return await problem_of(network_route, url)


def outdated(authority: Authority) -> ssl.SSLContext:
    """Return the TLS context of a server that knows TLS 1.1 and nothing newer."""
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


async def test_a_peer_with_old_tls_only_is_told_so(kind: type[NetworkRoutes], authority: Authority) -> None:
    """Q5.11, H-1: this failure was reported as 'cannot be reached'."""
    with Strict(outdated(authority)) as server:
        problem = await told(kind, server.url, authority.bundle)
    assert (problem.code, problem.detail, problem.retryable) == ("tls_untrusted", "tls.old", False)
    assert problem.message == "127.0.0.1 speaks only a TLS that is older than 1.2, which is no longer safe."
    assert problem.action == f"Ask the owner of the {kind.peer} to switch TLS 1.2 or 1.3 on there."


async def test_plain_http_at_the_port_is_told_so(
    kind: type[NetworkRoutes], authority: Authority, plain_http: str
) -> None:
    """Q5.11: this failure was reported as 'cannot be reached'."""
    problem = await told(kind, plain_http, authority.bundle)
    assert (problem.code, problem.detail) == ("tls_untrusted", "tls.none")
    assert problem.message == "127.0.0.1 does not answer in TLS at that port; most likely it is plain HTTP."


async def test_no_cipher_in_common_is_told_so(kind: type[NetworkRoutes], authority: Authority) -> None:
    """Q5.11: this failure was reported as 'asks for a client certificate', because the alert is the same."""
    context = authority.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-CAMELLIA256-SHA384:CAMELLIA256-SHA:@SECLEVEL=0")
    with Strict(context) as server:
        problem = await told(kind, server.url, authority.bundle)
    assert (problem.code, problem.detail) == ("tls_untrusted", "tls.cipher")
    assert problem.message == "127.0.0.1 and this machine have no cipher in common that is safe."


async def test_who_asks_for_a_certificate_with_the_same_alert_is_still_told_from_that(
    kind: type[NetworkRoutes], authority: Authority
) -> None:
    """Q5.11: a server that asks for a certificate has agreed on ciphers before it sends the alert."""
    with Strict(asking(authority, newest=False)) as server:
        problem = await told(kind, server.url, authority.bundle)
    assert "most likely it asks for a client certificate" in problem.message


def weak(folder: Path) -> ssl.SSLContext:
    """Return the TLS context of a server whose key has the length of twenty years ago."""
    key = rsa.generate_private_key(65537, WEAK_BITS)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weak")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(LOOPBACK, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "weak.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(path)
    return context


async def test_a_key_that_is_too_weak_is_told_so(kind: type[NetworkRoutes], tmp_path: Path) -> None:
    """Q5.11: this failure was reported as 'unknown authority', although the authority is trusted."""
    with Strict(weak(tmp_path)) as server:
        problem = await told(kind, server.url, str(tmp_path / "weak.pem"))
    assert (problem.code, problem.detail) == ("tls_untrusted", "tls.weak")
    assert problem.message.endswith("has a key or a signature that is too weak to be trusted.")


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("UNSUPPORTED_PROTOCOL", "old"),
        ("UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "old"),
        ("RECORD_LAYER_FAILURE", "none"),
        ("DH_KEY_TOO_SMALL", "weak"),
        ("TLSV1_ALERT_UNKNOWN_CA", None),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", None),
    ],
)
def test_what_newer_and_older_libraries_call_it_is_known(reason: str, fault: str | None) -> None:
    """Q5.11: the reasons have OpenSSL's names, and no peer of these tests can cause them."""
    inner = ssl.SSLError(1, f"[SSL: {reason}] something")
    inner.reason = reason
    outer = OSError("connect")
    outer.__cause__ = inner
    assert handshake_fault(outer) == fault


def test_which_variables_count_is_what_openssl_heeds(tmp_path: Path) -> None:
    """Q5.11: the test covers a system that keeps its authorities in files."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x", encoding="utf-8")
    environment = {
        "SSL_CERT_FILE": str(bundle),
        "SSL_CERT_DIR": str(tmp_path / "gone"),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "CURL_CA_BUNDLE": "",
    }
    assert authorities_in(environment) == (
        ("SSL_CERT_FILE", True, True),
        ("SSL_CERT_DIR", True, False),
        ("REQUESTS_CA_BUNDLE", False, True),
    )
