"""Owns background tasks, and reports the exceptions that end them.

The work itself handles an expected refusal. Any other exception is a defect of ours: it is reported by its type and its
place, and never by its text, which may hold a secret; the code that started the work is called, so that no timer or
state waits for it in vain.
This module refuses to swallow an exception: it stays in the task for a caller that does wait.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Defect:
    """An unexpected exception: the name of its type, and ``folder/file:line`` where it was raised."""

    kind: str
    place: str


def defect_of(error: BaseException) -> Defect:
    """Return the type and place of ``error``, without its text."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return Defect(type(error).__name__, "unknown")
    return Defect(type(error).__name__, f"{short_path(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}")


def short_path(file: str) -> str:
    """Return the folder and the name of ``file``: enough to find it, without the path of a user's home."""
    return "/".join(PurePath(file).parts[-2:])


class Background:
    """Owns tasks until they end; ``report`` receives each defect once.

    An ``expected`` exception is no defect: the caller that waits for the work gets it, and it is not reported.
    """

    def __init__(self, report: Callable[[Defect], None], *, expected: type[Exception]) -> None:
        self._report = report
        self._expected = expected
        self._tasks: set[asyncio.Task[Any]] = set()

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return iter(tuple(self._tasks))

    def __len__(self) -> int:
        return len(self._tasks)

    async def settle(self, seconds: float) -> None:
        """Wait up to ``seconds`` for all work to end, that which it starts meanwhile included; then cancel what is left."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (busy := set(self._tasks)) and (left := until - loop.time()) > 0:
            await asyncio.wait(busy, timeout=left)
        if late := set(self._tasks):
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=1.0)  # a task with a new refresh token stores it now

    def start(
        self, work: Coroutine[Any, Any, _T], *, after_defect: Callable[[], None] | None = None
    ) -> asyncio.Task[_T]:
        """Start ``work`` and keep it from being collected.

        ``after_defect`` runs after a defect, to reset the caller's state.
        """

        def ended(task: asyncio.Task[_T]) -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is None or isinstance(error, self._expected):
                return
            self._report(defect_of(error))
            if after_defect is not None:
                after_defect()

        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(ended)
        return task
