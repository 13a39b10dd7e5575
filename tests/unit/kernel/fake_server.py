"""A scripted Jupyter server on a real socket, and a kernel that belongs to it, for tests of the kernel helper.

A ``FakeServer`` answers what a test scripted, in order, the last answer for ever; it remembers every request and
issues grants by itself.
It answers an unscripted request as a stranger would: 404 in HTML.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_oidc.contract.version import CONTRACT_HEADER, CONTRACT_VERSION
from jupyter_oidc.kernel.find import Kernel, Server
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.transport import AsyncOIDCClient, OIDCClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

KERNEL = Kernel("5e3c8f9a-0b1d-4c2e-8f7a-6d5b4c3a2918", b"a0b1c2d3-connection-key")
GRANT_PATH = "jupyter-oidc/kernel/grant"
FLOW = "flow-0123456789abcdef"

SUMMARY: dict[str, Any] = {
    "provider": "corp",
    "issuer": "https://id.example.com",
    "state": "active",
    "reason": None,
    "sequence": 7,
    "user": {
        "sub": "a1",
        "name": "Ada Lovelace",
        "username": "ada",
        "email": "ada@example.com",
        "email_verified": True,
        "picture": None,
    },
    "entitlements": ["orders.read"],
    "entitlements_more": 0,
    "entitlements_known": True,
    "scopes": ["openid"],
    "missing_scopes": [],
    "settings_pending": False,
    "sharing": "none",
    "sign_in_under_way": False,
    "signed_in_at": "2026-11-23T09:00:00Z",
    "access_expires_at": "2026-11-23T09:05:00Z",
    "expires_in": 284,
    "refreshable": True,
    "storage": "keyring",
    "retry_at": None,
    "apis": [{"name": "orders", "readiness": "ready", "allowed": True, "missing": []}],
}
ORDERS: dict[str, Any] = {
    "name": "orders",
    "provider": "corp",
    "path": "/jupyter-oidc/api/orders/",
    "base_url": "https://api.example.com/v1/",
    "methods": ["GET", "POST"],
    "callers": ["browser", "kernel"],
    "state": "active",
    "readiness": "ready",
    "allowed": True,
    "missing": [],
    "title": "Orders of the shop",
    "description": "Every order, and what was refunded.",
    "example": "items?limit=5",
    "docs_url": "https://docs.example.com/orders",
    "path_prefixes": ["/"],
    "has_operations": True,
}
SIGNED_OUT = {**SUMMARY, "state": "signed-out", "user": None, "expires_in": None, "apis": []}
STARTED = {
    "flow": FLOW,
    "provider": "corp",
    "strategy": "server",
    "start_url": "/jupyter-oidc/start/one-time-ticket",
    "device": None,
    "expires_in": 300,
}
WAITING = {"flow": FLOW, "provider": "corp", "state": "waiting", "error": None, "expires_in": 299}
COMPLETED = {**WAITING, "state": "completed"}
CANCELLED = {**WAITING, "state": "cancelled"}


@dataclass(frozen=True)
class Answer:
    """One reply; ``delay`` is in seconds.

    A ``body`` that is not bytes goes out as JSON with the number of the contract, the server's
    own; ``contract=None`` is a server of before there was a number.
    """

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    contract: int | None = CONTRACT_VERSION


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def bearer(self) -> str | None:
        return self.headers.get("authorization")


def refusal(code: str, status: int = 401, **members: Any) -> Answer:
    """Return an error reply as jupyter_oidc itself makes it."""
    body = {
        "code": code,
        "message": "It did not work.",
        "action": "Try something else.",
        "retryable": False,
        "request_id": "req-12345678",
        "reason": "It did not work.",
        **members,
    }
    return Answer(body, status, {"X-OIDC-Error": code})


class FakeServer:
    """The server; use it in a ``with`` statement. ``certificate`` is a PEM file with key: then it speaks HTTPS.

    With an ``authority`` (a PEM file) it refuses clients without a certificate of that authority.
    """

    def __init__(
        self,
        base_url: str = "/",
        host: str = "127.0.0.1",
        certificate: str | None = None,
        authority: str | None = None,
    ) -> None:
        fake_server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def log_message(self, *args: Any) -> None:
                """Say nothing: the test asks ``FakeServer.received`` instead."""

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, ssl.SSLError):  # also a client without a certificate
                    self.close_connection = True

            def do_any(self) -> None:
                fake_server.handle(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815

        class Listener(ThreadingHTTPServer):
            address_family = AF_INET6 if ":" in host else ThreadingHTTPServer.address_family
            daemon_threads = True

            def get_request(self) -> tuple[Any, Any]:
                connection, address = super().get_request()
                fake_server.accepted.append(address)
                return connection, address

            def handle_error(self, *args: Any) -> None:
                """Ignore the error: a client that hangs up, or refuses our certificate, is part of a test."""

        self.accepted: list[Any] = []
        self._http = Listener((host, 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            if authority is not None:
                context.load_verify_locations(authority)
                context.verify_mode = ssl.CERT_REQUIRED
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        named = f"[{host}]" if ":" in host else host
        self.base_url = base_url
        self.origin = f"{'http' if certificate is None else 'https'}://{named}:{self.port}"
        self.url = self.origin + base_url
        self.received: list[Received] = []
        self.issued: list[str] = []
        self.grant_lifetime = 900
        self.grant_delay = 0.0
        self.contract: int | None = CONTRACT_VERSION
        self._script: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def server(self) -> Server:
        return Server(self.url)

    def answers(self, method: str, path: str, *answers: Any) -> None:
        """Script the replies to ``method`` on ``path`` below the base URL; anything but an Answer is a 200 body."""
        wrapped = [answer if isinstance(answer, Answer) else Answer(answer) for answer in answers]
        self._script[method, path] = wrapped

    def asked(self, method: str, path: str) -> list[Received]:
        """Return the requests that arrived for ``method`` on ``path`` below the base URL."""
        return [got for got in self.received if (got.method, got.path) == (method, self.base_url + path)]

    def called(self, below: str) -> list[Received]:
        """Return the requests that arrived for a path that begins with ``below``, below the base URL."""
        return [got for got in self.received if got.path.startswith(self.base_url + below)]

    def grants(self, now: Callable[[], float] = time.monotonic) -> GrantAuth:
        return GrantAuth(self.server, KERNEL, now)

    def client(self, path: str = "jupyter-oidc/api/orders/", **options: Any) -> OIDCClient:
        return OIDCClient(self.server, self.grants(), path, **options)

    def async_client(self, path: str = "jupyter-oidc/api/orders/", **options: Any) -> AsyncOIDCClient:
        return AsyncOIDCClient(self.server, self.grants(), path, **options)

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        got = self._read(request)
        with self._lock:
            self.received.append(got)
            answer = self._next(got)
        time.sleep(answer.delay)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        request.send_response(answer.status)
        numbered = answer.contract is not None and not isinstance(answer.body, bytes)
        number = {CONTRACT_HEADER: str(answer.contract)} if numbered else {}
        for name, value in {"Content-Length": str(len(body)), **number, **answer.headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if got.method != "HEAD":
            request.wfile.write(body)

    def _read(self, request: BaseHTTPRequestHandler) -> Received:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.rfile.read(int(headers.get("content-length", 0)))
        while headers.get("transfer-encoding") == "chunked" and (size := int(request.rfile.readline(), 16)):
            body += request.rfile.read(size)
            request.rfile.readline()
        if "transfer-encoding" in headers:
            request.rfile.readline()
        parts = urlsplit(request.path)
        return Received(str(request.command), parts.path, parts.query, headers, body)

    def _next(self, got: Received) -> Answer:
        path = got.path.removeprefix(self.base_url)
        script = self._script[got.method, path]
        if script:
            return script[0] if len(script) == 1 else script.pop(0)
        if path == GRANT_PATH and got.method == "POST":
            self.issued.append(f"jog.grant-number-{len(self.issued) + 1:06d}")
            body = {"grant": self.issued[-1], "expires_in": self.grant_lifetime}
            return Answer(body, delay=self.grant_delay, contract=self.contract)
        return Answer(b"<html><body>Nobody here</body></html>", 404, {"Content-Type": "text/html"})
