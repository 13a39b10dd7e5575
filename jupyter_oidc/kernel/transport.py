"""HTTP clients towards our own server: they carry the grant, raise our exceptions and wait when asked to.

An error made by jupyter_oidc (marked by ``X-OIDC-Error``) becomes an exception; an error of the API behind the
proxy stays a reply, so nobody confuses our 401 with the API's.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING, Any, Final

import httpx

from jupyter_oidc import contract
from jupyter_oidc.kernel.errors import ContractError, OIDCError, ServerNotFound, of_reply

if TYPE_CHECKING:
    from jupyter_oidc.kernel.find import Server
    from jupyter_oidc.kernel.grant import GrantAuth

RETRIES: Final = 2
"""How often a safe call that was answered 503 is repeated."""

LONGEST_PAUSE: Final = 10.0
"""Seconds of ``Retry-After`` that are waited; a longer one is left to the caller."""

TIMEOUT: Final = httpx.Timeout(10.0, read=120.0)
_SAFE: Final = frozenset({"GET", "HEAD"})


def tls(server: Server) -> ssl.SSLContext | bool:
    """Trust what this machine trusts, and the certificate that the server itself shows."""
    if not server.url.startswith("https:"):
        return True
    context = ssl.create_default_context()
    if server.certificate is not None:
        context.load_verify_locations(cafile=server.certificate)
    return context


class OIDCClient(httpx.Client):
    """An ``httpx.Client`` for one path of our server; use it like any other."""

    def __init__(self, server: Server, auth: GrantAuth, path: str, **options: Any) -> None:
        self._lab_url = server.url + "lab"
        super().__init__(**_options(server, auth, path, options))

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send ``request``; raises the exception of any error that jupyter_oidc itself answers."""
        for attempt in range(RETRIES + 1):
            try:
                response = super().send(request, **options)
            except httpx.ConnectError:
                raise _unreachable() from None
            pause = _pause(request, response, attempt)
            if pause is None:
                break
            response.close()
            time.sleep(pause)
        if "X-OIDC-Error" in response.headers:
            response.read()
            raise problem_of(response, self._lab_url)
        return response


class AsyncOIDCClient(httpx.AsyncClient):
    """An ``httpx.AsyncClient`` for one path of our server; use it like any other."""

    def __init__(self, server: Server, auth: GrantAuth, path: str, **options: Any) -> None:
        self._lab_url = server.url + "lab"
        super().__init__(**_options(server, auth, path, options))

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send ``request``; raises the exception of any error that jupyter_oidc itself answers."""
        for attempt in range(RETRIES + 1):
            try:
                response = await super().send(request, **options)
            except httpx.ConnectError:
                raise _unreachable() from None
            pause = _pause(request, response, attempt)
            if pause is None:
                break
            await response.aclose()
            await asyncio.sleep(pause)
        if "X-OIDC-Error" in response.headers:
            await response.aread()
            raise problem_of(response, self._lab_url)
        return response


def problem_of(response: httpx.Response, lab_url: str) -> OIDCError:
    """Return the exception for an error reply of ours."""
    if response.request.method == "HEAD":
        code = response.headers["X-OIDC-Error"]
        return _without_body(code, lab_url)
    try:
        body = contract.check("error", response.json())
    except ValueError:
        return broken_contract()
    return of_reply(body, lab_url)


def broken_contract() -> ContractError:
    """Return the exception for an answer that the contract does not allow."""
    return ContractError(
        "The server's answer does not match its contract.",
        action="Install the same version of jupyter_oidc in the kernel and in the server.",
    )


def _options(server: Server, auth: GrantAuth, path: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "base_url": server.url + path,
        "auth": auth,
        "verify": tls(server),
        "timeout": TIMEOUT,
        "follow_redirects": False,
        # NOTE: a corporate proxy in the environment must not see calls that never leave this machine.
        "trust_env": not server.is_local,
        **options,
    }


def _pause(request: httpx.Request, response: httpx.Response, attempt: int) -> float | None:
    """Return how long to wait before the same call is made again, or ``None`` if it is not."""
    if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or request.method not in _SAFE or attempt >= RETRIES:
        return None
    wanted = response.headers.get("Retry-After", "")
    return float(wanted) if wanted.isdigit() and int(wanted) <= LONGEST_PAUSE else None


def _unreachable() -> ServerNotFound:
    return ServerNotFound(
        "The Jupyter server does not answer.",
        action="Check that it is still running; after a restart of the server, restart the kernel too.",
    )


def _without_body(code: str, lab_url: str) -> OIDCError:
    body = {
        "code": code,
        "message": f"The call was refused ({code}).",
        "action": "Make the same call with GET to read why.",
        "retryable": False,
        "request_id": "",
    }
    try:
        return of_reply(body, lab_url)
    except KeyError:
        return broken_contract()
