"""Private names of jupyter_events: whether an event would reach anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jupyter_events import EventLogger

SEEN: Final = ("0.11.0", "0.12.1")


def has_listeners(events: EventLogger | object, schema_id: str) -> bool:
    """Return whether an event of ``schema_id`` would reach a listener or handler, as the logger itself decides it.

    A logger without these names is taken for one that has listeners: an event is made that nothing reads.
    """
    private: Any = events
    try:
        return bool(
            private._modified_listeners.get(schema_id)
            or private._unmodified_listeners.get(schema_id)
            or private.handlers
        )
    except AttributeError:
        return True
