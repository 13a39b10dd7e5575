"""Session and call events through ``jupyter_events``, and audit lines in the server's log.

An event is a hint to read again: it holds names, stable reason codes and counters, nothing else (DESIGN 8).
Emitting never fails the caller; what cannot be emitted is logged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc import contract

if TYPE_CHECKING:
    import logging

    from jupyter_events import EventLogger

    from jupyter_oidc.proxy.ports import CallRecord
    from jupyter_oidc.sessions.ports import SessionEvent

SESSION_EVENTS: Final = "https://events.jupyter.org/jupyter_oidc/session/v1"
CALL_EVENTS: Final = "https://events.jupyter.org/jupyter_oidc/call/v1"


@dataclass(frozen=True, slots=True)
class EventJournal:
    """Implements ``Journal`` on the server's event logger and log."""

    events: EventLogger
    log: logging.Logger

    def register(self) -> None:
        """Make the server's event logger accept our events."""
        for schema in contract.event_schemas():
            self.events.register_event_schema(schema)

    def session(self, event: SessionEvent) -> None:
        """Publish a session event and write it to the audit trail."""
        self.log.info("jupyter_oidc: provider %s: %s (%s)", event.provider, event.kind, event.reason or "-")
        self._emit(SESSION_EVENTS, asdict(event))

    def call(self, record: CallRecord) -> None:
        """Publish one proxied call."""
        self._emit(CALL_EVENTS, asdict(record))

    def refusal(self, provider: str, flow: str, refused: str, detail: str) -> None:
        """Write a refusal with its reason code and correlation id to the audit trail (E-3, E-6)."""
        self.log.warning("jupyter_oidc: provider %s: refused: %s (%s) [%s]", provider, refused, detail, flow)

    def _emit(self, schema_id: str, data: dict[str, Any]) -> None:
        try:
            self.events.emit(schema_id=schema_id, data=data)
        except Exception as error:  # noqa: BLE001 - listeners are other people's code; a call must not fail for them
            self.log.warning("jupyter_oidc: an event could not be emitted (%s)", type(error).__name__)
