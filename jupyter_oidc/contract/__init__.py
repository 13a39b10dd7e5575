"""The contract: JSON Schemas of every request and reply, and the events that we emit.

Both sides validate against the same files: the server its requests, the kernel helper and the command line (and,
through generated code, the front end) the replies.
Schemas are closed, so a field that is not listed cannot be sent by mistake; ``reader`` takes what it knows of a reply
that another version wrote, and ``version`` has the number of the contract.
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


def compiled(of: Mapping[str, Any]) -> Callable[[object], object]:
    """Return a function that raises for a message that does not match the schema ``of``; see :func:`validated`."""
    import fastjsonschema

    return cast("Callable[[object], object]", fastjsonschema.compile(dict(of), use_default=False))


@cache
def _validator(name: str) -> Callable[[object], object]:
    return compiled(schema(name))


def check(name: str, message: object) -> dict[str, Any]:
    """Return ``message`` if it matches the schema ``name`` to the letter; raise :class:`ContractBroken` otherwise."""
    return validated(name, _validator(name), message)


def validated(name: str, validator: Callable[[object], object], message: object) -> dict[str, Any]:
    """Return ``message`` if ``validator`` accepts it; raise :class:`ContractBroken` of the contract ``name`` otherwise."""
    import fastjsonschema

    try:
        validator(message)
    except fastjsonschema.JsonSchemaValueException as broken:
        raise ContractBroken(name, _where(broken.path), str(broken.rule)) from None
    return cast("dict[str, Any]", message)


def _where(path: list[str]) -> str:
    """Join the offending path; a name that is not ours (an unexpected key) is not repeated."""
    return ".".join(str(part) for part in path) or "data"


def event_schemas() -> list[str]:
    """Return the text of every event schema, for ``EventLogger.register_event_schema``."""
    return [entry.read_text(encoding="utf-8") for entry in sorted((_FOLDER / "events").glob("*.yaml"))]
