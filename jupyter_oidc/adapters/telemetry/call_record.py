"""The record of one proxied call: its line in the log if it failed, its counters and its audit event.

Every front records its calls here, so that they look alike in the log and in the audit trail.
No part of the path, the query, a header or a body is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.telemetry.event_log import CallRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.problems import Problem
    from jupyter_oidc.proxy.request import Person

DEFECT: Final = "defect"
"""The code for a fault of ours, which has no ``Problem``."""


@dataclass(slots=True)
class CallRecord:
    """Collects the facts of a call to ``api``; ``kernel_id`` is ``None`` for a page's call.

    ``seconds`` returns the time since the call came in; ``person`` is that of the token that the call carries.
    """

    event_log: JupyterEventLog
    entropy: Entropy
    method: str
    seconds: Callable[[], float]
    kernel_id: str | None
    api: str
    person: Person | None = None
    sent_bytes: int = 0
    """Bytes of the answer's body, or of the messages of a WebSocket, that were sent to the client."""

    _code: str | None = None
    _request_id: str | None = None

    def fail(self, status: int, problem: Problem | None, request_id: str = "") -> None:
        """Log and count that the call ended in ``problem``, a defect if ``None`` (Q5.10).

        ``request_id`` is the id that the client was told, if it was told one.
        """
        self._code = problem.code if problem else DEFECT
        self._request_id = request_id or self.entropy.token(96)
        self.event_log.call_refused(
            CallRefused(
                api=self.api,
                method=self.method,
                kernel_id=self.kernel_id,
                status=status,
                error_code=self._code,
                detail=problem.detail if problem else DEFECT,
                seconds=self.seconds(),
                request_id=self._request_id,
            )
        )

    def write(self, status: int, outcome: str) -> None:
        """Add the call to the counters and the audit trail."""
        self.event_log.call(
            api=self.api,
            method=self.method,
            status=status,
            size=self.sent_bytes,
            seconds=self.seconds(),
            kernel_id=self.kernel_id,
            outcome=outcome,
            error_code=self._code,
            request_id=self._request_id,
            person=None if self.person is None else self.person.subject,
        )
