"""The clients leave a forward proxy alone for a growing pause after it refused their password (C35)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from jupyter_oidc.adapters.network.forward_proxy_problems import CredentialsBackoff


class Minutes(asyncio.SelectorEventLoop):
    """An event loop whose time a test sets forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.fixture
def loop() -> Iterator[Minutes]:
    loop = Minutes()
    yield loop
    loop.close()


def lasts(pause: CredentialsBackoff, loop: Minutes) -> int:
    """Return the seconds, in tens, after which ``pause`` is over."""
    seconds = 0
    while pause.is_active():
        loop.ahead += 10
        seconds += 10
    return seconds


def test_a_pause_grows_with_each_refusal_and_ends_with_the_first_success(loop: Minutes) -> None:
    """C35: the pause is half a minute, a minute ... five; a loop that runs all night does not lock an account."""

    async def refused_and_admitted() -> list[int]:
        pause = CredentialsBackoff()
        found = []
        for _ in range(6):
            pause.begin()
            found.append(lasts(pause, loop))
        pause.end()
        found.append(lasts(pause, loop))
        pause.begin()
        found.append(lasts(pause, loop))
        return found

    assert loop.run_until_complete(refused_and_admitted()) == [30, 60, 120, 240, 300, 300, 0, 30]
