"""Session and call events through ``jupyter_events``, counters, and audit lines in the server's log.

An event is a hint to read again: it holds names, stable reason codes and counters, nothing else (DESIGN 8).
Emitting never fails the caller; an event that cannot be emitted is logged.
Calls are counted at once and emitted later, a few at a time, and only if a listener is registered: a proxied call
never waits for listeners.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc import contract
from jupyter_oidc.adapters.telemetry.metrics import count_call, count_call_refusal, count_refusal, count_session
from jupyter_oidc.adapters.telemetry.named_log import PROXY, SESSIONS
from jupyter_oidc.clock import utc_text
from jupyter_oidc.compat.jupyter_events import has_listeners

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from jupyter_oidc.adapters.telemetry.event_lines import EventLines
    from jupyter_oidc.background import Defect
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.sessions.ports import SessionEvent

SESSION_EVENTS: Final = "https://events.jupyter.org/jupyter_oidc/session/v1"
CALL_EVENTS: Final = "https://events.jupyter.org/jupyter_oidc/call/v1"

MAX_PENDING_EVENTS: Final = 10_000
"""Call events that wait to be emitted; beyond that the oldest are dropped, and the log says how many."""

EVENTS_PER_BATCH: Final = 50
"""Call events that are emitted in one batch."""

BATCH_PAUSE_SECONDS: Final = 0.02
"""Seconds between two batches, in which the event loop does other work."""


@dataclass(frozen=True, slots=True)
class CallRefused:
    """A proxied call that failed here or on its way: the caller, the API, and why it failed.

    ``api`` is empty where the call names none that is configured. ``error_code`` and ``detail`` are those of the
    ``Problem``; ``status`` is that of the caller's reply, ``seconds`` the duration.
    """

    api: str
    method: str
    kernel_id: str | None
    status: int
    error_code: str
    detail: str
    seconds: float
    request_id: str


class JupyterEventLog:
    """Implements ``EventLog`` on the server's event logger and log; at a broker for one ``account``, which is named.

    Call events name the person only if it ``includes_person``.
    """

    includes_person = False

    def __init__(
        self, events: EventLogger | EventLines, log: logging.Logger, clock: Clock, account: str | None = None
    ) -> None:
        self.events: Any = events
        self.log = log
        self._account = account
        self._prefix = "jupyter_oidc: " if account is None else f"jupyter_oidc: account {account}: "
        self._session_log = log.getChild(SESSIONS)
        self._call_log = log.getChild(PROXY)
        self._clock = clock
        self._pending: deque[tuple[float, dict[str, Any]]] = deque()
        self._dropped = 0
        self._timer: asyncio.TimerHandle | None = None

    def register(self) -> None:
        """Make the server's event logger accept our events."""
        for schema in contract.event_schemas():
            self.events.register_event_schema(schema)

    def session(self, event: SessionEvent) -> None:
        """Publish a session event and write it to the audit trail."""
        self._session_log.info("%sprovider %s: %s (%s)", self._prefix, event.provider, event.kind, event.reason or "-")
        count_session(event.provider, event.kind)
        self._emit(SESSION_EVENTS, asdict(event))

    def call(
        self,
        *,
        api: str,
        method: str,
        status: int,
        size: int,
        seconds: float,
        kernel_id: str | None,
        outcome: str,
        error_code: str | None = None,
        request_id: str | None = None,
        person: str | None = None,
    ) -> None:
        """Count one proxied call of ``size`` bytes that took ``seconds``, and publish it soon if there are listeners.

        ``error_code`` and ``request_id`` are those of the line that :meth:`call_refused` has written, if it has;
        ``person`` is the subject of the token that the call carried; another person may be signed in when it ends.
        """
        caller = "browser" if kernel_id is None else "kernel"
        count_call(api, caller, outcome, size)
        if not has_listeners(self.events, CALL_EVENTS):  # asked before an event is made
            return
        if len(self._pending) >= MAX_PENDING_EVENTS:
            self._pending.popleft()
            self._dropped += 1
        event = {
            "api": api,
            "method": method,
            "status": status,
            "bytes": size,
            "duration": round(seconds, 6),
            "caller": caller,
            "kernel_id": kernel_id,
            "code": error_code,
            "request_id": request_id,
            "person": person if self.includes_person else None,
        }
        self._pending.append((self._clock.now().wall, event))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_PAUSE_SECONDS, self._emit_some)

    def refusal(self, provider: str, flow: str, refused: str, detail: str) -> None:
        """Write a refusal with its reason code and correlation id to the audit trail (E-3, E-6)."""
        count_refusal(provider, refused)
        self._session_log.warning("%sprovider %s: refused: %s (%s) [%s]", self._prefix, provider, refused, detail, flow)

    def call_refused(self, call: CallRefused) -> None:
        """Write a proxied call that failed to the audit trail, in one line, and count it (Q5.10)."""
        if call.api:
            count_call_refusal(call.api, call.error_code)
        level = logging.ERROR if call.status == 500 else logging.WARNING
        self._call_log.log(
            level,
            "%sapi %s: refused: %s (%s) %s by %s, %s in %.0fms [%s]",
            self._prefix,
            call.api or "-",
            call.error_code,
            call.detail,
            call.method,
            "browser" if call.kernel_id is None else f"kernel {call.kernel_id}",
            call.status,
            1000 * call.seconds,
            call.request_id,
        )

    def notice(self, text: str) -> None:
        """Log a remark about the settings for their administrator; ``text`` is ours."""
        self.log.warning("%s%s", self._prefix, text)

    def defect(self, about: str, defect: Defect) -> None:
        """Write a defect of ours to the log: type, file and line, but not its text, which may hold a secret."""
        self.log.error("%s%s: a defect in background work: %s at %s", self._prefix, about, defect.kind, defect.place)

    def emit_all(self) -> None:
        """Emit all pending events, before the server stops."""
        while self._pending:
            self._emit_some()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _emit_some(self) -> None:
        for _ in range(min(EVENTS_PER_BATCH, len(self._pending))):
            wall, event = self._pending.popleft()
            self._emit(CALL_EVENTS, {**event, "at": utc_text(wall)})
        if self._dropped:
            self._call_log.warning(
                "jupyter_oidc: %d call events were dropped; nobody reads them fast enough", self._dropped
            )
            self._dropped = 0
        self._timer = (
            asyncio.get_running_loop().call_later(BATCH_PAUSE_SECONDS, self._emit_some) if self._pending else None
        )

    def _emit(self, schema_id: str, data: dict[str, Any]) -> None:
        named = data if self._account is None else {**data, "account": self._account}
        try:
            self.events.emit(schema_id=schema_id, data=named)
        except Exception as error:  # noqa: BLE001 - listeners are other people's code; a call must not fail for them
            self.log.warning("jupyter_oidc: an event could not be emitted (%s)", type(error).__name__)
