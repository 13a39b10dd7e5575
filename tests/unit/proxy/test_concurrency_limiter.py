"""The limiter admits so many calls at once, lets so many wait, and serves the first one first (C28, C29)."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_oidc.problems import Overloaded
from jupyter_oidc.proxy.concurrency_limiter import ConcurrencyLimiter


async def waiting(limiter: ConcurrencyLimiter, count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.ensure_future(limiter.acquire()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_as_many_as_may_come_in_at_once() -> None:
    limiter = ConcurrencyLimiter(2, 0)
    await limiter.acquire()
    await limiter.acquire()
    with pytest.raises(Overloaded) as caught:
        await limiter.acquire()
    assert caught.value.retry_after == 1.0
    limiter.release()
    await limiter.acquire()


async def test_who_waits_longest_comes_in_first() -> None:
    limiter = ConcurrencyLimiter(1, 2)
    await limiter.acquire()
    first, second = await waiting(limiter, 2)
    with pytest.raises(Overloaded):
        await limiter.acquire()
    limiter.release()
    await asyncio.sleep(0)
    assert (first.done(), second.done()) == (True, False)
    limiter.release()
    await second


async def test_a_caller_that_leaves_the_queue_takes_no_place() -> None:
    limiter = ConcurrencyLimiter(1, 2)
    await limiter.acquire()
    first, second = await waiting(limiter, 2)
    first.cancel()
    await asyncio.sleep(0)
    limiter.release()
    await second
    limiter.release()
    await limiter.acquire()


async def test_a_place_that_was_handed_to_a_caller_who_leaves_is_handed_on() -> None:
    limiter = ConcurrencyLimiter(1, 2)
    await limiter.acquire()
    first, second = await waiting(limiter, 2)
    limiter.release()
    first.cancel()  # before the loop runs again
    await asyncio.sleep(0)
    await asyncio.wait_for(second, 1)


async def test_a_caller_that_leaves_the_queue_while_a_place_is_passed_on_just_leaves() -> None:
    """C18: two connections end in the same moment, one that waits and one that is inside."""
    limiter = ConcurrencyLimiter(1, 2)
    await limiter.acquire()
    first, second = await waiting(limiter, 2)
    first.cancel()
    limiter.release()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_places_are_never_lost() -> None:
    """Calls come, wait, leave and give up in any order."""
    limiter = ConcurrencyLimiter(3, 50)
    inside = 0
    most = 0

    async def visit(number: int) -> None:
        nonlocal inside, most
        await limiter.acquire()
        inside += 1
        most = max(most, inside)
        try:
            await asyncio.sleep(0.001 * (number % 3))
        finally:
            inside -= 1
            limiter.release()

    for _ in range(20):
        tasks = [asyncio.ensure_future(visit(number)) for number in range(40)]
        await asyncio.sleep(0.002)
        for task in tasks[::3]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert (inside, most) == (0, 3)
    for _ in range(3):
        await limiter.acquire()
