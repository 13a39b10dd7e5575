"""Law 8: nothing goes out or comes back unless listed.

Proved able to fail: the seeded open schema is caught; header lists are exercised in ``tests/unit/proxy``.
"""

from __future__ import annotations

from typing import Any

from jupyter_oidc import contract
from jupyter_oidc.proxy.headers import filter_request_headers, filter_response_headers


def open_objects(schema: Any, path: str = "") -> list[str]:
    """Paths of object schemas that would let an unlisted member through."""
    found = []
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("additionalProperties") is not False:
            found.append(path or "/")
        for key, value in schema.items():
            found += open_objects(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            found += open_objects(value, f"{path}/{number}")
    return found


def test_every_schema_is_closed() -> None:
    assert {
        name: open_objects(contract.schema(name)) for name in contract.names() if open_objects(contract.schema(name))
    } == {}


def test_a_seeded_open_schema_is_noticed() -> None:
    assert open_objects({"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}) == [
        "/",
        "/properties/a",
    ]


def test_an_unlisted_header_goes_nowhere() -> None:
    assert filter_request_headers([("X-Novelty", "1")]) == ([], ["X-Novelty"])
    assert "Novelty" not in dict(filter_response_headers([("Novelty", "1")]))
