"""Reads one mapping of the settings by the table of its keys, and collects every mistake (D8, ADR 44).

What a value has to be is in the entry of its key; what two keys have to do with each other is not known here.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jupyter_oidc.language import N_, Sentence, joined, sentence
from jupyter_oidc.settings.fields import (
    MAX_SENT_WORDS,
    Choice,
    Count,
    DisplayText,
    Flag,
    Reference,
    Scopes,
    Seconds,
    SentWords,
    Setting,
    Text,
    Url,
    WholeSeconds,
    Words,
)
from jupyter_oidc.settings.finding import Finding, Kind
from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS
from jupyter_oidc.settings.secret_reference import read_secret_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}\Z")
"""The pattern of names that messages may repeat."""

KEY: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,41}\Z")
"""The pattern of keys that messages may repeat."""

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749, 3.3: scope-token
_LOCALE: Final = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*\Z")  # RFC 5646, 2.1
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_PLACEHOLDER: Final = re.compile(r"\{[A-Za-z_ -]*\}|<[A-Za-z_ -]*>")
_SAME: Final = object()


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the settings, and the list that its findings go to."""

    findings: list[Finding]
    path: str

    def add(self, key: str, problem: str, instead: str, kind: Kind = "malformed") -> None:
        """Add a finding about ``key`` at this place."""
        self.findings.append(Finding(f"{self.path}.{key}" if key else self.path, problem, instead, kind))


@dataclass(slots=True)
class KeyReader:
    """Reads one mapping key by key, each once; ``table`` holds the keys that it may have.

    With ``loopback_http`` plain http is admitted at loopback hosts, as the developer switch says.
    """

    at: Location
    body: dict[str, Any]
    table: Mapping[str, Setting]
    loopback_http: bool = False
    _values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Mapping[Any, Any], at: Location, settings: tuple[Setting, ...]) -> KeyReader:
        """Return the reader of ``body``, whose keys may be written in either spelling."""
        snake: dict[str, Any] = {}
        for number, (key, value) in enumerate(body.items(), 1):
            written = display_name(key, number, KEY)
            name = _CAMEL.sub(lambda found: "_" + found.group(1).lower(), written)
            if name in snake:
                at.add(name, N_("is written twice, in two spellings"), N_("Keep one of them."), "contradictory")
            snake[name] = value
        return cls(at, snake, {one.key: one for one in settings})

    def fill_defaults(self, defaults: Mapping[str, Any]) -> None:
        """Fill in the keys that are missing."""
        self.body = {**defaults, **{key: value for key, value in self.body.items() if value is not None}}

    def take(self, key: str) -> Any:
        """Return what is written at ``key``, unchecked; ``None`` if nothing is."""
        return self.body.get(key)

    def value(self, key: str, default: Any = _SAME) -> Any:
        """Return the value of ``key`` by its entry; ``default`` takes the place of the entry's where it is inherited."""
        if key not in self._values:
            setting = self.table[key]
            usual = setting.default if default is _SAME else default
            self._values[key] = _READERS[type(setting.shape)](self, key, setting.shape, usual)
        return self._values[key]

    def fields(self, own: Mapping[str, Callable[[], Any]], done: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of the model that keys fill, read in the order of the table.

        ``done`` are those that have been read, and ``own`` those with code of their own.
        """
        read = dict(done)
        for key, setting in self.table.items():
            if setting.field is not None and setting.field not in read:
                read[setting.field] = own[key]() if key in own else self.value(key)
        return read

    def text(self, key: str, *, required: str = "") -> str | None:
        """Read a text; ``required`` says what to write if there is none, and is empty where there need be none."""
        value = self.take(key)
        if value is None:
            if required:
                self.at.add(key, N_("is missing"), required, "missing")
            return None
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            kind: Kind = "missing" if isinstance(value, str) and not value.strip() else "malformed"
            self.at.add(key, N_("is not a printable, non-empty text"), N_("Write it in quotes."), kind)
            return None
        if _PLACEHOLDER.search(value):
            instead = N_("Write your own value in its place, without the brackets.")
            self.at.add(key, N_("still holds a placeholder"), instead, "missing")
            return None
        return value

    def choice(self, key: str, default: str | None, options: tuple[str, ...], instead: str = "") -> Any:
        """Read one of ``options``; ``instead`` takes the place of their list in the message."""
        value = self.take(key)
        if value is None or (isinstance(value, str) and value in options):
            return default if value is None else value
        problem = N_("is not one of the allowed values")
        kind: Kind = "malformed"
        if not instead and isinstance(value, str) and value.lower() == "none" and key.endswith("_response_alg"):
            problem, kind = N_("would let unsigned tokens in"), "unsafe"
        of_list = sentence("Write one of: {options}.", options=", ".join(options))
        self.at.add(key, problem, instead or of_list, kind)
        return default

    def words(self, key: str, default: Any = ()) -> Any:
        """Read a list of texts as a tuple."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
            self.at.add(key, N_("is not a list"), such_as(list(default or ()) or ["a", "b"]))
            return default
        if not all(isinstance(word, str) and word and word.isprintable() for word in value):
            self.at.add(key, N_("holds something that is not text"), N_("Write a list of quoted words."))
            return default
        return tuple(value)

    def finish(self) -> None:
        """Report every key that the table does not have."""
        for key in self.body:
            if key not in self.table:
                close = difflib.get_close_matches(key, self.table, n=1)
                hint = sentence("Did you mean '{nearest}'?", nearest=close[0]) if close else N_("Remove it.")
                self.at.add(key, N_("is not a known key"), hint)


def check_url(at: Location, key: str, url: str, *, loopback_http: bool, query: bool = False) -> None:
    """Report everything about ``url`` that could send a token to the wrong place; never quote it.

    ``query`` says that it may have one: some providers name a policy there.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = url.isascii() and not re.search(r"[\s\\]", url)
    if not host or parts.scheme not in ("https", "http") or port == 0 or not plain:
        at.add(key, N_("is not an absolute URL"), N_("Write https://host/..."))
        return
    if "@" in parts.netloc:
        at.add(key, N_("holds a user name or password"), N_("Remove it; secrets never stand in a URL."), "unsafe")
    if parts.scheme == "http" and not (loopback_http and host in LOOPBACK_HOSTS):
        loopback = host in LOOPBACK_HOSTS
        developing = N_("While developing, set 'allow_insecure_loopback': True.") if loopback else None
        hint = joined(N_("Write https."), developing)
        at.add(key, N_("is not https"), hint, "unsafe")
    if query and "#" in url:
        at.add(key, N_("holds a fragment"), N_("Remove everything from '#' on."))
    if not query and (parts.query or parts.fragment or "?" in url or "#" in url):
        at.add(key, N_("holds a query or a fragment"), N_("Remove everything from '?' or '#' on."))
    if re.search(r"[%;]|/\.\.?(/|\Z)", parts.path) or "//" in parts.path:
        at.add(key, N_("has a path with dot segments, escapes or empty segments"), N_("Write a plain path."), "unsafe")


def such_as(example: object) -> Sentence:
    """Return what to write, by an ``example``."""
    return sentence("Write for example {example}.", example=str(example))


def display_name(key: object, number: int, harmless: re.Pattern[str]) -> str:
    """Return ``key`` if it looks like one of ours or like a typing mistake; else say only where it stands.

    A secret that somebody pasted in the place of a key is not repeated, and no line break reaches a log.
    """
    return key if isinstance(key, str) and harmless.match(key) else f"(entry {number})"


def _text(keys: KeyReader, key: str, shape: Text, default: Any) -> Any:
    return keys.text(key, required=shape.required) or ("" if shape.required else default)


def _display_text(keys: KeyReader, key: str, shape: DisplayText, default: Any) -> Any:
    value = keys.take(key)
    if value is None:
        return default
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        keys.at.add(key, N_("is not a printable, non-empty text"), N_("Write one line in quotes."))
        return default
    if len(value) > shape.max_characters:
        keys.at.add(key, N_("is too long"), sentence("Write {number} characters at most.", number=shape.max_characters))
        return default
    return value


def _url(keys: KeyReader, key: str, shape: Url, default: Any) -> Any:
    url = keys.text(key, required=shape.required) or ("" if shape.required else default)
    if url:
        # NOTE: a loopback redirect URI is plain http by design (RFC 8252, 7.3).
        loopback_http = keys.loopback_http or shape.plain_http == "always"
        check_url(keys.at, key, url, loopback_http=loopback_http, query=shape.query)
    return url


def _flag(keys: KeyReader, key: str, _shape: Flag, default: Any) -> bool:
    value = keys.take(key)
    if value is not None and not isinstance(value, bool):
        keys.at.add(key, N_("is not true or false"), N_("Write True or False without quotes."))
    return value if isinstance(value, bool) else bool(default)


def _choice(keys: KeyReader, key: str, shape: Choice, default: Any) -> Any:
    return keys.choice(key, default, shape.options, shape.instead)


def _seconds(keys: KeyReader, key: str, shape: Seconds, default: Any) -> Any:
    value = keys.take(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not shape.low <= value <= shape.high:
        low, high = f"{shape.low:g}", f"{shape.high:g}"
        keys.at.add(
            key,
            N_("is not a number in range"),
            sentence("Write seconds from {low} to {high}.", low=low, high=high),
        )
        return default
    return float(value)


def _whole_seconds(keys: KeyReader, key: str, _shape: WholeSeconds, default: Any) -> Any:
    value = keys.take(key)
    if value is None:
        return default
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    keys.at.add(key, N_("is not a whole number of seconds"), N_("Write for example 3600."))
    return default


def _count(keys: KeyReader, key: str, shape: Count, default: Any) -> Any:
    value = keys.take(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not shape.low <= value <= shape.high:
        keys.at.add(
            key,
            N_("is not a whole number in range"),
            sentence("Write a number from {low} to {high}.", low=shape.low, high=shape.high),
        )
        return default
    return value


def _words(keys: KeyReader, key: str, _shape: Words, default: Any) -> Any:
    return keys.words(key, default)


def _scopes(keys: KeyReader, key: str, _shape: Scopes, default: Any) -> Any:
    words = keys.words(key, default)
    if words is not default and not all(_SCOPE.match(word) for word in words):
        keys.at.add(key, N_("holds a scope with a space or an illegal character"), N_("Write one list entry a scope."))
        return default
    return words


def _sent_words(keys: KeyReader, key: str, shape: SentWords, default: Any) -> Any:
    words, fitting = keys.words(key, default), _SCOPE if shape.of == "levels" else _LOCALE
    if len(words) > MAX_SENT_WORDS or not all(fitting.match(one) for one in words):
        keys.at.add(key, N_("holds too many entries, or one that cannot be sent"), such_as(shape.example))
        return default
    return words


def _reference(keys: KeyReader, key: str, _shape: Reference, _default: Any) -> Any:
    return read_secret_reference(keys, key)


_READERS: Final[Mapping[type, Callable[[KeyReader, str, Any, Any], Any]]] = {
    Text: _text,
    DisplayText: _display_text,
    Url: _url,
    Flag: _flag,
    Choice: _choice,
    Seconds: _seconds,
    WholeSeconds: _whole_seconds,
    Count: _count,
    Words: _words,
    Scopes: _scopes,
    SentWords: _sent_words,
    Reference: _reference,
}
"""``PresetName`` and ``Own`` have no entry: the reader of the section has code of its own for them."""
