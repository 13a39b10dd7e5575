"""Makes a value that fits a schema: what the document gives as an example, or else a small skeleton.

Schemas of real documents are recursive, and hostile ones multiply: each sample has a number of steps, and ends with them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.openapi_reader.references import Broken, below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_oidc.openapi_reader.references import References

MAX_STEPS: Final = 400
MAX_SAMPLE_DEPTH: Final = 6
MAX_PROPERTIES: Final = 20
MAX_SAMPLE_CHARACTERS: Final = 8_192

_FORMATS: Final = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "name@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "byte": "",
    "binary": "",
}


class _TooLarge(Exception):
    """A value has too many parts."""


class Samples:
    """The samples of one document."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._open: set[int] = set()
        """The schemas that a sample is being made of: a recursive one ends where it would begin again."""

    def of(self, holder: dict[str, Any], where: str) -> Any:
        """Return a sample for a parameter or media type: its own example, or one of its schema; ``None`` if there is none."""
        for value in self._own_examples(holder, where):
            try:
                return _plain(value)
            except _TooLarge:
                continue
        steps = iter(range(MAX_STEPS))
        try:
            return _plain(self._of_schema(holder.get("schema"), below(where, "schema"), steps, 0))
        except (_TooLarge, StopIteration):
            return None

    def type_of(self, schema: Any, where: str) -> str | None:
        """Return the type that ``schema`` names, the first one besides ``null``; raises ``Broken``."""
        schema = self._references.follow(schema, where)
        return _type_of(schema) if isinstance(schema, dict) else None

    def _own_examples(self, holder: dict[str, Any], where: str) -> Iterator[Any]:
        if "example" in holder:
            yield holder["example"]
        examples = holder.get("examples")
        for name, example in list(examples.items())[:3] if isinstance(examples, dict) else []:
            try:
                example = self._references.follow(example, below(where, "examples", name))  # noqa: PLW2901
            except Broken:
                continue
            if isinstance(example, dict) and "value" in example:
                yield example["value"]

    def _of_schema(self, schema: Any, where: str, steps: Iterator[int], depth: int) -> Any:
        next(steps)
        schema = self._references.follow(schema, where)
        if not isinstance(schema, dict) or depth > MAX_SAMPLE_DEPTH or id(schema) in self._open:
            return None
        self._open.add(id(schema))
        try:
            return self._of_own(schema, where, steps, depth)
        finally:
            self._open.discard(id(schema))

    def _of_own(self, schema: dict[str, Any], where: str, steps: Iterator[int], depth: int) -> Any:
        given = _given(schema)
        if given:
            return given[0]
        for word in ("oneOf", "anyOf"):
            parts = schema.get(word)
            if isinstance(parts, list) and parts and "properties" not in schema:
                chosen = next((one for one in parts if not _is_null(one)), parts[0])
                return self._of_schema(chosen, below(where, word, parts.index(chosen)), steps, depth + 1)
        match _type_of(schema):
            case "object":
                return self._of_object(schema, where, steps, depth)
            case "array":
                item = self._of_schema(schema.get("items"), below(where, "items"), steps, depth + 1)
                return [] if item is None else [item]
            case "integer":
                return int(_number_in(schema))
            case "number":
                return float(_number_in(schema))
            case "boolean":
                return False
            case "string":
                return _text_for(schema)
        return None

    def _of_object(self, schema: dict[str, Any], where: str, steps: Iterator[int], depth: int) -> dict[str, Any]:
        properties, required = self._properties(schema, where, steps, depth)
        chosen = {name: part for name, part in properties.items() if name in required} or properties
        made = {}
        for name, (part, place) in list(chosen.items())[:MAX_PROPERTIES]:
            if isinstance(part, dict) and part.get("readOnly") is True:
                continue
            value = self._of_schema(part, place, steps, depth + 1)
            if value is not None or name in required:
                made[name] = value
        return made

    def _properties(
        self, schema: dict[str, Any], where: str, steps: Iterator[int], depth: int
    ) -> tuple[dict[str, tuple[Any, str]], set[str]]:
        """Return the properties of ``schema`` and of the schemas in its ``allOf``, and the names of the required ones."""
        found: dict[str, tuple[Any, str]] = {}
        required: set[str] = set()
        parts = schema.get("allOf")
        for number, part in enumerate(parts if isinstance(parts, list) and depth <= MAX_SAMPLE_DEPTH else []):
            next(steps)
            place = below(where, "allOf", number)
            inner = self._references.follow(part, place)
            if isinstance(inner, dict):
                more, names = self._properties(inner, place, steps, depth + 1)
                found.update(more)
                required |= names
        own, demanded = schema.get("properties"), schema.get("required")
        for name, part in list(own.items())[: MAX_PROPERTIES * 10] if isinstance(own, dict) else []:
            found[name] = (part, below(where, "properties", name))
        required |= {name for name in demanded if isinstance(name, str)} if isinstance(demanded, list) else set()
        return found, required


def _given(schema: dict[str, Any]) -> list[Any]:
    """Return the value that the schema itself gives, in a list, or an empty one."""
    if "example" in schema:
        return [schema["example"]]
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        return [examples[0]]
    for word in ("const", "default"):
        if schema.get(word) is not None:
            return [schema[word]]
    values = schema.get("enum")
    return [next((one for one in values if one is not None), None)] if isinstance(values, list) and values else []


def _type_of(schema: dict[str, Any]) -> str | None:
    written = schema.get("type")
    if isinstance(written, list):
        written = next((word for word in written if word != "null"), None)
    if isinstance(written, str):
        return written[:40]
    if isinstance(schema.get("properties"), dict) or isinstance(schema.get("allOf"), list):
        return "object"
    return "array" if "items" in schema else None


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _number_in(schema: dict[str, Any]) -> float:
    low, above, high = (_number_or_none(schema.get(word)) for word in ("minimum", "exclusiveMinimum", "maximum"))
    if above is not None:
        return above + 1
    if low is not None:
        return low + 1 if schema.get("exclusiveMinimum") is True else low
    return 1.0 if high is None else min(1.0, high)


def _number_or_none(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if usable else None


def _text_for(schema: dict[str, Any]) -> str:
    shortest = schema.get("minLength")
    text = _FORMATS.get(str(schema.get("format")), "text")
    return text.ljust(min(shortest, 200), "x") if isinstance(shortest, int) else text


def _plain(value: Any) -> Any:
    """Return a copy of ``value``, which may consist of the same parts many times; raises ``_TooLarge``.

    Half a surrogate pair, which JSON can escape and UTF-8 cannot write, becomes a question mark.
    """
    steps = iter(range(MAX_STEPS))

    def copied(part: Any) -> Any:
        if next(steps, None) is None:
            raise _TooLarge
        if isinstance(part, dict):
            return {_in_utf8(name[:200]): copied(inner) for name, inner in part.items()}
        if isinstance(part, list):
            return [copied(inner) for inner in part]
        if isinstance(part, str) and len(part) > MAX_SAMPLE_CHARACTERS:
            raise _TooLarge
        return _in_utf8(part) if isinstance(part, str) else part

    made = copied(value)
    if len(json.dumps(made)) > MAX_SAMPLE_CHARACTERS:
        raise _TooLarge
    return made


def _in_utf8(text: str) -> str:
    return text.encode(errors="replace").decode()
