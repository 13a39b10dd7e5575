"""A Jupyter server demands a client certificate (Q4.6): the kernel shows the named one, or explains the failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from jupyter_oidc.kernel.errors import ServerNotFound
from jupyter_oidc.kernel.find import Server
from jupyter_oidc.kernel.grant import GrantAuth
from tests.support.certificate import Certificate, self_signed
from tests.unit.kernel.certificates import write_certificate
from tests.unit.kernel.fake_server import KERNEL, FakeServer


@pytest.fixture
def ours(tmp_path: Path) -> Certificate:
    """Make a certificate that the server accepts."""
    (tmp_path / "ours").mkdir()
    return self_signed(tmp_path / "ours")


@pytest.fixture
def server(tmp_path: Path, ours: Certificate) -> Iterator[Server]:
    """Describe a server that demands a client certificate, with the certificate that the server shows."""
    shown = write_certificate(tmp_path / "server.pem")
    with FakeServer(certificate=str(shown), authority=str(ours.certfile)) as fake_server:
        yield Server(fake_server.url, shown, same_machine=True, wants_certificate=True)


@pytest.fixture(params=["sync", "async"])
def prove(request: pytest.FixtureRequest, server: Server) -> Callable[..., Any]:
    """Get a grant, by either way, from ``server`` or another description of it."""

    def sync_prove(told: Server = server) -> str:
        return GrantAuth(told, KERNEL).current()

    def async_prove(told: Server = server) -> str:
        return asyncio.run(GrantAuth(told, KERNEL).current_async())

    return sync_prove if request.param == "sync" else async_prove


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        ("JUPYTER_OIDC_CLIENT_CERTIFICATE", "JUPYTER_OIDC_CLIENT_KEY"),
        ("JUPYTERHUB_SSL_CERTFILE", "JUPYTERHUB_SSL_KEYFILE"),
    ],
)
def test_the_certificate_that_the_environment_names_is_shown(
    prove: Callable[..., Any], ours: Certificate, monkeypatch: pytest.MonkeyPatch, certificate: str, key: str
) -> None:
    """Q4.6: A demanded client certificate is shown or explained."""
    monkeypatch.setenv(certificate, str(ours.certfile))
    monkeypatch.setenv(key, str(ours.keyfile))
    assert prove() == "jog.grant-number-000001"


def test_certificate_and_key_may_be_in_one_file(
    prove: Callable[..., Any], ours: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q4.6, a sibling: A demanded client certificate is shown or explained."""
    both = tmp_path / "both.pem"
    both.write_bytes(ours.certfile.read_bytes() + ours.keyfile.read_bytes())
    monkeypatch.setenv("JUPYTER_OIDC_CLIENT_CERTIFICATE", str(both))
    assert prove() == "jog.grant-number-000001"


def test_without_a_certificate_the_reason_is_told(prove: Callable[..., Any]) -> None:
    """Q4.6: A demanded client certificate is shown or explained."""
    with pytest.raises(ServerNotFound, match="lets nobody in without a client certificate, and this process has none"):
        prove()


def test_a_certificate_that_the_server_does_not_take_is_called_refused(
    prove: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q4.6, a sibling: A demanded client certificate is shown or explained."""
    monkeypatch.setenv("JUPYTER_OIDC_CLIENT_CERTIFICATE", str(write_certificate(tmp_path / "stranger.pem")))
    with pytest.raises(ServerNotFound, match=r"refuses the client certificate|does not answer"):
        prove()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_named_certificate_that_cannot_be_read_is_not_left_out_in_silence(
    prove: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    """Q4.6: sibling: the kernel refuses even if this server demands no certificate."""
    path = tmp_path / "named.pem"
    if content:
        path.write_text(content, encoding="utf-8")
    monkeypatch.setenv("JUPYTER_OIDC_CLIENT_CERTIFICATE", str(path))
    with pytest.raises(ServerNotFound, match="client certificate for the Jupyter server cannot be read"):
        prove()


def test_a_key_with_a_password_asks_nobody_at_the_terminal(
    prove: Callable[..., Any], ours: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q4.6: sibling: OpenSSL would ask for the password."""
    key = load_pem_private_key(ours.keyfile.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    encryption = BestAvailableEncryption(b"correct horse")
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    monkeypatch.setenv("JUPYTER_OIDC_CLIENT_CERTIFICATE", str(ours.certfile))
    monkeypatch.setenv("JUPYTER_OIDC_CLIENT_KEY", str(locked))
    with pytest.raises(ServerNotFound, match="cannot be read"):
        prove()


def test_the_hubs_certificate_does_no_harm_where_none_is_demanded(
    fake_server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q4.6: sibling: its file may be closed to kernels."""
    monkeypatch.setenv("JUPYTERHUB_SSL_CERTFILE", str(Path("/nonexistent/internal-ssl/cert.pem")))
    assert GrantAuth(fake_server.server, KERNEL).current() == "jog.grant-number-000001"
