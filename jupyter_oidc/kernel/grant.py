"""The kernel grant: proved with the connection key, kept in memory, refreshed automatically, never shown.

As an ``httpx.Auth`` it is added to each request on its way out, so no client, header dictionary or ``repr``
holds it.
It is requested by a client of its own, so that the hooks, headers and redirects of a caller's client do not apply.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakKeyDictionary

import httpx

from jupyter_oidc.contract.version import CONTRACT_HEADER
from jupyter_oidc.kernel.replies import content_of, content_of_async, judge, problem_of, unreachable
from jupyter_oidc.kernel.session_loss import SessionLoss
from jupyter_oidc.kernel.tls import async_client_to, client_to
from jupyter_oidc.kernel.version_warning import VersionWarning

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from jupyter_oidc.kernel.find import Kernel, Server

PURPOSE = "jupyter-oidc kernel grant v1"
REFRESH_AT_REMAINING_SHARE = 0.2
"""The remaining share of a grant's lifetime at which it is refreshed."""


@dataclass(frozen=True, slots=True)
class _HeldGrant:
    grant: str = field(repr=False)
    refresh_after: float


_NO_GRANT = _HeldGrant("", float("-inf"))


def proof_of(kernel: Kernel, issued_at: int, nonce: str) -> str:
    """Return the proof for the grant route: HMAC-SHA256 in hexadecimal over purpose, kernel, time and nonce."""
    text = "|".join((PURPOSE, kernel.id, str(issued_at), nonce))
    return hmac.new(kernel.key, text.encode(), hashlib.sha256).hexdigest()


def is_below(home: httpx.URL, url: httpx.URL) -> bool:
    """Whether ``url`` is ``home``, which ends with a slash, or lies below it; compared in httpx's normal form."""
    return (
        (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)
        and url.raw_path.startswith(home.raw_path)
        and not url.userinfo
    )


class GrantAuth(httpx.Auth):
    """Adds the grant to requests to the server's own address, and to no other.

    One object serves all clients of a process: the first client that finds the grant old requests a new one while the
    others wait for it. ``now`` returns monotonic seconds.
    """

    def __init__(self, server: Server, kernel: Kernel, now: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._kernel = kernel
        self._now = now
        self._home = httpx.URL(server.url)
        self._held = _NO_GRANT
        self._version_warning = VersionWarning()
        self.session_loss = SessionLoss()
        self._create_locks()

    def __repr__(self) -> str:
        return "GrantAuth(<hidden>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A kernel's grant and key stay in their process; hand over the name of the API instead.")

    def _create_locks(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._loop_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def _is_forked(self) -> bool:
        """Return whether this is a copy in a forked child, where a lock of the parent may be held for ever."""
        return self._process != os.getpid()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the grant, after requesting one if there is none or it is old."""
        if self.is_ours(request.url):
            request.headers["Authorization"] = f"Bearer {self.current()}"
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """As ``sync_auth_flow`` for an asynchronous client."""
        if self.is_ours(request.url):
            request.headers["Authorization"] = f"Bearer {await self.current_async()}"
        yield request

    def is_ours(self, url: httpx.URL) -> bool:
        """Whether ``url`` lies below the server's own, compared part by part and in normal form."""
        return is_below(self._home, url)

    def refused(self, request: httpx.Request) -> None:
        """Drop the grant that ``request`` carried; a newer one, which another thread got meanwhile, is kept."""
        if request.headers.get("Authorization") == f"Bearer {self._held.grant}":
            self._held = _NO_GRANT

    def current(self) -> str:
        """Return a grant with a fifth of its lifetime left, or a new one.

        Raises ``ServerNotFound`` or the server's refusal.
        """
        if self._is_forked():
            self._create_locks()
        with self._lock:
            if self._now() >= self._held.refresh_after:
                self._ask()
            return self._held.grant

    async def current_async(self) -> str:
        """As ``current`` for an event loop."""
        if self._is_forked():
            self._create_locks()
        # NOTE: a lock per event loop; a thread that asks at the same time may get a second grant, which is harmless.
        async with self._loop_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            if self._now() >= self._held.refresh_after:
                await self._ask_async()
            return self._held.grant

    def _ask(self) -> None:
        try:
            with (
                client_to(self._server) as client,
                client.stream("POST", self._url, json=self._proof()) as response,
            ):
                self._keep(response, content_of(response))
        except (httpx.HTTPError, ssl.SSLError) as error:  # NOTE: an alert after the handshake comes as it is
            raise unreachable(error) from None

    async def _ask_async(self) -> None:
        try:
            async with (
                async_client_to(self._server) as client,
                client.stream("POST", self._url, json=self._proof()) as response,
            ):
                self._keep(response, await content_of_async(response))
        except (httpx.HTTPError, ssl.SSLError) as error:  # NOTE: an alert after the handshake comes as it is
            raise unreachable(error) from None

    @property
    def _url(self) -> str:
        return self._server.url + "jupyter-oidc/kernel/grant"

    def _proof(self) -> dict[str, Any]:
        issued_at, nonce = int(time.time()), secrets.token_urlsafe(24)
        return {
            "kernel_id": self._kernel.id,
            "issued_at": issued_at,
            "nonce": nonce,
            "proof": proof_of(self._kernel, issued_at, nonce),
        }

    def _keep(self, response: httpx.Response, content: bytes) -> None:
        """Keep the grant in ``content``.

        A connection begins with this reply, and hears of a server that was updated with a later one: so its version of
        the contract is judged here, for all clients and libraries.
        """
        refused = "X-OIDC-Error" in response.headers
        if refused or CONTRACT_HEADER in response.headers:
            self._version_warning.judge(response.headers)
        if refused:
            raise problem_of(response, content)
        reply = judge("kernel-grant.reply", content)
        self._held = _HeldGrant(reply["grant"], self._now() + reply["expires_in"] * (1 - REFRESH_AT_REMAINING_SHARE))
        self._version_warning.judge(response.headers)
