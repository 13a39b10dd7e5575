"""The events of a broker: lines in the form of ``jupyter_events``, checked against the same schemas."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import fastjsonschema
import pytest
from jupyter_events import EventLogger

from jupyter_oidc import contract
from jupyter_oidc.adapters.telemetry.event_lines import EventLines
from jupyter_oidc.adapters.telemetry.event_log import CALL_EVENTS, SESSION_EVENTS
from jupyter_oidc.clock import SystemClock
from jupyter_oidc.compat.jupyter_events import has_listeners

CALL: dict[str, Any] = {
    "api": "orders",
    "method": "GET",
    "status": 200,
    "bytes": 12,
    "duration": 0.01,
    "caller": "kernel",
    "kernel_id": "k1",
    "code": None,
    "request_id": None,
    "person": None,
    "at": "2026-11-30T22:00:00Z",
    "account": "hub:ada",
}
SESSION: dict[str, Any] = {
    "provider": "corp",
    "kind": "signed-in",
    "reason": None,
    "sequence": 1,
    "at": "2026-11-30T22:00:00Z",
    "account": "hub:ada",
}


def lines() -> tuple[EventLines, io.StringIO]:
    stream = io.StringIO()
    made = EventLines(stream, SystemClock())
    for schema in contract.event_schemas():
        made.register_event_schema(schema)
    return made, stream


@pytest.mark.parametrize(("schema", "data"), [(CALL_EVENTS, CALL), (SESSION_EVENTS, SESSION)])
def test_a_line_is_what_jupyter_events_writes(schema: str, data: dict[str, Any]) -> None:
    ours, stream = lines()
    ours.emit(schema_id=schema, data=data)
    theirs = io.StringIO()
    events = EventLogger(handlers=[logging.StreamHandler(theirs)])
    for one in contract.event_schemas():
        events.register_event_schema(one)
    events.emit(schema_id=schema, data=data)
    mine, other = (json.loads(text.getvalue()) for text in (stream, theirs))
    assert [*mine] == [*other]
    assert {**mine, "__timestamp__": ""} == {**other, "__timestamp__": ""}
    assert len(mine["__timestamp__"]) == len(other["__timestamp__"])
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    "changed", [{"status": "200"}, {"caller": "nobody"}, {"token": "t"}, {"api": None}], ids=lambda one: next(iter(one))
)
def test_an_event_that_its_schema_does_not_describe_is_not_written(changed: dict[str, Any]) -> None:
    ours, stream = lines()
    with pytest.raises(fastjsonschema.JsonSchemaException):
        ours.emit(schema_id=CALL_EVENTS, data={**CALL, **changed})
    with pytest.raises(KeyError):
        ours.emit(schema_id="https://example.com/unknown", data=CALL)
    assert stream.getvalue() == ""


def test_a_broker_has_a_reader_of_events_always() -> None:
    assert has_listeners(lines()[0], CALL_EVENTS)
