"""Turns the bytes of a document into plain values: JSON, or YAML as far as it can be written in JSON.

A YAML document is built from the events of the parser, without tags, dates and other types of YAML: an alias is the same
object once more, so a document of aliases of aliases stays small here, and whoever walks through it counts the steps.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from jupyter_oidc.language import N_, Sentence, sentence

MAX_DEPTH: Final = 200
"""Levels of mappings and lists within each other."""

_MERGE: Final = "<<"
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,2})?\Z")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""The words of the core schema (YAML 1.2.2, 10.3.2); ``yes`` and ``no`` are text."""


class Fault(Exception):
    """The whole document cannot be read; ``fault`` is the end of a sentence that begins with the document."""

    def __init__(self, fault: Sentence) -> None:
        self.fault = fault
        super().__init__(fault)


def parsed(content: bytes) -> dict[str, Any]:
    """Return the document in ``content``; raises :class:`Fault`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Fault(sentence("it is no text in UTF-8 from byte {byte} on", byte=error.start + 1)) from None
    begin = text.lstrip()[:1]
    if not begin:
        raise Fault(sentence("it is empty"))
    if begin == "<":
        raise Fault(sentence("it is a page of HTML or XML, and no OpenAPI document"))
    document = _json(text) if begin in "{[" else _yaml(text)
    if not isinstance(document, dict):
        raise Fault(sentence("it is no OpenAPI document: its top level is no mapping"))
    return document


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_int=_number, parse_float=_number)
    except json.JSONDecodeError as error:
        raise Fault(
            sentence("it is no JSON at line {line}, column {column}", line=error.lineno, column=error.colno)
        ) from None
    except RecursionError:
        raise Fault(sentence("it is nested too deeply")) from None


def _number(digits: str) -> Any:
    """Return the number, or the digits as text if it is of a size that no API means."""
    if _INTEGER.match(digits):
        return int(digits)
    return float(digits) if _FLOAT.match(digits) else digits


def _yaml(text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(yaml)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            raise Fault(sentence("it is no YAML")) from None
        fault = sentence("it is no YAML at line {line}, column {column}", line=mark.line + 1, column=mark.column + 1)
        raise Fault(fault) from None
    except yaml.YAMLError:
        raise Fault(sentence("it is no YAML: it holds characters that YAML does not allow")) from None
    return builder.root


class _Builder:
    """Builds the first document of a stream of events."""

    def __init__(self, yaml: Any) -> None:
        self._yaml = yaml
        self._open: list[tuple[Any, list[Any], str | None]] = []
        """The collections that have begun: each with the key that waits for its value, and its anchor."""

        self._anchors: dict[str, Any] = {}
        self._documents = 0
        self.root: Any = None

    def take(self, event: Any) -> None:
        """Take one event."""
        yaml = self._yaml
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event.value) if event.implicit[0] else event.value
            self._add(value, event.anchor)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(self._open) >= MAX_DEPTH:
                _fail(N_("it is nested too deeply at line {line}, column {column}"), event)
            self._open.append(({} if isinstance(event, yaml.MappingStartEvent) else [], [], event.anchor))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            value, _, anchor = self._open.pop()
            self._add(value, anchor)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                _fail(
                    N_("it refers to '*{anchor}', which is not there or not complete, at line {line}, column {column}"),
                    event,
                    anchor=event.anchor[:40],
                )
            self._add(self._anchors[event.anchor], None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                _fail(N_("it holds a second document at line {line}, column {column}"), event)

    def _add(self, value: Any, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = value
        if not self._open:
            self.root = value
            return
        collection, waiting, _ = self._open[-1]
        if isinstance(collection, list):
            collection.append(value)
        elif not waiting:
            waiting.append(_key(value))
        else:
            _put(collection, waiting.pop(), value)


def _put(mapping: dict[str, Any], key: str, value: Any) -> None:
    """Add ``value``, or what it holds for the key ``<<``, which never replaces what is there."""
    if key != _MERGE:
        mapping[key] = value
        return
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict):
            for name, inherited in part.items():
                mapping.setdefault(name, inherited)


def _key(value: Any) -> str:
    """Return the key of a mapping as in JSON: statuses of replies are written as numbers."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if _INTEGER.match(text) or _FLOAT.match(text) else text


def _fail(template: str, event: Any, **facts: object) -> NoReturn:
    mark = event.start_mark
    raise Fault(Sentence(template, {"line": mark.line + 1, "column": mark.column + 1, **facts}))
