"""A reply that says nothing for too long while somebody waits for it."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_oidc.adapters.idle_timeout import Silence


class Broken:
    """Counts how often it was called."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def broken() -> Broken:
    return Broken()


async def test_a_wait_that_takes_too_long_breaks_the_reply_once(broken: Broken) -> None:
    silence = Silence(0.05, broken)
    silence.begin()
    await asyncio.sleep(0.3)
    assert broken.times == 1


async def test_every_piece_begins_the_time_anew(broken: Broken) -> None:
    silence = Silence(0.3, broken)
    for _ in range(6):
        silence.begin()
        await asyncio.sleep(0.1)
        silence.end()
    assert broken.times == 0
    silence.stop()


async def test_a_caller_who_is_slow_to_read_uses_up_no_time(broken: Broken) -> None:
    silence = Silence(0.1, broken)
    silence.begin()
    silence.end()
    await asyncio.sleep(0.4)
    assert broken.times == 0
    silence.begin()
    await asyncio.sleep(0.4)
    assert broken.times == 1


async def test_nothing_happens_after_the_end_of_a_reply(broken: Broken) -> None:
    silence = Silence(0.05, broken)
    silence.begin()
    silence.stop()
    await asyncio.sleep(0.2)
    assert broken.times == 0
