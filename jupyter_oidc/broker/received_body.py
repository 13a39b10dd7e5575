"""The body of a request, within the limits of its API: how much, and how slowly, a caller may send."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import ClientTooSlow, Problem, UpstreamTimeout
from jupyter_oidc.web.upload_limits import too_large

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from typing import TypeVar

    from aiohttp import StreamReader

    from jupyter_oidc.settings import Api

    _T = TypeVar("_T")


_STOPPED_READING: Final = N_("The API{api_name} stopped reading the upload.")


class ReceivedBody:
    """The body that ``content`` brings, for a call of ``api``; the caller waits while the API is slower (C16, C17)."""

    def __init__(self, content: StreamReader, api: Api) -> None:
        self._content = content
        self._api = api
        self._problem: Problem | None = None
        self._work: asyncio.Task[object] | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the pieces; a body beyond the limits ends :meth:`during`."""
        received, loop = 0, asyncio.get_running_loop()
        while True:
            try:
                piece = await asyncio.wait_for(self._content.readany(), self._api.timeout_upload)
            except asyncio.TimeoutError:
                await self._give_up(ClientTooSlow())
                return
            if not piece:
                return
            received += len(piece)
            problem = too_large(self._api, received)
            if problem is not None:
                await self._give_up(problem)
                return
            stalled = loop.call_later(self._api.timeout_idle, self._stop, UpstreamTimeout(_STOPPED_READING))
            try:
                yield piece
            finally:
                stalled.cancel()

    async def during(self, work: Awaitable[_T]) -> _T:
        """Return the result of ``work``, which takes the pieces; raises the problem of a body beyond the limits."""
        self._work = task = asyncio.ensure_future(work)
        try:
            return await task
        except asyncio.CancelledError:
            if self._problem is None:
                raise
            raise self._problem from None

    def _stop(self, problem: Problem) -> None:
        self._problem = problem
        if self._work is not None:
            self._work.cancel()

    async def _give_up(self, problem: Problem) -> None:
        """End the call: its body must not look complete to the API."""
        self._stop(problem)
        await asyncio.Event().wait()  # NOTE: until the call, which waits for this piece, is cancelled
