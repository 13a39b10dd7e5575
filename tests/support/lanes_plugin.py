"""Lets as many tests use a browser at a time as the machine has processors; other tests run beside them.

A page of JupyterLab takes all of a processor, and times out where several share one. Most other tests wait more than
they work, so that a run has more processes than processors (see the Makefile).
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

BROWSERS = "tests/e2e/"
"""The folder of the tests that use a browser."""

LANES = Path(".cache") / "lanes"
"""Where the lanes are, as locked files, below the root of the run."""

POLL_SECONDS = 0.1


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test that uses a browser when a lane is free. This is outside of all timeouts: to wait is not to hang."""
    shared = hasattr(item.config, "workerinput")
    with _free_lane(item.config.rootpath) if shared and item.nodeid.startswith(BROWSERS) else nullcontext():
        return (yield)


def _free_lane(root: Path) -> AbstractContextManager[Any]:
    """Wait for a lane, and return it taken; to leave it as a context frees it."""
    folder = root / LANES
    folder.mkdir(parents=True, exist_ok=True)
    lanes = [FileLock(folder / str(number), timeout=0) for number in range(os.cpu_count() or 1)]
    while True:
        for lane in lanes:
            try:
                return lane.acquire()
            except Timeout:
                continue
        time.sleep(POLL_SECONDS)
