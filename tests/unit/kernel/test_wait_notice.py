"""The notice of a call that waits: when it appears, its text, and its removal."""

from __future__ import annotations

import contextlib

import pytest

from jupyter_oidc.kernel.display import waited_html, waiting_html
from jupyter_oidc.kernel.retry_policy import Pause
from jupyter_oidc.kernel.wait_notice import WaitNotice

BUSY = "The API is busy."
LINE = "The API is busy. Trying again by itself for a while; interrupt to stop.\n"


def test_a_pause_is_slept_in_steps_of_a_second() -> None:
    with WaitNotice() as waiting:
        assert list(waiting.steps(Pause(2.5, BUSY))) == [1.0, 1.0, 0.5]


def test_no_pause_is_no_step() -> None:
    with WaitNotice() as waiting:
        assert list(waiting.steps(Pause(0.0, ""))) == []


@pytest.mark.parametrize(("pauses", "said"), [([2.0], ""), ([2.1], LINE), ([1.5, 0.4], ""), ([1.5, 0.6, 5.0], LINE)])
def test_a_call_that_waits_longer_than_two_seconds_says_so_once(
    capsys: pytest.CaptureFixture[str], pauses: list[float], said: str
) -> None:
    with WaitNotice() as waiting:
        for seconds in pauses:
            list(waiting.steps(Pause(seconds, BUSY)))
    assert capsys.readouterr().err == said


def test_one_of_many_waiting_calls_speaks_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    with WaitNotice() as first, WaitNotice() as second:
        list(first.steps(Pause(5.0, BUSY)))
        list(second.steps(Pause(5.0, BUSY)))
    assert capsys.readouterr().err == LINE


def test_the_next_call_speaks_again_after_an_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with contextlib.suppress(KeyboardInterrupt), WaitNotice() as waiting:
            for _ in waiting.steps(Pause(5.0, BUSY)):
                raise KeyboardInterrupt
    assert capsys.readouterr().err == LINE * 2


def test_the_note_counts_down_and_names_the_way_out() -> None:
    html = waiting_html(BUSY, 65.0)
    assert ("The API is busy. Trying again in 1 min 05 s." in html, "Interrupt the kernel to stop." in html) == (
        True,
        True,
    )


def test_the_note_leaves_how_long_it_was() -> None:
    assert "The API is busy. Waited 12 s." in waited_html(BUSY, 12.4)
