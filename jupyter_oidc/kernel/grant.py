"""The kernel grant: proved with the connection key, kept in memory, renewed by itself, never shown.

As an ``httpx.Auth`` it is added to each request on its way out, so no client, header dictionary or ``repr``
holds it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from typing import TYPE_CHECKING

import httpx

from jupyter_oidc import contract
from jupyter_oidc.kernel.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from jupyter_oidc.kernel.find import Kernel, Server

PURPOSE = "jupyter-oidc kernel grant v1"
RENEW_AT = 0.2
"""The share of its life that a grant still has when it is renewed."""


def proof_of(kernel: Kernel, issued_at: int, nonce: str) -> str:
    """Return the proof for the grant route: HMAC-SHA256 in hexadecimal over purpose, kernel, time and nonce."""
    text = "|".join((PURPOSE, kernel.id, str(issued_at), nonce))
    return hmac.new(kernel.key, text.encode(), hashlib.sha256).hexdigest()


class GrantAuth(httpx.Auth):
    """Adds the grant to requests to the server's own address, and to no other."""

    def __init__(self, server: Server, kernel: Kernel) -> None:
        self._server = server
        self._kernel = kernel
        self._grant = ""
        self._renew_after = 0.0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "GrantAuth(<hidden>)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Get a grant if there is none or it is old, send the request, and once more if the grant was refused."""
        if not str(request.url).startswith(self._server.url):
            yield request
            return
        if time.monotonic() >= self._renew_after:
            self._keep((yield self._grant_request()))
        request.headers["Authorization"] = f"Bearer {self._grant}"
        response = yield request
        if response.headers.get("X-OIDC-Error") == "grant_invalid":
            self._keep((yield self._grant_request()))
            request.headers["Authorization"] = f"Bearer {self._grant}"
            yield request

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """As ``auth_flow``; a streamed reply is read only if it is a refusal of the grant."""
        yield from self._without_reading(request)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """As ``auth_flow`` for an asynchronous client."""
        flow = self.auth_flow(request)
        outgoing = next(flow)
        while True:
            response = yield outgoing
            if self._is_grant_reply(outgoing) or response.headers.get("X-OIDC-Error") == "grant_invalid":
                await response.aread()
            try:
                outgoing = flow.send(response)
            except StopIteration:
                return

    def current(self) -> str:
        """Return the grant now in force for a library that wants headers; empty before the first call."""
        return self._grant

    def _without_reading(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        flow = self.auth_flow(request)
        outgoing = next(flow)
        while True:
            response = yield outgoing
            if self._is_grant_reply(outgoing) or response.headers.get("X-OIDC-Error") == "grant_invalid":
                response.read()
            try:
                outgoing = flow.send(response)
            except StopIteration:
                return

    def _is_grant_reply(self, request: httpx.Request) -> bool:
        return str(request.url) == self._grant_url

    @property
    def _grant_url(self) -> str:
        return self._server.url + "jupyter-oidc/kernel/grant"

    def _grant_request(self) -> httpx.Request:
        issued_at, nonce = int(time.time()), secrets.token_urlsafe(24)
        body = {
            "kernel_id": self._kernel.id,
            "issued_at": issued_at,
            "nonce": nonce,
            "proof": proof_of(self._kernel, issued_at, nonce),
        }
        return httpx.Request("POST", self._grant_url, json=body)

    def _keep(self, response: httpx.Response) -> None:
        """Take over a new grant; a refusal is left for the caller, whose own request will be refused alike."""
        if response.status_code != httpx.codes.OK:
            return
        try:
            reply = contract.check("kernel-grant.reply", response.json())
        except ValueError:
            raise ContractError(
                "The server's answer does not match its contract.",
                action="Install the same version of jupyter_oidc in the kernel and in the server.",
            ) from None
        with self._lock:
            self._grant = reply["grant"]
            self._renew_after = time.monotonic() + reply["expires_in"] * (1 - RENEW_AT)
