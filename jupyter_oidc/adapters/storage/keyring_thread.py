"""Runs keyring calls on a thread of their own, each with a deadline.

A keyring call can wait for ever on a prompt; after two calls that never returned the circuit opens, and the store
reports itself unavailable instead of collecting stuck threads (B17).
This module refuses to pass on a backend's own error text.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_oidc.language import N_
from jupyter_oidc.problems import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

CALL_TIMEOUT_SECONDS: Final = 10.0
"""Seconds that a keyring call may take."""

MAX_STUCK_THREADS: Final = 2


def as_storage_unavailable(error: BaseException) -> StorageUnavailable:
    """Translate a keyring failure into :class:`StorageUnavailable`.

    The backend's own text may quote the secret (B21).
    """
    from keyring.errors import KeyringLocked

    if isinstance(error, StorageUnavailable):
        return error
    if isinstance(error, KeyringLocked):
        return StorageUnavailable(N_("The keyring is locked."), detail="keyring_locked")
    return StorageUnavailable(N_("The keyring refused the call."), detail="keyring_failed")


class KeyringThread:
    """Runs keyring calls one after the other on one daemon thread, each with a deadline.

    A call that does not come back keeps its thread, and the calls behind it move to a new one.
    The circuit closes again when a stuck call does come back.
    """

    def __init__(self, timeout: float = CALL_TIMEOUT_SECONDS) -> None:
        self._timeout = timeout
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._worker: _Worker | None = None
        self._stuck: list[_Worker] = []

    async def run(self, work: Callable[[], _T]) -> _T:
        """Return ``work()``; raises :class:`StorageUnavailable` after the deadline, or if the keyring refuses."""
        self._stuck = [worker for worker in self._stuck if worker.is_stuck]
        if len(self._stuck) >= MAX_STUCK_THREADS:
            raise StorageUnavailable(N_("The keyring does not answer."), detail="keyring_stuck")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._jobs.put(_Job(loop, future, work))
        if self._worker is None:
            self._worker = _Worker(self._jobs)
        try:
            return await asyncio.wait_for(future, self._timeout)
        except asyncio.TimeoutError:
            self._abandon_stuck_worker()
            raise StorageUnavailable(
                N_("The keyring did not answer in time; it may be waiting for a prompt."),
                detail="keyring_timeout",
            ) from None

    def _abandon_stuck_worker(self) -> None:
        """Start a new thread if the present one works on a call that has timed out."""
        worker = self._worker
        if worker is not None and worker.is_stuck:
            worker.abandoned = True
            self._stuck.append(worker)
            self._worker = _Worker(self._jobs) if len(self._stuck) < MAX_STUCK_THREADS else None


@dataclass(frozen=True, slots=True)
class _Job:
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    work: Callable[[], Any]

    def do(self) -> None:
        """Run the call and deliver its result, unless it has timed out: a late write could undo a newer one (B17)."""
        if self.future.done() or self.loop.is_closed():
            return
        refusal: StorageUnavailable | None = None
        value: Any = None
        try:
            value = self.work()
        except BaseException as error:  # noqa: BLE001 - the caller judges it; this thread has to live on
            refusal = as_storage_unavailable(error)

        def settle() -> None:
            if self.future.done():
                return  # the deadline passed; the late result is discarded (B17)
            if refusal is None:
                self.future.set_result(value)
            else:
                self.future.set_exception(refusal)

        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(settle)


class _Worker:
    """Takes jobs off the queue until :class:`KeyringThread` abandons it."""

    def __init__(self, jobs: queue.SimpleQueue[_Job]) -> None:
        self._jobs = jobs
        self._job: _Job | None = None
        self.abandoned = False
        threading.Thread(target=self._run, name="jupyter_oidc-keyring", daemon=True).start()

    @property
    def is_stuck(self) -> bool:
        """Whether it works on a call that has timed out."""
        job = self._job
        return job is not None and job.future.done()

    def _run(self) -> None:
        while not self.abandoned:
            self._job = self._jobs.get()
            self._job.do()
            self._job = None
