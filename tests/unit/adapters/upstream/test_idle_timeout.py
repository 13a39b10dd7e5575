"""The idle timeout ends a reply that brings no bytes for too long while its reader waits."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_oidc.adapters.upstream.idle_timeout import IdleTimeout


class Counter:
    """Count the calls of a function."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def on_timeout() -> Counter:
    return Counter()


async def test_a_wait_that_takes_too_long_breaks_the_reply_once(on_timeout: Counter) -> None:
    idle_timeout = IdleTimeout(0.05, on_timeout)
    idle_timeout.start()
    await asyncio.sleep(0.3)
    assert on_timeout.times == 1


async def test_every_piece_begins_the_time_anew(on_timeout: Counter) -> None:
    idle_timeout = IdleTimeout(0.3, on_timeout)
    for _ in range(6):
        idle_timeout.start()
        await asyncio.sleep(0.1)
        idle_timeout.pause()
    assert on_timeout.times == 0
    idle_timeout.stop()


async def test_a_caller_who_is_slow_to_read_uses_up_no_time(on_timeout: Counter) -> None:
    idle_timeout = IdleTimeout(0.1, on_timeout)
    idle_timeout.start()
    idle_timeout.pause()
    await asyncio.sleep(0.4)
    assert on_timeout.times == 0
    idle_timeout.start()
    await asyncio.sleep(0.4)
    assert on_timeout.times == 1


async def test_nothing_happens_after_the_end_of_a_reply(on_timeout: Counter) -> None:
    idle_timeout = IdleTimeout(0.05, on_timeout)
    idle_timeout.start()
    idle_timeout.stop()
    await asyncio.sleep(0.2)
    assert on_timeout.times == 0
