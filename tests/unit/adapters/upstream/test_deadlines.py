"""Deadlines share one timer: each ends its own wait in time, and an expired one ends no other (C15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import Context

from typing_extensions import TypeVarTuple, Unpack

from jupyter_oidc.adapters.upstream.deadlines import Deadline, Deadlines

SHORT = 0.2
Ts = TypeVarTuple("Ts")


async def hold(deadlines: Deadlines, seconds: float = 30) -> str:
    """Wait under a deadline for ``seconds``, and return what happened."""
    deadline = deadlines.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return "passed" if deadline.uncancel_if_expired() else "cancelled"
    finally:
        deadline.stop()
    return "done"


async def test_a_task_whose_time_has_come_is_cancelled_and_takes_it_back() -> None:
    assert await hold(Deadlines(SHORT)) == "passed"
    await asyncio.sleep(0)  # nothing is left of the cancellation


async def test_each_of_many_has_its_own_time() -> None:
    deadlines, loop = Deadlines(SHORT), asyncio.get_running_loop()
    took: list[float] = []

    async def one(delay: float) -> str:
        await asyncio.sleep(delay)
        began = loop.time()
        outcome = await hold(deadlines)
        took.append(loop.time() - began)
        return outcome

    assert await asyncio.gather(*(one(delay) for delay in (0, 0, 0.1, 0.15, 0.5))) == ["passed"] * 5
    assert min(took) >= SHORT


async def test_what_is_over_ends_nobody() -> None:
    deadlines = Deadlines(SHORT)
    assert await hold(deadlines, 0.01) == "done"
    await asyncio.sleep(2 * SHORT)
    assert [*await asyncio.gather(hold(deadlines, 0.01), hold(deadlines))] == ["done", "passed"]


async def test_a_cancellation_by_somebody_else_is_not_taken_back() -> None:
    waiting = asyncio.ensure_future(hold(Deadlines(30)))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await waiting == "cancelled"


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts its timers."""

    timers = 0

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: Unpack[Ts], context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(when, callback, *args, context=context)


def test_many_calls_cost_one_timer() -> None:
    async def calls() -> None:
        deadlines = Deadlines(30)
        for _ in range(100):
            deadlines.begin().stop()
        deadlines.close()

    loop = CountingLoop()
    loop.run_until_complete(calls())
    loop.close()
    assert loop.timers == 1


async def pieces(deadline: Deadline, *, over: bool) -> AsyncIterator[bytes]:
    yield b"a"
    await asyncio.sleep(2 * SHORT)
    if over:
        deadline.stop()
    yield b"b"


async def test_the_time_of_an_upload_counts_from_its_end() -> None:
    deadline = Deadlines(SHORT).begin()
    assert [piece async for piece in deadline.after(pieces(deadline, over=False))] == [b"a", b"b"]
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        assert deadline.uncancel_if_expired()
    else:
        raise AssertionError("The deadline did not begin again.")


async def test_an_answer_before_the_end_of_an_upload_ends_its_deadline_for_good() -> None:
    deadlines = Deadlines(SHORT)
    deadline = deadlines.begin()
    assert [piece async for piece in deadline.after(pieces(deadline, over=True))] == [b"a", b"b"]
    await asyncio.sleep(2 * SHORT)
    assert not deadline.uncancel_if_expired()


async def test_closing_forgets_them_all() -> None:
    deadlines = Deadlines(SHORT)
    deadlines.begin()
    deadlines.close()
    await asyncio.sleep(2 * SHORT)
