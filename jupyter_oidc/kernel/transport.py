"""HTTP clients for our own server: they send the grant, raise our exceptions and repeat calls if that is safe.

An error made by jupyter_oidc (marked by ``X-OIDC-Error``) becomes an exception; an error of the API behind the
proxy stays a reply, so our 401 is never confused with the API's.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import httpx

from jupyter_oidc.kernel.address import Address
from jupyter_oidc.kernel.body import attach, file_body, keep_form
from jupyter_oidc.kernel.cut_answer import AsyncCutAnswer, CutAnswer
from jupyter_oidc.kernel.held_back_headers import warn_of_held_back
from jupyter_oidc.kernel.made_by import MadeBy, by_name
from jupyter_oidc.kernel.replies import content_of, content_of_async, problem_of
from jupyter_oidc.kernel.retry_policy import MAX_WAIT_SECONDS, RetryState, code_of
from jupyter_oidc.kernel.routing import (
    CONNECT_ERRORS,
    CONNECTION_OPTIONS,
    AsyncRoutingTransport,
    RoutingTransport,
    connect_error,
)
from jupyter_oidc.kernel.tls import connection_options
from jupyter_oidc.kernel.upload import Upload
from jupyter_oidc.kernel.wait_notice import WaitNotice

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import BinaryIO

    from jupyter_oidc.kernel.catalogue import Operation
    from jupyter_oidc.kernel.errors import OIDCError
    from jupyter_oidc.kernel.find import Server
    from jupyter_oidc.kernel.grant import GrantAuth
    from jupyter_oidc.kernel.listing import Listing
    from jupyter_oidc.kernel.server_connection import ApiOfClient


class _ClientOfApi:
    """The part of both clients that knows their API."""

    _api: ApiOfClient | None
    _made_by: MadeBy | None

    def __reduce__(self) -> MadeBy:
        return by_name(self._made_by)

    def _repr_html_(self) -> str | None:
        return self._api.html() if self._api is not None else None

    @property
    def api_name(self) -> str | None:
        """The name of the API whose paths this client calls; ``None`` for a client of none."""
        return self._api.name if self._api is not None else None


class OIDCClient(_ClientOfApi, httpx.Client):
    """An ``httpx.Client`` for one path of our server; use it like any other.

    ``patience`` is the seconds that one call may wait in all for a busy server or API.
    A pickle of it holds the name of its API and its options: ``made_by``.
    """

    def __init__(
        self,
        server: Server,
        grants: GrantAuth,
        path: str,
        *,
        patience: float = MAX_WAIT_SECONDS,
        made_by: MadeBy | None = None,
        api: ApiOfClient | None = None,
        **options: Any,
    ) -> None:
        self._home = httpx.URL(server.url)
        self._api = api
        self._address = Address(httpx.URL(server.url + path), api.base_url if api is not None else None)
        self._grants = grants
        self._made_by = made_by
        self._patience = patience
        super().__init__(**_options(server, grants, path, options, RoutingTransport))

    def __repr__(self) -> str:
        return self._api.text() if self._api is not None else f"{type(self).__name__}({str(self.base_url)!r})"

    def operations(self, search: str | None = None) -> Listing[Operation]:
        """Return the operations in the API's OpenAPI document: all of them, or those that hold every word of ``search``.

        Raises ``OIDCError`` if the settings name no document, or if it cannot be read.
        """
        return _of_an_api(self._api).operations(search)

    def build_request(
        self, method: str, url: httpx.URL | str, *, content: Any = None, files: Any = None, **options: Any
    ) -> httpx.Request:
        """Build a request; an open file as ``content`` or in ``files`` can be sent again if need be.

        Raises ``BadPath`` for a path that leads out of the API.
        """
        url = self._address.normalized(url)
        body = file_body(content)
        if body is not None:
            return attach(super().build_request(method, url, **options), body)
        request = super().build_request(method, url, content=content, files=files, **options)
        return keep_form(request, files) if files else request

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send ``request``; raises the exception of any error that jupyter_oidc itself answers."""
        if self._address.is_outside_proxy(request.url):
            _redirect_to(request, self._address.behind_proxy(request.url))
        retries = RetryState(self._grants, self._patience)
        with WaitNotice() as wait_notice:
            while True:
                try:
                    response = super().send(request, stream=True, **options)
                except CONNECT_ERRORS as error:
                    raise connect_error(self._home, error) from None
                pause = retries.after(request, response)
                if pause is None:
                    break
                response.close()
                for step in wait_notice.steps(pause):
                    time.sleep(step)
        if code_of(self._grants, response) is not None:
            raise self._grants.session_loss.refused(problem_of(response, content_of(response)))
        if self._api is not None:
            self._grants.session_loss.worked()
            response.stream = CutAnswer(cast("httpx.SyncByteStream", response.stream), partial(_why_cut, self))
        warn_of_held_back(self._grants, response)
        if not stream:
            try:
                response.read()
            finally:
                response.close()
        return response

    def upload(
        self,
        path: httpx.URL | str,
        file: str | PathLike[str] | BinaryIO,
        *,
        method: str = "PUT",
        progress: bool = True,
        **options: Any,
    ) -> httpx.Response:
        """Send ``file`` (a path, or a file opened for reading bytes) as the body of one request, and show the progress.

        It is read piece by piece, so its size is not limited by memory. Its media type is guessed from its name unless
        ``headers`` has a ``Content-Type``; other ``options`` are those of ``httpx.Client.request``.
        """
        with Upload(file, progress=progress) as upload:
            headers = upload.headers(options.pop("headers", None))
            return self.request(method, path, content=upload.body, headers=headers, **options)


class AsyncOIDCClient(_ClientOfApi, httpx.AsyncClient):
    """An ``httpx.AsyncClient`` for one path of our server; use it like any other. See :class:`OIDCClient`."""

    def __init__(
        self,
        server: Server,
        grants: GrantAuth,
        path: str,
        *,
        patience: float = MAX_WAIT_SECONDS,
        made_by: MadeBy | None = None,
        api: ApiOfClient | None = None,
        **options: Any,
    ) -> None:
        self._home = httpx.URL(server.url)
        self._api = api
        self._address = Address(httpx.URL(server.url + path), api.base_url if api is not None else None)
        self._grants = grants
        self._made_by = made_by
        self._patience = patience
        super().__init__(**_options(server, grants, path, options, AsyncRoutingTransport))

    def __repr__(self) -> str:
        return self._api.text() if self._api is not None else f"{type(self).__name__}({str(self.base_url)!r})"

    async def operations(self, search: str | None = None) -> Listing[Operation]:
        """As :meth:`OIDCClient.operations`."""
        return await asyncio.to_thread(_of_an_api(self._api).operations, search)

    def build_request(
        self, method: str, url: httpx.URL | str, *, content: Any = None, files: Any = None, **options: Any
    ) -> httpx.Request:
        """Build a request; an open file as ``content`` or in ``files`` can be sent again if need be.

        Raises ``BadPath`` for a path that leads out of the API.
        """
        url = self._address.normalized(url)
        body = file_body(content)
        if body is not None:
            return attach(super().build_request(method, url, **options), body)
        request = super().build_request(method, url, content=content, files=files, **options)
        return keep_form(request, files) if files else request

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """Send ``request``; raises the exception of any error that jupyter_oidc itself answers."""
        if self._address.is_outside_proxy(request.url):
            _redirect_to(request, await asyncio.to_thread(self._address.behind_proxy, request.url))
        retries = RetryState(self._grants, self._patience)
        with WaitNotice() as wait_notice:
            while True:
                try:
                    response = await super().send(request, stream=True, **options)
                except CONNECT_ERRORS as error:
                    raise connect_error(self._home, error) from None
                pause = retries.after(request, response)
                if pause is None:
                    break
                await response.aclose()
                for step in wait_notice.steps(pause):
                    await asyncio.sleep(step)
        if code_of(self._grants, response) is not None:
            raise self._grants.session_loss.refused(problem_of(response, await content_of_async(response)))
        if self._api is not None:
            self._grants.session_loss.worked()
            response.stream = AsyncCutAnswer(cast("httpx.AsyncByteStream", response.stream), partial(_why_cut, self))
        warn_of_held_back(self._grants, response)
        if not stream:
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response

    async def upload(
        self,
        path: httpx.URL | str,
        file: str | PathLike[str] | BinaryIO,
        *,
        method: str = "PUT",
        progress: bool = True,
        **options: Any,
    ) -> httpx.Response:
        """As :meth:`OIDCClient.upload`."""
        with Upload(file, progress=progress) as upload:
            headers = upload.headers(options.pop("headers", None))
            return await self.request(method, path, content=upload.body, headers=headers, **options)


def _why_cut(client: OIDCClient | AsyncOIDCClient) -> OIDCError | None:
    """Return the exception for an answer to ``client`` that ended in the middle, if the session has ended."""
    lost = _of_an_api(client._api).lost_session()  # noqa: SLF001 - one of the two classes here
    return None if lost is None else client._grants.session_loss.refused(lost)  # noqa: SLF001


def _of_an_api(api: ApiOfClient | None) -> ApiOfClient:
    if api is None:
        raise TypeError("Only a client that oidc.api() or oidc.async_api() returns has operations.")
    return api


def _redirect_to(request: httpx.Request, url: httpx.URL) -> None:
    """Send ``request`` to ``url``."""
    request.url = url
    request.headers["Host"] = url.netloc.decode("ascii")


def _options(
    server: Server, grants: GrantAuth, path: str, options: dict[str, Any], transport_type: Callable[..., object]
) -> dict[str, Any]:
    if "transport" not in options:
        others = {name: value for name, value in options.items() if name not in CONNECTION_OPTIONS}
        options = {"transport": transport_type(server, options), **others}
    return {"base_url": server.url + path, "auth": grants, **connection_options(server), **options}
