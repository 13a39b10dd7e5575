"""Events hold exactly the listed fields, and audit lines repeat them (DESIGN 8, E-3, E-4)."""

from __future__ import annotations

import asyncio
import logging
import warnings
from dataclasses import replace
from typing import Any

import pytest
from jupyter_events import EventLogger
from prometheus_client import REGISTRY

from jupyter_oidc.adapters.telemetry.event_log import MAX_PENDING_EVENTS, JupyterEventLog
from jupyter_oidc.clock import Moment
from jupyter_oidc.sessions.ports import SessionEvent

SESSION = "https://events.jupyter.org/jupyter_oidc/session/v1"
CALL = "https://events.jupyter.org/jupyter_oidc/call/v1"

CHANGED = SessionEvent(provider="corp", kind="signed-in", reason=None, sequence=7, at="2026-11-23T09:00:00Z")
NINE = 1_795_424_400.0
"""2026-11-23T09:00:00Z in seconds since 1970."""

ADDED_BY_JUPYTER = {"__timestamp__", "__schema__", "__schema_version__", "__metadata_version__"}


class Nine:
    """Clock that stands at nine o'clock."""

    def now(self) -> Moment:
        return Moment(NINE, 0.0)


class Heard:
    """Listener of one schema."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def __call__(self, logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        self.events.append({name: value for name, value in data.items() if name not in ADDED_BY_JUPYTER})


def recording() -> EventLogger:
    """Return a logger with a handler, as on a server that keeps its events; without one it ignores every event."""
    return EventLogger(handlers=[logging.NullHandler()])


def listened(schema: str) -> tuple[JupyterEventLog, Heard]:
    events, heard = recording(), Heard()
    event_log = JupyterEventLog(events, logging.getLogger("tests.event_log"), Nine())
    event_log.register()
    events.add_listener(schema_id=schema, listener=heard)
    return event_log, heard


def call(event_log: JupyterEventLog, **changed: Any) -> None:
    parts: dict[str, Any] = {
        "api": "orders",
        "method": "GET",
        "status": 200,
        "size": 512,
        "seconds": 0.25,
        "kernel_id": "k1",
        "outcome": "2xx",
    }
    event_log.call(**{**parts, **changed})


async def passed_on() -> None:
    await asyncio.sleep(0.1)


async def test_a_session_event_has_exactly_the_listed_fields() -> None:
    """DESIGN 8 lists the fields."""
    event_log, heard = listened(SESSION)
    event_log.session(CHANGED)
    await passed_on()
    assert heard.events == [
        {"provider": "corp", "kind": "signed-in", "reason": None, "sequence": 7, "at": "2026-11-23T09:00:00Z"}
    ]


async def test_a_call_event_has_exactly_the_listed_fields() -> None:
    """DESIGN 8 lists the fields."""
    event_log, heard = listened(CALL)
    call(event_log)
    await passed_on()
    assert heard.events == [
        {
            "api": "orders",
            "method": "GET",
            "status": 200,
            "bytes": 512,
            "duration": 0.25,
            "caller": "kernel",
            "kernel_id": "k1",
            "code": None,
            "request_id": None,
            "person": None,
            "at": "2026-11-23T09:00:00Z",
        }
    ]


@pytest.mark.parametrize(("includes_person", "named"), [(True, "ada"), (False, None)])
async def test_a_call_event_names_whose_token_the_call_carried_if_the_settings_say_so(
    includes_person: bool, named: str | None
) -> None:
    """Q5.10: the call hands the subject over; the event log does not ask who is signed in when the call ends."""
    event_log, heard = listened(CALL)
    event_log.includes_person = includes_person
    call(event_log, person="ada")
    await passed_on()
    assert [event["person"] for event in heard.events] == [named]


@pytest.mark.parametrize("schema", [SESSION, CALL])
async def test_the_public_schemas_refuse_a_field_that_nobody_listed(schema: str) -> None:
    """Law 8: a schema lists every field."""
    events = recording()
    JupyterEventLog(events, logging.getLogger("tests.event_log"), Nine()).register()
    assert events.schemas.get(schema)._schema["additionalProperties"] is False


async def test_events_go_out_under_registered_names_only(caplog: pytest.LogCaptureFixture) -> None:
    """The event logger drops an event under an unregistered name, with no more than a warning."""
    event_log, _ = listened(SESSION)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        event_log.session(CHANGED)
        call(event_log)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_an_event_that_cannot_be_emitted_does_not_fail_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    event_log, _ = listened(SESSION)
    event_log.session(replace(CHANGED, sequence="seven"))  # type: ignore[arg-type]
    assert caplog.messages[-1] == "jupyter_oidc: an event could not be emitted (ValidationError)"


async def test_a_session_change_is_a_line_of_the_audit_trail(caplog: pytest.LogCaptureFixture) -> None:
    """E-3: Refusals and session changes are recorded."""
    caplog.set_level(logging.INFO, "tests.event_log")
    event_log, _ = listened(SESSION)
    event_log.session(CHANGED)
    assert "jupyter_oidc: provider corp: signed-in (-)" in caplog.messages


async def test_a_refusal_is_a_warning_with_its_reason_and_correlation_id(caplog: pytest.LogCaptureFixture) -> None:
    """E-2: Every refusal has a stable reason code.

    E-3: Refusals and session changes are recorded.
    E-6: The reason shows without raising log levels.
    """
    event_log, _ = listened(SESSION)
    event_log.refusal("corp", "f-17", "id_token_rejected", "id_token.nonce")
    assert (caplog.records[-1].levelname, caplog.messages[-1]) == (
        "WARNING",
        "jupyter_oidc: provider corp: refused: id_token_rejected (id_token.nonce) [f-17]",
    )


async def test_calls_are_emitted_later_and_a_few_at_a_time() -> None:
    """A call does not wait for the listeners of its events."""
    event_log, heard = listened(CALL)
    for number in range(120):
        call(event_log, size=number)
    assert heard.events == []
    for _ in range(100):
        if len(heard.events) < 120:
            await passed_on()
    assert [event["bytes"] for event in heard.events] == list(range(120))


async def test_nothing_is_made_for_nobody() -> None:
    events = EventLogger()
    event_log = JupyterEventLog(events, logging.getLogger("tests.event_log"), Nine())
    event_log.register()
    call(event_log)
    assert len(event_log._pending) == 0


async def test_what_nobody_reads_in_time_is_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    event_log, _ = listened(CALL)
    for _ in range(MAX_PENDING_EVENTS + 3):
        call(event_log)
    assert len(event_log._pending) == MAX_PENDING_EVENTS
    event_log.emit_all()
    assert "jupyter_oidc: 3 call events were dropped; nobody reads them fast enough" in caplog.messages


async def test_calls_and_sessions_are_counted_for_the_metrics_of_the_server() -> None:
    """DESIGN 8 lists the counters."""

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    event_log, _ = listened(SESSION)
    calls = {"api": "counted", "caller": "kernel", "outcome": "2xx"}
    before = value("jupyter_oidc_session_events_total", provider="corp", kind="signed-in")
    call(event_log, api="counted")
    call(event_log, api="counted", size=0)
    event_log.session(CHANGED)
    event_log.refusal("counted", "f", "id_token_rejected", "id_token.nonce")
    assert value("jupyter_oidc_calls_total", **calls) == 2
    assert value("jupyter_oidc_reply_bytes_total", api="counted") == 512
    assert value("jupyter_oidc_session_events_total", provider="corp", kind="signed-in") == before + 1
    assert value("jupyter_oidc_refusals_total", provider="counted", code="id_token_rejected") == 1
