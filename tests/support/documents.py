"""OpenAPI documents for tests."""

from __future__ import annotations

from typing import Any


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a document of version 3.1 with these paths."""
    return {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1.2.0"}, "paths": paths, **more}


def operation(**more: Any) -> dict[str, Any]:
    """Return an operation with a reply in JSON."""
    return {"responses": {"200": {"description": "", "content": {"application/json": {}}}}, **more}


ORDERS = document(
    {
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": operation(operationId="showOrder", summary="Show an order", tags=["orders"]),
            "delete": operation(operationId="dropOrder"),
        },
        "/orders": {
            "post": operation(
                operationId="addOrder",
                requestBody={
                    "required": True,
                    "content": {"application/json": {"example": {"item": "Gear", "quantity": 2}}},
                },
            )
        },
    }
)
"""Three operations, one of which the usual settings do not open."""
