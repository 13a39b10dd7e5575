"""The limiter admits so many calls at once, lets so many wait, and serves the first one first (C28, C29)."""

from __future__ import annotations

import asyncio
from collections import Counter

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


async def test_a_grant_has_half_of_the_places_and_keeps_nobody_else_waiting() -> None:
    limiter = ConcurrencyLimiter(4, 5)
    of_the_grant = [asyncio.ensure_future(limiter.acquire("worker-1")) for _ in range(5)]
    await asyncio.sleep(0)
    assert [task.done() for task in of_the_grant] == [True, True, False, False, False]
    await asyncio.wait_for(limiter.acquire(), 1)
    await asyncio.wait_for(limiter.acquire("worker-2"), 1)
    assert limiter.running == 4
    limiter.release()
    await asyncio.sleep(0)
    assert not of_the_grant[2].done(), "a free place is not for a grant that has its half"
    limiter.release("worker-1")
    await asyncio.wait_for(of_the_grant[2], 1)


async def test_a_grant_may_run_where_there_is_one_place() -> None:
    limiter = ConcurrencyLimiter(1, 0)
    await asyncio.wait_for(limiter.acquire("worker-1"), 1)
    with pytest.raises(Overloaded):
        await limiter.acquire("worker-1")
    limiter.release("worker-1")
    await asyncio.wait_for(limiter.acquire("worker-1"), 1)


async def test_those_who_wait_take_turns_however_many_calls_each_of_them_has() -> None:
    limiter = ConcurrencyLimiter(1, 3)
    await limiter.acquire()
    order: list[str] = []

    async def visit(name: str, grant: str) -> None:
        await limiter.acquire(grant)
        order.append(name)
        limiter.release(grant)

    came = [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("own1", ""), ("own2", "")]
    tasks = [asyncio.ensure_future(visit(*one)) for one in came]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await limiter.acquire("a")
    limiter.release()
    await asyncio.gather(*tasks)
    assert order == ["a1", "b1", "own1", "a2", "own2", "a3"]
    assert limiter.running == 0


async def test_no_place_is_lost_between_callers() -> None:
    """Calls of four callers come, wait, leave and give up in any order."""
    limiter = ConcurrencyLimiter(4, 50)
    inside: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def visit(number: int) -> None:
        grant = ("", "a", "b", "c")[number % 4]
        await limiter.acquire(grant)
        inside[grant] += 1
        most[grant] = max(most[grant], inside[grant])
        try:
            await asyncio.sleep(0.001 * (number % 3))
        finally:
            inside[grant] -= 1
            limiter.release(grant)

    for _ in range(20):
        tasks = [asyncio.ensure_future(visit(number)) for number in range(60)]
        await asyncio.sleep(0.002)
        for task in tasks[::3]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert limiter.running == 0
    assert max(most[grant] for grant in "abc") == 2
    for _ in range(4):
        await asyncio.wait_for(limiter.acquire(), 1)
