"""One request to a provider and the reply to it, as values.

This module refuses to send anything; ``adapters/provider/provider_http.py`` does.
Secrets inside a :class:`Call` stay sealed in ``Secret`` until the adapter writes the bytes, and the body of a
:class:`Reply` is a ``Secret`` itself, because the body of a token response is a credential.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from jupyter_oidc.language import Sentence, sentence
from jupyter_oidc.secret_access import reveal, reveal_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.secret import Secret

MAX_JSON_BYTES: Final = 1_000_000
"""Largest reply body, in bytes, that is read from a provider (A20)."""

FormField = tuple[str, "str | Secret | Callable[[], Secret]"]
"""Name and value of a form field; a function is called each time, for a value that is good for one request (T-8)."""


class ReplyUnusable(ValueError):
    """A reply has not the requested form; ``fault`` describes it in our own words, without quoting the reply."""

    def __init__(self, fault: Sentence) -> None:
        self.fault = fault
        super().__init__(fault)


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """Client id and secret for ``client_secret_basic``.

    The adapter form-url-encodes each before joining them with a colon (RFC 6749, 2.3.1; T-4).
    """

    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to the provider.

    ``form`` becomes an ``application/x-www-form-urlencoded`` body, and ``json_body`` a JSON one in its place; ``bearer``
    becomes an ``Authorization`` header.
    ``proof`` becomes a ``DPoP`` header, and with it ``bearer`` goes out by the scheme ``DPoP`` (RFC 9449, 7.1).
    ``max_redirects`` is 0 wherever a credential travels (H-4, T-11).
    ``max_bytes`` bounds the reply body.
    ``endpoint`` is its name in the log.
    """

    method: Literal["GET", "POST"]
    url: str
    form: tuple[FormField, ...] = ()
    json_body: str | None = None
    basic: BasicCredentials | None = None
    bearer: Secret | None = None
    proof: Secret | None = None
    accept: str = "application/json"
    max_redirects: int = 0
    max_bytes: int = MAX_JSON_BYTES
    endpoint: str = "other"


@dataclass(frozen=True, slots=True)
class Reply:
    """The provider's reply: ``headers`` have lower-case names, ``body`` is sealed."""

    status: int
    body: Secret
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case; empty if none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_empty(self) -> bool:
        """Whether there is no body."""
        return not reveal(self.body)


def written(value: str | Secret | Callable[[], Secret]) -> str:
    """Return the text of a form field, unsealed or made now; the caller has to send it at once."""
    if isinstance(value, str):
        return value
    return reveal(value() if callable(value) else value)


def json_object(reply: Reply) -> dict[str, Any]:
    """Return the JSON object in the body of ``reply``.

    Duplicate member names, ``NaN`` and nesting beyond the parser's depth are refused.
    Raises :class:`ReplyUnusable`.
    """
    return parse_object(_text(reply))


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object of which only some members matter.

    A name that occurs twice has no member, because it is unknown which of the two is meant; ``doubled`` are those
    of the outermost object.
    """

    members: dict[str, Any] = field(repr=False)
    doubled: frozenset[str] = frozenset()


def tolerant_object(reply: Reply) -> Document:
    """Return the JSON object in the body of ``reply``, even if single members of it are faulty.

    For documents that peers extend as they like; the caller still has to judge each member that it reads, and half a
    surrogate pair may be in any text.
    Raises :class:`ReplyUnusable` for a body that is no JSON object at all.
    """
    doubled: frozenset[str] = frozenset()

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled  # NOTE: the outermost object comes last
        members = dict(pairs)
        doubled = frozenset()
        if len(members) != len(pairs):
            counted = Counter(name for name, _ in pairs)
            doubled = frozenset(name for name, count in counted.items() if count > 1)
        return {name: value for name, value in members.items() if name not in doubled}

    members = _parsed(_text(reply), once)
    return Document(members, doubled)


def parse_object(text: str) -> dict[str, Any]:
    """Parse ``text`` as one JSON object without duplicate members (RFC 8259, 4); else :class:`ReplyUnusable`.

    Half a surrogate pair is refused as well: such a text cannot be written as UTF-8 later.
    """
    value = _parsed(text, _unique)
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise ReplyUnusable(sentence("the body is not JSON")) from None
    return value


def _text(reply: Reply) -> str:
    """Return the body as text, less a byte order mark, which may be ignored (RFC 8259, 8.1)."""
    try:
        return reveal(reply.body).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ReplyUnusable(sentence("the body is not UTF-8")) from None


def _parsed(text: str, pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError) as broken:
        if isinstance(broken, ReplyUnusable):
            raise
        raise ReplyUnusable(sentence("the body is not JSON")) from None
    if not isinstance(value, dict):
        raise ReplyUnusable(sentence("the body is not a JSON object"))
    return value


def members_of(reply: Reply) -> Mapping[str, list[object]]:
    """Return every value of each member of the JSON object in the body of ``reply``, as tolerantly as possible.

    For tokens that must not be lost in an answer that every check refuses: a byte order mark, a member that occurs
    twice, and numbers that JSON does not allow are accepted. Raises :class:`ReplyUnusable` for a body that is no JSON
    object.
    """
    try:
        value = json.loads(reveal(reply.body).removeprefix("\ufeff"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, _Pairs):
        raise ReplyUnusable(sentence("the body is not a JSON object"))
    members: dict[str, list[object]] = {}
    for name, each in value.members:
        members.setdefault(name, []).append(each)
    return members


def names_member(reply: Reply, member: str) -> bool:
    """Return whether the body of ``reply`` names ``member``, even if it is truncated or damaged JSON."""
    return f'"{member}"'.encode() in reveal_bytes(reply.body)


class _Pairs:
    """All members of one JSON object, in order; a type of its own, to tell it from a JSON array."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        self.members = members


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ReplyUnusable(sentence("the JSON has duplicate members"))
    return members


def _no_constant(_: str) -> NoReturn:
    raise ReplyUnusable(sentence("the JSON holds a value that is not JSON"))
