"""The operations of one API as values, and the judge of the answer of the process that reads documents.

That process reads what strangers wrote with a parser in C: nothing of its answer is believed but what has its form here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from jupyter_oidc.language import Sentence
from jupyter_oidc.protocol.json_value import writable

if TYPE_CHECKING:
    from collections.abc import Iterable

Place = Literal["path", "query", "header", "cookie"]
Obstacle = Literal["method", "path", "caller"]
ReplyKind = Literal["json", "text", "none"]

MAX_TEXT_CHARACTERS: Final = 2_000
MAX_LISTED: Final = 2_000
"""Operations, problems and parameters of one list."""

MAX_VALUE_PARTS: Final = 1_000
_METHOD: Final = re.compile(r"[A-Z]{3,8}")
_VERSION: Final = re.compile(r"3\.[01]\.[0-9]{1,3}")
_MEDIA_TYPE: Final = re.compile(r"[\x21-\x7e]{1,200}")


class AnswerUnusable(ValueError):
    """The answer of the reading process has another form than it may have."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``sample`` is a value of JSON that fits, or ``None``; ``is_joined``: a list is one value with commas."""

    name: str
    place: Place
    required: bool
    type: str | None = None
    description: str | None = None
    sample: Any = field(default=None, hash=False)
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request; ``sample`` is a value of JSON that fits, or ``None``."""

    media_type: str
    required: bool
    sample: Any = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; ``path`` is relative to the API's address and holds its parameters in braces.

    ``obstacle`` is the setting of the API that does not open it, ``reply`` what a reply of success brings.
    """

    method: str
    path: str
    id: str | None = None
    summary: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    reply: ReplyKind = "text"
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """A part of the document that could not be used; ``where`` is its JSON pointer."""

    where: str
    message: Sentence


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What was read of a document; ``operations_more`` are operations beyond the limit."""

    title: str
    version: str
    openapi: str
    operations: tuple[Operation, ...] = ()
    problems: tuple[DocumentProblem, ...] = ()
    operations_more: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The document cannot be read; ``fault`` is the end of a sentence that begins with the document."""

    fault: Sentence


def read_answer(lines: Iterable[Any]) -> ReadDocument | Unreadable:
    """Return what the lines of the answer say; raises :class:`AnswerUnusable`."""
    entries = iter(lines)
    head = _mapping(next(entries, None))
    if "fault" in head:
        return Unreadable(_heard(head["fault"], head.get("fault_sentences")))
    document, more = _mapping(head.get("document")), head.get("operations_more")
    version = _text(document.get("openapi"))
    if not _VERSION.fullmatch(version) or type(more) is not int or more < 0:
        raise AnswerUnusable
    return ReadDocument(
        title=_text(document.get("title")),
        version=_text(document.get("version")),
        openapi=version,
        operations=tuple(_operation(_mapping(one)) for one in entries),
        problems=tuple(
            DocumentProblem(_text(one.get("where")), _heard(one.get("message"), one.get("message_sentences")))
            for one in map(_mapping, _list(head.get("problems")))
        ),
        operations_more=more,
    )


def _operation(entry: dict[str, Any]) -> Operation:
    method, path, reply = _text(entry.get("method")), _text(entry.get("path")), entry.get("reply")
    if not _METHOD.fullmatch(method) or not path.startswith("/") or reply not in get_args(ReplyKind):
        raise AnswerUnusable
    body = entry.get("body")
    return Operation(
        method=method,
        path=path,
        id=_text_or_none(entry.get("id")),
        summary=_text_or_none(entry.get("summary")),
        description=_text_or_none(entry.get("description")),
        tags=tuple(_text(tag) for tag in _list(entry.get("tags"))),
        deprecated=entry.get("deprecated") is True,
        parameters=tuple(_parameter(_mapping(one)) for one in _list(entry.get("parameters"))),
        body=None if body is None else _body(_mapping(body)),
        reply=cast("ReplyKind", reply),
    )


def _parameter(entry: dict[str, Any]) -> Parameter:
    place = entry.get("in")
    if place not in get_args(Place):
        raise AnswerUnusable
    return Parameter(
        name=_text(entry.get("name"), least=1),
        place=cast("Place", place),
        required=entry.get("required") is True,
        type=_text_or_none(entry.get("type")),
        description=_text_or_none(entry.get("description")),
        sample=_limited(entry.get("sample")),
        is_joined=entry.get("joined") is True,
    )


def _body(entry: dict[str, Any]) -> Body:
    media_type = _text(entry.get("media_type"))
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise AnswerUnusable
    return Body(media_type, entry.get("required") is True, _limited(entry.get("sample")))


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise AnswerUnusable
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise AnswerUnusable
    return value


def _text(value: Any, *, least: int = 0) -> str:
    if not isinstance(value, str) or not least <= len(value) <= MAX_TEXT_CHARACTERS or not value.isprintable():
        raise AnswerUnusable
    return value


def _heard(value: Any, sentences: Any) -> Sentence:
    """Return a text as the sentence that ``sentences`` make, which may hold one line and no more."""
    text = _text(value, least=1)
    parts = [_mapping(one) for one in _list(sentences)]
    if len(parts) != 1:
        raise AnswerUnusable
    template, params = _text(parts[0].get("id"), least=1), _mapping(parts[0].get("params"))
    told = Sentence(template, {name: fact if type(fact) is int else _text(fact) for name, fact in params.items()})
    if told != text:
        raise AnswerUnusable
    return told


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _limited(value: Any) -> Any:
    """Return ``value`` if it has few parts, and texts that can be written as UTF-8: a call could not send another."""
    waiting, parts = [value], 0
    while waiting:
        parts += 1
        part = waiting.pop()
        if parts > MAX_VALUE_PARTS:
            raise AnswerUnusable
        if isinstance(part, (dict, list)):
            waiting += part.values() if isinstance(part, dict) else part
    if not writable(value):
        raise AnswerUnusable
    return value
