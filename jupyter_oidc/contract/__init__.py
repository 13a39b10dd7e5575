"""The contract: JSON Schemas of every request and reply, and the events that we emit.

Both sides validate against the same files: the server its requests, the kernel helper (and, through
generated code, the front end) the replies.
Schemas are closed, so a field that is not listed cannot be sent by mistake.
This module refuses to know what the messages mean.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SUFFIX = ".schema.json"
_FOLDER = Path(__file__).parent


class ContractBroken(ValueError):
    """A message does not match its schema.

    ``where`` is the path of the offending member (``data.next``) and ``rule`` the schema rule it breaks.
    The text never contains the offending value.
    """

    def __init__(self, name: str, where: str, rule: str) -> None:
        self.name = name
        self.where = where
        self.rule = rule
        super().__init__(f"{name}: {where} breaks the rule '{rule}'")


def names() -> list[str]:
    """Return the names of all schemas, sorted: ``error``, ``session.reply``, ..."""
    return sorted(entry.name.removesuffix(_SUFFIX) for entry in _FOLDER.glob("*" + _SUFFIX))


@cache
def schema(name: str) -> Mapping[str, Any]:
    """Return the JSON Schema called ``name``; raises ``FileNotFoundError`` if there is none.

    A part that several schemas share is a file of its own: ``{"$ref": "strategy.json"}`` becomes its content.
    """
    return _read(name + _SUFFIX)


def _read(file: str) -> Mapping[str, Any]:
    text = (_FOLDER / file).read_text(encoding="utf-8")
    return cast(
        "Mapping[str, Any]", json.loads(text, object_hook=lambda part: _read(part["$ref"]) if "$ref" in part else part)
    )


@cache
def _validator(name: str) -> Callable[[object], object]:
    import fastjsonschema

    return cast("Callable[[object], object]", fastjsonschema.compile(dict(schema(name)), use_default=False))


def check(name: str, message: object) -> dict[str, Any]:
    """Return ``message`` if it matches the schema ``name``; raise :class:`ContractBroken` otherwise."""
    import fastjsonschema

    try:
        _validator(name)(message)
    except fastjsonschema.JsonSchemaValueException as broken:
        raise ContractBroken(name, _where(broken.path), str(broken.rule)) from None
    return cast("dict[str, Any]", message)


def _where(path: list[str]) -> str:
    """Join the offending path; a name that is not ours (an unexpected key) is not repeated."""
    return ".".join(str(part) for part in path) or "data"


def event_schemas() -> list[str]:
    """Return the text of every event schema, for ``EventLogger.register_event_schema``."""
    return [entry.read_text(encoding="utf-8") for entry in sorted((_FOLDER / "events").glob("*.yaml"))]
