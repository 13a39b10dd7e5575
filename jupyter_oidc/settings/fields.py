"""The table of settings: each key is one entry, written beside its field in :mod:`jupyter_oidc.settings.model` (ADR 44).

An entry says the shape of the value, its default, its meaning, and whether a change of it widens what a session opens.
The reader, the JSON Schema for editors, ``config show`` and the reference page come from the entries.
Rules between two keys are code of the reader, and no part of an entry.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.settings.changes import Question

NAME_PATTERN: Final = "^[a-z0-9][a-z0-9_-]{0,62}$"
"""The pattern of the names of providers and APIs."""
URL_PATTERN: Final = "^[Hh][Tt][Tt][Pp][Ss]?://"
REFERENCE_PATTERN: Final = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:.+)$"
SCOPE_PATTERN: Final = r"^[\x21\x23-\x5b\x5d-\x7e]+$"
"""RFC 6749, 3.3: scope-token."""
MAX_SENT_WORDS: Final = 20

_WORD: Final[Mapping[str, Any]] = {"type": "string", "minLength": 1}
_ENTRY: Final = "entry"
_WIDENS: Final = "widens"
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_WORD_START: Final = re.compile(r"_([a-z0-9])")


@dataclass(frozen=True, slots=True)
class Text:
    """A printable, non-empty text; ``required`` says what to write where there is none, and is empty if there need be none."""

    required: str = ""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "string", "pattern": r"\S"}


@dataclass(frozen=True, slots=True)
class DisplayText:
    """A text that people are shown, printable and of at most ``max_characters``; it may hold brackets, unlike :class:`Text`."""

    max_characters: int

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "string", "pattern": r"\S", "maxLength": self.max_characters}


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute https URL; with ``query`` it may have one, because some providers name a policy there.

    ``plain_http`` says when plain http is admitted at a loopback host: where the developer switch is on, or always.
    """

    required: str = ""
    query: bool = False
    plain_http: Literal["for developers", "always"] = "for developers"

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "string", "pattern": URL_PATTERN}


@dataclass(frozen=True, slots=True)
class Flag:
    """``true`` or ``false``."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of ``options``; ``instead`` takes the place of their list in the message."""

    options: tuple[str, ...]
    instead: str = ""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"enum": list(self.options)}


@dataclass(frozen=True, slots=True)
class Seconds:
    """A number of seconds within limits."""

    low: float
    high: float

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class WholeSeconds:
    """A whole number of seconds without an upper limit."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "integer", "minimum": 0}


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number within limits."""

    low: int
    high: int

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Words:
    """A list of printable texts; ``options`` are the words that it may hold, if they are a closed list."""

    options: tuple[str, ...] = ()

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "array", "items": {"enum": list(self.options)} if self.options else _WORD}


@dataclass(frozen=True, slots=True)
class Scopes:
    """A list of scope tokens (RFC 6749, 3.3)."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "array", "items": {"type": "string", "pattern": SCOPE_PATTERN}}


@dataclass(frozen=True, slots=True)
class SentWords:
    """A list of at most :data:`MAX_SENT_WORDS` entries that is sent as one text with blanks in between; ``example`` is one for the message."""

    of: Literal["levels", "languages"]
    example: str

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "array", "items": _WORD, "maxItems": MAX_SENT_WORDS}


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret lies: ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/USER``; never the secret."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        return {"type": "string", "pattern": REFERENCE_PATTERN}


@dataclass(frozen=True, slots=True)
class PresetName:
    """The name of one of the presets that are installed."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of what the reader may accept."""
        # NOTE: here, because every start of a server would load this, and few settings name a preset.
        from jupyter_oidc.settings.presets import names

        return {"enum": list(names())}


@dataclass(frozen=True, slots=True)
class Own:
    """A value with code of its own in the reader; ``schema`` is the JSON Schema of what that code may accept."""

    schema: Mapping[str, Any]


Shape = (
    Text
    | DisplayText
    | Url
    | Flag
    | Choice
    | Seconds
    | WholeSeconds
    | Count
    | Words
    | Scopes
    | SentWords
    | Reference
    | PresetName
    | Own
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key; ``field`` is the field of the model that holds its value, ``None`` if the reader turns it into others.

    ``meaning`` is Markdown, and ``page`` what the reference page adds to it. ``unset`` is what the page says in the place of
    the default where leaving the key out means more than ``default``.
    """

    key: str
    field: str | None
    shape: Shape
    default: object
    meaning: str
    unset: str = ""
    page: str = ""
    deprecated: bool = False

    @property
    def sentence(self) -> str:
        """The meaning as a sentence, with the text of its links in their place."""
        text = _LINK.sub(r"\1", self.meaning)
        return f"{text[0].upper()}{text[1:]}."

    @property
    def required(self) -> str:
        """What to write where the key is missing; empty where it may be."""
        return self.shape.required if isinstance(self.shape, Text | Url) else ""

    @property
    def is_mapping(self) -> bool:
        """Whether the field holds a mapping, as a tuple of pairs."""
        return isinstance(self.shape, Own) and self.shape.schema["type"] == "object"


def entry(
    shape: Shape, widens: Question, meaning: str, *, unset: str = "", page: str = "", key: str = ""
) -> Mapping[str, object]:
    """Return the entry of a setting, as the metadata of its field; ``key`` is its name where the field has another."""
    return {_ENTRY: (key, shape, meaning, unset, page), _WIDENS: widens}


def camel_case(key: str) -> str:
    """Return ``key`` in the spelling of the desktop settings file."""
    return _WORD_START.sub(lambda part: part.group(1).upper(), key)


def no_key(widens: Question) -> Mapping[str, object]:
    """Return the metadata of a field that no key sets by itself."""
    return {_WIDENS: widens}


def questions(section: type[Any]) -> Mapping[str, Question]:
    """Return for each field of ``section`` the question whether its change widens."""
    return {one.name: one.metadata[_WIDENS] for one in dataclasses.fields(section)}


def entries(section: type[Any], without_field: Mapping[str, Setting]) -> tuple[Setting, ...]:
    """Return the settings of ``section`` in the order of its fields; those ``without_field`` follow the key that they stand under."""
    found: list[Setting] = []
    for one in dataclasses.fields(section):
        if _ENTRY not in one.metadata:
            continue
        key, shape, meaning, unset, page = one.metadata[_ENTRY]
        default = None if one.default is dataclasses.MISSING else one.default
        setting = Setting(key or one.name, one.name, shape, default, meaning, unset, page)
        found += [setting, *([without_field[setting.key]] if setting.key in without_field else [])]
    return tuple(found)


def either(words: tuple[str, ...], quote: str = "`") -> str:
    """Return ``words`` as the end of a sentence: "`a`, `b` or `c`"."""
    quoted = [f"{quote}{word}{quote}" for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]])
