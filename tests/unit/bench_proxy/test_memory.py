"""The benchmark reads the memory of a process from the system's record."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.bench.proxy.memory import growth, sizes
from tests.bench.proxy.report import NotMeasured

STATUS = """Name:\tjupyter-server
VmPeak:\t  412340 kB
VmHWM:\t  131072 kB
VmRSS:\t   98304 kB
RssAnon:\t   70000 kB
Threads:\t7
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_the_resident_sizes_are_read_in_mebibytes() -> None:
    assert sizes(STATUS) == {"VmHWM": 128.0, "VmRSS": 96.0}


HOLDS = "while input(): bytearray(b'x') * (64 * 1024 * 1024); print('let go', flush=True)"


class Holder:
    """A process in which nothing else moves: it takes 64 MiB and gives them back when a test asks."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-c", HOLDS), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def hold_and_let_go(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("hold\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "let go\n"


@pytest.fixture
def holder() -> Iterator[Holder]:
    holder = Holder()
    holder.hold_and_let_go()  # the process has started once it answers
    yield holder
    holder.process.communicate("\n")


@linux
def test_memory_that_was_given_back_before_the_end_is_seen(holder: Holder) -> None:
    """The system's record of the peak counts: the size afterwards would show nothing."""
    assert 60 < growth(holder.process.pid, holder.hold_and_let_go) < 80


@linux
def test_memory_that_was_used_before_is_no_growth(holder: Holder) -> None:
    assert growth(holder.process.pid, lambda: None) < 1


@linux
def test_a_process_that_is_gone_cannot_be_measured() -> None:
    with pytest.raises(NotMeasured, match="cannot be read from /proc"):
        growth(2**22 + 1, lambda: None)
