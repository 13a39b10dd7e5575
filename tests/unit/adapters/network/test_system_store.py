"""The system's certificate authorities are read again when they have changed, and never left out."""

from __future__ import annotations

import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.x509 import DNSName

from jupyter_oidc.adapters.network.network_route import network_route_of
from jupyter_oidc.adapters.network.tls import verifying_context
from jupyter_oidc.settings import Provider
from tests.support.authority import Authority, Names

pytestmark = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="there truststore asks the system at each handshake"
)
HOST = "api.example.com"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the system's store at this file, which holds no authorities, and at no folder."""
    path = tmp_path / "store.pem"
    path.write_bytes(b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    return path


@pytest.fixture
def context() -> ssl.SSLContext:
    return verifying_context(network_route_of(Provider(name="corp", issuer="https://id.example.com", client_id="x")))


def readings(context: ssl.SSLContext) -> int:
    """Return how often the system's authorities were read for ``context``."""
    made: int = cast("Any", context).readings
    return made


def issued(folder: Path, name: str) -> Authority:
    """Return an authority with a folder of its own."""
    own = folder / name
    own.mkdir()
    return Authority.in_folder(own, name)


def shake_hands(context: ssl.SSLContext, authority: Authority, host: str = HOST) -> None:
    """Open TLS to a server with a certificate of ``authority`` for ``host``, in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = authority.server(Names([DNSName(host)])).wrap_bio(up, down, server_side=True)
    client = context.wrap_bio(down, up, server_hostname=HOST)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_the_store_is_read_once_for_many_connections(context: ssl.SSLContext, store: Path, tmp_path: Path) -> None:
    authority = issued(tmp_path, "first")
    store.write_bytes(authority.pem)
    for _ in range(5):
        shake_hands(context, authority)
    assert readings(context) == 1


def test_an_authority_that_is_installed_later_is_trusted_without_a_restart(
    context: ssl.SSLContext, store: Path, tmp_path: Path
) -> None:
    first, second = issued(tmp_path, "first"), issued(tmp_path, "second")
    store.write_bytes(first.pem)
    shake_hands(context, first)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, second)
    store.write_bytes(first.pem + second.pem)
    shake_hands(context, second)
    shake_hands(context, second)
    assert readings(context) == 2


def test_without_a_file_it_is_truststore_that_looks_each_time(
    context: ssl.SSLContext, store: Path, tmp_path: Path
) -> None:
    authority = issued(tmp_path, "first")
    store.write_bytes(authority.pem)
    shake_hands(context, authority)
    store.unlink()
    with suppress(ssl.SSLCertVerificationError):  # the other authorities that this machine trusts do not matter here
        shake_hands(context, issued(tmp_path, "second"))
    assert readings(context) == 2


def test_what_could_not_be_read_is_not_taken_for_read(context: ssl.SSLContext, store: Path, tmp_path: Path) -> None:
    """OpenSSL does not report a file that it cannot read; the file may become readable without a change."""
    store.write_text("no certificates")
    for _ in range(2):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(context, issued(tmp_path, f"{readings(context)}"))
    assert readings(context) == 2


@pytest.mark.parametrize("connections_before", [0, 1])
def test_every_connection_is_verified(
    context: ssl.SSLContext, store: Path, tmp_path: Path, connections_before: int
) -> None:
    """H-1: an untrusted authority and a certificate for another host are refused, on every connection."""
    trusted, stranger = issued(tmp_path, "trusted"), issued(tmp_path, "stranger")
    store.write_bytes(trusted.pem)
    for _ in range(connections_before):
        shake_hands(context, trusted)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, stranger)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(context, trusted, host="other.example.com")


@pytest.mark.parametrize("connections_before", [0, 1])
def test_there_is_no_connection_without_a_name_to_check(
    context: ssl.SSLContext, store: Path, tmp_path: Path, connections_before: int
) -> None:
    authority = issued(tmp_path, "trusted")
    store.write_bytes(authority.pem)
    for _ in range(connections_before):
        shake_hands(context, authority)
    with pytest.raises(ValueError, match="check_hostname"):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())
