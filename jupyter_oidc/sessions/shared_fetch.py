"""Runs one fetch for all clients that ask for the same thing at once.

A client that leaves, or is closed, ends its own wait; the fetch goes on for the others.
It refuses to keep a result: how long one serves, the owner of the fetch decides.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

_T = TypeVar("_T")


class SharedFetch(Generic[_T]):
    """One fetch at a time, of one thing."""

    def __init__(self) -> None:
        self._task: asyncio.Task[_T] | None = None

    def join(self, fetch: Callable[[], Coroutine[Any, Any, _T]]) -> asyncio.Task[_T]:
        """Return the fetch that is under way; without one, ``fetch`` begins.

        Wait for the task with :func:`asyncio.wait` and do not await it: an awaited task is cancelled with its caller.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(fetch())
            self._task.add_done_callback(_retrieve_exception)
        return self._task

    def cancel(self) -> None:
        """Cancel the fetch that is under way, for all callers that wait for it."""
        if self._task is not None:
            self._task.cancel()


class ClosableWaits:
    """The waits of one client for fetches that it shares with others; closing ends these waits only (Q9.12)."""

    def __init__(self) -> None:
        self._closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    async def result_of(self, join: Callable[[], asyncio.Task[_T]]) -> _T:
        """Return the result of the task that ``join`` returns, or raise its exception.

        Raises ``Overloaded`` if the task or this client is given up; for a client that is closed nothing is begun.
        """
        if self._closed:
            raise superseded()
        task = join()
        given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(given_up)
        try:
            await asyncio.wait((task, given_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.discard(given_up)
        # NOTE: that a fetch was cancelled by its owner is no cancellation of the callers that wait for it.
        if not task.done() or task.cancelled():
            raise superseded()
        return task.result()

    def close(self) -> None:
        """End every wait, and refuse further ones."""
        self._closed = True
        for given_up in self._waiting:
            if not given_up.done():
                given_up.set_result(None)


def superseded() -> Overloaded:
    """Return the refusal of a caller whose client is closed, because another one takes over."""
    return Overloaded(
        N_("The settings have changed, or this server is shutting down."), detail="settings.changed", retry_after=1.0
    )


def _retrieve_exception(task: asyncio.Task[_T]) -> None:
    """Retrieve the exception of a fetch that perhaps has no waiting caller any more."""
    if not task.cancelled():
        task.exception()
