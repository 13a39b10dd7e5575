"""Start a fake server, and make this process look like a kernel started from it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_oidc.kernel.server_connection import _server_connection, call_as
from tests.unit.kernel.fake_server import KERNEL, FakeServer

VARIABLES = (
    "JUPYTER_OIDC_URL",
    "JUPYTER_OIDC_SERVER",
    "JUPYTER_OIDC_CLIENT_CERTIFICATE",
    "JUPYTER_OIDC_CLIENT_KEY",
    "JUPYTERHUB_SSL_CERTFILE",
    "JUPYTERHUB_SSL_KEYFILE",
    "JUPYTER_OIDC_CONNECTION_FILE",
    "JUPYTER_OIDC_PROVIDER",
    "JUPYTER_OIDC_WORKER_GRANT",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTER_DATA_DIR",
    "JPY_PARENT_PID",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the variables of the machine that runs the tests, and the connections of earlier tests."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    _server_connection.cache_clear()
    yield
    call_as(None)
    if _server_connection.cache_info().currsize:
        _server_connection(os.getpid())._connections.pool().close()
    _server_connection.cache_clear()


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    with FakeServer() as opened:
        yield opened


@pytest.fixture
def connection_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the connection file of ``KERNEL``, alone in a runtime directory."""
    path = tmp_path / f"kernel-{KERNEL.id}.json"
    path.write_text(json.dumps({"key": KERNEL.key.decode(), "ip": "127.0.0.1"}), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_OIDC_CONNECTION_FILE", str(path))
    return path


@pytest.fixture
def kernel(fake_server: FakeServer, connection_file: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """Start the fake server, after this process has become its kernel."""
    monkeypatch.setenv("JUPYTER_OIDC_URL", fake_server.url)
    return fake_server
