"""Waits between two attempts at one call: short pauses are silent, a long one shows its reason and its length.

Interrupting the kernel ends a pause at once; the client can be used again afterwards.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from jupyter_oidc.kernel.display import Notice, waited_html, waiting_html
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from jupyter_oidc.kernel.retry_policy import Pause

SILENT_WAIT_SECONDS: Final = 2.0
"""Seconds that a call may wait in all without a notice."""

STEP_SECONDS: Final = 1.0
"""Seconds between two updates of a notice."""

_SHOWN_NOTICE_LOCK = threading.Lock()
"""Held by the call whose notice is shown: a hundred calls that wait for the same server need only one."""


class WaitNotice:
    """The pauses of one call; use it in a ``with`` statement, so that its notice never goes on counting."""

    def __init__(self) -> None:
        self._notice: Notice | None = None
        self._waited = 0.0
        self._why = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        if self._notice is not None:
            try:
                self._notice.show(waited_html(self._why, self._waited), "")
            finally:
                _SHOWN_NOTICE_LOCK.release()

    def steps(self, pause: Pause) -> Iterator[float]:
        """Yield the steps of ``pause`` in seconds; the caller sleeps for each, in its own way."""
        self._why = pause.why
        loud = self._waited + pause.seconds > SILENT_WAIT_SECONDS
        left = pause.seconds
        while left > 0:
            if loud:
                self._show(left)
            step = min(STEP_SECONDS, left)
            yield step
            self._waited += step
            left -= step

    def _show(self, left: float) -> None:
        if self._notice is None:
            if not _SHOWN_NOTICE_LOCK.acquire(blocking=False):
                return
            self._notice = Notice()
        text = self._why + " " + _("Trying again by itself for a while; interrupt to stop.")
        self._notice.show(waiting_html(self._why, left), text)
