"""What is told, and how often, when a session ends while code runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_oidc.kernel.errors import NotSignedIn, OIDCError, Overloaded, SessionExpired
from jupyter_oidc.kernel.session_loss import SessionLoss

MOMENT = datetime(2026, 11, 23, 14, 2, 7, tzinfo=timezone.utc)


class Cells:
    """The cells of a notebook, which end when a test says so, and the sentences below them."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[Any], None]] = []
        self.told: list[str] = []
        self.loss = SessionLoss(self._at_end, self.told.append, lambda: MOMENT)

    def _at_end(self, function: Callable[[Any], None]) -> bool:
        self.waiting.append(function)
        return True

    def end(self, error: BaseException | None = None) -> None:
        """End the cell, with an exception or without."""
        waiting, self.waiting = self.waiting, []
        for function in waiting:
            function(SimpleNamespace(error_in_exec=error))


def refuse(cells: Cells, kind: type[OIDCError] = NotSignedIn) -> OIDCError:
    return cells.loss.refused(kind("Nobody is signed in."))


@pytest.mark.parametrize("kind", [NotSignedIn, SessionExpired])
def test_an_exception_says_until_when_calls_worked(kind: type[OIDCError]) -> None:
    cells = Cells()
    cells.loss.worked()
    assert refuse(cells, kind).message == "Nobody is signed in. Calls worked until 14:02:07 UTC."


def test_nothing_is_added_where_no_call_has_worked() -> None:
    cells = Cells()
    assert (refuse(cells).message, cells.waiting) == ("Nobody is signed in.", [])


def test_other_errors_are_left_alone() -> None:
    cells = Cells()
    cells.loss.worked()
    assert (refuse(cells, Overloaded).message, cells.waiting) == ("Nobody is signed in.", [])


def test_fifty_threads_are_one_sentence() -> None:
    cells = Cells()
    cells.loss.worked()
    threads = [threading.Thread(target=refuse, args=(cells,)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cells.waiting) == 1
    cells.end()
    (told,) = cells.told
    assert told == (
        "The session ended while this ran: 50 calls were refused. Calls worked until 14:02:07 UTC. "
        "Run oidc.sign_in(), then run it again."
    )


def test_a_cell_that_shows_the_exception_gets_no_sentence_and_neither_does_the_next() -> None:
    cells = Cells()
    cells.loss.worked()
    cells.end(refuse(cells))
    refuse(cells)
    cells.end()
    assert cells.told == []


def test_an_exception_that_comes_from_ours_counts_as_shown() -> None:
    cells = Cells()
    cells.loss.worked()
    try:
        raise RuntimeError("no report") from refuse(cells)
    except RuntimeError as error:
        cells.end(error)
    assert cells.told == []


def test_an_exception_of_another_cause_does_not_hide_the_sentence() -> None:
    cells = Cells()
    cells.loss.worked()
    refuse(cells)
    cells.end(ZeroDivisionError())
    assert len(cells.told) == 1


def test_nothing_is_told_once_a_call_has_worked_again() -> None:
    cells = Cells()
    cells.loss.worked()
    refuse(cells)
    cells.loss.worked()
    cells.end()
    assert cells.told == []


def test_the_next_loss_is_told_again() -> None:
    cells = Cells()
    for _ in range(2):
        cells.loss.worked()
        refuse(cells)
        cells.end()
    assert len(cells.told) == 2
    assert cells.told[0].startswith("The session ended while this ran: 1 call was refused.")
