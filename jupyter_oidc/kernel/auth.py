"""The grant for other libraries: as an authentication object, as headers, and as an API key, all of them refreshed.

The object works with httpx and with requests, and adds the grant only to requests to its one API. With both it raises
our exceptions and repeats a call once if its grant or token had expired. A copy that a library keeps is not refreshed:
it is good for at least three minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx

from jupyter_oidc.kernel.body import is_replayable
from jupyter_oidc.kernel.grant import is_below
from jupyter_oidc.kernel.made_by import MadeBy, by_name
from jupyter_oidc.kernel.replies import MAX_REPLY_BYTES, broken_contract, content_of, content_of_async, problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping

    from jupyter_oidc.kernel.grant import GrantAuth

_NAME: Final = "Authorization"


class ApiAuth(httpx.Auth):
    """``auth=`` of httpx and requests for the API at ``base_url``."""

    def __init__(self, grants: GrantAuth, base_url: str, made_by: MadeBy | None = None) -> None:
        self._grants = grants
        self._base_url = httpx.URL(base_url)
        self._made_by = made_by

    def __reduce__(self) -> MadeBy:
        return by_name(self._made_by)

    def __repr__(self) -> str:
        return f"ApiAuth({str(self._base_url)!r}, <hidden>)"

    @property
    def base_url(self) -> str:
        """The address of the API through the proxy; it ends with a slash."""
        return str(self._base_url)

    def api_key(self) -> str:
        """Return a grant that is good for at least three minutes; for an SDK that asks for its key before each call."""
        return Hidden(self._grants.current())

    async def async_api_key(self) -> str:
        """As ``api_key`` for an asynchronous SDK."""
        return Hidden(await self._grants.current_async())

    # -- httpx ---------------------------------------------------------------------------------------------------

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the grant; repeat the call with a new one if necessary; raise the exception of a refusal of ours."""
        if not self._is_ours(request.url):
            yield request
            return
        response = yield _signed(request, self._grants.current())
        if self._should_retry(request, response, again=is_replayable(request)):
            response = yield _signed(request, self._grants.current())
        if self._refused(response):
            raise self._problem(request, response, content_of(response))
        self._grants.session_loss.worked()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """As ``sync_auth_flow`` for an asynchronous client."""
        if not self._is_ours(request.url):
            yield request
            return
        response = yield _signed(request, await self._grants.current_async())
        if self._should_retry(request, response, again=is_replayable(request)):
            response = yield _signed(request, await self._grants.current_async())
        if self._refused(response):
            raise self._problem(request, response, await content_of_async(response))
        self._grants.session_loss.worked()

    # -- requests, and other libraries that pass a request and take it back --------------------------------------

    def __call__(self, request: Any) -> Any:
        """Add the grant to a request that has ``url`` and ``headers``; with requests, also check the answer."""
        if not self._is_ours(request.url):
            return request
        _signed(request, self._grants.current())
        if hasattr(request, "register_hook"):
            request.register_hook("response", self._hook(request.body))
        return request

    def _hook(self, body: Any) -> Callable[..., Any]:
        begin = body.tell() if hasattr(body, "seek") and hasattr(body, "tell") else None

        def look(response: Any, **options: Any) -> Any:
            """Judge the answer to this one call; requests goes on with the returned answer."""
            again = body is None or isinstance(body, str | bytes) or begin is not None
            if self._should_retry(response.request, response, again=again):
                response.close()
                if begin is not None:
                    body.seek(begin)
                request = _signed(response.request.copy(), self._grants.current())
                first, response = response, response.connection.send(request, **options)
                response.request = request
                response.history.append(first)
            if self._refused(response):
                content = response.raw.read(MAX_REPLY_BYTES + 1, decode_content=True)
                response.close()
                if len(content) > MAX_REPLY_BYTES:
                    raise broken_contract()
                raise self._problem(response.request, response, content)
            self._grants.session_loss.worked()
            return response

        return look

    # -- both ----------------------------------------------------------------------------------------------------

    def _is_ours(self, url: Any) -> bool:
        return is_below(self._base_url, httpx.URL(str(url)))

    def _refused(self, response: Any) -> bool:
        return "X-OIDC-Error" in response.headers and self._is_ours(response.url)

    def _should_retry(self, request: Any, response: Any, *, again: bool) -> bool:
        """Drop a grant that the server has refused, and return whether to repeat the call."""
        if response.status_code != 401 or not self._is_ours(response.url):
            return False
        if response.headers.get("X-OIDC-Error") == "grant_invalid":
            self._grants.refused(request)
            return again
        return again and response.headers.get("X-OIDC-Retryable") == "true"

    def _problem(self, request: Any, response: Any, content: bytes) -> Exception:
        error = problem(request.method, response.status_code, response.headers, content)
        return self._grants.session_loss.refused(error)


class Hidden(str):
    """Text that a notebook does not show when it prints the text, or a container of it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"


class RefreshingHeaders(dict[str, str]):
    """Headers whose ``Authorization`` is refreshed when it is read, if it is old; more headers may be added.

    NOTE: it is a dictionary, because libraries require one. A copy holds the grant of that moment, and a library that
    reads the dictionary without its methods gets the grant that was read last. A pickle holds no grant: the process
    that loads it gets one of its own.
    """

    def __init__(self, grants: GrantAuth, made_by: Callable[..., Any] | None = None) -> None:
        self._grants = grants
        self._made_by = made_by
        super().__init__()
        super().__setitem__(_NAME, _header(grants.current()))

    def __getitem__(self, name: str) -> str:
        self._refresh()
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        self._refresh()
        return super().__iter__()

    def __or__(self, other: Mapping[str, str]) -> dict[str, str]:  # type: ignore[override]  # a snapshot is plain
        return {**self.copy(), **other}

    def __ror__(self, other: Mapping[str, str]) -> dict[str, str]:  # type: ignore[override]
        return {**other, **self.copy()}

    def __reduce__(self) -> MadeBy:
        others = {name: value for name, value in super().items() if not (name == _NAME and isinstance(value, Hidden))}
        if _NAME in others:
            return dict, (others,)
        return by_name(self._made_by and (self._made_by, (others,)))

    def __copy__(self) -> dict[str, str]:
        return self.copy()

    def __deepcopy__(self, memo: object) -> dict[str, str]:
        return self.copy()

    def copy(self) -> dict[str, str]:
        """Return a plain dictionary, which is good for at least three minutes."""
        self._refresh()
        return dict(super().items())

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header."""
        self._refresh()
        return super().get(name, default)

    def items(self) -> Any:
        """Return names and values."""
        self._refresh()
        return super().items()

    def values(self) -> Any:
        """Return the values."""
        self._refresh()
        return super().values()

    def _refresh(self) -> None:
        """Write the current grant, unless the caller has set another ``Authorization``."""
        if isinstance(super().get(_NAME), Hidden):
            super().__setitem__(_NAME, _header(self._grants.current()))


def _header(grant: str) -> str:
    return Hidden(f"Bearer {grant}")


def _signed(request: Any, grant: str) -> Any:
    request.headers[_NAME] = f"Bearer {grant}"
    return request
