"""HTTP clients towards our own server: they carry the grant, raise our exceptions and wait when asked to.

An error made by jupyter_oidc (marked by ``X-OIDC-Error``) becomes an exception; an error of the API behind the
proxy stays a reply, so nobody confuses our 401 with the API's.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from jupyter_oidc.kernel.replies import content_of, content_of_async, problem_of, unreachable
from jupyter_oidc.kernel.tls import connection_options

if TYPE_CHECKING:
    from jupyter_oidc.kernel.find import Server
    from jupyter_oidc.kernel.grant import GrantAuth

RETRIES: Final = 2
"""How often a safe call that was answered 503 is repeated."""

LONGEST_PAUSE: Final = 10
"""Seconds of ``Retry-After`` that are waited; a longer one is left to the caller."""

_SAFE: Final = frozenset({"GET", "HEAD"})


class OIDCClient(httpx.Client):
    """An ``httpx.Client`` for one path of our server; use it like any other."""

    def __init__(self, server: Server, grants: GrantAuth, path: str, **options: Any) -> None:
        self._grants = grants
        self._lab_url = server.url + "lab"
        super().__init__(**_options(server, grants, path, options))

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send ``request``; raises the exception of any error that jupyter_oidc itself answers."""
        repeats = _Repeats(self._grants)
        while True:
            try:
                response = super().send(request, stream=True, **options)
            except httpx.ConnectError as error:
                raise unreachable(error) from None
            pause = repeats.after(request, response)
            if pause is None:
                break
            response.close()
            time.sleep(pause)
        if _is_refusal(self._grants, response):
            raise problem_of(response, content_of(response), self._lab_url)
        if not stream:
            try:
                response.read()
            finally:
                response.close()
        return response


class AsyncOIDCClient(httpx.AsyncClient):
    """An ``httpx.AsyncClient`` for one path of our server; use it like any other."""

    def __init__(self, server: Server, grants: GrantAuth, path: str, **options: Any) -> None:
        self._grants = grants
        self._lab_url = server.url + "lab"
        super().__init__(**_options(server, grants, path, options))

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send ``request``; raises the exception of any error that jupyter_oidc itself answers."""
        repeats = _Repeats(self._grants)
        while True:
            try:
                response = await super().send(request, stream=True, **options)
            except httpx.ConnectError as error:
                raise unreachable(error) from None
            pause = repeats.after(request, response)
            if pause is None:
                break
            await response.aclose()
            await asyncio.sleep(pause)
        if _is_refusal(self._grants, response):
            raise problem_of(response, await content_of_async(response), self._lab_url)
        if not stream:
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response


@dataclass(slots=True)
class _Repeats:
    """Decides whether one call is made again, and after how many seconds: alike for both clients."""

    grants: GrantAuth
    renewed: bool = False
    waited: int = 0

    def after(self, request: httpx.Request, response: httpx.Response) -> float | None:
        if _is_refusal(self.grants, response) and response.headers["X-OIDC-Error"] == "grant_invalid":
            self.grants.refused(request)
            # NOTE: a body that is produced while it is sent cannot be sent twice; the next call gets a new grant.
            if self.renewed or not isinstance(request.stream, httpx.ByteStream):
                return None
            self.renewed = True
            return 0.0
        if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or request.method not in _SAFE:
            return None
        wanted = response.headers.get("Retry-After", "")
        if self.waited >= RETRIES or not wanted.isdecimal() or int(wanted) > LONGEST_PAUSE:
            return None
        self.waited += 1
        return float(wanted)


def _is_refusal(grants: GrantAuth, response: httpx.Response) -> bool:
    """Whether jupyter_oidc itself made this error; another server's header of that name means nothing."""
    return "X-OIDC-Error" in response.headers and grants.is_ours(response.url)


def _options(server: Server, grants: GrantAuth, path: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"base_url": server.url + path, "auth": grants, **connection_options(server), **options}
