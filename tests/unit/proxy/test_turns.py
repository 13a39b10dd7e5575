"""Calls of workers start one in each round of the event loop (ADR 62)."""

from __future__ import annotations

import asyncio

from jupyter_oidc.proxy.turns import Turns


async def test_one_call_starts_in_each_round_and_the_first_one_first() -> None:
    turns, rounds, started = Turns(), 0, list[tuple[int, int]]()

    def count() -> None:
        nonlocal rounds
        rounds += 1
        asyncio.get_running_loop().call_soon(count)

    async def call(number: int) -> None:
        await turns.take()
        started.append((number, rounds))

    calls = [asyncio.ensure_future(call(number)) for number in range(50)]
    count()
    await asyncio.gather(*calls)
    assert [number for number, _ in started] == list(range(50))
    assert len({at for _, at in started}) == 50


async def test_a_call_that_is_given_up_takes_no_turn_and_stops_nobody() -> None:
    turns = Turns()
    calls = [asyncio.ensure_future(turns.take()) for _ in range(5)]
    await asyncio.sleep(0)
    for given_up in calls[1:4]:
        given_up.cancel()
    await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 1)
    await asyncio.wait_for(turns.take(), 1)


async def test_where_nobody_waits_a_call_takes_its_turn_at_once() -> None:
    turns = Turns()
    for _ in range(100):
        await asyncio.wait_for(turns.take(), 1)
