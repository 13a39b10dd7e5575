"""Waits in tests for what another task or thread does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(true: Callable[[], bool]) -> None:
    """Return once ``true()`` holds; fail if it does not within five seconds."""
    for _ in range(250):
        if true():
            return
        await asyncio.sleep(0.02)
    assert true()
