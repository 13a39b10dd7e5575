"""What the system says about the memory of a process."""

from __future__ import annotations

import os
import sys

import pytest

from tests.bench.proxy.memory import growth, sizes
from tests.bench.proxy.processes import MIB
from tests.bench.proxy.report import NotMeasured

STATUS = """Name:\tjupyter-server
VmPeak:\t  412340 kB
VmHWM:\t  131072 kB
VmRSS:\t   98304 kB
RssAnon:\t   70000 kB
Threads:\t7
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_the_resident_sizes_are_read_in_mebibytes():
    assert sizes(STATUS) == {"VmHWM": 128.0, "VmRSS": 96.0}


@linux
def test_memory_that_was_given_back_before_the_end_is_seen():
    """The record of the system is what counts: the size afterwards would say nothing."""

    def hold_and_let_go():
        bytearray(b"x") * (64 * MIB)

    assert 60 < growth(os.getpid(), hold_and_let_go) < 80


@linux
def test_memory_that_was_used_before_is_no_growth():
    bytearray(b"x") * (64 * MIB)
    assert growth(os.getpid(), lambda: None) < 1


@linux
def test_a_process_that_is_gone_cannot_be_measured():
    with pytest.raises(NotMeasured, match="cannot be read from /proc"):
        growth(2**22 + 1, lambda: None)
