"""Tells once that the session ended while code ran: in the exception that a cell ends with, or else below the cell.

An exception belongs to one call. A loop that catches it and goes on, a pool of threads and a group of tasks have many
of them, which a cell shows many times or never; the sentence below the cell counts them. A cell that ends with one of
them shows that one and no sentence. After a call has worked again, nothing is told.
It knows what this process has seen and asks the server nothing.
"""

from __future__ import annotations

import sys
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from jupyter_oidc.kernel.display import Notice, ended_html
from jupyter_oidc.kernel.errors import NotSignedIn, OIDCError, SessionExpired
from jupyter_oidc.language import _, counted, told

if TYPE_CHECKING:
    from collections.abc import Callable


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class SessionLoss:
    """Counts the calls of this process that are refused for want of a session, after calls that worked.

    ``on_end_of_cell`` is called with a function, and calls that with the result of the cell that ends next.
    """

    def __init__(
        self,
        on_end_of_cell: Callable[[Callable[[Any], None]], bool] | None = None,
        tell: Callable[[str], None] | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._on_end_of_cell = on_end_of_cell or call_at_end_of_cell
        self._tell = tell or _show
        self._now = now
        self._lock = threading.Lock()
        self._worked_at: datetime | None = None
        self._refusals = 0
        self._is_waiting = False

    def worked(self) -> None:
        """Record that a call got through to its API."""
        with self._lock:
            self._worked_at = self._now()
            self._refusals = 0

    def refused(self, error: OIDCError) -> OIDCError:
        """Return ``error``; if a session ended between calls, with the time until which they worked."""
        if not isinstance(error, NotSignedIn | SessionExpired):
            return error
        with self._lock:
            if self._worked_at is None:
                return error
            self._refusals += 1
            error.message = f"{error.message} {_until(self._worked_at)}"
            if not self._is_waiting:
                self._is_waiting = self._on_end_of_cell(self._cell_ended)
        return error

    def _cell_ended(self, result: Any) -> None:
        with self._lock:
            self._is_waiting = False
            count, until, self._refusals = self._refusals, self._worked_at, 0
            if count == 0 or until is None:
                return
            self._worked_at = None
        if not _shows_refusal(result):
            refused = counted(
                count,
                "The session ended while this ran: {number} call was refused.",
                "The session ended while this ran: {number} calls were refused.",
            )
            self._tell(" ".join([told(refused), _until(until), _("Run oidc.sign_in(), then run it again.")]))


def call_at_end_of_cell(function: Callable[[Any], None]) -> bool:
    """Call ``function`` once, when the running or next cell of IPython ends; return whether there is an IPython."""
    interactive = sys.modules.get("IPython.core.interactiveshell")
    if interactive is None or not interactive.InteractiveShell.initialized():
        return False
    events = interactive.InteractiveShell.instance().events

    def once(result: Any) -> None:
        events.unregister("post_run_cell", once)
        function(result)

    events.register("post_run_cell", once)
    return True


def _show(text: str) -> None:
    Notice().show(ended_html(text), text)


def _until(moment: datetime) -> str:
    return _("Calls worked until {time} UTC.", time=moment.strftime("%H:%M:%S"))


def _shows_refusal(result: Any) -> bool:
    """Return whether the cell ended with an exception that is, or comes from, one of the refusals."""
    error, seen = getattr(result, "error_in_exec", None), set[int]()
    while isinstance(error, BaseException) and id(error) not in seen:
        if isinstance(error, NotSignedIn | SessionExpired):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
